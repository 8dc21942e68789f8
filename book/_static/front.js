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
