(() => {
  function start(player) {
    const pictures = [...player.querySelectorAll(".frame")];
    const axes = [...player.querySelectorAll("[data-axis]")]; // one slider, or a slider or a list for each axis of a grid
    const play = player.querySelector("[data-play]");
    let timer = 0;
    const values = axes.map((axis) => (axis.dataset.values ? JSON.parse(axis.dataset.values) : null));
    const size = (axis) => (axis.options ? axis.options.length : Number(axis.max) + 1);
    const at = (axis) => (axis.options ? axis.selectedIndex : Number(axis.value));
    const show = () => {
      const i = axes.reduce((place, axis) => place * size(axis) + at(axis), 0);
      const label = pictures[i].querySelector("p").textContent;
      pictures.forEach((picture, j) => picture.toggleAttribute("data-on", i === j));
      axes.forEach((axis, k) => {
        if (axis.options) return;
        axis.setAttribute("aria-valuetext", values[k] ? values[k][at(axis)] : label);
        axis.parentNode.querySelector("output").textContent = values[k] ? values[k][at(axis)] : `${i + 1} / ${pictures.length}`;
      });
      return label;
    };
    const move = (by) => {
      axes[0].value = (at(axes[0]) + by + pictures.length) % pictures.length;
      show();
    };
    const run = (on) => {
      if (!play) return;
      clearInterval(timer);
      timer = on ? setInterval(() => (player.isConnected ? move(1) : run(false)), 900) : 0;
      play.setAttribute("aria-pressed", String(on));
      play.setAttribute("aria-label", on ? "pause" : "play");
      play.textContent = on ? "\u275A\u275A\uFE0E" : "\u25B6\uFE0E";
    };
    axes.forEach((axis) => axis.addEventListener("input", () => {
      run(false);
      const label = show();
      // A single slider says its line itself; of several, each says its own value and this says what came of it.
      if (!play) player.querySelector(".aloud").textContent = label;
    }));
    player.querySelectorAll("[data-step]").forEach((button) =>
      button.addEventListener("click", () => { run(false); move(Number(button.dataset.step)); }));
    if (play) play.addEventListener("click", () => run(timer === 0));
    show();
    player.querySelector(".controls").hidden = false;
  }
  // Every player that waits, not only this one: a notebook may run a script before its own piece is in the page.
  const all = () => document.querySelectorAll(".bloodcell-frames:not([data-ready])").forEach((player) => {
    if (!player.querySelector(".aloud")) return; // a long page may still be arriving in the middle of the next one
    player.dataset.ready = "";
    start(player);
  });
  all();
  setTimeout(all, 50);
  setTimeout(all, 1000);
})();
