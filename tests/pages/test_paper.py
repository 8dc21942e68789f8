"""The pages on paper: all of them, in order, with links that lead on."""

from unicodedata import normalize

import pytest
from bs4 import BeautifulSoup
from host import HTML
from printing import WHOLE, WIDTH, contents, home, place
from pypdf import PdfReader

from bloodcell_utils import course

OVER_THE_EDGE = """() => [...document.querySelectorAll("article :is(table, pre, img, svg)")]
    .filter((element) => element.getClientRects().length && element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 100))"""

pytestmark = pytest.mark.skipif(not (HTML / WHOLE).is_file(), reason="nothing is printed: run `make pdf`")


@pytest.fixture(scope="module")
def whole():
    return PdfReader(HTML / WHOLE)


def links(pdf):
    for page in pdf.pages:
        for annotation in page.get("/Annots", ()):
            if annotation.get_object().get("/Subtype") == "/Link":
                yield annotation.get_object()


def titles(outline):
    for entry in outline:
        yield from titles(entry) if isinstance(entry, list) else [entry.title]


def test_the_whole_book_has_every_page_in_order(whole):
    listed = list(titles(whole.outline))
    parts = contents()
    assert len(listed) == sum(map(len, parts.values())) + len(parts) - 1, "every page, and the parts but the first"
    chapters = [chapter.title for chapter in course.load().chapters]
    assert [title for title in listed if title in chapters] == chapters
    assert len(whole.pages) == sum(
        len(PdfReader(HTML / place(page)).pages) for pages in parts.values() for page in pages
    )


def test_links_between_pages_lead_on_inside_the_book(whole):
    pages = {page.indirect_reference.idnum for page in whole.pages}
    inside = [link["/Dest"] for link in links(whole) if "/Dest" in link]
    assert len(inside) > 300
    assert all(target[0].idnum in pages for target in inside)
    printed = {f"{home()}{page}.html" for group in contents().values() for page in group}
    outside = {link["/A"]["/URI"].partition("#")[0] for link in links(whole) if "/A" in link}
    assert not outside & printed and all(address.startswith(("https://", "http://", "mailto:")) for address in outside)


@pytest.mark.parametrize("chapter", course.load().chapters, ids=lambda chapter: chapter.name)
def test_a_printed_chapter_can_be_read_and_its_links_lead_to_the_published_pages(chapter):
    page = f"notebooks/{chapter.file.removesuffix('.ipynb')}"
    printed = PdfReader(HTML / place(page))
    missing = {chapter.title, "Recap", "Solution"}
    for sheet in (printed.pages[0], *reversed(printed.pages[1:])):  # most end in the last ones
        text = " ".join(normalize("NFKC", sheet.extract_text()).split())
        missing = {words for words in missing if words not in text}
        if not missing:
            break
    assert not missing
    assert not [link for link in links(printed) if link.get("/A", {}).get("/URI", "").startswith("file:")]
    buttons = BeautifulSoup((HTML / f"{page}.html").read_text("utf-8"), "html.parser").select(".bd-header-article a")
    assert {f"../{place(page)}", f"../{WHOLE}"} <= {button.get("href") for button in buttons}


def test_nothing_is_wider_than_the_paper(chromium):
    page = chromium.new_page(viewport={"width": int(WIDTH), "height": 1000}, color_scheme="light")
    page.emulate_media(media="print")
    wide = {}
    for name in [name for group in contents().values() for name in group]:
        page.goto((HTML / f"{name}.html").as_uri())
        wide[name] = page.evaluate(OVER_THE_EDGE)
    page.close()
    assert {name: found for name, found in wide.items() if found} == {}
