"""What is odd about a picture is said in words: exchanged colours, a cell that is too large or too small."""

import numpy as np
import pytest

from bloodcell_utils.evaluation import contract
from bloodcell_utils.models import pretrained


def disc(diameter, middle=(64, 64), colour=(90, 40, 130)):
    """A nucleus of a given width on pale ground."""
    y, x = np.mgrid[:128, :128]
    inside = np.hypot(y - middle[0], x - middle[1]) < diameter / 2
    return np.where(inside[..., None], colour, (235, 225, 230)).astype(np.uint8)


def remarks(pictures, strange=True, answer=lambda others: np.zeros(len(others), bool), **how):
    return contract.remarks(np.stack(pictures), np.full(len(pictures), strange), answer, **how)


@pytest.mark.parametrize("diameter", [10, 20, 40, 80])
def test_a_nucleus_is_as_wide_as_it_is(diameter):
    assert contract.nucleus_width(disc(diameter)[None])[0] == pytest.approx(diameter, abs=1)


def test_dim_light_makes_no_nucleus_wider():
    bright = disc(40)
    dim = (bright * 0.6).astype(np.uint8)
    assert np.diff(contract.nucleus_width(np.stack([bright, dim])))[0] == pytest.approx(0, abs=0.5)


def test_no_nucleus_where_nothing_dark_lies_in_the_middle():
    pictures = [np.full((128, 128, 3), 230, np.uint8), disc(40, middle=(10, 10)), disc(5)]
    assert contract.nucleus_width(np.stack(pictures)).tolist() == [0, 0, 0]


def test_of_two_nuclei_the_one_in_the_middle_is_measured():
    both = np.minimum(disc(30), disc(50, middle=(10, 10)))
    assert contract.nucleus_width(both[None])[0] == pytest.approx(30, abs=1)


def test_too_wide_and_too_narrow_are_said_with_what_helps():
    low, usual, high = pretrained.metadata(pretrained.TRAVELLED)["nucleus"]
    wide, narrow, fine = remarks([disc(2 * high), disc(low / 2), disc(usual)])
    assert "wider field" in wide and f"{2 * high / usual:.1f} times" in wide
    assert "crop=" in narrow and 0 < float(narrow.split("crop=")[1].rstrip("?")) < 1
    assert fine == ""
    whole, half = (float(remarks([disc(low / 2)], crop=crop)[0][-5:-1]) for crop in (1, 0.5))
    assert half == pytest.approx(whole / 2, abs=0.01), "the part of the field that is shown already is a part"


def test_exchanged_colours_are_what_would_get_a_name_the_other_way_round():
    asked = []

    def answer(others):
        asked.append(others)
        return np.array([True, False])

    pictures = [disc(40), disc(40)]
    assert remarks(pictures, answer=answer) == [contract.EXCHANGED, ""]
    assert np.array_equal(asked[0], np.stack(pictures)[..., ::-1])


def test_what_got_a_name_is_not_remarked_on():
    def never(others):
        raise AssertionError("nothing is to be asked again")

    assert remarks([disc(120), disc(40)], strange=False, answer=never) == ["", ""]
    found = contract.remarks(np.stack([disc(120), disc(120)]), np.array([False, True]), lambda x: np.zeros(1, bool))
    assert found[0] == "" and found[1]
