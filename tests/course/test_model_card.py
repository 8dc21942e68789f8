"""The card holds what was measured, and asks for what was not."""

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from bloodcell_utils.course import model_card
from bloodcell_utils.course.capstone import Audit
from bloodcell_utils.course.model_card import Findings, Question, card, rate
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import metrics

CONFUSION = np.array([[7, 3], [1, 9]])


@pytest.fixture
def found():
    sizes = pd.DataFrame({"32 × 32": [20, 21], "40 × 40": [9, 0]}, index=["band", "segment|ed"])
    audit = Audit(
        "mine", 54, {"band/x.jpg": "broken"}, ["band/y.jpg"], ["band/z.jpg", "segment|ed/z.jpg"], [], [], sizes
    )
    classes = ["band"] * 28 + ["segment|ed"] * 22
    subset = ["train"] * 18 + ["test"] * 10 + ["train"] * 12 + ["test"] * 10
    groups = [f"P{i % 5}{part}" for i, part in enumerate(subset)]
    table = pd.DataFrame({"class": classes, "group": groups, "subset": subset})
    together = {"dummy": [0.5, 0.5], "model": [0.7, 0.8]}
    confusions = {"dummy": np.array([[10, 0], [10, 0]]), "model": CONFUSION}
    lamps = {"brightness × 0.95": np.array([[6, 4], [1, 9]])}
    return Findings(audit, table, together, {"dummy": [0.5], "model": [0.9]}, confusions, "model", lamps)


def test_it_holds_the_measured_numbers(found):
    asked = Question("Is it a band?", ("band", "segment|ed"), "a left shift is overlooked", "a technologist")
    text = card(asked, found)
    low, high = 100 * metrics.wilson(16, 20)
    assert f"| **model** | 75.0 % | 90.0 % | 16 of 20, 80.0 % (95 % interval {low:.1f} to {high:.1f} %) |" in text
    assert "54 files, 50 images used; left out: 1 unreadable, 1 further copies, 2 with contradictory names." in text
    assert "| `band` | 28 | 10 | 18 | 10 |" in text
    assert f"In the test: {rate(3, 10)}" in text
    assert f"- `band`: {rate(7, 10)}" in text
    assert f"brightness × 0.95: {rate(15, 20)}" in text
    assert "5 groups (images of one patient) to train, 5 others to test" in text
    assert "strongest baseline in cross-validation is: dummy. The model differs from it by +25.0 points" in text
    assert "Images of `band` have a size that no other class has" in text
    assert "What is the model asked?" not in text and "Which images are of one patient?" not in text
    assert "diagnosis" in text


def test_what_nobody_knows_is_asked(found):
    table = found.table.assign(group=range(len(found.table)))
    text = card(Question(), Findings(**{**vars(found), "table": table, "lamps": {}}))
    for question in (
        "What is the model asked?",
        "Which mistake costs most",
        "Who reads",
        "of one patient?",
        "Who named",
    ):
        assert f"- [ ] {question}" in text or question in text
    assert "too kind" in text and "Not measured." in text
    assert "Costliest" not in text


def test_no_mistake_is_not_perfection(found):
    right = np.diag([10, 10])
    text = card(Question(), Findings(**{**vars(found), "confusions": {"dummy": CONFUSION, "model": right}}))
    assert "bootstrap interval" not in text
    assert rate(20, 20) in text and "to 100.0 %)" in rate(20, 20) and "interval 100.0" not in text


def test_a_mistake_between_other_classes(found):
    with pytest.raises(BloodcellError, match=r"costliest mistake is .*, but the classes are band, segment\|ed"):
        card(Question(costliest=("blast", "band")), found)


def test_a_rate_of_nothing():
    assert rate(0, 0) == "none of them in the test"


def test_it_is_written_whole_beside_the_set(found, tmp_path):
    (tmp_path / "my.cells").mkdir()
    path = model_card.save(tmp_path / "my.cells", card(Question(), found))
    assert path.name == "my.cells-card.md" and path.parent == tmp_path.resolve()
    assert path.read_text("utf-8") == card(Question(), found)
    (tmp_path / "set.zip").write_bytes(b"")
    assert model_card.save(tmp_path / "set.zip", "x").name == "set-card.md"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my.cells", "my.cells-card.md", "set-card.md", "set.zip"]


def rendered(text):
    return MarkdownIt("commonmark").enable("table").render(text)


def test_names_of_users_are_text_and_nothing_else(found, holds_names):
    audit = vars(found.audit)
    places = {
        "set": lambda name: card(Question(), Findings(**{**vars(found), "audit": Audit(**{**audit, "name": name})})),
        "model": lambda name: card(Question(), renamed_model(found, name)),
        "baseline": lambda name: card(Question(), renamed_model(found, name, "dummy")),
        "light": lambda name: card(Question(), Findings(**{**vars(found), "lamps": {name: CONFUSION}})),
        "question": lambda name: card(Question(name, ("band", "segment|ed")), found),
        "consequence": lambda name: card(Question("a?", ("band", "segment|ed"), name), found),
        "reader": lambda name: card(Question(user=name), found),
    }
    for make in places.values():
        holds_names(
            lambda name, make=make: rendered(make(name)), lambda name: name[1:]
        )  # a model's begins with a capital


def test_the_name_of_a_class_is_text_and_nothing_else(found, holds_names):
    def make(name):
        table = found.table.replace({"class": {"band": name}})
        audit = Audit(**{**vars(found.audit), "sizes": found.audit.sizes.rename({"band": name})})
        return rendered(
            card(Question("?", ("segment|ed", name)), Findings(**{**vars(found), "table": table, "audit": audit}))
        )

    holds_names(make)


def renamed_model(found, name, old="model"):
    parts = {
        part: {name if key == old else key: value for key, value in getattr(found, part).items()}
        for part in ("together", "spread", "confusions")
    }
    return Findings(**{**vars(found), **parts, "chosen": name if old == found.chosen else found.chosen})
