"""The experiments with CompactNet, on drawn cells and for a few batches: their records are whole and add up."""

from dataclasses import replace

import numpy as np
import pytest

from bloodcell_utils import config
from bloodcell_utils.config import Compact
from bloodcell_utils.datasets import splits
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments import compact, compact_best, compact_few
from bloodcell_utils.models import pretrained
from bloodcell_utils.training import fitting

COMPACT = Compact(short=1, long=2, longest=3, best=1, seeds=1, few=((2, 1), (4, 1)), few_steps=1)
PROFILE = config.profile("sample", compact=COMPACT)

pytestmark = pytest.mark.usefixtures("few_cells", "thin_network")


@pytest.fixture(scope="module")
def smooth():
    x = np.mgrid[:64, :64].sum(axis=0) * 1.5 + 40
    return np.stack([np.stack([x, 255 - x, x[::-1]], axis=-1)] * 3).astype(np.uint8)


def test_a_record_of_three_lengths_of_training():
    record = compact.run(PROFILE, progressbar=False)
    assert list(record.models) == [f"{length}, seed 2019" for length in ("short", "long", "longest")]
    assert [model["settings"]["epochs"] for model in record.models.values()] == [1, 2, 3]
    for model in record.models.values():
        assert np.sum(model["confusion"]) == model["n_test"] == record.split["test"]
        assert 0 <= model["symmetries_right"] <= model["n_test"]
        assert len(model["history"]) == model["settings"]["epochs"]
    long = record.models["long, seed 2019"]
    assert (
        set(long["corruptions"]) == set(compact.corruptions())
        and record.models["short, seed 2019"]["corruptions"] is None
    )
    assert max(long["corruptions"].values()) <= long["n_test"]


def test_the_learning_curve_and_the_second_batch():
    record = compact_few.run(PROFILE, progressbar=False)
    assert [model.get("images_per_class") for model in record.models.values()] == [2, 4, None]
    assert [model["n_train"] for model in list(record.models.values())[:2]] == [16, 32]
    last = record.models["first batch alone"]
    table = splits.load_split(PROFILE).table
    assert np.sum(last["second_batch"]) == (table["batch"] == 2).sum()
    assert last["n_train"] == ((table["subset"] == "train") & (table["batch"] == 1)).sum()


def test_more_images_contain_the_fewer():
    table = splits.load_split(PROFILE).table
    few, more = (compact_few.choose_images(table, n, seed=3) for n in (2, 4))
    assert set(few) < set(more) and len(more) == 32
    assert (table.loc[more, "subset"] == "train").all()
    assert len(set(compact_few.choose_images(table, 2, seed=4)) & set(few)) < len(few)


def test_the_long_training_is_calibrated_and_can_be_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    real = replace(PROFILE, name="laptop", data="pbc")
    table = splits.load_index(PROFILE)
    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    record = compact_best.run(real, ship=True, progressbar=False)
    one = record.models["one view"]
    assert all(sum(table["n"]) == one["n_test"] for table in one["reliability"].values())
    assert one["temperature"] > 0 and 0 <= one["named_right"] <= one["named"] <= one["n_test"]
    card = pretrained.metadata(tmp_path)
    assert card["command"] == "bloodcell run compact_best --profile laptop --seed 2019 --ship"
    assert card["threshold"] == one["threshold"] and {"logits/kernel", "means", "whitening"} <= set(
        pretrained.weights(tmp_path)
    )
    with pytest.raises(BloodcellError, match="real cells"):
        compact_best.run(PROFILE, ship=True)


@pytest.mark.parametrize("day", compact.corruptions())
def test_a_worse_day_changes_an_image_and_not_its_form(day, smooth):
    changed = compact.corruptions()[day](smooth)
    assert changed.shape == smooth.shape and changed.dtype == np.uint8
    assert not np.array_equal(changed, smooth)
    assert np.abs(changed.astype(float).mean() - smooth.mean()) < 40


def test_scaled_the_middle_stays_in_the_middle():
    image = np.zeros((64, 64, 3), np.uint8)
    image[28:36, 28:36] = 255
    areas = {}
    for name in ("10 % smaller", "10 % larger"):
        seen = compact.corruptions()[name](image[None])[0, ..., 0].astype(float)
        rows = np.arange(64) @ seen.sum(axis=1) / seen.sum()
        assert rows == pytest.approx(31.5, abs=0.6)
        areas[name] = seen.sum()
    assert areas["10 % smaller"] < 64 * 255 < areas["10 % larger"]


def test_the_eight_symmetries_give_a_turned_image_the_same_answer():
    from bloodcell_utils.models.compactnet import CompactNet

    model = CompactNet(image=48, view=32, widths=(4, 4, 8, 8), augmentation={"shift": 2.0})
    x = np.random.default_rng(0).integers(0, 255, (2, 48, 48, 3), dtype=np.uint8)
    turned = np.ascontiguousarray(np.rot90(x, 1, (1, 2)))
    np.testing.assert_allclose(
        fitting.predict_with_symmetries(model, x), fitting.predict_with_symmetries(model, turned), atol=1e-5
    )
