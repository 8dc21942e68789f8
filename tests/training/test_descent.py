"""The way downhill is the one that the slope gives, and the loss is the one that others compute."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from bloodcell_utils.training.descent import descend, loss

RNG = np.random.default_rng(0)
POSITIVE = np.arange(50) % 2 == 0
X = RNG.normal(size=(50, 2)) + POSITIVE[:, None]


def test_the_loss_is_cross_entropy_and_the_price_of_weights():
    w = np.array([0.5, -1.0])
    expected = log_loss(POSITIVE, 1 / (1 + np.exp(-X @ w)))
    assert loss(w, X, POSITIVE) == pytest.approx(expected)
    assert loss(w, X, POSITIVE, decay=0.4) == pytest.approx(expected + 0.25)
    assert loss(np.zeros((3, 4, 2)), X, POSITIVE) == pytest.approx(np.full((3, 4), np.log(2)))


def test_a_step_goes_against_the_slope():
    start, small = np.array([1.0, -0.5]), 1e-6
    corners = start + small * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    right, left, up, down = loss(corners, X, POSITIVE, decay=0.1)
    slope = np.array([right - left, up - down]) / (2 * small)
    path = descend(X, POSITIVE, 0.3, start=start, steps=1, decay=0.1)
    assert path[1] == pytest.approx(start - 0.3 * slope, abs=1e-6)


def test_momentum_repeats_a_share_of_the_last_step():
    path = descend(X, POSITIVE, 0.3, start=(1, 1), momentum=0.5, steps=2)
    plain = descend(X, POSITIVE, 0.3, start=path[1], steps=1)
    assert path[2] == pytest.approx(plain[1] + 0.5 * (path[1] - path[0]))


def test_it_arrives_where_scikit_learn_does():
    decay = 0.05
    w = descend(X, POSITIVE, 1.0, start=(0, 0), steps=3000, decay=decay)[-1]
    model = LogisticRegression(C=1 / (decay * len(X)), fit_intercept=False, tol=1e-8).fit(X, POSITIVE)
    assert w == pytest.approx(model.coef_[0], abs=1e-4)


def test_far_too_large_a_step_stays_a_number():
    assert np.isfinite(descend(X, POSITIVE, 1e6, start=(1, 1), steps=200, decay=1.0)).all()
