"""The one style sheet says what all the sheets said that it was made from."""

import pytest
from host import HTML

SHEETS = "document.querySelector('link[data-sheets]').dataset.sheets.split(' ')"
LOOK = """async (scheme) => {  // what an element without a box before or after it would have there is not seen
    const properties = ["display", "position", "color", "backgroundColor", "backgroundImage", "fontFamily", "fontSize",
        "fontWeight", "lineHeight", "margin", "padding", "border", "boxShadow", "opacity", "content", "maskImage",
        "width", "height", "gridTemplateColumns", "flex", "textAlign", "listStyleType", "transform", "zIndex"];
    const said = (style) => properties.map((name) => `${name}: ${style[name].replaceAll(/url\\([^)]*\\)/g, "url()")}`);
    await document.fonts.ready.then(() => new Promise((done) => setTimeout(done, 100)));
    window.elements ??= [...document.body.querySelectorAll("*")];
    const look = elements.map((element) => ["", "::before", "::after"].map((part) => {
        const style = getComputedStyle(element, part);
        return part && style.content === "none" ? ["no box"] : said(style);
    }));
    const before = window.before?.[scheme] ?? look;
    window.before = { ...window.before, [scheme]: look };
    return elements.flatMap((element, i) => look[i].flatMap((part, k) => part.flatMap((now, n) =>
        now === before[i][k][n] ? [] : [`${element.outerHTML.slice(0, 80)} ${before[i][k][n]}, not ${now}`])));
}"""
SWAP = """async (sheets) => {
    const one = document.querySelector("link[data-sheets]");
    await Promise.all(sheets.map((name) => new Promise((done) => {
        const link = Object.assign(document.createElement("link"), { rel: "stylesheet", onload: done });
        link.href = new URL(name, one.href).href;
        one.before(link);
    })));
    one.remove();
}"""
PAGES = [f"book/{name}.html" for name in ("intro", "lab/game", "reproduction", "glossary", "instructor/index")]
PAGES += ["notebooks/01_dataset.html", "notebooks/11_error_analysis.html", "search.html"]


def look(page):
    """In both colour schemes: what looks otherwise than at the last look."""
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f'html[data-theme="{scheme}"]')
        found[scheme] = page.evaluate(LOOK, scheme)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_no_rule_is_missed(page, site, name):
    page.goto(f"{site}/{name}", wait_until="networkidle")
    page.add_style_tag(content="*, ::before, ::after { animation: none !important; transition: none !important }")
    sheets = page.evaluate(SHEETS)
    assert len(sheets) >= 6
    look(page)
    page.evaluate(SWAP, sheets)
    assert look(page) == {"light": [], "dark": []}


def test_it_is_a_fraction_of_them():
    sizes = [sheet.stat().st_size for sheet in (HTML / "_static").rglob("*.css") if sheet.name != "book.css"]
    assert 0 < (HTML / "_static" / "book.css").stat().st_size < sum(sizes) / 2
