"""Parts of a picture and blocks of a network, each asked alone."""

import numpy as np
import pandas as pd
import pytest

from bloodcell_utils import config, experiments
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import splits
from bloodcell_utils.experiments import parts, records
from bloodcell_utils.models import features

TINY = config.profile("sample", feature_size=32, image_size=32)


def test_the_record_has_a_row_for_each_part_and_each_block(table, monkeypatch, tmp_path):
    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    record = experiments.run("parts", TINY, seed=7, split_seed=8, progressbar=False)
    blocks = [f"compactnet block {number} alone" for number in (1, 2, 3)]
    assert list(record.models) == ["colours of the middle", "colours of the border", *blocks]
    shares = [record.models[name]["share_of_picture"] for name in list(record.models)[:2]]
    assert 0 < shares[0] < 0.2 < shares[1] < 0.6
    assert records.read(record.write(tmp_path)) == record


def test_middle_and_border_have_no_pixel_in_common():
    middle, border = parts.rings(64)
    assert middle.any() and border.any() and not (middle & border).any()
    assert middle[32, 32] and border[0, 0] and not border[32, 32]
    assert (middle == middle.T).all() and (middle == middle[::-1]).all()


def test_the_outlines_of_drawn_cells_are_known_and_those_of_photographs_are_not():
    table = pd.DataFrame({"path": [splits.FOLLOWED[0]] * 2})
    cell, background = parts.cell_and_background(table, config.profile("sample", image_size=64))
    assert cell.shape == background.shape == (2, 64, 64)
    assert cell[0, 32, 32] and background[0, 0, 0] and (cell[0] == cell[1]).all()
    assert not (cell & background).any() and not (cell | background).all(), "the edge counts for neither"
    found = parts.cell_and_background(table, config.profile("laptop"))
    assert all((mask == ring).all() for mask, ring in zip(found, parts.rings(128), strict=True))


def test_each_block_gets_the_features_that_are_its_own():
    """What `extract` joins comes apart again where one block ends and the next begins."""
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), np.uint8)
    views = features.extract(images, "compactnet", "pbc", progressbar=False)["blocks"]
    apart = parts.by_block(views, "compactnet", 96)
    assert len(apart) == 3 and sum(X.shape[1] for X in apart) == views.shape[1]
    last = features.extract(images, "compactnet", "pbc", progressbar=False)["last"].reshape(
        2, -1, apart[-1].shape[1] // 3
    )
    np.testing.assert_allclose(apart[-1][:, : last.shape[2]], last.mean(axis=1), rtol=1e-3, atol=1e-4)


def test_recorded_the_middle_knows_what_the_whole_picture_knows_and_the_border_more_than_nothing():
    """What the chapter on borrowed features says of them."""
    record, whole = (experiments.load_record(name, "laptop") for name in ("parts", "svm"))
    assert record.data == whole.data and record.split == whole.split
    low, high = whole.models["colour histogram"]["accuracy_ci95"]
    assert low < record.models["colours of the middle"]["accuracy"] < high
    counts = whole.confusion("colour histogram").sum(axis=1)
    border = record.models["colours of the border"]["accuracy_ci95"]
    assert counts.max() / counts.sum() < border[0] < border[1] < 0.5


def test_recorded_the_last_block_alone_is_the_poorest_by_the_same_machine():
    models = experiments.load_record("parts", "laptop").models
    *earlier, last = [model for name, model in models.items() if "block" in name]
    assert len(earlier) == 4 and len(FOLDERS) == 8
    assert min(model["accuracy_ci95"][0] for model in earlier) > last["accuracy_ci95"][1]


@pytest.mark.parametrize("shape", [(6, 5), (2, 6, 5)])
def test_a_histogram_of_some_pixels_is_that_of_an_image_made_of_them(shape):
    rng = np.random.default_rng(1)
    images, where = rng.integers(0, 256, (2, 6, 5, 3), np.uint8), rng.random(shape) < 0.5
    found = features.color_histogram(images, where=where)
    for one, image, mask in zip(found, images, np.broadcast_to(where, (2, 6, 5)), strict=True):
        np.testing.assert_allclose(one, features.color_histogram(image[mask][None, None])[0], rtol=1e-6)
