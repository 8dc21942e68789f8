"""Every slide of every deck in Chromium: large enough to be read from the last row, and all of it on the slide."""

import re

from bloodcell_utils import course

DECKS = [deck.name for deck in (*course.load().chapters, *course.load().tracks)]
LEFT = re.compile(r"###|:::|\{[\w:-]+\}`")  # of the book's own markup, in words or notes
MEASURE = """(seen) => {  // a slide that a track has from a chapter is measured there
    const found = [], known = new Set(seen);
    Reveal.getSlides().forEach((slide, number) => {
        const text = slide.textContent.replace(/\\d+:\\d+/g, ""), pictures = [...slide.querySelectorAll("img[alt]")];
        const key = text + pictures.map((picture) => picture.dataset.src);
        if (known.has(key)) return;
        known.add(key);
        Reveal.slide(number, 0, 99);
        const say = (what, text) => found.push(`${number + 1} ${what}: ${text.trim().slice(0, 60)}`);
        for (const part of slide.querySelectorAll(":not(aside, aside *, mjx-assistive-mml, mjx-assistive-mml *)")) {
            if (!part.checkVisibility({ visibilityProperty: true })) continue;
            const box = part.getBoundingClientRect();
            if (box.width && (box.right > 1281 || box.bottom > 721 || box.left < -1 || box.top < -1))
                say("is not whole", part.outerHTML);
            const words = [...part.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
            const scale = part.ownerSVGElement ? part.getScreenCTM().d : part.currentCSSZoom;
            const size = parseFloat(getComputedStyle(part).fontSize) * scale;
            if (words.length && size < 19.9) say(`has ${size.toFixed(1)} px`, part.textContent);
        }
    });
    return [found, [...known]];
}"""


def test_every_slide_is_large_enough_and_whole(chromium, site):
    page = chromium.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    wrong, seen = {}, []
    for name in DECKS:
        page.goto(f"{site}/slides/{name}.html")
        page.wait_for_selector("html[data-fitted]", state="attached")
        wrong[name], seen = page.evaluate(MEASURE, seen)
        wrong[name] += LEFT.findall(page.evaluate("document.querySelector('.slides').textContent"))
    page.close()
    assert not {name: found for name, found in wrong.items() if found}
