"""The network that travelled, on drawn cells and for one epoch: its record adds up, and its weights can be asked."""

from dataclasses import replace

import numpy as np
import pytest

from bloodcell_utils import config
from bloodcell_utils.config import Compact
from bloodcell_utils.datasets import splits
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import prediction
from bloodcell_utils.experiments import travelled
from bloodcell_utils.models import pretrained

PROFILE = config.profile("sample", compact=Compact(travelled=1))

pytestmark = pytest.mark.usefixtures("few_cells")


def test_it_is_measured_alone_and_with_the_one_from_home_and_can_be_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "TRAVELLED", tmp_path)
    monkeypatch.setattr(travelled, "SEEDS", 1)
    table = splits.load_index(PROFILE)
    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    record = travelled.run(replace(PROFILE, name="laptop", data="pbc"), ship=True, progressbar=False)
    assert list(record.models) == ["alone, seed 2019", "with the one from home, seed 2019"]
    for model in record.models.values():
        assert 0 <= model["named_right"] <= model["named"] <= model["n_test"] == np.sum(model["confusion"])
    card, weights = pretrained.metadata(tmp_path), pretrained.weights(tmp_path)
    assert card["command"] == "bloodcell run travelled --profile laptop --seed 2019 --ship"
    assert weights["none/kernel"].shape == (256, 1) and weights["logits/kernel"].shape == (256, 8)
    images = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3), dtype=np.uint8)
    probabilities, strangeness = prediction.predict_proba(images, folder=tmp_path)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (strangeness > 0).all()


def test_weights_that_saw_drawings_alone_are_not_shipped():
    with pytest.raises(BloodcellError, match="real cells"):
        travelled.run(PROFILE, ship=True)
