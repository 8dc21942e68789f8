"""Calibration, coverage and sets of names: against answers whose worth is known by construction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils import config
from bloodcell_utils.experiments import calibration


def draws(n=1000, k=8, seed=0, sharper=1.0):
    """Scores, and classes drawn from their softmax; then the scores times a factor."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(k, 0.2), n).clip(1e-9)
    p /= p.sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) > rng.random((n, 1)) * p.sum(axis=1, keepdims=True)).argmax(axis=1)
    return sharper * np.log(p), y, p


def test_on_drawn_cells():
    record = calibration.run(config.profile("sample"), progressbar=False)
    assert list(record.models) == ["at home"] and len(record.notes) == 4
    home = record.models["at home"]
    assert home["risk"]["named"][-1] == home["n_test"]
    assert home["risk"]["wrong"][-1] == home["n_test"] - np.trace(home["confusion"])
    for found in home["sets"].values():
        for way in ("all", "by class"):
            assert sum(found[way]["sizes"]) == sum(found[way]["n"]) == home["n_test"]
            assert np.less_equal(found[way]["covered"], found[way]["n"]).all()


def test_as_sure_as_right_has_the_error_of_chance_and_too_sure_has_more():
    scores, y, p = draws(4000)
    fits = calibration.measure(scores, y, (p, y), temperature=1.0)
    assert fits["calibration_error"][1] == pytest.approx(fits["by_chance"], abs=0.02)
    assert fits["temperature_here"] == pytest.approx(1, abs=0.1)
    sharp, y, p = draws(4000, sharper=3)
    sure = calibration.measure(sharp, y, (p, y), temperature=1.0)
    assert sure["calibration_error"][1] > 5 * sure["by_chance"] and sure["temperature_here"] == pytest.approx(
        3, abs=0.3
    )


def test_the_surest_answers_are_wrong_least_often():
    scores, y, p = draws(4000)
    risk = calibration.measure(scores, y, (p, y), temperature=1.0)["risk"]
    rate = np.divide(risk["wrong"], risk["named"])
    assert rate[len(rate) // 2] < rate[-1] and np.all(np.diff(risk["wrong"]) >= 0)


@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.1, 0.3]), st.integers(20, 60))
def test_the_threshold_is_the_right_order_statistic(seed, missed, n):
    """With the cell to come among them, the promise says: at most a share of the ranks lies below."""
    rng = np.random.default_rng(seed)
    p, y = rng.random((n, 3)), rng.integers(0, 3, n)
    true, at = np.sort(p[np.arange(n), y]), calibration.least(p, y, missed)
    below = (true < at).sum()
    assert (below + 1) / (n + 1) <= missed + 1e-12 if at else 1 / (n + 1) > missed
    assert not at or (below + 2) / (n + 1) > missed, "and no name more than it takes"


def test_sets_hold_the_name_as_often_as_promised_and_no_longer_where_cells_differ():
    kept, elsewhere = [], []
    for seed in range(60):
        _, y, p = draws(400, seed=seed)
        at = calibration.least(p[:200], y[:200], 0.1)
        inside = (p >= at)[np.arange(400), y]
        kept.append(inside[200:].mean())
        elsewhere.append((p >= at)[np.arange(400), (y + 1) % 8].mean())
    assert np.mean(kept) == pytest.approx(0.9, abs=0.01) and np.mean(elsewhere) < 0.6


def test_too_few_cells_for_a_promise_give_every_name():
    assert calibration.least(np.full((9, 2), 0.5), np.zeros(9, int), 0.05) == 0
    held = np.array([[True, True], [True, False], [False, False]])
    assert calibration.count_sets(held, np.array([1, 1, 0])) == {"sizes": [1, 1, 1], "covered": [0, 1], "n": [1, 2]}
