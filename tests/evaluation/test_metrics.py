"""Counts, rates, intervals and tests, against scikit-learn and published values."""

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import metrics

confusions = st.integers(2, 8).flatmap(lambda k: arrays(np.int64, (k, k), elements=st.integers(0, 30)))
labels = st.integers(1, 60).flatmap(lambda n: st.tuples(*[arrays(np.int64, n, elements=st.integers(0, 4))] * 3))


def unroll(confusion):
    """y_true and y_pred that give a confusion matrix."""
    rows, columns = np.indices(confusion.shape)
    return np.repeat(rows.ravel(), confusion.ravel()), np.repeat(columns.ravel(), confusion.ravel())


@given(labels)
def test_confusion_matrix_is_scikit_learns(drawn):
    y_true, y_pred, _ = drawn
    ours = metrics.confusion_matrix(y_true, y_pred, 5)
    np.testing.assert_array_equal(ours, sk.confusion_matrix(y_true, y_pred, labels=range(5)))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [([0, 1], [0], "one length"), ([0, 8], [0, 0], "y_true has a class outside 0..7"), ([0], [-1], "y_pred"),
     ([[0]], [[0]], "one length")],
)  # fmt: skip
def test_impossible_labels_are_refused(y_true, y_pred, message):
    with pytest.raises(BloodcellError, match=message):
        metrics.confusion_matrix(y_true, y_pred)


@given(confusions)
def test_four_counts_of_each_class_add_up_to_all_images(confusion):
    counts = metrics.one_vs_rest(confusion)
    assert (counts.sum(axis=1) == confusion.sum()).all() and (counts >= 0).all(axis=None)
    assert counts["TP"].sum() == np.trace(confusion)
    assert counts["FN"].sum() == counts["FP"].sum() == confusion.sum() - np.trace(confusion)


@given(confusions)
def test_rates_are_scikit_learns(confusion):
    y_true, y_pred = unroll(confusion)
    names = range(len(confusion))
    options = {"labels": names, "average": None, "zero_division": np.nan}
    rates = metrics.per_class(confusion)
    if confusion.sum():
        np.testing.assert_allclose(rates["sensitivity"], sk.recall_score(y_true, y_pred, **options))
        np.testing.assert_allclose(rates["precision"], sk.precision_score(y_true, y_pred, **options))
        np.testing.assert_allclose(rates["f1"], sk.f1_score(y_true, y_pred, **options))
        specificity = [sk.recall_score(y_true == i, y_pred == i, pos_label=False, zero_division=np.nan) for i in names]
        np.testing.assert_allclose(rates["specificity"], specificity)
        assert metrics.accuracy(confusion) == pytest.approx(sk.accuracy_score(y_true, y_pred))
        seen = np.flatnonzero(confusion.sum(axis=1))
        recall = sk.recall_score(y_true, y_pred, labels=seen, average="macro", zero_division=0)
        assert metrics.balanced_accuracy(confusion) == pytest.approx(recall)
        either = sorted(set(y_true) | set(y_pred))
        assert metrics.macro_f1(confusion) == pytest.approx(sk.f1_score(y_true, y_pred, labels=either, average="macro"))
    assert (rates["n"] == confusion.sum(axis=1)).all()


def test_a_rate_without_a_denominator_is_nan():
    rates = metrics.per_class([[3, 0, 0], [1, 0, 0], [0, 0, 0]])
    assert np.isnan(rates.loc[1, "precision"]) and np.isnan(rates.loc[2, "sensitivity"])
    assert rates.loc[1, "sensitivity"] == 0 and rates.loc[1, "f1"] == 0
    nothing = np.zeros((3, 3), int)
    assert all(np.isnan(f(nothing)) for f in (metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1))


def test_mean_and_deviation_over_the_classes():
    summary = metrics.mean_sd([[8, 2], [4, 6]])
    assert summary.loc["sensitivity"].tolist() == pytest.approx([0.7, np.std([0.8, 0.6], ddof=1)])
    assert list(summary.index) == ["sensitivity", "specificity", "precision"]


