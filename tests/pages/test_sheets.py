"""The handouts as printed: every link has its file, every sheet is one page of A4 that can be read."""

import handouts
import pytest
from host import HTML
from printing import chromium as find_chromium
from pypdf import PdfReader

A4 = (595, 842)


@pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium: `sudo apt-get install chromium`")
@pytest.mark.parametrize("sheet", handouts.sheets(), ids=lambda sheet: sheet.file)
def test_each_handout_was_printed_on_a4(site, sheet):
    pdf = PdfReader(HTML / "handouts" / sheet.file)
    sizes = {tuple(sorted(round(float(side)) for side in page.mediabox[2:])) for page in pdf.pages}
    assert sizes == {A4} and pdf.metadata.title == sheet.title
    assert len(pdf.pages) == 1 or sheet.name == "shopping"


def test_nothing_runs_over_the_edge_and_nothing_is_small(chromium):
    tab = chromium.new_page()
    tab.emulate_media(media="print")
    tab.set_content(handouts.html())
    over = """() => [...document.querySelectorAll(".sheet")].filter(
        sheet => sheet.scrollHeight > sheet.clientHeight || sheet.scrollWidth > sheet.clientWidth
    ).map(sheet => sheet.parentElement.id)"""
    assert tab.evaluate(over) == []
    smallest = """() => Math.min(...[...document.querySelectorAll("section *")].filter(
        e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
    ).map(e => parseFloat(getComputedStyle(e).fontSize) * 72 / 96))"""
    assert tab.evaluate(smallest) >= 9
    assert tab.evaluate("() => [...document.images].every(image => image.naturalWidth && image.alt.length > 5)")
    tab.close()
