// The dots of the finished matrix, drawn in HTML, fly in from anywhere on the slide. A canvas over the picture does it;
// without it, or for a reader who wants no motion, the matrix is there from the start.
{
  const FLIGHT = 1500; // ms, of one dot
  const SPREAD = 2200; // ms, between the first and the last to leave

  const still = matchMedia("(prefers-reduced-motion: reduce)");

  function dotsOf(svg) {
    return [...svg.querySelectorAll("path")].flatMap((path) =>
      path.getAttribute("d").match(/[\d.]+ [\d.]+/g).map((place) => {
        const [x, y] = place.split(" ").map(Number);
        return { x, y, r: path.matches(".wrong") ? 2 : 0.75, color: path.getAttribute("stroke") };
      }),
    );
  }

  function assemble(box, button) {
    const svg = box.querySelector("svg");
    const { width, height } = svg.viewBox.baseVal;
    const seen = svg.getBoundingClientRect();
    const frame = box.getBoundingClientRect();
    const scale = (seen.width / width) * devicePixelRatio;
    const canvas = document.createElement("canvas");
    canvas.width = width * scale;
    canvas.height = height * scale;
    Object.assign(canvas.style, {
      width: `${seen.width}px`,
      height: `${seen.height}px`,
      inset: `${seen.top - frame.top}px auto auto ${seen.left - frame.left}px`,
    });
    box.append(canvas);
    box.classList.add("flying");
    button.hidden = true;

    const flight = dotsOf(svg).map((dot) => ({
      ...dot,
      fromX: Math.random() * width,
      fromY: Math.random() * height,
      leaves: Math.random() * SPREAD,
    }));
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);

    let start;
    function draw(now) {
      start ??= now;
      pen.clearRect(0, 0, width, height);
      for (const { x, y, r, color, fromX, fromY, leaves } of flight) {
        const t = Math.min(Math.max((now - start - leaves) / FLIGHT, 0), 1);
        const eased = t * t * (3 - 2 * t);
        pen.fillStyle = color;
        pen.beginPath();
        pen.arc(fromX + (x - fromX) * eased, fromY + (y - fromY) * eased, r, 0, 7);
        pen.fill();
      }
      if (now - start < FLIGHT + SPREAD && !still.matches) return requestAnimationFrame(draw);
      canvas.remove();
      box.classList.remove("flying");
      button.hidden = still.matches;
    }
    requestAnimationFrame(draw);
  }

  for (const box of document.querySelectorAll(".assembling")) {
    const button = box.querySelector("button");
    button.addEventListener("click", () => assemble(box, button));
    if (still.matches) continue;
    const seen = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        assemble(box, button);
      },
      { threshold: 0.4 },
    );
    seen.observe(box);
  }
}

// The story of one cell: the picture of what is being read lies over the others. Its pictures and captions are there
// without this, as a strip; so they stay on a narrow page, and for a reader who wants no motion.
{
  const wanted = matchMedia("(min-width: 992px) and (prefers-reduced-motion: no-preference)");
  for (const story of document.querySelectorAll(".story")) {
    const steps = [...story.children];
    const read = new IntersectionObserver(
      (entries) => {
        const now = entries.find((entry) => entry.isIntersecting)?.target.closest("li");
        if (now) for (const step of steps) step.classList.toggle("now", step === now);
      },
      { rootMargin: "-50% 0px -50% 0px" }, // the line in the middle of the window
    );
    const lay = () => {
      story.classList.toggle("scrolled", wanted.matches);
      steps.forEach((step, i) => step.classList.toggle("now", i === 0));
      read.disconnect();
      if (wanted.matches) for (const step of steps) read.observe(step.querySelector("figcaption"));
    };
    wanted.addEventListener("change", lay);
    lay();
  }
}