@given(st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_contains_the_proportion_and_stays_inside(counts, level):
    k, n = counts
    low, high = metrics.wilson(k, n, level)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= k / n <= high
        np.testing.assert_allclose(1 - metrics.wilson(n - k, n, level)[::-1], [low, high], atol=1e-12)
        wide = metrics.wilson(k, n, 0.9995)
        assert wide[0] <= low and high <= wide[1]


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_of_newcombes_examples(k, n, low, high):
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    np.testing.assert_allclose(metrics.wilson(k, n), [low, high], atol=5e-5)


def test_wilson_of_nothing_of_many_and_of_the_impossible():
    np.testing.assert_array_equal(metrics.wilson(0, 0), [0, 1])
    assert metrics.wilson([1, 2, 3], 4).shape == (3, 2)
    for k, n in ((5, 4), (-1, 4)):
        with pytest.raises(BloodcellError, match="0 <= successes <= n"):
            metrics.wilson(k, n)


@given(st.integers(2, 5).flatmap(lambda k: arrays(np.int64, (k, k), elements=st.integers(2, 30))), st.integers(0, 99))
def test_bootstrap_contains_the_statistic_and_depends_on_its_seed_alone(confusion, seed):
    for statistic in (metrics.accuracy, metrics.balanced_accuracy):
        low, high = metrics.bootstrap(confusion, statistic, n_resamples=200, seed=seed)
        assert low <= statistic(confusion) <= high
        assert (low, high) == metrics.bootstrap(confusion, statistic, n_resamples=200, seed=seed)


def test_bootstrap_agrees_with_wilson_where_both_apply():
    confusion = np.array([[180, 20], [30, 170]])
    np.testing.assert_allclose(metrics.bootstrap(confusion, metrics.accuracy), metrics.wilson(350, 400), atol=0.01)


def test_bootstrap_keeps_the_number_of_images_of_each_class():
    confusion = np.array([[5, 1, 0], [0, 0, 0], [2, 2, 6]])
    seen = []
    metrics.bootstrap(confusion, lambda draw: seen.append(draw.sum(axis=1).tolist()) or 0.0, n_resamples=20)
    assert seen == [[6, 0, 10]] * 20


def test_bootstrap_over_all_images_sees_what_is_all_or_nothing_in_a_class():
    confusion = np.diag([5, 5, 0]) + np.array([[0, 0, 0], [0, 0, 0], [5, 0, 0]])
    assert metrics.bootstrap(confusion, metrics.accuracy) == pytest.approx((2 / 3, 2 / 3))
    low, high = metrics.bootstrap(confusion, metrics.accuracy, stratified=False)
    assert low < 0.5 and high > 0.8


@given(labels)
def test_kappa_is_scikit_learns(drawn):
    y_true, y_pred, _ = drawn
    ours = metrics.kappa(metrics.confusion_matrix(y_true, y_pred, 5))
    if len(set(y_true) | set(y_pred)) < 2:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(sk.cohen_kappa_score(y_true, y_pred, labels=range(5)))


def test_kappa_of_one_name_for_all_is_nothing():
    assert metrics.kappa([[5, 0], [5, 0]]) == 0


@given(labels)
def test_mcnemar_is_symmetric_and_a_probability(drawn):
    y_true, first, second = drawn
    forth, back = metrics.mcnemar(y_true, first, second), metrics.mcnemar(y_true, second, first)
    assert 0 < forth["p_value"] <= 1 and forth["p_value"] == pytest.approx(back["p_value"])
    assert (forth["only_first"], forth["only_second"]) == (back["only_second"], back["only_first"])
    assert forth["only_first"] - forth["only_second"] == (first == y_true).sum() - (second == y_true).sum()


def test_mcnemar_of_ten_against_two():
    """Twice the binomial tail: 2 * (1 + 12 + 66) / 2**12."""
    y_true, first, second = np.zeros(20, int), np.zeros(20, int), np.zeros(20, int)
    first[:2], second[2:12] = 1, 1
    result = metrics.mcnemar(y_true, first, second)
    assert result == {"only_first": 10, "only_second": 2, "p_value": pytest.approx(158 / 4096)}
    assert metrics.mcnemar(y_true, first, first)["p_value"] == 1


@given(st.integers(2, 5).flatmap(lambda k: arrays(np.int64, (k, k), elements=st.integers(0, 9))), st.integers(1, 40))
def test_equal_counts(confusion, per_class):
    confusion += np.eye(len(confusion), dtype=int)  # an image of each class
    drawn = metrics.at_equal_counts(*unroll(confusion), per_class, n_classes=len(confusion))
    assert (drawn.sum(axis=1) == per_class).all()
    enough = confusion.sum(axis=1) >= per_class
    assert (drawn[enough] <= confusion[enough]).all(), "no image twice where there are enough"
    assert ((drawn > 0) <= (confusion > 0)).all()
    assert metrics.accuracy(drawn) == pytest.approx(metrics.balanced_accuracy(drawn))


def test_equal_counts_of_whole_classes_are_the_matrix_itself():
    confusion = np.array([[3, 1], [2, 2]])
    np.testing.assert_array_equal(metrics.at_equal_counts(*unroll(confusion), 4, n_classes=2), confusion)


def test_equal_counts_depend_on_the_seed_alone():
    y = unroll(np.array([[30, 20], [10, 40]]))
    first, again, other = (metrics.at_equal_counts(*y, 20, n_classes=2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("per_class", "message"), [(0, "per_class is 0"), (4, "no image of class 1, 2 to draw")])
def test_equal_counts_that_cannot_be_drawn(per_class, message):
    with pytest.raises(BloodcellError, match=message):
        metrics.at_equal_counts([0, 0], [0, 1], per_class, n_classes=3)


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_two_proportions_are_the_chi_squared_test_of_their_table(n, m, data):
    from scipy.stats import chi2_contingency

    k, j = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    p = metrics.two_proportions(k, n, j, other_n=m)
    assert p == metrics.two_proportions(j, m, k, other_n=n)
    if k + j in (0, n + m):
        assert p == 1
    else:
        assert p == pytest.approx(chi2_contingency([[k, n - k], [j, m - j]], correction=False).pvalue)


def test_two_proportions_take_columns():
    p = metrics.two_proportions(np.array([50, 90]), 100, 90, other_n=100)
    assert p[0] < 1e-6 and p[1] == 1


@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_frechet_is_the_formula_and_a_distance(d, seed):
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(4 * d, d)), rng.normal(1, 2, size=(5 * d, d))
    one, other = np.cov(a.T), np.cov(b.T)
    gap = a.mean(axis=0) - b.mean(axis=0)
    expected = gap @ gap + np.trace(one + other - 2 * sqrtm(one @ other).real)
    assert metrics.frechet(a, b) == pytest.approx(expected, rel=1e-4)
    assert metrics.frechet(b, a) == pytest.approx(metrics.frechet(a, b))
    assert metrics.frechet(a, a) == pytest.approx(0, abs=1e-8)
    assert metrics.frechet(a, a + 3) == pytest.approx(9 * d)
