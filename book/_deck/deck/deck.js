// Pictures, tables and printed lines in their own size are too small for a hall or too large for a slide: each slide's
// exhibit takes the largest size that fits into the room that its words leave.
function fit(slide) {
  for (const exhibit of slide.querySelectorAll(".exhibit")) {
    const room = exhibit.parentElement.getBoundingClientRect();
    const fits = (steps) => {
      exhibit.style.zoom = steps / 20;
      const needed = exhibit.getBoundingClientRect();
      return needed.height <= room.height + 1 && needed.width <= room.width + 1
        && ![...exhibit.querySelectorAll("*")].some((part) => part.clientWidth > 0
          && part.scrollWidth > part.clientWidth + 2
          && (part.matches("pre") || getComputedStyle(part).overflowX !== "visible"));
    };
    let [low, high] = [6, 37];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (fits(middle)) low = middle;
      else high = middle;
    }
    exhibit.style.zoom = low / 20;
  }
}

// What a style sheet would ask with `:has`, at each change of hundreds of slides.
document.querySelectorAll(".beside").forEach((words) => words.parentElement.classList.add("row"));
document.querySelectorAll(".fragment > .room").forEach((room) => room.parentElement.classList.add("tall"));

const pictures = () => Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
const formulas = () => (window.MathJax?.startup?.promise ?? Promise.resolve());

Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  display: "flex",
  hash: true,
  slideNumber: "c/t",
  transition: "none",
  pdfSeparateFragments: false,
  pdfMaxPagesPerSlide: 1,
  plugins: [RevealNotes],
  // Arrow keys belong to what is being used: a slider, a table to walk through.
  keyboardCondition: (event) => !event.target.closest?.(".exhibit"),
}).then(() => Promise.all([pictures(), formulas()])).then(() => {
  if (Reveal.isPrintView?.()) {
    document.querySelectorAll(".slides section").forEach(fit);
  } else {
    const now = () => fit(Reveal.getCurrentSlide());
    Reveal.on("slidechanged", now);
    Reveal.on("resize", now);
    now();
  }
  document.documentElement.dataset.fitted = "";
});
