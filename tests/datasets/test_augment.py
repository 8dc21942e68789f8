"""Augmentation: what a transformation keeps, and that balancing never mixes the subsets."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bloodcell_utils.datasets import augment, splits
from bloodcell_utils.errors import DataError

sides = st.integers(2, 24)
images = st.tuples(sides, sides, st.just(3)).flatmap(lambda shape: arrays(np.uint8, shape))
angles = st.floats(-360, 360)


@given(images, st.booleans(), st.booleans())
def test_a_flip_twice_is_no_flip(image, horizontal, vertical):
    once = augment.transform(image, horizontal, vertical)
    np.testing.assert_array_equal(augment.transform(once, horizontal, vertical), image)


def test_directions():
    image = np.zeros((2, 3, 3), np.uint8)
    image[0, 0] = 200
    assert augment.transform(image, flip_horizontal=True)[0, 2, 0] == 200
    assert augment.transform(image, flip_vertical=True)[1, 0, 0] == 200
    square = image[:, :2]
    np.testing.assert_array_equal(augment.transform(square, rotation=90), np.rot90(square))


@given(images, angles)
def test_rotation_keeps_shape_and_type(image, angle):
    turned = augment.transform(image, rotation=angle)
    assert turned.shape == image.shape and turned.dtype == np.uint8


@given(st.integers(2, 40), st.integers(2, 40), angles, st.integers(1, 255))
def test_rotation_brings_no_black_corners(height, width, angle, level):
    image = np.full((height, width, 3), level, np.uint8)
    np.testing.assert_allclose(augment.transform(image, rotation=angle), level, atol=1)


def test_rotation_about_the_centre_keeps_the_centre():
    image = np.zeros((41, 41, 3), np.uint8)
    image[18:23, 18:23] = 255
    for angle in (10, 33, 60):
        assert augment.transform(image, rotation=angle)[20, 20].min() == 255


@given(st.tuples(st.integers(1, 3), sides, sides, st.just(3)).flatmap(lambda shape: arrays(np.uint8, shape)))
def test_standardised_images_have_mean_0_and_deviation_1(batch):
    result = augment.standardise(batch)
    assert result.shape == batch.shape and result.dtype == np.float32
    varies = np.ptp(batch.reshape(len(batch), -1), axis=1) > 0
    np.testing.assert_allclose(result.mean(axis=(1, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(result.std(axis=(1, 2, 3)), varies.astype(float), atol=1e-3)
    np.testing.assert_array_equal(result[0], augment.standardise(batch[0]))


@pytest.mark.parametrize("level", [0, 1, 77, 255])
@pytest.mark.parametrize("side", [8, 299])
def test_an_image_of_one_colour_gives_zeros(level, side):
    np.testing.assert_array_equal(augment.standardise(np.full((side, side, 3), level, np.uint8)), 0)


@pytest.mark.parametrize("n", [1, 5, 6, 30])
def test_balance_gives_exactly_so_many_of_each_class(table, n):
    split = splits.clean(table)
    plan = augment.balance(split, n)
    assert plan["class"].value_counts().to_dict() == dict.fromkeys(split["class"].unique(), n)
    train = split[split["subset"] == "train"]
    assert set(plan["source"]) <= set(train.index)
    np.testing.assert_array_equal(split.loc[plan["source"], "path"], plan["path"])
    np.testing.assert_array_equal(split.loc[plan["source"], "class"], plan["class"])
    for name, rows in plan.groupby("class"):
        available = (train["class"] == name).sum()
        assert rows["version"].is_monotonic_increasing
        assert (rows["version"] == 0).sum() == min(n, available) == rows.loc[rows["version"] == 0, "source"].nunique()
        used = rows["source"].value_counts()
        assert used.max() - used.min() <= 1, "versions are spread evenly"


def test_originals_are_untouched_and_versions_turn_up_to_60_degrees(table):
    plan = augment.balance(splits.clean(table), 200)
    original, altered = plan[plan["version"] == 0], plan[plan["version"] > 0]
    assert not original[["flip_horizontal", "flip_vertical"]].any(axis=None) and (original["rotation"] == 0).all()
    assert altered["rotation"].between(0, 60).all() and altered["rotation"].max() > 55 and altered["rotation"].min() < 5
    for column in ("flip_horizontal", "flip_vertical"):
        assert altered[column].mean() == pytest.approx(0.5, abs=0.05)


def test_a_plan_depends_on_its_seed_alone(table):
    split = splits.clean(table)
    pd.testing.assert_frame_equal(augment.balance(split, 20), augment.balance(split, 20))
    assert not augment.balance(split, 20).equals(augment.balance(split, 20, seed=1))


@given(
    st.lists(st.integers(3, 12), min_size=1, max_size=4),
    st.integers(1, 30),
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 8), st.integers(1, 8), st.integers(1, 8)),
)
def test_no_source_image_has_versions_in_two_subsets(class_sizes, n, seed, weights):
    """For any data set, any split and any number of images a class."""
    rows = [(f"{c}/A_{i}.jpg", str(c), "A", f"{c}-{i}") for c, size in enumerate(class_sizes) for i in range(size)]
    table = pd.DataFrame(rows, columns=["path", "class", "subtype", "sha256"])
    fractions = tuple(w / sum(weights) for w in weights)
    try:
        split = splits.clean(table, fractions=fractions, seed=seed)
    except DataError:  # a class that would be missing from a subset
        assume(False)
    plans = {name: augment.balance(split, n, name, seed=seed) for name in split["subset"].unique()}
    for name, plan in plans.items():
        others = set().union(*(other["path"] for key, other in plans.items() if key != name))
        assert not set(plan["path"]) & others
        assert set(split.loc[plan["source"], "subset"]) == {name}


def test_versions_of_every_image(table):
    plan = augment.versions(table.iloc[5:9], 3)
    assert plan["source"].value_counts().to_dict() == {5: 3, 6: 3, 7: 3, 8: 3}
    assert sorted(plan["version"]) == [0] * 4 + [1] * 4 + [2] * 4


def test_a_plan_is_applied_row_by_row(table):
    batch = np.random.default_rng(0).integers(0, 256, (len(table), 8, 8, 3), dtype=np.uint8)
    plan = augment.versions(table.iloc[3:5], 3)
    made = augment.apply(batch, plan)
    assert made.shape == (6, 8, 8, 3)
    for image, row in zip(made, plan.itertuples(), strict=True):
        flips = row.flip_horizontal, row.flip_vertical
        np.testing.assert_array_equal(image, augment.transform(batch[row.source], *flips, rotation=row.rotation))
    np.testing.assert_array_equal(made[:2], batch[3:5])


def test_split_first_augment_second(table):
    with pytest.raises(DataError, match="Split first"):
        augment.balance(table, 10)
    with pytest.raises(DataError, match="0 images in 'holdout'"):
        augment.balance(splits.clean(table), 10, "holdout")
    with pytest.raises(DataError, match="0 a class"):
        augment.balance(splits.clean(table), 0)
