"""One parameter moves, the answer follows: with an `answer` whose rule is known, so that the search can be checked."""

from dataclasses import replace

import numpy as np
import pytest

from bloodcell_utils.cells import FOLDERS, SUBTYPES
from bloodcell_utils.datasets.specs import CellSpec, span
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import counterfactuals as cf

SPEC = CellSpec(cell_diameter_um=12.0, nucleus_ratio=0.5, red_cells=0, focus_um=0.05)


def dark_share(images):
    return (images[..., 1] < 120).mean(axis=(1, 2))


def by_darkness(images):
    """Class 0 for a small nucleus, class 1 for a large one: the border is at 4 % of the picture."""
    p = np.zeros((len(images), 8))
    p[:, 1] = 1 / (1 + np.exp(-400 * (dark_share(images) - 0.04)))
    p[:, 0] = 1 - p[:, 1]
    return p


def test_a_sweep_goes_from_end_to_end_and_changes_nothing_else():
    moved = cf.sweep(by_darkness, SPEC, "nucleus_ratio", seed=3)
    assert (moved.values[0], moved.values[-1]) == span("nucleus_ratio") and len(moved.values) == 9
    assert moved.images.shape == (9, 128, 128, 3) and moved.probabilities.shape == (9, 8)
    assert (np.diff(dark_share(moved.images)) >= 0).all()
    assert moved.probabilities[0, 0] > 0.9 and moved.probabilities[-1, 1] > 0.9
    assert len(cf.sweep(by_darkness, SPEC, "lobes").values) == 6


def test_flips_finds_the_border():
    table = cf.flips(by_darkness, SPEC, ["nucleus_ratio", "red_cells", "nucleus_rgb"], seed=3)
    assert list(table["parameter"])[0] in ("nucleus_ratio", "nucleus_rgb") and "red_cells" not in set(
        table["parameter"]
    )
    found = table.set_index("parameter").loc["nucleus_ratio"]
    assert found["answer"] == FOLDERS[0 if found["new_value"] < 0.5 else 1]
    at = dark_share(
        cf.sweep(by_darkness, replace(SPEC, nucleus_ratio=found["new_value"]), "focus_um", shares=[0.0], seed=3).images
    )
    assert at[0] == pytest.approx(0.04, abs=0.006)


def test_an_answer_that_nothing_changes():
    table = cf.flips(lambda images: np.tile(np.eye(8)[5], (len(images), 1)), SPEC, ["lobes", "hof"])
    assert len(table) == 0 and list(table) == ["parameter", "value", "new_value", "answer", "change"]


def test_effects_have_the_sign_of_the_evidence():
    table = cf.effects(by_darkness, cells=2, parameters=("nucleus_ratio", "debris"), seed=1)
    assert list(table.index) == list(FOLDERS) and list(table) == ["nucleus_ratio", "debris"]
    assert table.loc["neutrophil", "nucleus_ratio"] < -1
    assert table.loc["platelet", "nucleus_ratio"] == pytest.approx(0), "a cell without nucleus"


@pytest.mark.parametrize("parameter", cf.PARAMETERS)
def test_between_the_ends_lies_a_value_that_can_be_drawn(parameter):
    moved = cf.sweep(by_darkness, SPEC, parameter, shares=[0, 0.37, 1])
    low, high = span(parameter)
    assert moved.values[0] == pytest.approx(low) and moved.values[-1] == pytest.approx(high)
    assert len(moved.images) == len(moved.values)


def test_a_parameter_without_range():
    with pytest.raises(BloodcellError, match="'nucleus_shape' has no range"):
        cf.sweep(by_darkness, SPEC, "nucleus_shape")


@pytest.mark.parametrize("name", [*SUBTYPES, *FOLDERS])
def test_every_kind_can_be_a_preset(name):
    assert cf.preset(name) == cf.preset(name) != cf.preset(name, seed=1)


def test_the_usual_network_answers():
    assert cf.pretrained_proba(np.full((2, 128, 128, 3), 200, np.uint8)).sum(axis=1) == pytest.approx(1)
