"""Other laboratories: sets are kept apart, labelled cells are never tested on, the record belongs to home."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from bloodcell_utils import config
from bloodcell_utils.datasets import drawn_labs, load_split
from bloodcell_utils.experiments import adapt, records, shift

pytestmark = pytest.mark.usefixtures("few_cells")


@pytest.fixture(scope="module", autouse=True)
def small_laboratories():
    with pytest.MonkeyPatch.context() as patch:
        few = {"cells": dict.fromkeys(("neutrophil", "eosinophil", "lymphocyte"), 12)}
        patch.setattr(drawn_labs, "LABS", {name: replace(lab, **few) for name, lab in drawn_labs.LABS.items()})
        patch.setattr(shift, "FEWEST", 10)
        yield


def test_shift_on_drawn_cells(tmp_path):
    profile = config.PROFILES["sample"]
    record = shift.run(profile, progressbar=False)
    assert list(record.models) == [shift.STAYED, shift.AWAY, shift.BOTH]
    home = load_split(profile)
    assert record.data["fingerprint"] == records.fingerprint(home.table)["fingerprint"]
    sets = record.predictions["path"].str.split("/").str[0]
    for network, model in record.models.items():
        groups = model["groups"]
        assert list(groups) == [shift.HOME, *drawn_labs.LABS]
        assert groups[shift.HOME]["n"] == len(home.rows("test")) == record.split["test"]
        for name in drawn_labs.LABS:
            here = record.predictions[sets == name]
            assert groups[name]["right"] == (here["true"] == here[network]).sum() and groups[name]["n"] == len(here)
            if network != shift.STAYED:
                assert groups[name]["wrong"] <= groups[name]["named"] <= groups[name]["n"]
    answers = record.predictions.loc[sets.isin(list(drawn_labs.LABS))]
    assert (answers[shift.AWAY] == answers[shift.BOTH]).all(), "where colours are foreign, one answers alone"
    pictures = record.models[shift.STAYED]["pictures"]
    means = [np.sum(about["density_mean"]) for about in pictures.values()]
    assert means[1] < means[0], "a pale stain takes less light away"
    assert records.read(record.write(tmp_path)).models == record.models


def test_adapt_on_drawn_cells(monkeypatch):
    monkeypatch.setattr(adapt, "ALPHAS", (0.0, 1.0))
    monkeypatch.setattr(adapt, "PULLS", (3.0,))
    monkeypatch.setattr(adapt, "labelled", partial(adapt.labelled, draws=2))
    models = adapt.run(config.PROFILES["sample"], progressbar=False).models
    ways = ["as it is", "colours matched", "statistics recomputed", "both"]
    assert list(models)[:4] == ways and list(models)[-2:] == [f"{shift.STAYED}, {way}" for way in ways[1:3]]
    first = next(iter(drawn_labs.LABS))
    assert all(model["tuned"]["on"] == first for model in models.values() if "tuned" in model)
    as_it_is = models["as it is"]["groups"][first]["right"]
    assert models["statistics recomputed"]["shares"]["0.0"][first] == as_it_is
    assert models["a new head, 20 a class"]["draws"][first][0][1] == 18, "half of 12 of each kind are tested on"


def test_labelled_cells_are_not_tested_on():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [30, 30, 4])
    features = np.abs(rng.normal(size=(len(y), 256))).astype(np.float32)
    called, tested = adapt.labelled(features, y, 10, seed=0, pull=1e-3)
    assert (called >= 0).all() and all(n == 44 for _, n in tested)
    own = (called == y)[:60].mean()
    assert own < 0.6, "what is noise cannot be learnt, only remembered"
