"""A round of naming cells: answers are kept after each cell, go on after an interruption, and can be taken back."""

from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest
from bs4 import BeautifulSoup

from bloodcell_utils import config
from bloodcell_utils.cells import CELLS, FOLDERS
from bloodcell_utils.datasets import sample, splits
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.interactive import labelling

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
NAMES = ["a/1.jpg", "b/2.jpg", "c/3.jpg"]


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOODCELL_PROGRESS_FILE", str(tmp_path / "progress.json"))
    clock = Clock()
    monkeypatch.setattr(labelling, "time", SimpleNamespace(monotonic=clock))
    return clock


@pytest.fixture
def started(clock):
    played = labelling.Round(IMAGES, NAMES)
    played.start()
    return played


def answered(played, clock, *answers, seconds=2.0):
    for number in answers:
        clock.now += seconds
        played.answer(number)


def test_answers_and_seconds_are_recorded(started, clock):
    answered(started, clock, 4, 0)
    assert started.answers == [4, 0] and started.seconds == [2.0, 2.0] and not started.done
    assert started.table().to_dict("list") == {
        "cell": NAMES[:2], "answer": ["monocyte", "neutrophil"], "seconds": [2.0, 2.0]
    }  # fmt: skip
    answered(started, clock, 7)
    assert started.done and not started.running
    answered(started, clock, 1)
    assert started.answers == [4, 0, 7], "after the last cell there is nothing to name"
    assert repr(started) == "<3 of 3 cells named>"


def test_nothing_is_named_before_the_start(clock):
    played = labelling.Round(IMAGES, NAMES)
    answered(played, clock, 1)
    assert played.answers == [] and not played.path.exists()


def test_undo_takes_the_answer_back_and_leaves_its_time_on_the_clock(started, clock):
    answered(started, clock, 4, 0)
    clock.now += 1
    started.undo()
    answered(started, clock, 5, 7)
    assert started.answers == [4, 5, 7]
    assert started.seconds == [2.0, 5.0, 2.0] and sum(started.seconds) == clock.now - 100


def test_the_last_answer_can_be_taken_back_too(started, clock):
    answered(started, clock, 4, 0, 1)
    clock.now += 1000  # a coffee after the round is not part of it
    started.undo()
    answered(started, clock, 2)
    assert started.done and started.seconds == [2.0, 2.0, 4.0]
    assert labelling.Round(IMAGES, NAMES).answers == [4, 0, 2]


def test_undo_of_nothing(started):
    started.undo()
    assert started.answers == [] and started.running


def test_an_interrupted_round_goes_on(started, clock):
    answered(started, clock, 4, 0)
    again = labelling.Round(IMAGES, NAMES)
    assert again.answers == [4, 0] and again.seconds == [2.0, 2.0] and not again.running
    clock.now += 1000
    again.start()
    answered(again, clock, 7, seconds=3.0)
    assert again.seconds == [2.0, 2.0, 3.0]
    assert labelling.Round(IMAGES, NAMES).done


def test_other_cells_are_another_round(started, clock):
    answered(started, clock, 4)
    assert labelling.Round(IMAGES, NAMES[::-1]).answers == []


def test_a_restart_sets_the_answers_aside(started, clock):
    assert started.restart() is None
    started.start()
    answered(started, clock, 4)
    aside = started.restart()
    assert "monocyte" in aside.read_text() and started.answers == [] and not started.path.exists()
    assert labelling.Round(IMAGES, NAMES).answers == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "not enough values"),
        (b"cell,answer\n", "not a table of cells"),
        (b"cell,answer,seconds\na/1.jpg,monocyte\n", "not a table of cells"),
        (b"cell,answer,seconds\nb/2.jpg,monocyte,2.0\n", "about other cells"),
        (b"cell,answer,seconds\na/1.jpg,blast,2.0\n", "not in"),
        (b"cell,answer,seconds\na/1.jpg,monocyte,soon\n", "could not convert"),
        (b"cell,answer,seconds\na/1.jpg,monocyte,inf\n", "not a number of seconds"),
        (b"\xff\xfe\x00", "decode"),
    ],
)
def test_a_damaged_file_is_set_aside(clock, text, what):
    path = labelling.Round(IMAGES, NAMES).path
    path.write_bytes(text)
    played = labelling.Round(IMAGES, NAMES)
    assert played.answers == [] and not path.exists()
    assert "set aside" in played.note and what in played.note
    assert path.with_suffix(".1.csv").read_bytes() == text


