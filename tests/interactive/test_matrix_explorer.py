"""The matrix to click on: complete in itself, readable without sight or mouse, and true to the counts."""

import base64
import io
import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from bloodcell_utils.cells import CLASS_NAMES
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.interactive import matrix_explorer
from bloodcell_utils.interactive.matrix_explorer import explore_matrix, gallery, pair
from bloodcell_utils.paper import FIG_16

RNG = np.random.default_rng(0)
Y_TRUE = np.repeat(np.arange(8), 5)
Y_PRED = np.where(RNG.random(40) < 0.6, Y_TRUE, RNG.integers(0, 8, 40))
CONFUSION = metrics.confusion_matrix(Y_TRUE, Y_PRED)
IMAGES = RNG.integers(0, 256, (40, 24, 24, 3), dtype=np.uint8)
SURE = RNG.random(40)


def parse(page):
    """The page, and what its script is given."""
    soup = BeautifulSoup(page._repr_html_(), "html.parser")
    return soup, json.loads(soup.find("script", type="application/json").string)


@pytest.fixture(scope="module")
def explored():
    return parse(explore_matrix(CONFUSION, IMAGES, Y_TRUE, y_pred=Y_PRED, confidence=SURE, title="a < b"))


def test_every_count_is_a_button_with_its_meaning(explored):
    soup, data = explored
    buttons = {button["data-cell"]: button for button in soup.select("td button")}
    assert set(buttons) == set(data["cells"]) == {f"{i},{j}" for i, j in np.argwhere(CONFUSION)}
    for cell, button in buttons.items():
        i, j = map(int, cell.split(","))
        assert int(button.string) == int(button["data-count"]) == CONFUSION[i, j]
        assert float(button["data-percent"]) == pytest.approx(20 * CONFUSION[i, j])  # five cells a row
        assert button["aria-label"].startswith(f"{CLASS_NAMES[i]} called {CLASS_NAMES[j]}: {CONFUSION[i, j]} cells")
        assert f"{CONFUSION[i, j]} of 5" in data["cells"][cell]["says"]
        assert button["type"] == "button" and not button.has_attr("tabindex"), "reached by the tab key without a script"


def test_rows_and_columns_have_headers(explored):
    soup, _ = explored
    assert [th.select_one(".bc-long").string for th in soup.select("tbody th[scope=row]")] == list(CLASS_NAMES)
    assert [th.abbr["title"] for th in soup.select("thead th[scope=col]")[1:]] == list(CLASS_NAMES)
    assert soup.select_one(".bc-output")["aria-live"] == "polite"


def test_the_first_thing_shown_is_the_most_frequent_mistake(explored):
    _, data = explored
    i, j = map(int, data["first"].split(","))
    assert i != j and CONFUSION[i, j] == (CONFUSION - np.diag(np.diag(CONFUSION))).max()


def test_pictures_are_those_of_the_cell_surest_first(explored):
    _, data = explored
    for cell, content in data["cells"].items():
        i, j = map(int, cell.split(","))
        rows = np.flatnonzero((Y_TRUE == i) & (Y_PRED == j))
        sure = sorted((f"{100 * SURE[row]:.0f} %" for row in rows), key=lambda text: -int(text[:-2]))
        assert [caption for _, caption in content["tiles"]] == (sure[:4] if i == j else sure)
    numbers = [number for content in data["cells"].values() for number, _ in content["tiles"]]
    assert sorted(numbers) == list(range(len(data["tiles"]))), "each picture is sent once, and none for nothing"
    with Image.open(io.BytesIO(base64.b64decode(data["tiles"][0]))) as picture:
        assert picture.size == (data["side"], data["side"]) and picture.format == "WEBP"


def test_pictures_keep_to_a_budget(monkeypatch):
    monkeypatch.setattr(matrix_explorer, "SIDE", 24)
    monkeypatch.setattr(matrix_explorer, "BUDGET", 25_000)
    images = np.repeat(IMAGES, 4, axis=0)
    y_true, y_pred = np.repeat(Y_TRUE, 4), np.repeat(Y_PRED, 4)
    _, data = parse(explore_matrix(4 * CONFUSION, images, y_true, y_pred=y_pred))
    assert sum(map(len, data["tiles"])) <= 25_000 < 160 * len(data["tiles"][0])
    assert all(content["tiles"] for content in data["cells"].values()), "some of every kind are left"


def test_without_pictures_and_without_mistakes():
    soup, data = parse(explore_matrix(np.diag([3, 0, 2]), classes=["a", "b", "c"]))
    assert data["tiles"] == [] and data["first"] == "0,0"
    assert len(soup.select("td button")) == 2
    assert "3 of 3 are rightly called so" in data["cells"]["0,0"]["says"]


