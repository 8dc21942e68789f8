"""What axe-core finds on the pages: nothing serious in what is ours."""

import pytest
from host import HTML
from test_browser import PAGES

ROOT = HTML.parents[2]
AXE = sorted((ROOT / "book" / "_build" / "npm").glob("axe-core-*/package/axe.min.js"))
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

pytestmark = pytest.mark.skipif(not AXE, reason="axe-core is not here: `make pages` fetches it")


def ours(finding):
    return not any(finding["id"] == rule and part in finding["html"] for rule, part in THEMES_OWN)


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("slides/")])
def test_nothing_stands_in_the_way(context, site, name):
    page = context.new_page()
    page.goto(f"{site}/{name}", wait_until="networkidle")
    page.evaluate("() => new Promise((idle) => requestIdleCallback(idle))")  # after what the theme does
    page.add_script_tag(path=AXE[-1])
    findings = page.evaluate(ASK, ALL)
    page.emulate_media(color_scheme="dark")
    if page.get_attribute("html", "data-theme"):  # the theme follows a moment later
        page.wait_for_selector('html[data-theme="dark"]')
    findings += page.evaluate(ASK, COLOURS)
    grave = [finding for finding in findings if finding["impact"] in GRAVE and ours(finding)]
    assert not [f"{f['id']}: {f['target']} {f['html'][:120]}" for f in grave]
