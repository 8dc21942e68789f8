"""The pages on paper: all of them, in order, with links that lead on."""

from unicodedata import normalize

import pytest
from bs4 import BeautifulSoup
from host import HTML
from printing import WHOLE, contents, home, place
from pypdf import PdfReader

from bloodcell_utils import course

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
    text = " ".join(" ".join(normalize("NFKC", sheet.extract_text()).split()) for sheet in printed.pages)
    assert chapter.title in text and "Recap" in text and "Solution" in text
    assert not [link for link in links(printed) if link.get("/A", {}).get("/URI", "").startswith("file:")]
    buttons = BeautifulSoup((HTML / f"{page}.html").read_text("utf-8"), "html.parser").select(".bd-header-article a")
    assert {f"../{place(page)}", f"../{WHOLE}"} <= {button.get("href") for button in buttons}
