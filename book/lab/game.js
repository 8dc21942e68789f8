// Forty cells named by the reader, then compared with the network. What is answered stays in this browser.
{
  const KEY = "bloodcell-forty", Z = 1.959963984540054; // of a 95 % interval
  const game = document.querySelector(".game"), find = (selector) => game.querySelector(selector);
  const about = JSON.parse(game.dataset.about), { classes, side, across, cells } = about;
  const rounds = about.truth.length / cells, sheet = new URL(game.dataset.sheet, location.href).href;
  const play = find(".game-play"), end = find(".game-end"), picture = find(".game-cell");
  const escaped = (text) => text.replace(/[<&"]/g, (c) => `&#${c.charCodeAt(0)};`);

  // Storage may be closed or full: then a visit is all there is.
  let state = { round: 0, answers: [] };
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    const known = (answer) => Number.isInteger(answer) && answer >= 0 && answer < classes.length;
    if (kept && kept.round < rounds && kept.answers.length <= cells && kept.answers.every(known)) state = kept;
  } catch {}
  const keep = () => {
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
    } catch {}
  };

  const offset = () => state.round * cells;
  const truth = () => about.truth.slice(offset(), offset() + cells);
  const model = () => about.model.slice(offset(), offset() + cells);

  function confusion(rows, columns) {
    const counts = classes.map(() => classes.map(() => 0));
    rows.forEach((row, i) => (counts[row][columns[i]] += 1));
    return counts;
  }

  const sum = (values) => values.reduce((a, b) => a + b, 0);

  function kappa(counts) {
    const n = sum(counts.map(sum)), right = sum(counts.map((row, i) => row[i]));
    const chance = sum(counts.map((row, i) => sum(row) * sum(counts.map((other) => other[i]))));
    return n * n > chance ? (n * right - chance) / (n * n - chance) : NaN;
  }

  function wilson(right, n) {
    const p = right / n, middle = p + (Z * Z) / (2 * n);
    const reach = Z * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n));
    return [middle - reach, middle + reach].map((bound) => Math.min(1, Math.max(0, bound / (1 + (Z * Z) / n))));
  }

  function place(element, index) {
    element.style.backgroundImage = `url("${sheet}")`;
    element.style.backgroundSize = `${100 * across}%`;
    const rows = about.truth.length / across;
    const x = (index % across) / (across - 1), y = Math.floor(index / across) / (rows - 1);
    element.style.backgroundPosition = `${100 * x}% ${100 * y}%`;
  }

  function show() {
    const number = state.answers.length, done = number === cells;
    play.hidden = done;
    end.hidden = !done;
    if (done) return finish();
    find(".game-count").textContent = `Cell ${number + 1} of ${cells}`;
    find("progress").max = cells;
    find("progress").value = number;
    find(".game-back").disabled = number === 0;
    place(picture, offset() + number);
    picture.setAttribute("aria-label", `Cell ${number + 1} of ${cells}, to be named`);
  }

  function answer(kind) {
    if (play.hidden) return;
    state.answers.push(kind);
    keep();
    show();
    if (state.answers.length === cells) end.focus();
  }

  function back() {
    if (play.hidden || !state.answers.length) return;
    state.answers.pop();
    keep();
    show();
  }

  const score = (answers) => {
    const right = sum(answers.map((answer, i) => Number(answer === truth()[i])));
    return { right, interval: wilson(right, cells) };
  };

  function said(who, { right, interval }) {
    const [low, high] = interval.map((bound) => Math.round(100 * bound));
    return `${who}: ${right} of ${cells} (95 % interval ${low} to ${high} %)`;
  }

  const two = (number) => (Number.isNaN(number) ? "not defined" : number.toFixed(2));

  function finish() {
    const mine = state.answers;
    find(".game-score").textContent = `${said("You", score(mine))}. ${said("The network", score(model()))}.`;
    const agreement = [confusion(truth(), mine), confusion(truth(), model()), confusion(mine, model())].map(kappa);
    find(".game-kappa").textContent =
      `Cohen’s kappa, 1 for full agreement and 0 for chance: you and the truth ${two(agreement[0])}, ` +
      `the network and the truth ${two(agreement[1])}, you and the network ${two(agreement[2])}.`;
    find(".game-tables").innerHTML = table("You", mine) + table("The network", model());
    const list = find(".game-differ");
    list.replaceChildren();
    mine.forEach((named, i) => {
      if (named !== model()[i]) list.append(difference(i, named));
    });
    if (!list.children.length) list.innerHTML = "<li>Nowhere: you gave the same forty names.</li>";
  }

  function difference(i, named) {
    const item = document.createElement("li"), cell = document.createElement("span"), kind = classes[truth()[i]];
    place(cell, offset() + i);
    cell.className = "game-small";
    cell.setAttribute("role", "img");
    cell.setAttribute("aria-label", `Cell ${i + 1}: ${kind.name}`);
    const words = document.createElement("span");
    words.innerHTML =
      `<strong>${escaped(kind.name)}</strong>: you said ${escaped(classes[named].name)}, ` +
      `the network ${escaped(classes[model()[i]].name)}. ` +
      `Look for a nucleus: ${escaped(kind.nucleus)}; cytoplasm: ${escaped(kind.cytoplasm)}.`;
    item.append(cell, words);
    return item;
  }

  function table(who, answers) {
    const counts = confusion(truth(), answers);
    const title = ({ name, short }) => `<abbr title="${escaped(name)}">${escaped(short)}</abbr>`;
    const head = classes.map((kind) => `<th scope="col">${title(kind)}</th>`).join("");
    const rows = counts.map((row, i) => {
      const shares = row.map((count, j) => {
        const strength = Math.round((60 * count) / Math.max(1, sum(row)));
        return `<td class="${i === j ? "right" : "wrong"}" style="--share:${strength}%">${count || ""}</td>`;
      });
      return `<tr><th scope="row">${title(classes[i])}</th>${shares.join("")}</tr>`;
    });
    return `<table><caption>${who} (rows: what it is)</caption><thead><tr><td></td>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
  }

  // The result as a picture: drawn here, saved by the reader, sent nowhere.
  function portrait() {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1200, height: 630 });
    const c = canvas.getContext("2d");
    const write = (text, x, y, size, weight = 400, align = "left") => {
      c.font = `${weight} ${size}px system-ui, sans-serif`;
      c.textAlign = align;
      c.fillStyle = "#222";
      c.fillText(text, x, y);
    };
    c.fillStyle = "#fff";
    c.fillRect(0, 0, 1200, 630);
    write("Forty drawn blood cells: me against the model", 60, 70, 36, 600);
    [["Me", state.answers], ["The network", model()]].forEach(([who, answers], n) => {
      const left = 110 + n * 570, top = 170, step = 44, counts = confusion(truth(), answers);
      write(said(who, score(answers)), left - 50, 125, 22, 600);
      classes.forEach(({ short, color }, i) => {
        write(short, left - 10, top + i * step + 28, 16, 400, "right");
        write(short, left + (i + 0.5) * step, top - 8, 14, 400, "center");
        counts[i].forEach((count, j) => {
          c.fillStyle = "#f2f2f2";
          c.fillRect(left + j * step, top + i * step, step - 3, step - 3);
          c.globalAlpha = count ? 0.25 + (0.5 * count) / sum(counts[i]) : 0;
          c.fillStyle = color;
          c.fillRect(left + j * step, top + i * step, step - 3, step - 3);
          c.globalAlpha = 1;
          if (count) write(count, left + (j + 0.45) * step, top + i * step + 28, 18, 600, "center");
        });
      });
    });
    write("Rows: what it is. Columns: what was said. Cells drawn by a program; for teaching only.", 60, 590, 20);
    const corner = c.getImageData(0, 0, 9, 9).data; // white, unless the browser alters what is read back
    return Math.min(...corner) < 250 ? null : new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  async function save() {
    const drawn = await portrait();
    find(".game-altered").textContent = drawn ? "" : "This browser lets no page save a picture. A screenshot does it.";
    if (!drawn) return;
    const file = new File([drawn], "forty-cells.png", { type: "image/png" });
    if (matchMedia("(pointer: coarse)").matches && navigator.canShare?.({ files: [file] }))
      return navigator.share({ files: [file] }).catch(() => {}); // the reader may change their mind
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: file.name });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  classes.forEach(({ name }, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.innerHTML = `<kbd aria-hidden="true">${i + 1}</kbd> ${escaped(name)}`;
    button.addEventListener("click", () => answer(i));
    find(".game-names").append(button);
  });
  find(".game-back").addEventListener("click", back);
  find(".game-save").addEventListener("click", save);
  find(".game-again").addEventListener("click", () => {
    state = { round: (state.round + 1) % rounds, answers: [] };
    keep();
    show();
    find(".game-names button").focus();
  });
  document.addEventListener("keydown", (event) => {
    if (play.hidden || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    if (event.key >= "1" && event.key <= String(classes.length)) answer(Number(event.key) - 1);
    else if (event.key === "Backspace") back();
    else return;
    event.preventDefault();
  });
  show();
}
