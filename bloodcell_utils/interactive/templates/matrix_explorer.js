// Brings the tables of numbers of one page to life; each is complete in itself and started once.
for (const root of document.querySelectorAll(".bc-matrix:not([data-ready])")) {
  root.dataset.ready = "yes";
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const cells = [...root.querySelectorAll("td button")];
  const at = (row, column) => root.querySelector(`td button[data-cell="${row},${column}"]`);
  const output = root.querySelector(".bc-output");
  const percent = root.querySelector(".bc-percent");

  const make = (tag, name, text, parent) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text) element.textContent = text;
    parent.append(element);
    return element;
  };

  const pictures = (title, tiles, parent) => {
    if (!tiles || !tiles.length) return;
    const group = make("div", "", "", parent);
    make("p", "bc-name", title, group);
    const list = make("ul", "", "", group);
    tiles.forEach(([number, caption], i) => {
      const item = make("li", "", "", list);
      const image = make("img", "", "", item);
      image.src = data.prefix + data.tiles[number];
      image.width = image.height = data.side;
      image.alt = `${title}, ${i + 1} of ${tiles.length}${caption && ", " + caption}`;
      item.append(caption);
    });
  };

  const show = (button) => {
    const cell = data.cells[button.dataset.cell];
    const [row, column] = button.dataset.cell.split(",");
    cells.forEach((other) => {
      other.setAttribute("aria-pressed", String(other === button));
      other.tabIndex = other === button ? 0 : -1; // one stop for the tab key, the arrows do the rest
    });
    output.replaceChildren();
    make("p", "", cell.says, output);
    const rows = make("div", "bc-rows", "", output);
    pictures(cell.title, cell.tiles, rows);
    if (row === column || !cell.tiles.length) return;
    for (const other of [`${row},${row}`, `${column},${column}`]) {
      if (data.cells[other]) pictures(data.cells[other].title, data.cells[other].tiles, rows);
    }
  };

  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  cells.forEach((button) => {
    button.addEventListener("click", () => show(button));
    button.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      let [row, column] = button.dataset.cell.split(",").map(Number);
      do {
        row += step[0];
        column += step[1];
      } while (row >= 0 && column >= 0 && row < data.size && column < data.size && !at(row, column));
      const next = at(row, column);
      if (next) {
        next.focus();
        show(next);
      }
    });
  });

  percent.addEventListener("click", () => {
    const on = percent.getAttribute("aria-pressed") !== "true";
    percent.setAttribute("aria-pressed", String(on));
    cells.forEach((button) => (button.textContent = on ? button.dataset.percent : button.dataset.count));
  });

  const first = root.querySelector(`td button[data-cell="${data.first}"]`);
  if (first) show(first);
}
