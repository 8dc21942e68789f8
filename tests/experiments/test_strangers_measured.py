"""What is named that should not be, and by which score it could have been told: on drawn cells."""

from types import SimpleNamespace

import numpy as np
import pytest

from bloodcell_utils import config
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.config import Compact
from bloodcell_utils.course.network_card import STRANGERS
from bloodcell_utils.datasets import other_labs, splits
from bloodcell_utils.datasets.strangers import SHARES
from bloodcell_utils.errors import DataError
from bloodcell_utils.evaluation import prediction
from bloodcell_utils.experiments import strangers
from bloodcell_utils.models import pretrained
from bloodcell_utils.models.compactnet_input import IMAGE

PROFILE = config.profile("sample", compact=Compact(short=1))

pytestmark = pytest.mark.usefixtures("few_cells", "thin_network")


@pytest.fixture(scope="module")
def split(few_cells):
    return splits.load_split(PROFILE, IMAGE, reduced=True, progressbar=False)


@pytest.fixture
def few(monkeypatch):
    """A dozen pictures of each group; screenshots of two records."""
    monkeypatch.setattr(strangers, "PAGES", strangers.PAGES[:2])
    for name, number in {"PICTURES": 30, "CELLS": 4, "SCREENSHOTS": 4}.items():
        monkeypatch.setattr(strangers, name, number)


@pytest.fixture
def labs(monkeypatch):
    """Three laboratories with four cells each."""
    import pandas as pd

    def index(name, *, of="white", seed=0):
        kinds = ["neutrophil", "monocyte", "basophil", "neutrophil"] if of == "white" else [""] * 4
        columns = dict.fromkeys(("sha256", "left", "top", "right", "bottom", "field"), of)
        return pd.DataFrame({"class": kinds, **columns})

    pictures = np.random.default_rng(0).integers(0, 256, (4, IMAGE, IMAGE, 3), dtype=np.uint8)
    monkeypatch.setattr(other_labs, "index", index)
    monkeypatch.setattr(other_labs, "images", lambda table, size, field=None: pictures[: len(table)])


def test_the_record_holds_every_group_of_the_model_card(few, labs):
    record = strangers.run(PROFILE, left_out=(), progressbar=False)
    measured = record.models["shipped network"]
    assert set(STRANGERS) <= set(measured["groups"]) == set(measured["auroc"])
    for counts in measured["groups"].values():
        assert 0 <= counts["wrong"] <= counts["named"] <= counts["n"] > 0
    home = measured["home"]
    assert home["n"] == measured["n_test"] == record.split["test"] and home["wrong"] <= home["named"]
    assert all(set(areas) == set(strangers.SCORES) for areas in measured["auroc"].values())
    assert measured["elsewhere"]["bccd"]["n_images"] == 4 and len(record.notes) == 1


def test_without_the_other_sets_their_groups_are_missing_and_a_note_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("BLOODCELL_LABS_DIR", str(tmp_path))
    found, fingerprints, notes = strangers.elsewhere()
    assert not found and not fingerprints and len(notes) == len(other_labs.LABS)
    assert not any(str(tmp_path) in note for note in notes), "a record names no folder of this machine"
    with pytest.raises(DataError):
        other_labs.index("bccd")


def test_a_class_that_was_left_out_is_met_nowhere_in_the_training(split, monkeypatch):
    seen = {}

    def train(images, y, rows, *, validation, settings, strangers, progressbar):
        from bloodcell_utils.models.compactnet import CompactNet

        seen.update(train=rows, validation=validation, strangers=strangers, epochs=settings.epochs)
        return CompactNet(n_classes=9), SimpleNamespace(seconds=0.0)

    asked = []
    monkeypatch.setattr(strangers, "train_compactnet", train)
    made = strangers.strangers.strangers
    monkeypatch.setattr(
        strangers.strangers, "strangers", lambda given, *a, **k: asked.append(given) or made(given, *a, **k)
    )
    names = ("monocyte", "ig")
    called, measured = strangers.without(split, names, epochs=2, trained=30, progressbar=False)
    left = [FOLDERS.index(name) for name in names]
    for rows in (seen["train"], seen["validation"], asked[0].rows("train")):
        assert not np.isin(split.y[rows], left).any()
    test = split.y[split.rows("test")]
    assert measured["n"] == np.isin(test, left).sum() >= measured["named"] and seen["epochs"] == 2
    assert measured["n_train"] == len(seen["train"]) == 30 and measured["epochs"] == 2
    assert measured["strangers"] == len(seen["strangers"]) == pytest.approx(30 / 4, abs=len(SHARES) / 2)
    assert len(called) == len(test) and not np.isin(called, left).any(), "a name that it never heard"
    assert len(asked[0].rows("test")) == len(test) - measured["n"]


def test_it_trains_and_the_record_says_on_how_much(few, monkeypatch, tmp_path):
    monkeypatch.setenv("BLOODCELL_LABS_DIR", str(tmp_path))
    record = strangers.run(PROFILE, left_out=[("platelet",)], progressbar=False)
    measured = record.models["without platelet"]
    assert measured["confusion"] and not np.array(measured["confusion"])[:, FOLDERS.index("platelet")].any()
    assert set(measured["auroc"]) == set(strangers.SCORES) and all(0 <= a <= 1 for a in measured["auroc"].values())
    assert measured["left_out"] == ["platelet"] and measured["epochs"] == PROFILE.compact.short
    assert 0 < measured["n_train"] < record.split["train"] and measured["strangers"] > 0
    assert any("Without a class" in note for note in record.notes)


def test_scores_are_those_of_predict(split):
    shown = np.asarray(split.images[:8])
    odd = strangers.odd(strangers.answers(shown))
    scores, features = pretrained.logits(shown, pretrained.TRAVELLED)
    probabilities, strangeness = prediction.judge(scores, features)
    np.testing.assert_array_equal(strangeness, prediction.predict_proba(shown)[1])
    np.testing.assert_allclose(odd["combined"], strangeness)
    np.testing.assert_allclose(odd["largest probability"], 1 - probabilities.max(axis=1))
    np.testing.assert_allclose(odd["energy"], -np.log(np.exp(scores).sum(axis=1)), rtol=1e-4)


def test_areas_by_hand():
    known = dict.fromkeys(strangers.SCORES, np.array([1, 2, 3]))
    assert set(strangers.areas(known, dict.fromkeys(strangers.SCORES, np.array([4, 5]))).values()) == {1.0}
    assert set(strangers.areas(known, dict.fromkeys(strangers.SCORES, np.array([2]))).values()) == {0.5}


def test_a_name_is_wrong_where_there_is_no_cell_or_another(monkeypatch):
    import pandas as pd

    answer = ["monocyte", "monocyte", prediction.UNSURE, "ig"]
    monkeypatch.setattr(strangers, "predict", lambda shown: pd.DataFrame({"answer": answer, "note": ["", "", "x", ""]}))
    monocyte = FOLDERS.index("monocyte")
    assert strangers.count(answer) == {"n": 4, "named": 3, "wrong": 3, "noted": 1}
    assert strangers.count(answer, [monocyte] * 4) == {"n": 4, "named": 3, "wrong": 1, "noted": 1}


def test_pages_are_cut_into_pictures_of_their_own(few):
    cut = strangers.screenshots(40, seed=1)
    assert cut.shape == (40, IMAGE, IMAGE, 3) and cut.dtype == np.uint8
    assert len(np.unique(cut.reshape(40, -1), axis=0)) > 35
    assert np.array_equal(cut, strangers.screenshots(40, seed=1))
