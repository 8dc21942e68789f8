// Moves along the curves of one training; each piece is complete in itself and started once.
(() => {
  const start = (root) => {
    const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const slider = root.querySelector("input"), says = root.querySelector(".bc-says");
    const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
    const past = [...root.querySelectorAll(".bc-past")].map((line) => [line, line.getAttribute("points").split(" ")]);

    const show = () => {
      const now = Number(slider.value), right = data.val_accuracy.slice(0, now + 1);
      const best = right.indexOf(Math.max(...right));
      for (const [line, points] of past) line.setAttribute("points", points.slice(0, now + 1).join(" "));
      for (const mark of root.querySelectorAll(".bc-now"))
        mark.setAttribute("transform", `translate(${past[0][1][now].split(",")[0]})`);
      slider.setAttribute("aria-valuetext", `${now + 1} of ${data.loss.length}`);
      root.querySelector("output").textContent = `${now + 1} / ${data.loss.length}`;
      says.textContent =
        `After epoch ${now + 1} and ${data.minutes[now].toFixed(1)} minutes: loss ${data.loss[now].toFixed(3)} on training and ` +
        `${data.val_loss[now].toFixed(3)} on validation images; accuracy ${percent(data.accuracy[now])} and ` +
        `${percent(data.val_accuracy[now])}. ` +
        (best === now ? "No epoch before was better." : `Epoch ${best + 1} was better on validation: ${percent(right[best])}.`);
    };

    slider.addEventListener("input", show);
    show();
    slider.parentNode.hidden = false;
  };
  // Every piece that waits and is whole, not only this one: a notebook may run a script before its piece is in the page.
  const all = () => document.querySelectorAll(".bc-curves:not([data-ready])").forEach((root) => {
    if (!root.querySelector("script[type='application/json'] + script")) return;
    root.dataset.ready = "";
    start(root);
  });
  all();
  setTimeout(all, 50);
  setTimeout(all, 1000);
})();
