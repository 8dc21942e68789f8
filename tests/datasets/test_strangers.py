"""Pictures of none of the eight: of every kind, from the subset that was asked for, the same for the same seed."""

import numpy as np
import pytest

from bloodcell_utils import config
from bloodcell_utils.datasets import splits, strangers


@pytest.fixture(scope="module")
def split():
    return splits.load_split(config.profile("sample"), strangers.SIDE, reduced=True, progressbar=False)


def test_every_kind_in_its_share(split):
    images, kinds = strangers.strangers(split, "train", 100)
    assert images.shape == (len(kinds), strangers.SIDE, strangers.SIDE, 3) and images.dtype == np.uint8
    assert set(kinds) == set(strangers.SHARES) and sum(strangers.SHARES.values()) == pytest.approx(1)
    for kind, share in strangers.SHARES.items():
        assert (kinds == kind).sum() == max(1, round(100 * share)), kind


def test_the_same_seed_gives_the_same_pictures_and_another_others(split):
    first, again, other = (strangers.strangers(split, "test", 20, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_training_and_test_share_no_source(split, monkeypatch):
    asked = []
    cut = strangers.corners
    monkeypatch.setattr(strangers, "corners", lambda table, rows, n: asked.append(set(rows)) or cut(table, rows, n))
    (of_train, _), (of_test, _) = (strangers.strangers(split, subset, 30) for subset in ("train", "test"))
    assert asked[0] == set(split.rows("train")) and asked[1] == set(split.rows("test"))
    assert not set(strangers.PHOTOGRAPHS["train"]) & set(strangers.PHOTOGRAPHS["test"])
    assert not {x.tobytes() for x in of_train} & {x.tobytes() for x in of_test}


def test_corners_show_no_nucleus_and_no_more_than_asked_for(split):
    found = strangers.corners(split.table, split.rows("test"), 12)
    assert len(found) == 12
    for corner in found:
        assert corner.shape[0] == corner.shape[1] in (80, 100)
        green = corner[..., 1]
        assert (green < strangers.GLASS * np.percentile(green, 99)).mean() <= strangers.NUCLEUS
    assert len(strangers.corners(split.table, split.rows("test")[:1], 100)) <= 4


def test_exchanged_is_exchanged(split):
    images, kinds = strangers.strangers(split, "test", 30)
    cells = {x.tobytes() for x in split.images[split.rows("test")]}
    turned = images[kinds == "red and blue exchanged"][..., ::-1]
    assert {np.ascontiguousarray(x).tobytes() for x in turned} <= cells


def test_an_empty_field_goes_on_where_the_corner_ends():
    corner = np.arange(80 * 80 * 3).reshape(80, 80, 3).astype(np.uint8)
    field = strangers.empty_field(corner, np.random.default_rng(0))
    assert field.shape == (strangers.SIDE, strangers.SIDE, 3)
    tile = strangers.resize(corner, round(80 * strangers.SIDE / strangers.FIELD))
    assert set(np.unique(field)) == set(np.unique(tile))


def test_drawings_differ_and_are_pictures():
    rng = np.random.default_rng(0)
    drawn = np.stack([strangers.drawing(rng) for _ in range(40)])
    assert drawn.shape == (40, strangers.SIDE, strangers.SIDE, 3) and drawn.dtype == np.uint8
    assert len(np.unique(drawn.reshape(40, -1), axis=0)) == 40
