"""The pages on paper: a PDF of each, and all of them in one, printed by Chromium.

usage: python book/tools/printing.py

`make pdf` calls it after the pages. A page is printed again when it has changed. Links between pages lead on inside the
whole book, and to the published pages from a single one.
"""

import io
import re
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from html import unescape
from multiprocessing import get_context
from pathlib import Path

import yaml
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, FloatObject, NameObject, NullObject

from bloodcell_utils.files import replace_file

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "book" / "_build"
HTML = BUILD / "html"
WHOLE = "pdf/book.pdf"
SCREENS = ("book/lab/",)  # what lives on a screen alone
STYLE = (ROOT / "book" / "_static" / "course.css", Path(__file__))
WORKERS = 2
SIDE, SCALE = 16, 0.85  # the margin beside the text in mm; of what a screen shows
WIDTH = (210 - 2 * SIDE) / 25.4 * 96 / SCALE  # of the text, in CSS pixels
READY = """([here, published]) => {
    for (const link of document.querySelectorAll("a[href]")) { // those of pictures are no `document.links`
        const target = new URL(link.getAttribute("href"), location.href);
        if (target.href.startsWith(here) && target.pathname !== location.pathname)
            link.setAttribute("href", published + target.href.slice(here.length));
    }
    return window.MathJax?.startup?.promise;
}"""
FOOTER = (
    f'<div style="font: 8px sans-serif; color: #555; width: 100%; padding: 0 {SIDE}mm; display: flex">'
    '<span class="title" style="flex: 1"></span><span class="pageNumber"></span></div>'
)


def chromium():
    """Where Chromium or Chrome is, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def place(page):
    """The PDF of a page.

    Parameters
    ----------
    page : str
        As in the table of contents, for example ``"notebooks/01_dataset"``.

    Returns
    -------
    str
        Its path among the pages.
    """
    return f"pdf/{Path(page).name}.pdf" if page.startswith("notebooks/") else f"pdf/{page.replace('/', '-')}.pdf"


def on_paper(page):
    """Whether a page is one of those that are printed.

    Parameters
    ----------
    page : str

    Returns
    -------
    bool
    """
    return page.startswith(("book/", "notebooks/")) and not page.startswith(SCREENS)


def contents():
    """Parts of the book and their pages, in order, as they were built.

    Returns
    -------
    dict of str to list of str
        The first part has no name and holds the title page.
    """
    toc = yaml.safe_load((BUILD / "_toc.yml").read_text("utf-8"))
    parts = {"": [toc["root"]]}
    for part in toc["parts"]:
        entries = [e for chapter in part["chapters"] for e in (chapter, *chapter.get("sections", ()))]
        parts[part["caption"]] = [entry["file"] for entry in entries if on_paper(entry["file"])]
    return {caption: pages for caption, pages in parts.items() if pages}


def outdated(page):
    """Whether a page was built, or the style changed, after it was printed."""
    printed = HTML / place(page)
    sources = (HTML / f"{page}.html", *STYLE)
    return not printed.is_file() or printed.stat().st_mtime < max(source.stat().st_mtime for source in sources)


def print_pages(pages):
    """Print some pages, one after the other.

    Parameters
    ----------
    pages : sequence of str
    """
    from playwright.sync_api import sync_playwright

    margins = {"top": "18mm", "bottom": "18mm", "left": f"{SIDE}mm", "right": f"{SIDE}mm"}
    around = {"display_header_footer": True, "header_template": "<span></span>", "footer_template": FOOTER}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        tab = browser.new_page(color_scheme="light", reduced_motion="reduce")
        for page in pages:
            tab.goto((HTML / f"{page}.html").as_uri())
            tab.evaluate(READY, [HTML.as_uri() + "/", home()])
            pdf = tab.pdf(format="A4", scale=SCALE, print_background=True, margin=margins, tagged=True, **around)
            replace_file(HTML / place(page), pdf)
        browser.close()


def bind(parts):
    """All pages in one file with an outline, their links to each other leading on inside it.

    Parameters
    ----------
    parts : dict of str to list of str
        As from `contents`; every page has been printed.

    Returns
    -------
    bytes
    """
    writer, first = PdfWriter(), {}
    for caption, pages in parts.items():
        start = len(writer.pages)
        for page in pages:
            first[f"{home()}{page}.html"] = len(writer.pages)
            reader = PdfReader(HTML / place(page))
            for link in _links(reader):  # names of places may occur in several pages
                if known := reader.named_destinations.get(link.get("/Dest")):
                    link[NameObject("/Dest")] = _at(reader.pages[reader.get_destination_page_number(known)], known.top)
            writer.append(reader, import_outline=False)
        part = writer.add_outline_item(title=caption, page_number=start) if caption else None
        for page in pages:
            writer.add_outline_item(title=_title(page), page_number=first[f"{home()}{page}.html"], parent=part)
    for link in _links(writer):
        page = first.get(link.get("/A", {}).get("/URI", "").partition("#")[0])
        if page is not None:
            link[NameObject("/Dest")] = _at(writer.pages[page])
            del link["/A"]
    writer.add_metadata({"/Title": _title(parts[""][0])})
    return _written(writer)


@cache
def home():
    """Where the pages are published, with a slash at its end."""
    return yaml.safe_load((ROOT / "book" / "_config.yml").read_text("utf-8"))["html"]["baseurl"]


def _links(pdf):
    for page in pdf.pages:
        for annotation in page.get("/Annots", ()):
            if annotation.get_object().get("/Subtype") == "/Link":
                yield annotation.get_object()


def _at(page, top=None):
    """A destination: a page, and how far up on it."""
    height = NullObject() if top is None else FloatObject(top)
    return ArrayObject([page.indirect_reference, NameObject("/XYZ"), NullObject(), height, NullObject()])


def _title(page):
    heading = re.search(r"<h1>(.*?)</h1>", (HTML / f"{page}.html").read_text("utf-8"), re.S)[1]
    return unescape(re.sub(r"<[^>]+>", "", heading)).strip()


def _written(writer):
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def main():
    """Print what has changed, bind the book, say where it is."""
    start = time.perf_counter()
    parts = contents()
    pages = [page for part in parts.values() for page in part]
    changed = list(filter(outdated, pages))
    largest = sorted(changed, key=lambda page: -(HTML / f"{page}.html").stat().st_size)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        list(pool.map(print_pages, filter(None, (largest[i::WORKERS] for i in range(WORKERS)))))
    whole = HTML / WHOLE
    if changed or not whole.is_file():
        replace_file(whole, bind(parts))
    seconds = time.perf_counter() - start
    print(f"{len(changed)} of {len(pages)} pages printed in {seconds:.0f} s: {whole.as_uri()}")


if __name__ == "__main__":
    main()
