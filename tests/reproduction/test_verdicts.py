"""A verdict follows from the numbers: inside exactly when the interval holds the printed value, and signs are right."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils import reproduction
from bloodcell_utils.reproduction.verdicts import KINDS, Line, compare, fact_line, interval_line, rate_line

percent = st.floats(0, 100, allow_nan=False)
intervals = st.tuples(percent, percent, percent).map(sorted)


@given(percent, intervals)
def test_inside_exactly_when_the_interval_holds_the_printed_value(printed, interval):
    low, measured, high = interval
    kind, text = compare(printed, measured, low=low, high=high)
    assert (kind == "inside") == (low <= printed <= high) == (text == "inside the interval")
    assert (kind == "higher") == (low > printed)
    assert (kind == "lower") == (high < printed)


@given(percent, intervals)
def test_the_words_hold_the_difference_and_its_interval(printed, interval):
    low, measured, high = interval
    kind, text = compare(printed, measured, low=low, high=high)
    if kind == "inside":
        return
    middle, near, far = (float(number) for number in re.findall(r"\d+\.\d+", text))
    assert text.startswith(f"{kind} by ")
    bounds = (low, high) if kind == "higher" else (high, low)
    assert middle == pytest.approx(abs(measured - printed), abs=0.051)
    assert (near, far) == pytest.approx([abs(bound - printed) for bound in bounds], abs=0.051)
    assert near <= middle <= far


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((87.4, 90.7, 89.5, 91.7), "higher by 3.3 points [2.1, 4.3]"),
        ((99.61, 96.6, 94.6, 97.9), "lower by 3.0 points [1.7, 5.0]"),
        ((90, 91, 90.02, 92), "higher by 1.00 points [0.02, 2.00]"),
        ((90, 90, 90, 90), "inside the interval"),
    ],
)
def test_words(numbers, text):
    assert compare(*numbers[:2], low=numbers[2], high=numbers[3])[1].replace("\N{NO-BREAK SPACE}", " ") == text


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), percent)
def test_a_measured_share(counts, printed):
    k, n = counts
    line = rate_line("a rate", printed, k / n, n=n, data="cells")
    value, low, high = line.offset
    assert low <= value <= high
    assert (line.kind == "inside") == (low <= 0 <= high)
    assert f"{100 * k / n:.1f}" in line.measured and f"{printed:g}" in line.printed


def test_drawn_cells_are_shown_and_not_judged():
    line = rate_line("a rate", 90.0, 0.5, n=100, data="drawn cells", rehearsal=True)
    assert (line.kind, line.offset) == ("rehearsal", None)
    assert "50.0" in line.measured and "compares nothing" in line.verdict


def test_a_smaller_setting_is_named_and_not_judged():
    line = rate_line("a rate", 90.0, 0.5, n=100, data="cells", smaller="32 px, 1 epoch")
    assert (line.kind, line.verdict, line.offset) == ("smaller", "smaller setting: 32 px, 1 epoch", None)
    assert "50.0" in line.measured and "90" in line.printed


def test_nothing_printed_is_nothing_to_compare():
    line = interval_line("a difference", None, 0.02, interval=(0.01, 0.03), data="cells", unit="points")
    assert (line.kind, line.printed, line.verdict) == ("made", "", "re-made, nothing to compare")


def test_facts_are_equal_or_different():
    assert fact_line("classes", 8, 8, data="a list").kind == "equal"
    assert fact_line("classes", 8, 9, data="a list").kind == "different"


def test_a_tally_counts_all_that_a_line_stands_for():
    lines = [Line("a", "inside", "inside"), Line("b", "missing", "not yet", count=28), Line("c", "inside", "inside")]
    assert reproduction.tally(lines) == {"inside": 2, "missing": 28}
    assert list(reproduction.tally(lines[::-1])) == ["inside", "missing"], "in the order of KINDS"
    assert set(reproduction.MARKS) == set(KINDS)