def test_a_file_that_cannot_be_written_does_not_end_the_round(started, clock, monkeypatch):
    def full(path, data):
        raise BloodcellError(f"{path} cannot be written: no space left.")

    monkeypatch.setattr(labelling, "replace_file", full)
    answered(started, clock, 4)
    assert started.answers == [4] and "not kept" in started.note and "no space" in started.note


def test_what_is_refused(started):
    with pytest.raises(BloodcellError, match="no class 8"):
        started.answer(8)
    with pytest.raises(BloodcellError, match="A name for each cell"):
        labelling.Round(IMAGES, NAMES[:2])


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    from bloodcell_utils.datasets import pbc

    return splits.clean(pbc.index(sample.write(tmp_path_factory.mktemp("round") / "sample", per_class=40, size=32)))


def test_forty_cells_five_of_each_from_the_test_part(split):
    chosen = labelling.draw_round(split)
    assert chosen["class"].value_counts().to_dict() == dict.fromkeys(FOLDERS, 5)
    assert set(chosen["subset"]) == {"test"} and chosen["path"].is_unique
    assert list(chosen["class"]) != sorted(chosen["class"])


def test_the_same_forty_for_everybody_and_others_with_another_seed(split):
    first = list(labelling.draw_round(split)["path"])
    assert first == list(labelling.draw_round(split.sample(frac=1, random_state=1))["path"])
    assert first != list(labelling.draw_round(split, seed=1)["path"])


def test_too_few_test_images(split):
    with pytest.raises(BloodcellError, match="7 test images of each class are needed; ig has 5"):
        labelling.draw_round(split, per_class=7)


def test_a_reader_of_colours_does_better_than_chance(split):
    chosen = labelling.draw_round(split)
    answers = labelling.predict_by_colour(split, load_images(chosen, 32, progressbar=False))
    y = np.array([FOLDERS.index(folder) for folder in chosen["class"]])
    score = labelling.reader_scores(y, {"colours": answers, "one name": np.zeros_like(y), "the truth": y})
    assert score.loc["colours", "right"] > 20
    assert score.loc["one name", ["right", "of", "kappa"]].tolist() == [5, 40, 0]
    assert score.loc["the truth", ["kappa", "low", "high"]].tolist() == [1, 1, 1]
    assert score.loc["colours", "low"] < score.loc["colours", "kappa"] <= score.loc["colours", "high"]


def parts(box):
    """Every widget of the board, in order."""
    found, todo = [], [box]
    while todo:
        widget = todo.pop(0)
        found.append(widget)
        todo = [*getattr(widget, "children", ()), *todo]
    return found


@pytest.fixture
def board(clock):
    played = labelling.Round(IMAGES, NAMES)
    widgets = parts(played.play())
    buttons = {w.description: w for w in widgets if isinstance(w, ipywidgets.Button)}
    typed = next(w for w in widgets if isinstance(w, ipywidgets.Text))
    says, picture = (w for w in widgets if isinstance(w, ipywidgets.HTML))
    return played, buttons, typed, picture, says


def alt(picture):
    return BeautifulSoup(picture.value, "html.parser").img["alt"]


def test_the_board_has_a_button_for_each_kind_in_its_colour(board):
    _, buttons, _, picture, _ = board
    for i, cell in enumerate(CELLS, 1):
        button = buttons[f"{i} {cell.name}"]
        assert button.style.button_color == cell.color and button.disabled
    assert picture.value == "", "no cell is shown before the clock runs"


def test_a_round_by_buttons_and_keys(board, monkeypatch):
    played, buttons, typed, picture, says = board
    listens = []
    monkeypatch.setattr(type(typed), "focus", lambda widget: listens.append(widget is typed and not widget.disabled))
    buttons["start"].click()
    assert listens == [True], "the keys work from the start on"
    assert alt(picture) == "A cell to name, 1 of 3" and not typed.disabled
    buttons["5 monocyte"].click()
    typed.value = "1"
    assert played.answers == [4, 0] and typed.value == "" and alt(picture).endswith("3 of 3")
    typed.value = "x"
    typed.value = "0"
    assert played.answers == [4]
    typed.value = "1"
    buttons["undo"].click()
    typed.value = "11"  # a key pressed before the first one was taken away
    buttons["8 platelet"].click()
    assert played.done and played.answers == [4, 0, 7]
    assert buttons["1 neutrophil"].disabled and picture.value == "" and "Done" in says.value
    assert config.progress_file().parent == played.path.parent
