"""What a reader moves on a page without a kernel: each answers to the keyboard alone."""

import json
from math import isqrt

import numpy as np
import pytest

from bloodcell_utils import course
from bloodcell_utils.course import questions
from bloodcell_utils.experiments import records

BEFORE = """(element) => {
    const heading = element.closest("section").querySelector("h1, h2, h3");
    heading.tabIndex = -1;
    heading.focus();
}"""
NOTEBOOKS = {c.name: f"notebooks/{c.file.removesuffix('.ipynb')}.html" for c in course.load().chapters}


@pytest.fixture
def opened(page, site):
    """Open a chapter and wait for what is in it."""

    def open_chapter(name, selector):
        page.goto(f"{site}/{NOTEBOOKS[name]}")
        page.wait_for_selector(f"{selector}[data-ready]")
        return page.locator(selector).first

    return open_chapter


def tab_to(page, element):
    """Reach an element as a reader without a mouse does, from the heading before it."""
    element.evaluate(BEFORE)
    for _ in range(80):
        page.keyboard.press("Tab")
        if element.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("the tab key does not lead there")


def test_the_quiz_is_taken_by_keyboard(opened, page):
    quiz = opened("dataset", ".bc-quiz")
    asked = questions.quiz("dataset")
    assert not quiz.locator(".bc-says:visible").count()
    tab_to(page, quiz.locator("input").first)
    for question in asked:
        wanted = [answer.correct for answer in question.answers].index(True)
        page.keyboard.press("Space")
        for _ in range(wanted):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
    assert quiz.locator("input[data-right]:checked").count() == len(asked)
    first = sum(question.answers[0].correct for question in asked)
    assert f"{first} of {len(asked)} right at the first try" in quiz.locator(".bc-score").inner_text()


def test_a_cell_of_the_matrix_shows_its_pictures(opened, page):
    matrix = opened("error_analysis", ".bc-matrix")
    said = matrix.locator(".bc-output p").first
    before = said.inner_text()
    tab_to(page, matrix.locator("td button[tabindex='0']"))
    for key in ("ArrowUp", "ArrowLeft", "ArrowRight", "ArrowDown"):  # not every number has a neighbour on each side
        page.keyboard.press(key)
        if said.inner_text() != before:
            break
    assert said.inner_text() != before
    assert matrix.locator(".bc-output img").count() >= 1
    assert matrix.locator(".bc-output img").first.evaluate("picture => picture.naturalWidth") > 0


def test_a_training_is_moved_along(opened, page):
    curves = opened("compact_network", ".bc-curves")
    epochs = records.load_record("compact_best", "laptop").models["one view"]["history"]
    says = curves.locator(".bc-says")
    tab_to(page, curves.locator("input"))
    for key, number in (("Home", 1), ("ArrowRight", 2), ("End", len(epochs))):
        page.keyboard.press(key)
        epoch = epochs[number - 1]
        assert f"After epoch {number} " in says.inner_text()
        assert f"{epoch['loss']:.3f} on training and {epoch['val_loss']:.3f}" in says.inner_text()
        drawn = curves.locator("polyline.bc-past").first.get_attribute("points").split()
        assert len(drawn) == number


def test_a_kernel_is_laid_over_a_cell(opened, page):
    explorer = opened("convolution", ".bc-kernel")
    data = json.loads(explorer.locator("script[type='application/json']").text_content())
    levels = np.frombuffer(bytes.fromhex(data["levels"]), np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(1 - levels.reshape(2 * [isqrt(levels.size)]) / 255, (3, 3))
    products = [windows * np.reshape(kernel, (3, 3)) for kernel in data["kernels"]]
    says = explorer.locator(".bc-says")
    assert says.inner_text() == f"Sum: {products[0].sum((-2, -1)).max():.2f}", "it begins where there is most to see"
    for name, key in (("down", "Home"), ("across", "End")):
        tab_to(page, explorer.get_by_label(name))
        page.keyboard.press(key)
    explorer.locator("select").select_option("below")
    numbers = explorer.locator(".bc-product").all_text_contents()
    assert [float(text.replace("−", "-")) for text in numbers] == pytest.approx(products[1][0, -1].ravel(), abs=0.006)
    before = says.inner_text()
    explorer.locator(".bc-cell").click(position={"x": 40, "y": 60})
    assert says.inner_text() != before


def test_threshold_and_prevalence_slide(opened, page):
    explorer = opened("confusion_matrix", ".bc-prevalence")
    says = explorer.locator(".bc-says")
    for name in ("threshold", "prevalence"):
        before = says.inner_text()
        tab_to(page, explorer.locator(f"input[data-of={name}]"))
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        assert says.inner_text() != before


@pytest.mark.parametrize("name", ["augmentation", "features_svm", "fine_tuning"])
def test_pictures_follow_their_controls(opened, page, name):
    frames = opened(name, ".bloodcell-frames[data-kind='grid']")
    shown = frames.locator(".frame[data-on] img")
    before = shown.get_attribute("alt")
    slider = frames.locator("input[type=range]").first
    tab_to(page, slider)
    page.keyboard.press("Home" if slider.input_value() != "0" else "End")
    assert shown.get_attribute("alt") != before
    assert shown.evaluate("picture => picture.naturalWidth") > 0
