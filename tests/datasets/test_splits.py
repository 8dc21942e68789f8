"""Splits: exact, stratified, seeded, and copies of one file never in two subsets."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils import config, paper
from bloodcell_utils.datasets import sample, splits
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.datasets.pbc import labels
from bloodcell_utils.errors import DataError


def index(strata, copies=()):
    """A table of {(class, sub-type): images}; `copies` are pairs of rows that share their content."""
    rows = [(c, s) for (c, s), n in strata.items() for _ in range(n)]
    table = pd.DataFrame(rows, columns=["class", "subtype"])
    table["path"] = [f"{c}/{s}_{i:05d}.jpg" for i, (c, s) in enumerate(rows)]
    table["sha256"] = [f"{i:064x}" for i in range(len(rows))]
    for i, j in copies:
        table.loc[j % len(table), "sha256"] = table.loc[i % len(table), "sha256"]
    return table


@pytest.fixture(scope="module")
def pbc():
    """As many images of each class as in Table 1."""
    return index({(name, "A"): n for name, n in paper.TABLE_1.items()})


strata = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["", "X", "Y"])), st.integers(3, 40), min_size=1, max_size=6
)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def tables_and_sizes(draw, copies=False):
    counts = draw(strata)
    rows = st.integers(0, 1000)
    table = index(counts, draw(st.lists(st.tuples(rows, rows), max_size=3)) if copies else ())
    first, second = sorted(draw(st.tuples(st.integers(0, len(table) // 3), st.integers(0, len(table) // 3))))
    sizes = {"train": len(table) - second, "validation": first, "test": second - first}
    return table, sizes


@given(tables_and_sizes(copies=True), seeds)
def test_sizes_are_exact_and_no_image_is_lost(drawn, seed):
    table, sizes = drawn
    result = splits.split(table, sizes, seed)
    assert {name: (result["subset"] == name).sum() for name in sizes} == sizes
    pd.testing.assert_frame_equal(result.drop(columns="subset"), table.sort_values("path", ignore_index=True))


@given(tables_and_sizes(), seeds)
def test_every_stratum_gets_its_share(drawn, seed):
    """To within one image of every subset but the first, which takes what the rounding of the others leaves."""
    table, sizes = drawn
    result = splits.split(table, sizes, seed)
    for _, rows in result.groupby(["class", "subtype"]):
        error = {name: (rows["subset"] == name).sum() - len(rows) * n / len(table) for name, n in sizes.items()}
        assert abs(error["validation"]) < 1 and abs(error["test"]) < 1
        assert abs(error["train"]) < 2


@given(tables_and_sizes(copies=True), seeds)
def test_copies_of_a_file_are_never_apart(drawn, seed):
    table, sizes = drawn
    result = splits.split(table, sizes, seed)
    assert (result.groupby("sha256")["subset"].nunique() == 1).all()


@given(tables_and_sizes(copies=True), seeds, seeds)
def test_the_seed_decides_and_the_order_of_the_rows_does_not(drawn, seed, order):
    table, sizes = drawn
    shuffled = table.sample(frac=1, random_state=order)
    pd.testing.assert_frame_equal(splits.split(table, sizes, seed), splits.split(shuffled, sizes, seed))


def test_another_seed_gives_another_split(pbc):
    first, second = splits.clean(pbc, seed=1), splits.clean(pbc, seed=2)
    assert 0.4 < (first["subset"] == second["subset"]).mean() < 0.7


def test_the_papers_sizes(pbc):
    sizes = splits.paper(pbc)["subset"].value_counts()
    assert sizes.to_dict() == {"train": 11_077, "validation": 4_096, "test": 1_919}


def test_the_papers_protocol_scales_to_a_smaller_set(table):
    sizes = splits.paper(table)["subset"].value_counts()
    assert sizes.sum() == len(table) == 72
    assert sizes.to_dict() == {"train": 47, "validation": 17, "test": 8}


def test_the_clean_split_drops_copies_first(table):
    result = splits.clean(table)
    assert result["sha256"].is_unique and len(result) == 68
    assert result["subset"].value_counts().to_dict() == {"train": 48, "validation": 10, "test": 10}


def test_what_cannot_be_split_is_refused(table):
    with pytest.raises(DataError, match="do not add up to 72"):
        splits.split(table, {"train": 60, "test": 10})
    few = index({("a", ""): 10, ("b", ""): 2})
    with pytest.raises(DataError, match=r"A class with 2 image\(s\) cannot be split into train, validation, test"):
        splits.clean(few)
    alike = index({("a", ""): 6}, [(0, i) for i in range(6)])
    with pytest.raises(DataError, match="Too many identical files"):
        splits.split(alike, {"train": 3, "test": 3})


@pytest.fixture
def load(table, monkeypatch):
    """A function that loads the split of the small drawn set."""
    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    return lambda *args, **options: splits.load_split(config.profile("sample"), *args, progressbar=False, **options)


def test_a_split_knows_its_rows(load):
    split = load()
    parts = [split.rows(name) for name in splits.SUBSETS]
    assert [len(rows) for rows in parts] == [48, 10, 10]
    assert sorted(np.concatenate(parts)) == list(range(len(split.table))), "each image is in one subset"
    for name, rows in zip(splits.SUBSETS, parts, strict=True):
        assert set(split.table["subset"].iloc[rows]) == {name}
    held = split.rows("test", "validation")
    np.testing.assert_array_equal(held, np.sort(np.concatenate(parts[1:])))
    assert len(split.rows()) == len(split.rows("holiday")) == 0


def test_a_split_has_labels_images_and_the_seed_that_drew_it(load, cache):
    split = load(16, 0.8, seed=5)
    np.testing.assert_array_equal(split.y, labels(split.table))
    np.testing.assert_array_equal(split.images, load_images(split.table, 16, 0.8, progressbar=False))
    assert split.seed == 5 and load().seed == config.SEED and load().images is None
    with pytest.raises(FrozenInstanceError):
        split.seed = 6


def test_one_seed_one_split_another_seed_another(load):
    first, again, other = (load(seed=seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(first.table, again.table)
    assert first.table["path"].tolist() == other.table["path"].tolist()
    assert first.rows("test").tolist() == again.rows("test").tolist() != other.rows("test").tolist()


def test_the_cell_that_the_course_follows_is_a_monocyte_that_nothing_is_trained_on(cache, monkeypatch):
    def noise(_, size, seed):  # instead of cells: the names and the split are the sample's own
        return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)

    monkeypatch.setattr(sample, "draw", noise)
    split = splits.load_split(config.profile("sample"), progressbar=False)
    row = splits.followed(split.table)
    assert split.table.loc[row, ["class", "subset", "path"]].tolist() == ["monocyte", "test", splits.FOLLOWED[0]]
    whole = splits.load_index(config.profile("sample"))
    assert whole["path"].iloc[splits.followed(whole)] == splits.FOLLOWED[0]
    some = whole.iloc[::-1]
    assert some["path"].iloc[splits.followed(some)] == splits.FOLLOWED[0], "its place, whatever the labels of the rows"


def test_an_index_of_other_cells_has_none_to_follow(pbc):
    with pytest.raises(DataError, match=r"neither monocyte/MO_149397\.jpg nor monocyte/MO_102400\.jpg"):
        splits.followed(pbc)
