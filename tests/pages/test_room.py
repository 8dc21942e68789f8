"""Nothing that a page shows is cut off or covered, on a laptop's screen and on a phone's."""

import pytest
from test_explorers import NOTEBOOKS

LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 360, "height": 740}
WINDOW = 630  # of a laptop's screen, px: without the browser's own bars and the page's
EXPLORERS = {
    "convolution": ".bc-kernel",
    "augmentation": ".bloodcell-frames",
    "features_svm": ".bloodcell-frames",
    "fine_tuning": ".bloodcell-frames",
    "confusion_matrix": ".bc-matrix, .bc-prevalence",
    "error_analysis": ".bc-matrix",
    "compact_network": ".bc-curves",
    "counterfactuals": ".bloodcell-frames",
}
WIDE = ".bloodcell-frames, .bc-kernel, .bc-prevalence, .bc-curves, .bc-scroll"
OVER = """(boxes) => boxes.filter((box) => box.scrollWidth > box.clientWidth + 1)
    .map((box) => `${box.className} ${box.innerText.slice(0, 40)}: ${box.scrollWidth} in ${box.clientWidth}`)"""
BESIDE = """(form) => {
    const [icon, typed] = [form.querySelector("i"), form.querySelector("input")];
    const inner = typed.getBoundingClientRect().left + parseFloat(getComputedStyle(typed).paddingLeft);
    return inner - icon.getBoundingClientRect().right;
}"""


@pytest.mark.parametrize("name", EXPLORERS)
def test_an_explorer_and_its_sentence_fit_the_screen(page, site, name):
    page.set_viewport_size(LAPTOP)
    page.goto(f"{site}/{NOTEBOOKS[name]}")
    tall = page.locator(EXPLORERS[name]).evaluate_all("all => all.map((one) => one.offsetHeight)")
    assert tall and max(tall) <= WINDOW
    page.set_viewport_size(PHONE)
    assert page.locator(f":is({WIDE}):visible").evaluate_all(OVER) == []


def test_tables_of_words_keep_their_last_column_on_a_phone(page, site):
    page.set_viewport_size(PHONE)
    for name in ("intro", "instructor/plan_taster", "instructor/plan_day"):
        page.goto(f"{site}/book/{name}.html")
        tables = page.locator(".pst-scrollable-table-container")
        assert tables.count() and tables.evaluate_all(OVER) == []


def test_the_magnifier_stands_beside_the_words(page, site):
    page.goto(f"{site}/search.html?q=basophil")
    assert page.locator(".bd-search-container form").evaluate(BESIDE) >= 4
