"""Wrong names: as many as were asked for, found again by who has not learnt from them; a record that is whole."""

import numpy as np
import pandas as pd
import pytest

from bloodcell_utils import config
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.config import Compact
from bloodcell_utils.datasets import splits, wbcatt
from bloodcell_utils.errors import DataError
from bloodcell_utils.experiments import label_noise

PROFILE = config.profile("sample", compact=Compact(short=1, seeds=1))

pytestmark = pytest.mark.usefixtures("thin_network")


@pytest.mark.parametrize("noise", ["any", "neighbours"])
def test_as_many_names_are_wrong_as_were_asked_for(noise):
    y = np.arange(400) % 8
    planted = label_noise.plant(y, 0.1, noise, seed=3)
    wrong = planted != y
    assert wrong.sum() == 40 and (planted == label_noise.plant(y, 0.1, noise, seed=3)).all()
    assert set(planted) <= set(range(8))
    if noise == "neighbours":
        pairs = {(FOLDERS[a], FOLDERS[b]) for a, b in zip(y[wrong], planted[wrong], strict=True)}
        assert pairs <= set(label_noise.NEIGHBOURS.items())


def test_no_more_names_than_there_are_neighbours():
    assert (label_noise.plant(np.array([0, 1, 2, 7]), 1.0, "neighbours") == [5, 1, 2, 7]).all()


def test_who_is_sure_of_another_name_asks_again_the_surest_first():
    given = np.arange(80) % 8
    p = np.full((80, 8), 0.1 / 7)
    p[np.arange(80), given] = 0.9
    for row, sure in {0: 0.9, 11: 0.97}.items():
        p[row] = (1 - sure) / 7
        p[row, 6] = sure
    suspects, other = label_noise.ask_again(given, p)
    assert suspects.tolist() == [11, 0] and (other[suspects] == 6).all()
    p[5] = 1 / 8  # sure of nothing: no suspect
    assert label_noise.ask_again(given, p)[0].tolist() == [11, 0]


def test_the_record(monkeypatch):
    table = splits.load_split(PROFILE).table
    known = pd.DataFrame("nil", table["path"], wbcatt.ATTRIBUTES)
    known["granule_type"] = np.where(table["class"] == "eosinophil", "round", "nil")
    monkeypatch.setattr(wbcatt, "attributes", lambda: known.iloc[:-3])
    monkeypatch.setattr(label_noise, "SEEDS", 1)
    monkeypatch.setattr(label_noise, "NETWORKS", label_noise.NETWORKS[2:])
    record = label_noise.run(PROFILE, progressbar=False)
    assert len(record.models) == 2 * 7 + 1
    for model in record.models.values():
        assert model["noise"] in ("any", "neighbours") if model["rate"] else model["noise"] is None
        assert 0 <= model["right_by_noisy_names"] <= model["n_test"]
    first = record.models["logistic regression, 0% wrong"]
    assert first["right_by_noisy_names"] == np.trace(first["confusion"])
    for one in first["planted"]:
        assert one["planted"] == round(one["rate"] * len(table))
        assert one["found"] / one["asked"] > 5 * one["rate"], "far better than at random"
    assert np.sum(first["asked_pairs"]) == len(first["suspects"])
    assert all(one["given"] != one["other"] for one in first["suspects"])
    (row,) = first["attributes"]
    assert row["attribute"] == "granule_type" and row["right_by_class"] == row["n"]
    assert row["right"] == row["right_by_class"] + row["right_only"] - row["class_only"]


def test_without_attributes_and_networks(few_cells, monkeypatch):
    def missing():
        raise DataError("not here")

    monkeypatch.setattr(wbcatt, "attributes", missing)
    monkeypatch.setattr(label_noise, "SEEDS", 1)
    record = label_noise.run(PROFILE, progressbar=False, networks=False)
    assert len(record.models) == 2 * 7
    assert record.models["logistic regression, 0% wrong"]["attributes"] == []
