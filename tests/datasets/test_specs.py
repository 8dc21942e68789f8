"""Cells in words and numbers: ranges, and what is refused."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils.cells import FOLDERS, SUBTYPES
from bloodcell_utils.datasets.specs import CellSpec, check, pick_subtype, random_spec, shown, span, words
from bloodcell_utils.errors import BloodcellError

NUMBERS = [f for f in fields(CellSpec) if f.metadata]


@pytest.mark.parametrize("f", NUMBERS, ids=lambda f: f.name)
def test_every_number_is_described_with_its_range(f):
    low, high = f.metadata["low"], f.metadata["high"]
    assert f"{f.name} : " in CellSpec.__doc__ and f.metadata["about"] in CellSpec.__doc__
    for end in (low, high):
        value = (end,) * 3 if isinstance(f.default, tuple) else end
        assert getattr(CellSpec(**{f.name: value}), f.name) == value
    for beyond in (low - 1, high + 1):
        value = (beyond,) * 3 if isinstance(f.default, tuple) else beyond
        with pytest.raises(BloodcellError, match=f"{f.name} is .* from {low} to {high}"):
            CellSpec(**{f.name: value})


@pytest.mark.parametrize(
    ("name", "value", "range_"),
    [
        ("nucleus_ratio", 1.2, "0 to 1"),
        ("lobes", -1, "0 to 5"),
        ("lobes", 2.5, "whole number"),
        ("chromatin", float("nan"), "0 to 1"),
        ("cell_diameter_um", "large", "1 to 25"),
        ("nucleus_rgb", (10, 20), "three numbers"),
        ("nucleus_rgb", (10, 20, 300), "0 to 255"),
        ("cytoplasm_rgb", 7, "three numbers"),
        ("nucleus_shape", "star", "segmented"),
    ],
)
def test_impossible_values_are_named_with_their_range(name, value, range_):
    with pytest.raises(BloodcellError, match=f"{name} is .*{range_}"):
        CellSpec(**{name: value})
    with pytest.raises(BloodcellError, match=f"{name} is .*{range_}"):
        replace(CellSpec(), **{name: value})


@given(st.sampled_from([*SUBTYPES, *FOLDERS]), st.integers(0, 2**32 - 1))
def test_every_kind_can_be_drawn_from_any_seed(name, seed):
    spec = random_spec(name, np.random.default_rng(seed))
    assert spec == random_spec(name, np.random.default_rng(seed))
    assert spec != random_spec(name, np.random.default_rng(seed + 1))
    assert all(type(getattr(spec, f.name)) in (int, float, tuple) for f in NUMBERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_class_is_drawn_as_one_of_its_subtypes(folder):
    rng = np.random.default_rng(0)
    kinds = {pick_subtype(folder, rng) for _ in range(50)}
    assert {SUBTYPES[kind] for kind in kinds} == {folder}
    assert len(kinds) == {"neutrophil": 2, "ig": 3}.get(folder, 1)


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_a_subtype_is_itself_unless_its_stage_is_not_given(subtype):
    kind = pick_subtype(subtype, np.random.default_rng(0))
    assert kind == subtype or subtype in ("NEUTROPHIL", "IG")


def test_what_tells_the_kinds_apart():
    rng = np.random.default_rng(0)
    specs = {name: [random_spec(name, rng) for _ in range(20)] for name in SUBTYPES}
    assert all(spec.lobes == 0 and spec.cell_diameter_um < 7 for spec in specs["PLATELET"])
    assert all(spec.lobes >= 2 and spec.nucleus_shape == "segmented" for spec in specs["SNE"])
    assert all(spec.nucleus_shape == "band" for spec in specs["BNE"])
    assert all(spec.nucleoli for spec in specs["PMY"])
    assert all(spec.granule_density == 0 for spec in specs["ERB"])
    assert min(s.granule_um for s in specs["EO"]) > max(s.granule_um for s in specs["SNE"])


def test_an_unknown_kind_is_answered_with_those_there_are():
    for function in (random_spec, pick_subtype):
        with pytest.raises(BloodcellError, match="'plasma cell'.*SNE.*ig"):
            function("plasma cell", np.random.default_rng(0))


def test_a_check_of_its_own():
    check("size", np.int64(64), 128, low=32, high=1024)
    check("share", 1, 0.5, low=0, high=1)
    for value in (64.0, "64", None, (64,)):
        with pytest.raises(BloodcellError, match="size is .*; it must be a whole number from 32 to 1024"):
            check("size", value, 128, low=32, high=1024)


@given(st.sampled_from(sorted(SUBTYPES)), st.integers(0, 2**32 - 1))
def test_every_cell_lies_within_the_span(name, seed):
    spec = random_spec(name, np.random.default_rng(seed))
    for f in NUMBERS:
        low, high = span(f.name)
        assert (np.less_equal(low, getattr(spec, f.name)) & np.less_equal(getattr(spec, f.name), high)).all(), f.name
        assert type(low) is type(high) is type(f.default)


def test_what_has_no_span():
    for name in ("nucleus_shape", "temperature"):
        with pytest.raises(BloodcellError, match=f"'{name}' has no range; choose one of cell_diameter_um"):
            span(name)


def test_parameters_in_words():
    assert [words(name) for name in ("cell_diameter_um", "nucleus_rgb", "lobe_link", "nucleus_shape")] == [
        "cell diameter (µm)",
        "nucleus colour",
        "lobe link",
        "nucleus shape",
    ]
    assert [shown(value) for value in (3, 0.12345, (1, 16.4, 255))] == ["3", "0.123", "#0110ff"]
