"""Forty cells against the model, played in a browser."""

import json

import numpy as np
import pytest
from host import HTML

from bloodcell_utils.cells import CELLS
from bloodcell_utils.evaluation import metrics

PAGE = "book/lab/game.html"
pytestmark = pytest.mark.skipif(not (HTML / PAGE).is_file(), reason="there is no book yet: run `make book`")


@pytest.fixture
def game(page, site):
    page.goto(f"{site}/{PAGE}")
    return page


def told(page):
    """Truth and the network's answers of the first round."""
    about = json.loads(page.get_attribute(".game", "data-about"))
    return [np.array(about[key][: about["cells"]]) for key in ("truth", "model")]


def answer(page, names):
    for name in names:
        page.keyboard.press(str(name + 1))


def test_the_keyboard_plays_a_perfect_round(game):
    truth, model = told(game)
    assert np.bincount(truth).tolist() == [5] * len(CELLS)
    answer(game, truth[:1])
    game.keyboard.press("Backspace")
    assert game.inner_text(".game-count") == "Cell 1 of 40"
    answer(game, truth)
    low = 100 * metrics.wilson(40, 40)[0]
    right = (truth == model).sum()
    assert f"You: 40 of 40 (95 % interval {low:.0f} to 100 %). The network: {right} of 40" in game.inner_text(
        ".game-score"
    )
    assert game.locator(".game-differ li").count() == max(1, 40 - right)


def test_the_numbers_are_those_of_python(game):
    truth, model = told(game)
    mine = np.where(np.arange(40) % 3, truth, (truth + 1) % 8)
    answer(game, mine)
    text = game.inner_text(".game-kappa")
    for first, second in ((truth, mine), (truth, model), (mine, model)):
        assert f"{metrics.kappa(metrics.confusion_matrix(first, second)):.2f}" in text
    right = int((truth == mine).sum())
    low, high = 100 * metrics.wilson(right, 40)
    assert f"You: {right} of 40 (95 % interval {low:.0f} to {high:.0f} %)" in game.inner_text(".game-score")
    for number, answers in enumerate((mine, model)):
        rows = game.locator(".game-tables table").nth(number).locator("tbody td").all_inner_texts()
        shown = np.array([int(count or 0) for count in rows]).reshape(8, 8)
        assert np.array_equal(shown, metrics.confusion_matrix(truth, answers))


def test_a_round_goes_on_after_a_pause_and_another_follows(game):
    truth, _ = told(game)
    answer(game, truth[:7])
    game.reload()
    assert game.inner_text(".game-count") == "Cell 8 of 40"
    answer(game, truth[7:])
    game.click(".game-again")
    assert game.inner_text(".game-count") == "Cell 1 of 40"


def test_a_spoilt_storage_begins_anew(page, site):
    page.goto(f"{site}/book/intro.html")
    page.evaluate("localStorage.setItem('bloodcell-forty', '{\"round\": 0, \"answers\": [99]}')")
    page.goto(f"{site}/{PAGE}")
    assert page.inner_text(".game-count") == "Cell 1 of 40"


def test_the_result_is_saved_as_a_picture(game, tmp_path):
    answer(game, told(game)[0])
    with game.expect_download() as download:
        game.click(".game-save")
    download.value.save_as(tmp_path / "result.png")
    from PIL import Image

    with Image.open(tmp_path / "result.png") as picture:
        assert picture.size == (1200, 630)
        assert len(picture.getcolors(1 << 20)) > 20


def test_noise_is_not_saved(game):
    game.evaluate("""() => {
        CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) => {
            const picture = new ImageData(width, height);
            picture.data.forEach((_, i) => (picture.data[i] = 256 * Math.random()));
            return picture;
        };
    }""")
    answer(game, told(game)[0])
    game.click(".game-save")
    game.wait_for_function("document.querySelector('.game-altered').textContent.includes('screenshot')")


def test_it_fits_a_phone(game):
    game.set_viewport_size({"width": 360, "height": 740})
    assert game.evaluate("document.documentElement.scrollWidth") <= 360
    answer(game, told(game)[0])
    assert game.evaluate("document.documentElement.scrollWidth") <= 360
