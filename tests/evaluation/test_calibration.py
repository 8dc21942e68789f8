"""Temperature, threshold, calibration error: against cases whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import calibration


def draws(n=4000, k=4, seed=0):
    """Probabilities, and classes drawn from them: calibrated by construction."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(k, 0.4), n)
    return p, (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)


@given(st.floats(0.3, 3))
def test_the_temperature_is_found_again(temperature):
    p, y = draws()
    assert calibration.fit_temperature(calibration.apply_temperature(p, 1 / temperature), y) == pytest.approx(
        temperature, rel=0.1
    )


@given(st.floats(0.1, 10))
def test_a_temperature_changes_no_answer(temperature):
    p, _ = draws(50)
    hot = calibration.apply_temperature(p, temperature)
    np.testing.assert_allclose(hot.sum(axis=1), 1)
    np.testing.assert_array_equal(hot.argmax(axis=1), p.argmax(axis=1))


def test_calibrated_probabilities_have_no_error_and_overconfident_ones_do():
    p, y = draws()
    assert calibration.calibration_error(p, y) < 0.03
    assert calibration.calibration_error(calibration.apply_temperature(p, 0.3), y) > 0.1
    always = np.tile([1.0, 0.0], (4, 1))
    assert calibration.calibration_error(always, [0, 0, 1, 1]) == 0.5


def test_the_error_is_the_distance_from_the_diagonal_of_the_reliability_diagram():
    p, y = draws()
    table = {name: np.array(column) for name, column in calibration.reliability(p, y).items()}
    assert table["n"].sum() == len(y) and table["right"].sum() == (p.argmax(axis=1) == y).sum()
    away = (np.abs(table["n"] * table["confidence"] - table["right"])).sum() / len(y)
    assert away == pytest.approx(calibration.calibration_error(p, y), abs=1e-5)


@given(st.integers(0, 50), st.sampled_from([0.0, 0.05, 0.2]))
def test_above_the_threshold_few_enough_names_are_wrong(seed, tolerated):
    p, y = draws(200, seed=seed)
    sure = p.max(axis=1) >= calibration.choose_threshold(p, y, tolerated)
    assert (p.argmax(axis=1) != y)[sure].sum() <= tolerated * sure.sum()


def test_the_threshold_gives_as_many_names_as_it_may():
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    assert calibration.choose_threshold(p, [0, 0, 1, 0], 0.0) == pytest.approx(0.8, abs=1e-5)
    assert calibration.choose_threshold(p, [0, 0, 1, 0], 0.25) == pytest.approx(0.6, abs=1e-5)
    assert calibration.choose_threshold(p, [1, 1, 1, 1], 0.0) == 1.0
    with pytest.raises(BloodcellError, match="needs images"):
        calibration.choose_threshold(np.empty((0, 2)), [], 0.1)


def test_strange_is_what_lies_off_all_classes():
    rng = np.random.default_rng(0)
    y = np.arange(600) % 3
    features = rng.normal(0, [1, 3, 0.1, 1], (600, 4)) + np.eye(4)[y] * 20
    means, whitening = calibration.fit_mahalanobis(features, y)
    usual = calibration.mahalanobis_distance(features, means, whitening)
    assert 0.7 < usual.mean() < 1.1
    between = (means[0] + means[1]) / 2
    assert calibration.mahalanobis_distance([between, means[2]], means, whitening).round(6).tolist()[1] == 0
    assert calibration.mahalanobis_distance([between], means, whitening)[0] > usual.max()


def test_a_direction_without_spread_does_not_count_without_bound():
    features = np.random.default_rng(0).normal(size=(50, 3)) * [1, 1, 0]
    means, whitening = calibration.fit_mahalanobis(features, np.zeros(50, int))
    assert np.isfinite(calibration.mahalanobis_distance(features + [0, 0, 0.1], means, whitening)).all()
