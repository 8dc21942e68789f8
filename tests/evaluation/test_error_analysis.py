"""Whose mistakes, how sure, how close, and whether two models share them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import error_analysis as errors

PATHS = ["ig/MMY_1.jpg", "ig/MMY_2.jpg", "ig/PMY_3.jpg", "neutrophil/SNE_4.jpg", "neutrophil/BNE_5.jpg", "mine/x.png"]
Y_TRUE, Y_PRED = [5, 5, 5, 0, 0, 7], [0, 4, 5, 0, 5, 7]

# Three classes; rows 0-3 are of class 0: right and sure, right and close, called 1, called 2.
P = np.array([[0.9, 0.05, 0.05], [0.5, 0.4, 0.1], [0.3, 0.6, 0.1], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1]])
TRUE = np.array([0, 0, 0, 0, 1, 2])

answers = st.integers(1, 40).flatmap(lambda n: st.tuples(*[arrays(np.int64, n, elements=st.integers(0, 3))] * 4))


def test_the_subtype_is_the_beginning_of_the_file_name():
    assert errors.subtypes(PATHS).tolist() == ["MMY", "MMY", "PMY", "SNE", "BNE", "x"]


def test_mistakes_of_each_subtype():
    table = errors.errors_by_subtype(PATHS, Y_TRUE, Y_PRED)
    assert table.index.tolist() == ["SNE", "BNE", "PMY", "MMY", "x"], "the order of the classes and their stages"
    assert table.loc["BNE", ["n", "wrong", "called", "of_these"]].tolist() == [1, 1, "ig", 1]
    assert table.loc["MMY", ["class", "n", "wrong", "rate"]].tolist() == ["ig", 2, 2, 1.0]
    assert table.loc["SNE", ["wrong", "called", "of_these"]].tolist() == [0, "", 0]
    assert ((table["low"] <= table["rate"]) & (table["rate"] <= table["high"])).all()


def test_the_commonest_wrong_name_comes_with_its_count():
    table = errors.errors_by_subtype(["ig/MMY_1.jpg"] * 4, [5] * 4, [0, 4, 0, 5])
    assert table.loc["MMY", ["wrong", "called", "of_these"]].tolist() == [3, "neutrophil", 2]


def test_stages_in_the_order_of_life():
    counts = errors.answers_by_stage(PATHS, Y_PRED)
    assert tuple(counts.index) == errors.MATURATION
    assert counts.loc["MMY"].tolist() == [0, 1, 1]  # one is called a neutrophil, one a monocyte
    assert counts.loc["BNE"].tolist() == [1, 0, 0] and counts.loc["MY"].tolist() == [0, 0, 0]


def test_confusions_are_followed_by_the_closest_calls():
    assert errors.confusions_of(P, TRUE, true=0, called=1).tolist() == [2, 1, 0], "not what is called a third name"
    assert errors.confusions_of(P, TRUE, true=0, called=2, count=2).tolist() == [3, 1]
    assert errors.confusions_of(P, TRUE, true=2, called=0).tolist() == [5], "as many as there are"


def test_typical_cells_are_right_and_sure():
    assert errors.typical(P, TRUE, 0).tolist() == [0, 1]
    assert errors.typical(P, TRUE, 0, count=1).tolist() == [0]
    assert errors.typical(P, TRUE, 2).tolist() == []


def test_some_cells_only():
    some = np.array([True, False, True, False, True, True])
    assert errors.confusions_of(P, TRUE, true=0, called=1, among=some).tolist() == [2, 0]
    assert errors.typical(P, TRUE, 0, among=~some).tolist() == [1]


def test_the_most_confident_mistakes_first():
    assert errors.most_confident(P, TRUE).tolist() == [5, 3, 2]
    assert errors.most_confident(P, P.argmax(axis=1)).tolist() == []


@pytest.mark.parametrize("probabilities", [P[:2], P[:, 0]])
def test_probabilities_that_do_not_fit(probabilities):
    with pytest.raises(BloodcellError, match="for 6 cells"):
        errors.most_confident(probabilities, TRUE)


@given(answers)
def test_shared_mistakes(drawn):
    y_true, first, second, strata = drawn
    for found in (
        errors.shared_errors(y_true, first, second),
        errors.shared_errors(y_true, first, second, strata=strata),
    ):
        assert 0 <= found["same_name"] <= found["both"] <= min(found["first"], found["second"])
        assert 0 <= found["low"] <= found["high"] <= min(found["first"], found["second"])
        assert found["expected"] <= min(found["first"], found["second"]) + 1e-9


def test_shared_mistakes_by_chance():
    """Two models wrong on 20 and 30 of 100 cells share 20 * 30 / 100 by chance; here they share none, then all."""
    y_true, first, second = np.zeros(100, int), np.zeros(100, int), np.zeros(100, int)
    first[:20], second[20:50] = 1, 1
    apart = errors.shared_errors(y_true, first, second)
    assert (apart["both"], apart["expected"]) == (0, pytest.approx(6)) and apart["low"] > 0
    assert errors.shared_errors(y_true, first, first)["both"] == 20 > errors.shared_errors(y_true, first, first)["high"]


def test_where_all_mistakes_are_in_one_stratum_chance_shares_more():
    y_true, first, second = np.zeros(100, int), np.zeros(100, int), np.zeros(100, int)
    first[:8], second[2:10] = 1, 1
    found = errors.shared_errors(y_true, first, second, strata=np.arange(100) < 10)
    assert (found["both"], found["expected"]) == (6, pytest.approx(6.4))
    assert found["low"] <= 6 <= found["high"], "nothing but the hard cells explains it"
    assert errors.shared_errors(y_true, first, second)["high"] < 6
