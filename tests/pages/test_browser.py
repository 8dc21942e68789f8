"""Every page, opened in a browser: no error, and no request that leaves the machine."""

import pytest
from host import HTML

MOST, FIRST = 2_000, {"book/intro.html": 300}  # kB sent before a click
PAGES = sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html") if "_static" not in path.parts)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_takes_little_and_asks_nothing_of_others(context, page, site, name):
    wire, sent = context.new_cdp_session(page), []
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    answer = page.goto(f"{site}/{name}", wait_until="networkidle")
    assert answer.ok
    assert sum(sent) / 1000 <= FIRST.get(name, MOST)


CLOSED = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("closed", "SecurityError"); }, configurable: true })"""
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"


@pytest.mark.parametrize("storage", [CLOSED, FULL], ids=["closed", "full"])
@pytest.mark.parametrize("name", ["book/intro.html", "book/lab/game.html", "notebooks/01_dataset.html"])
def test_pages_work_where_nothing_can_be_kept(context, site, name, storage):
    context.add_init_script(storage)
    page = context.new_page()
    page.goto(f"{site}/{name}", wait_until="networkidle")
    if "game" in name:
        for button in range(3):
            page.locator(".game-names button").nth(button).click()
        assert page.inner_text(".game-count") == "Cell 4 of 40"
    assert page.get_attribute("html", "data-theme") in ("light", "dark")
    assert not context.trouble


def test_without_javascript_the_text_is_there(chromium, site):
    page = chromium.new_page(java_script_enabled=False)
    for name in PAGES:
        if (
            name.startswith("slides/") or name == "404.html"
        ):  # reveal.js shows the decks; their words are on the chapters
            continue
        page.goto(f"{site}/{name}")
        assert len(page.inner_text("body").split()) > 50, name
    page.goto(f"{site}/book/intro.html")
    assert page.locator("svg.matrix").is_visible()
    page.close()


def test_the_matrix_of_the_first_page_assembles_and_plays_again(chromium, site):
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{site}/book/intro.html")
    again = page.locator(".assembling button")
    page.wait_for_selector(".assembling.flying canvas")
    again.wait_for(timeout=10_000)
    assert page.locator(".assembling canvas").count() == 0 and page.locator("svg.matrix path.right").first.is_visible()
    again.click()
    assert page.locator(".assembling canvas").is_visible() and again.is_hidden()
    page.close()
