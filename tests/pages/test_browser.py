"""Every page, opened in a browser: no error, no request that leaves the machine, nothing serious in axe-core's eyes."""

from functools import cache
from types import SimpleNamespace

import pytest
from host import HTML

MOST, FIRST = 2_000, {"book/intro.html": 300}  # kB sent before a click
PAGES = sorted(
    (path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html") if "_static" not in path.parts),
    key=lambda name: -(HTML / name).stat().st_size,  # the longest first, so that two workers end together
)
DECKS = [name for name in PAGES if name.startswith("slides/")]
TEXTS = [name for name in PAGES if name not in DECKS]
AXE = sorted((HTML.parent / "npm").glob("axe-core-*/package/axe.min.js"))
GRAVE = ("serious", "critical")
THEMES_OWN = {  # what the theme and the parsers make of pages, by rule and a part of the element's HTML
    ("aria-required-children", 'class="citation-list"'),  # docutils: its entries are `doc-biblioentry`, not list items
    ("label", "task-list-item-checkbox"),  # the Markdown parser: a box that cannot be ticked, its text beside it
    ("label-content-name-mismatch", "search-button-field"),  # the theme: the key's name is part of what is seen
    ("summary-name", "toctree-toggle"),  # the theme: the arrow beside a link of the contents, which has the name
}
ALL, COLOURS = {}, {"runOnly": ["color-contrast"]}
ASK = """async (rules) => (await axe.run(document, { resultTypes: ["violations"], ...rules })).violations.flatMap(
    ({ id, impact, nodes }) => nodes.map(({ html, target }) => ({ id, impact, html, target: String(target) })))"""


@pytest.fixture(scope="module")
def seen(visit, site):
    """A function from a page's name to what was seen of it, opened once for all its tests."""

    with visit() as context:
        page, sent = context.new_page(), []
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        wire.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))

        @cache
        def look(name):
            sent.clear()
            context.trouble.clear()
            page.emulate_media(color_scheme="light")
            answer = page.goto(f"{site}/{name}", wait_until="networkidle")
            found = SimpleNamespace(ok=answer.ok, sent=sum(sent), trouble=list(context.trouble))
            if AXE and name in TEXTS:
                found.problems = problems(page)
            page.evaluate("localStorage.clear(); sessionStorage.clear()")  # the next one is a first visit again
            return found

        yield look


def problems(page):
    """What axe-core finds in both colour schemes."""
    page.evaluate("() => new Promise((idle) => requestIdleCallback(idle))")  # after what the theme does
    page.add_script_tag(path=AXE[-1])
    found = page.evaluate(ASK, ALL)
    page.emulate_media(color_scheme="dark")
    if page.get_attribute("html", "data-theme"):  # the theme follows a moment later
        page.wait_for_selector('html[data-theme="dark"]')
    return found + page.evaluate(ASK, COLOURS)


def ours(finding):
    return not any(finding["id"] == rule and part in finding["html"] for rule, part in THEMES_OWN)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_takes_little_and_asks_nothing_of_others(seen, name):
    found = seen(name)
    assert found.ok
    assert not found.trouble
    assert found.sent / 1000 <= FIRST.get(name, MOST)


@pytest.mark.skipif(not AXE, reason="axe-core is not here: `make pages` fetches it")
@pytest.mark.parametrize("name", TEXTS)
def test_nothing_stands_in_the_way(seen, name):
    grave = [finding for finding in seen(name).problems if finding["impact"] in GRAVE and ours(finding)]
    assert not [f"{f['id']}: {f['target']} {f['html'][:120]}" for f in grave]


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
    page.wait_for_selector('html:is([data-theme="light"], [data-theme="dark"])')  # what the theme chose
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
