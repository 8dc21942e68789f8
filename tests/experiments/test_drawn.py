"""Drawn against real, and what moves the answers: records are whole; without real data both kinds are drawn."""

import numpy as np
import pandas as pd
import pytest

from bloodcell_utils import config
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.config import Drawn
from bloodcell_utils.datasets import splits, wbcatt
from bloodcell_utils.errors import DataError
from bloodcell_utils.experiments import counterfactuals, drawn

PROFILE = config.profile("sample", feature_size=32, drawn=Drawn(per_class=10, epochs=1, compared=8))

pytestmark = pytest.mark.usefixtures("thin_network")


def test_drawn_against_real():
    record = drawn.run(PROFILE, progressbar=False)
    home, abroad = (record.models[f"trained on {kind} cells"] for kind in ("drawn", "real"))
    assert home["n_train"] == 72 and np.sum(home["confusion"]) == np.sum(abroad["confusion"]) == record.split["test"]
    assert np.sum(abroad["drawn"], axis=1).tolist() == [10] * 8
    told = abroad["told_apart"]
    assert 0.2 < told["accuracy"] < 0.8, "here both kinds are drawn"
    assert list(told["frechet"]) == list(FOLDERS)
    assert all(0 < d["drawn"] < 3 * d["real"] for d in told["frechet"].values())


def test_what_moves_the_answers(monkeypatch):
    monkeypatch.setattr(counterfactuals, "effects", lambda *a, **k: pd.DataFrame(1.0, FOLDERS, ["lobes"]))
    monkeypatch.setattr(counterfactuals, "FEWEST", 1)
    table = splits.load_split(PROFILE).table
    known = pd.DataFrame("nil", table["path"], wbcatt.ATTRIBUTES)
    known["cytoplasm_vacuole"] = np.where(np.arange(len(known)) % 2, "yes", "no")
    monkeypatch.setattr(wbcatt, "attributes", lambda: known)
    model = counterfactuals.run(PROFILE, progressbar=False).models["shipped network"]
    assert model["drawn_effects"]["ig"] == {"lobes": 1.0}
    assert {row["parameter"] for row in model["real_effects"]} == {"vacuoles"}
    assert sum(row["n_with"] + row["n_without"] for row in model["real_effects"]) <= (table["subset"] != "train").sum()


def test_without_attributes_the_record_says_so(monkeypatch):
    def missing():
        raise DataError("not here")

    monkeypatch.setattr(counterfactuals, "effects", lambda *a, **k: pd.DataFrame(1.0, FOLDERS, ["lobes"]))
    monkeypatch.setattr(wbcatt, "attributes", missing)
    record = counterfactuals.run(PROFILE, progressbar=False)
    assert record.models["shipped network"]["real_effects"] == [] and "not here" in record.notes[1]


def test_log_odds_are_those_of_the_softmax():
    scores = np.random.default_rng(0).normal(0, 3, (20, 8))
    y = np.arange(20) % 8
    p = (np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True))[np.arange(20), y]
    assert counterfactuals.log_odds(scores, y) == pytest.approx(np.log(p / (1 - p)))


def test_cells_with_an_attribute_against_those_without():
    table = pd.DataFrame({"path": [f"monocyte/MO_{i}.jpg" for i in range(60)], "class": "monocyte"})
    vacuoles = np.where(np.arange(60) < 30, "no", "yes")
    known = pd.DataFrame("nil", table["path"], wbcatt.ATTRIBUTES).assign(cytoplasm_vacuole=vacuoles)
    odds = np.where(vacuoles == "yes", 3.0, 1.0)
    (row,) = counterfactuals.compare(table, odds, known)
    assert (row["class"], row["parameter"], row["difference"]) == ("monocyte", "vacuoles", 2.0)
    assert (row["n_without"], row["n_with"]) == (30, 30)
    assert counterfactuals.compare(table, odds, known.iloc[:40]) == [], "too few with vacuoles are known"