def test_classes_of_the_readers_own_cannot_break_the_page():
    name = '</script><b onclick="x">'
    soup, data = parse(explore_matrix([[1, 1], [0, 1]], classes=[name, "b"], title=name))
    assert not soup.find("b") and soup.strong.string == name
    assert data["cells"]["0,1"]["title"].startswith(name)


def test_nothing_is_asked_of_the_network_and_pages_may_hold_several():
    html = explore_matrix(CONFUSION, IMAGES, Y_TRUE, y_pred=Y_PRED)._repr_html_()
    assert not re.findall(r"(?:https?:)?//[\w.]+/|\bfetch\(|@import", re.sub(r'"tiles": \[".*?"\]', "", html))
    assert "id=" not in re.sub(r"\[\"[^]]*", "", html), "an id would be there twice"
    assert html == explore_matrix(CONFUSION, IMAGES, Y_TRUE, y_pred=Y_PRED)._repr_html_(), "the same every time"


@pytest.mark.parametrize("y_pred", [Y_PRED[:-1], None])
def test_images_need_their_classes(y_pred):
    with pytest.raises(BloodcellError, match="40 images"):
        explore_matrix(CONFUSION, IMAGES, Y_TRUE, y_pred=y_pred)


def test_a_pair_shows_both_kinds_and_what_lies_between():
    subtypes = np.array(["MO", "MO", "MO", "PMY", "MMY", "MY", "SNE"])
    probabilities = np.full((7, 8), 0.01)
    probabilities[[0, 3, 4, 5], [4, 5, 5, 5]] = 0.9  # right
    probabilities[1, 5], probabilities[1, 4] = 0.6, 0.3  # a monocyte called immature granulocyte
    probabilities[2, 5], probabilities[2, 4] = 0.3, 0.4  # nearly
    page = pair(IMAGES[:7], subtypes, probabilities, true=["MO"], called=["PMY", "MMY"])
    assert blocks(page) == {
        "monocyte": ["90 %", "40 %"],
        "monocyte → immature granulocyte": ["60 %"],
        "promyelocyte or metamyelocyte": ["90 %", "90 %"],
    }


def blocks(page):
    """Of each group of pictures its name, and what stands under the pictures."""
    soup = BeautifulSoup(page._repr_html_(), "html.parser")
    groups = {p.string: p.find_next_sibling("ul") for p in soup.select(".bc-name")}
    return {name: [li.get_text() for li in ul.find_all("li")] if ul else [] for name, ul in groups.items()}


def test_a_pair_without_mistakes_says_so_and_shows_no_cell_twice():
    subtypes = np.array(["MMY", "MMY", "MMY", "SNE"])
    probabilities = np.full((4, 8), 0.001)
    probabilities[[0, 1, 2, 3], [5, 5, 5, 0]] = 0.9
    probabilities[[0, 1, 2], 0] = 0.39, 0.07, 0.02  # of three metamyelocytes, one stands in the middle
    shown = blocks(pair(IMAGES[:4], subtypes, probabilities, true=["MMY"], called=["BNE", "SNE"]))
    assert shown == {
        "metamyelocyte": ["90 %", "90 %"],
        "metamyelocyte → neutrophil: none; closest calls": ["39 %"],
        "band neutrophil or segmented neutrophil": ["90 %"],
    }
    probabilities[:3, 0] = 0.001
    shown = blocks(pair(IMAGES[:4], subtypes, probabilities, true=["MMY"], called=["BNE", "SNE"]))
    assert shown["metamyelocyte"] == ["90 %"] * 3
    assert shown["metamyelocyte → neutrophil, or a close call"] == []


@pytest.mark.parametrize(("true", "called"), FIG_16)
def test_a_pair_that_this_run_does_not_have(true, called):
    page = pair(IMAGES[:1], ["PLATELET"], np.eye(8)[7:], true=true, called=called)
    assert page._repr_html_().count("none in this run") == 3


def test_a_gallery_says_what_it_shows():
    groups = {"left": [(IMAGES[0], "63 %"), (IMAGES[1], "")], "between": [(IMAGES[2], "")], "right": []}
    page = gallery(groups, side=32)
    soup = BeautifulSoup(page._repr_html_(), "html.parser")
    assert [image["alt"] for image in soup.find_all("img")] == ["left, 1 of 2, 63 %", "left, 2 of 2", "between, 1 of 1"]
    assert [p.string for p in soup.select(".bc-name")] == ["left", "between", "right"]
    assert soup.select_one(".bc-middle .bc-name").string == "between"
    assert "none in this run" in soup.text
    assert repr(page) == "left: 2 pictures; between: 1 pictures; right: 0 pictures"
