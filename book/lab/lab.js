// The page of the cell lab: what was chosen goes to the worker, what it says is shown. No module, so that it can
// explain itself where the book is opened as a file and modules are refused.
{
  const PATIENCE = 20000; // ms for one picture
  const lab = document.querySelector(".lab"), find = (selector) => lab.querySelector(selector);
  const about = JSON.parse(lab.dataset.about), folder = new URL(lab.dataset.static, location.href);
  const answer = find(".lab-answer"), notes = find(".lab-notes"), time = find(".lab-time"), canvas = find("canvas");
  const preset = find(".lab-preset"), lobes = find(".lab-lobes"), slider = lobes.querySelector("input");
  const crop = find(".lab-crop"), warm = find(".lab-warm"), upload = find(".lab-file input");
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  let worker, shown = null, current = null, asked = 0, waiting = null;

  const bars = about.classes.map(({ name, color }) => {
    const row = find("tbody").insertRow();
    row.innerHTML = `<th scope="row">${name}</th><td><span class="lab-bar"></span></td><td class="lab-share">–</td>`;
    row.style.setProperty("--color", color);
    return row;
  });
  for (const [key, name] of Object.entries(about.cells))
    if (!about.lobes.includes(key)) preset.add(new Option(name, key));
  preset.add(new Option("a neutrophil, lobe by lobe", "lobes"));
  slider.max = about.lobes.length - 1;
  slider.value = Math.floor(about.lobes.length / 2);

  function start() {
    worker?.terminate();
    worker = new Worker(new URL("worker.js", folder), { type: "module" });
    worker.onmessage = ({ data }) => {
      if (data.ready) lab.dataset.ready = "";
      else if (data.failed) say("The network could not be loaded. Load this page again.", data.failed);
      else if (data.id === asked) {
        clearTimeout(waiting);
        data.problem ? say(data.problem) : show(data);
      }
    };
    worker.onerror = () => say("The network could not be started. A newer browser may help.");
  }

  function say(words, more = "") {
    shown = null;
    answer.textContent = words;
    notes.textContent = more;
    time.textContent = "";
    for (const row of bars) fill(row, 0, "–");
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    canvas.setAttribute("aria-label", "No picture");
    lab.dataset.done = asked;
  }

  function read(file, name) {
    current = { file, name };
    asked += 1;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      start();
      say("This picture takes too long to open. Try a smaller one.");
    }, PATIENCE);
    worker.postMessage({ id: asked, file, crop: crop.value / 100 });
  }

  function fill(row, share, text) {
    row.querySelector(".lab-bar").style.inlineSize = `${100 * share}%`;
    row.querySelector(".lab-share").textContent = text;
  }

  function show(data) {
    shown = data;
    const { probabilities, strangeness, milliseconds } = data;
    const best = probabilities.indexOf(Math.max(...probabilities)), name = about.classes[best].name;
    const strange = strangeness > 1, doubtful = probabilities[best] < about.threshold;
    answer.textContent = strange || doubtful ? about.unsure : name;
    const why = strange
      ? `It is stranger than nearly all photographs that the network knows (${strangeness.toFixed(2)}; the limit is 1).`
      : doubtful
        ? `The most probable is ${name}, at ${percent(probabilities[best])}; a name needs ${percent(about.threshold)}.`
        : `Strangeness ${strangeness.toFixed(2)}; above 1 the network would keep silent.`;
    notes.textContent = [why, ...data.notes].join(" ");
    bars.forEach((row, i) => fill(row, probabilities[i], percent(probabilities[i])));
    lab.dataset.milliseconds = milliseconds;
    time.textContent = `Read in ${milliseconds.toFixed(0)} ms, on one core of your machine.`;
    paint();
    lab.dataset.done = asked;
  }

  function paint() {
    if (!shown) return;
    const side = about.image, context = canvas.getContext("2d"), small = new OffscreenCanvas(side, side);
    const pixels = new ImageData(side, side);
    for (let i = 0; i < side * side; i++)
      pixels.data.set([shown.levels[3 * i], shown.levels[3 * i + 1], shown.levels[3 * i + 2], 255], 4 * i);
    small.getContext("2d").putImageData(pixels, 0, 0);
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    if (warm.checked) {
      const places = Math.sqrt(shown.heat.length), top = Math.max(...shown.heat) || 1;
      const heat = new ImageData(places, places);
      shown.heat.forEach((value, i) => heat.data.set([255, 200 - 90 * (value / top), 0, 190 * (value / top)], 4 * i));
      const map = new OffscreenCanvas(places, places), scale = canvas.width / side;
      map.getContext("2d").putImageData(heat, 0, 0);
      const edge = ((side - about.view) / 2) * scale;
      context.drawImage(map, edge, edge, about.view * scale, about.view * scale);
    }
    const heated = warm.checked ? ", with the places that speak for the answer in warm colours" : "";
    canvas.setAttribute("aria-label", `${current.name}${heated}`);
  }

  async function choose() {
    lobes.hidden = preset.value !== "lobes";
    const key = lobes.hidden ? preset.value : about.lobes[slider.value];
    if (!key) return;
    lobes.querySelector("output").textContent = Number(slider.value) + 1;
    const name = about.cells[key];
    try {
      const answer = await fetch(new URL(`${key}.png`, folder));
      read(await answer.blob(), `Drawn cell: ${name}`);
    } catch {
      say("The drawn cell could not be loaded. Load this page again.");
    }
  }

  function take(file) {
    if (!file) return;
    preset.selectedIndex = -1;
    lobes.hidden = true;
    read(file, `Your picture ${file.name ?? ""}`.trim());
  }

  find(".lab-body").hidden = false;
  if (location.protocol === "file:") {
    say(
      "The lab does not run from a file.",
      "In the folder of the book, run “python -m http.server” and open http://localhost:8000 in your browser.",
    );
  } else {
    start();
    preset.addEventListener("change", choose);
    slider.addEventListener("input", choose);
    upload.addEventListener("change", () => take(upload.files[0]));
    warm.addEventListener("change", paint);
    crop.addEventListener("input", () => {
      crop.nextElementSibling.textContent = `${crop.value} %`;
      crop.setAttribute("aria-valuetext", `${crop.value} %`);
      if (current) read(current.file, current.name);
    });
    lab.addEventListener("dragover", (event) => event.preventDefault());
    lab.addEventListener("drop", (event) => {
      event.preventDefault();
      take(event.dataTransfer.files[0]);
    });
    document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
    choose();
  }
}
