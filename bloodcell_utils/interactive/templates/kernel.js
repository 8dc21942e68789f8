// Brings the kernels of one page to life; each is complete in itself and started once.
(() => {
  const start = (root) => {
    const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const darkness = data.levels.match(/../g).map((level) => 1 - parseInt(level, 16) / 255);
    const [side, k] = [Math.sqrt(darkness.length), Math.sqrt(data.kernels[0].length)];
    const [down, across] = root.querySelectorAll("input");
    const choice = root.querySelector("select");
    const cell = root.querySelector(".bc-cell");
    const [pixels, products] = [...root.querySelectorAll(".bc-squares")].map((panel) => ({
      panel,
      squares: [...panel.querySelectorAll("rect")],
      numbers: [...panel.querySelectorAll("text:not(.bc-weight)")],
      weights: [...panel.querySelectorAll(".bc-weight")],
    }));
    const text = (number) => number.toFixed(2).replace(/^-(0\.00)$/, "$1").replace("-", "\u2212");
    const fill = ({ squares, numbers }, i, color, number, light) => {
      squares[i].style.fill = color;
      numbers[i].textContent = text(number);
      numbers[i].classList.toggle("bc-light", light);
    };
    const show = () => {
      const [row, column] = [Number(down.value), Number(across.value)];
      const window_ = cell.querySelector("rect");
      window_.setAttribute("x", column);
      window_.setAttribute("y", row);
      let sum = 0;
      data.kernels[choice.selectedIndex].forEach((weight, i) => {
        const dark = darkness[(row + Math.floor(i / k)) * side + column + (i % k)];
        const product = dark * weight;
        const shade = Math.round(((product / data.most + 1) / 2) * (data.shades.length - 1));
        fill(pixels, i, `rgb(${Array(3).fill(Math.round(255 * (1 - dark)))})`, dark, dark > 0.55);
        fill(products, i, data.shades[shade], product, Math.abs(product) > 0.6 * data.most);
        products.weights[i].textContent = `\u00d7 ${String(weight).replace("-", "\u2212")}`;
        products.weights[i].classList.toggle("bc-light", Math.abs(product) > 0.6 * data.most);
        sum += product;
      });
      for (const slider of [down, across]) slider.parentNode.querySelector("output").textContent = slider.value;
      root.querySelector(".bc-says").textContent = `Sum: ${text(sum)}`;
    };
    const point = (event) => {
      const box = cell.getBoundingClientRect();
      across.value = Math.round(((event.clientX - box.left) / box.width) * side - k / 2);
      down.value = Math.round(((event.clientY - box.top) / box.height) * side - k / 2);
      show();
    };
    cell.addEventListener("pointerdown", point);
    cell.addEventListener("pointermove", (event) => event.buttons && point(event));
    for (const control of [down, across, choice]) control.addEventListener("input", show);
    show();
    root.querySelector(".bc-controls").hidden = false;
  };
  // Every piece that waits and is whole, not only this one: a notebook may run a script before its piece is in the page.
  const all = () => document.querySelectorAll(".bc-kernel:not([data-ready])").forEach((root) => {
    if (!root.querySelector("script[type='application/json'] + script")) return;
    root.dataset.ready = "";
    start(root);
  });
  all();
  setTimeout(all, 50);
  setTimeout(all, 1000);
})();
