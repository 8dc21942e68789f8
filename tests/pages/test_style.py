"""The one style sheet says what all the sheets said that it was made from."""

import pytest
from host import HTML

SHEETS = "document.querySelector('link[data-sheets]').dataset.sheets.split(' ')"
SEEN = """async (sheets) => {
    const properties = ["display", "position", "color", "backgroundColor", "backgroundImage", "fontFamily", "fontSize",
        "fontWeight", "lineHeight", "margin", "padding", "border", "boxShadow", "opacity", "content", "maskImage",
        "width", "height", "gridTemplateColumns", "flex", "textAlign", "listStyleType", "transform", "zIndex"];
    const elements = [...document.body.querySelectorAll("*")];
    const look = () => elements.map((element) => ["", "::before", "::after"].map((part) => {
        const style = getComputedStyle(element, part);
        return properties.map((name) => `${name}: ${style[name].replaceAll(/url\\([^)]*\\)/g, "url()")}`);
    }).flat());
    const settle = () => document.fonts.ready.then(() => new Promise((done) => setTimeout(done, 100)));
    await settle();
    const one = document.querySelector("link[data-sheets]"), before = look();
    await Promise.all(sheets.map((name) => new Promise((done) => {
        const link = Object.assign(document.createElement("link"), { rel: "stylesheet", onload: done });
        link.href = new URL(name, one.href).href;
        one.before(link);
    })));
    one.remove();
    await settle();
    const after = look();
    return elements.flatMap((element, i) => before[i].flatMap((said, k) =>
        said === after[i][k] ? [] : [`${element.outerHTML.slice(0, 80)} ${said}, not ${after[i][k]}`]));
}"""
PAGES = [f"book/{name}.html" for name in ("intro", "lab/game", "reproduction", "glossary", "instructor/index")]
PAGES += ["notebooks/01_dataset.html", "notebooks/11_error_analysis.html", "search.html"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_rule_is_missed(page, site, name, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{site}/{name}", wait_until="networkidle")
    page.add_style_tag(content="*, ::before, ::after { animation: none !important; transition: none !important }")
    sheets = page.evaluate(SHEETS)
    assert len(sheets) >= 6
    assert page.evaluate(SEEN, sheets) == []


def test_it_is_a_fraction_of_them():
    sizes = [sheet.stat().st_size for sheet in (HTML / "_static").rglob("*.css") if sheet.name != "book.css"]
    assert 0 < (HTML / "_static" / "book.css").stat().st_size < sum(sizes) / 2
