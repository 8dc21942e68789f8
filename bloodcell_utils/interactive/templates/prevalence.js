// Brings the threshold and prevalence of one page to life; each piece is complete in itself and started once.
(() => {
  const start = (root) => {
    const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const slider = (name) => root.querySelector(`input[data-of="${name}"]`);
    const [threshold, prevalence] = [slider("threshold"), slider("prevalence")];
    const says = root.querySelector(".bc-says");
    const legend = root.querySelector(".bc-legend");
    const picture = root.querySelector("svg");
    const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;
    const common = (share) => `${Number((100 * share).toFixed(1))}\u00a0%`;

    const make = (tag, text, parent, kind) => {
      const svg = parent.namespaceURI.endsWith("svg");
      const element = svg ? document.createElementNS(parent.namespaceURI, tag) : document.createElement(tag);
      if (kind) element.setAttribute("class", kind);
      if (text) element.textContent = text;
      parent.append(element);
      return element;
    };

    // The same counting, in the same order, as `prevalence.at` does in Python.
    const count = (stop, share, cells = 1000) => {
      const found = data.positives.filter((score) => score >= stop).length;
      const alarms = data.negatives.filter((score) => score >= stop).length;
      const [sensitivity, rate] = [found / data.positives.length, alarms / data.negatives.length];
      const [tp, fp] = [cells * share * sensitivity, cells * (1 - share) * rate];
      const [fn, tn] = [cells * share - tp, cells * (1 - share) - fp];
      const [ppv, npv] = [tp / (tp + fp), tn / (tn + fn)];
      return { found, alarms, sensitivity, specificity: 1 - rate, tp, fn, fp, tn, ppv, npv };
    };

    const shapes = {
      tp: (x, y) => `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`,
      fn: (x, y) => `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0`,
      fp: (x, y) => `M${x - 3.5} ${y - 3.5}h7v7h-7z`,
      tn: (x, y) => `M${x - 1.5} ${y}a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0 -3 0`,
    };
    const draw = (result, share) => {
      const [kind, others] = [Math.round(1000 * share), 1000 - Math.round(1000 * share)];
      const [tp, fp] = [Math.min(kind, Math.round(result.tp)), Math.min(others, Math.round(result.fp))];
      const dots = { tp, fn: kind - tp, fp, tn: others - fp };
      const paths = { tp: "", fn: "", fp: "", tn: "" };
      let place = 0;
      for (const [name, number] of Object.entries(dots)) {
        for (let i = 0; i < number; i += 1, place += 1) {
          paths[name] += shapes[name](5 + 10 * (place % 40), 5 + 10 * Math.floor(place / 40));
        }
      }
      picture.replaceChildren();
      for (const [name, path] of Object.entries(paths)) make("path", "", picture, `bc-${name}`).setAttribute("d", path);
      const parts = Object.entries(dots).map(([name, number]) => `${number} ${data.kinds[name]}`);
      picture.setAttribute("aria-label", `1,000 cells as dots: ${parts.join(", ")}`);
      legend.replaceChildren();
      for (const name of Object.keys(dots)) {
        const item = make("li", "", legend);
        const swatch = document.createElementNS(picture.namespaceURI, "svg");
        swatch.setAttribute("viewBox", "0 0 10 10");
        swatch.setAttribute("aria-hidden", "true");
        item.append(swatch);
        make("path", "", swatch, `bc-${name}`).setAttribute("d", shapes[name](5, 5));
        make("span", `${result[name].toFixed(1)} ${data.kinds[name]}`, item);
      }
    };

    const show = () => {
      const [i, share] = [Number(threshold.value), data.prevalences[Number(prevalence.value)]];
      const [stop, interval] = [data.stops[i], data.intervals[i].map((end) => end.toFixed(1))];
      const result = count(stop, share);
      root.bloodcell = result;
      const shown = [[threshold, (stop / data.steps).toFixed(4)], [prevalence, common(share)]];
      for (const [input, text] of shown) {
        input.setAttribute("aria-valuetext", text);
        input.parentNode.querySelector("output").textContent = text;
      }
      draw(result, share);
      says.replaceChildren();
      const { name } = data;
      make("p", `The model, tested on ${data.positives.length} ${name}s and ${data.negatives.length} others: ` +
        `${result.found} found, sensitivity ${percent(result.sensitivity)} (95 % interval ${interval[0]} to ${interval[1]}\u00a0%); ` +
        `${result.alarms} false alarms, specificity ${percent(result.specificity)} (${interval[2]} to ${interval[3]}\u00a0%).`, says);
      const calls = result.tp + result.fp;
      make("p", `Among 1,000 cells with ${common(share)} ${name}s, it is to be expected that ${calls.toFixed(1)} are called ` +
        `${name}, and ${percent(result.ppv)} of them are (positive predictive value). ` + (Number.isNaN(result.npv)
        ? "No cell is called anything else."
        : `Of those not called so, ${percent(result.npv, 2)} are none (negative predictive value).`), says);
    };

    for (const input of [threshold, prevalence]) input.addEventListener("input", show);
    root.querySelectorAll("[data-stop]").forEach((button) => button.addEventListener("click", () => {
      threshold.value = button.dataset.stop;
      show();
    }));
    show();
    root.querySelector(".bc-controls").hidden = false;
  };
  // Every piece that waits and is whole, not only this one: a notebook may run a script before its piece is in the page.
  const all = () => document.querySelectorAll(".bc-prevalence:not([data-ready])").forEach((root) => {
    if (!root.querySelector("script[type='application/json'] + script")) return;
    root.dataset.ready = "";
    start(root);
  });
  all();
  setTimeout(all, 50);
  setTimeout(all, 1000);
})();
