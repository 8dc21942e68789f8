// The page of the cell lab: what was chosen goes to the worker, what it says is shown. No module, so that it can
// explain itself where the book is opened as a file and modules are refused.
{
  const PATIENCE = 20000; // ms for one picture
  const SERVE = "in the book’s folder, run “python -m http.server” and open http://localhost:8000 in your browser.";
  const lab = document.querySelector(".lab"), find = (selector) => lab.querySelector(selector);
  const about = JSON.parse(lab.dataset.about), folder = new URL(lab.dataset.static, location.href);
  const answer = find(".lab-answer"), notes = find(".lab-notes"), time = find(".lab-time"), canvas = find("canvas");
  const preset = find(".lab-preset"), lobes = find(".lab-lobes"), slider = lobes.querySelector("input");
  const crop = find(".lab-crop"), warm = find(".lab-warm"), upload = find(".lab-file input");
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  let worker, ready = false, broken = null, shown = null, current = null, asked = 0, waiting = null;

  const bars = about.classes.map(({ name, color }) => {
    const row = find("tbody").insertRow();
    row.innerHTML = '<th scope="row"></th><td><span class="lab-bar"></span></td><td class="lab-share">–</td>';
    row.cells[0].textContent = name;
    row.style.setProperty("--color", color);
    return row;
  });
  for (const [key, name] of Object.entries(about.cells))
    if (!about.lobes.includes(key)) preset.add(new Option(name, key));
  preset.add(new Option("a neutrophil, lobe by lobe", "lobes"));
  slider.max = about.lobes.length - 1;
  slider.value = Math.floor(about.lobes.length / 2);

  // Why the lab cannot run here, and what to do, as far as a page can know.
  function obstacle() {
    if (location.protocol === "file:") return ["The lab does not run from a file.", `Instead, ${SERVE}`];
    if (self.origin === "null") {
      const published = document.querySelector("link[rel=canonical]")?.href;
      const open = published ? `Open ${published}, or ${SERVE}` : `Instead, ${SERVE}`;
      return ["This page is shown in a sandbox, where the lab cannot load its networks.", open];
    }
    try {
      new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)); // the smallest one
    } catch {
      return [
        "WebAssembly is off in this browser; the networks need it.",
        "A setting for more security does that (Lockdown Mode, for one): allow this page, or try another browser.",
      ];
    }
    return null;
  }

  async function load(name) {
    const answer = await fetch(new URL(name, folder));
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer;
  }

  // The address of a module, with those that it imports. As a Blob it is JavaScript, whatever the server calls it:
  // Python's on Windows may call it plain text, which browsers refuse.
  async function script(name) {
    let text = await (await load(name)).text();
    for (const [whole, other] of text.matchAll(/^import .* from "\.\/(.*)"/gm))
      text = text.replace(whole, whole.replace(`./${other}`, await script(other)));
    text = text.replaceAll("import.meta.url", () => JSON.stringify(new URL(name, folder).href));
    return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  }

  async function start() {
    worker?.terminate();
    ready = false;
    try {
      worker = new Worker(await script("worker.js"), { type: "module" });
    } catch (problem) {
      return fail("The networks could not be loaded. Load this page again.", String(problem));
    }
    worker.onmessage = ({ data }) => {
      if (data.ready) {
        ready = true;
        lab.dataset.ready = "";
        if (current && lab.dataset.done != asked) ask();
      } else if (data.failed === "altered")
        fail(
          "This browser alters the pictures that a page reads: the networks would see noise, so they give no answer.",
          `It guards you against being recognised. In Firefox, open about:config, add ${location.hostname} to ` +
            "privacy.resistFingerprinting.exemptedDomains and load this page again; or try another browser.",
        );
      else if (data.failed) fail("The networks could not be loaded. Load this page again.", data.failed);
      else if (data.id === asked) {
        clearTimeout(waiting);
        data.problem ? say(data.problem) : show(data);
      }
    };
    worker.onerror = () => fail("The networks could not be started. A newer browser may help.");
  }

  // For good: every picture gets this answer.
  function fail(words, more) {
    clearTimeout(waiting);
    broken = [words, more];
    say(words, more);
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
    if (broken) say(...broken);
    else if (ready) ask();
  }

  function ask() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      start();
      say("This picture takes too long to open. Try a smaller one.");
    }, PATIENCE);
    worker.postMessage({ id: asked, file: current.file, crop: crop.value / 100, threshold: about.threshold });
  }

  function fill(row, share, text) {
    row.querySelector(".lab-bar").style.inlineSize = `${100 * share}%`;
    row.querySelector(".lab-share").textContent = text;
  }

  function show(data) {
    shown = data;
    const { probabilities, strangeness, milliseconds, odd } = data;
    const best = probabilities.indexOf(Math.max(...probabilities)), name = about.classes[best].name;
    const strange = strangeness > 1;
    answer.textContent = odd ? about.unsure : name;
    const why = strange
      ? `It is strange to the network that travelled (${strangeness.toFixed(2)}; the limit is 1).`
      : odd
        ? `The most probable is ${name}, at ${percent(probabilities[best])}; a name needs ${percent(about.threshold)}.`
        : `Strangeness ${strangeness.toFixed(2)}; above 1 there would be no name.`;
    notes.textContent = [why, ...(odd ? remark(odd) : []), ...data.notes].join(" ");
    bars.forEach((row, i) => fill(row, probabilities[i], percent(probabilities[i])));
    lab.dataset.milliseconds = milliseconds;
    time.textContent = `Read in ${milliseconds.toFixed(0)} ms, on one core of your machine.`;
    paint();
    lab.dataset.done = asked;
  }

  // What is odd about a picture without a name, in words.
  function remark({ exchanged, nucleus }) {
    const [low, usual, high] = about.nucleus, times = nucleus / usual;
    const width = `Its nucleus is ${times.toFixed(1)} times as wide as usual:`;
    if (exchanged) return ["Red and blue look exchanged (OpenCV’s order): save it again as RGB."];
    if (nucleus > about.room * high) return [`${width} give it a wider field.`];
    if (0 < nucleus && nucleus < low / about.room)
      return [`${width} crop to ${Math.max(crop.min, Math.round(crop.value * times))} %?`];
    return [];
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
      read(await (await load(`${key}.png`)).blob(), `Drawn cell: ${name}`);
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
  const reason = obstacle();
  if (reason) fail(...reason);
  else {
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
