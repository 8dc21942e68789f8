"""Every page, opened in a browser: no error, and no request that leaves the machine."""

import pytest
from conftest import HTML

PAGES = sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html") if "_static" not in path.parts)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_and_asks_nothing_of_others(page, site, name):
    answer = page.goto(f"{site}/{name}", wait_until="networkidle")
    assert answer.ok


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
