"""The story of one cell on the first page: a strip of pictures, complete without a script, and scrolled with one."""

import pytest
from host import HTML
from test_static import read

PAGE = "book/intro.html"
LIGHT = 300_000  # bytes
SEEN = """(steps) => steps.map((step) => {
    const { top, bottom } = step.querySelector(".picture").getBoundingClientRect();
    const opacity = Number(getComputedStyle(step.querySelector(".picture")).opacity);
    return opacity > 0.9 && top >= 0 && bottom <= innerHeight;
})"""


def test_it_is_light_and_its_pictures_wait():
    story = read(HTML / PAGE).select_one(".story")
    pictures = story.select("img")
    assert all(picture["loading"] == "lazy" and picture["width"] and picture["height"] for picture in pictures)
    sizes = [(HTML / PAGE).parent.joinpath(picture["src"]).stat().st_size for picture in pictures]
    assert len(str(story).encode()) + sum(sizes) <= LIGHT
    assert all(step.select("img[alt], svg[aria-label]") and step.figcaption.a for step in story.select("li"))


def test_each_caption_has_its_picture_beside_it(chromium, site):
    page = chromium.new_page(viewport={"width": 1366, "height": 768})
    page.goto(f"{site}/{PAGE}")
    steps = page.locator(".story.scrolled > li")
    page.add_style_tag(content="html { scroll-behavior: auto !important } .picture { transition: none !important }")
    for i in range(steps.count()):
        steps.nth(i).locator("figcaption a").first.focus()  # as with the tab key, which scrolls
        steps.nth(i).locator("figcaption").evaluate("caption => caption.scrollIntoView({ block: 'center' })")
        page.wait_for_selector(f".story > li:nth-child({i + 1}).now")
        assert steps.evaluate_all(SEEN) == [place == i for place in range(steps.count())]
    assert i == 5
    page.close()


@pytest.mark.parametrize("width", [1366, 360])
@pytest.mark.parametrize(
    "reader", [{"reduced_motion": "reduce"}, {"java_script_enabled": False}], ids=["still", "plain"]
)
def test_without_motion_it_is_a_strip(chromium, site, width, reader):
    page = chromium.new_page(viewport={"width": width, "height": 768}, **reader)
    page.goto(f"{site}/{PAGE}")
    page.locator(".story").scroll_into_view_if_needed()
    assert page.locator(".story.scrolled").count() == 0
    steps = page.locator(".story .picture, .story figcaption")  # at one moment: the page may still move
    boxes = steps.evaluate_all("all => all.map((one) => one.getBoundingClientRect().toJSON())")
    assert len(boxes) == 12 and all(box["width"] > 150 and box["x"] + box["width"] <= width for box in boxes)
    for a in boxes:
        for b in boxes:
            apart = a["y"] + a["height"] <= b["y"] + 1 or a["x"] + a["width"] <= b["x"] + 1
            assert a is b or apart or b["y"] + b["height"] <= a["y"] + 1 or b["x"] + b["width"] <= a["x"] + 1
    page.close()
