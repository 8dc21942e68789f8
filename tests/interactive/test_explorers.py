"""What can be tried without Python shows what the package itself computes, and says so in words."""

import numpy as np
import pytest

from bloodcell_utils.interactive import explorers
from bloodcell_utils.interactive.explorers import FLIPS, GAMMAS, LEVELS, MOMENTA, PRICES, RATES

RNG = np.random.default_rng(0)
Y = np.tile(np.arange(3), 20)
X = np.array([[0, 0, 0], [3, 0, 1], [0, 3, -1]])[Y] + RNG.normal(size=(60, 3)) * 2
CLASSES = ["neutrophil", "a", "b"]


def test_a_cell_to_change(monkeypatch):
    monkeypatch.setattr(explorers, "SIDE", 24)
    image = RNG.integers(40, 200, (40, 40, 3), dtype=np.uint8)
    shown = explorers.explore_augmentation(image)
    assert [values for _, values, _ in shown.axes] == [("0", "20", "40", "60"), tuple(FLIPS), tuple(LEVELS)]
    assert [slides for _, _, slides in shown.axes] == [True, False, False]
    assert all("standardised: mean 0.0, deviation 1.0" in label for label in shown.labels)
    means = [float(label.split("level ")[1].split(",")[0]) for label in shown.labels[:3]]
    assert means[1] < means[0] < means[2], "darker, as it is, brighter"


@pytest.fixture(scope="module")
def borders():
    return explorers.explore_borders(X, Y, CLASSES)


def test_borders_that_are_too_stiff_and_too_loose(borders):
    right = {}
    for label, (price, gamma) in zip(borders.labels, [(C, g) for C in PRICES for g in GAMMAS], strict=False):
        parts = label.split(" % right")
        right[price, gamma] = float(parts[0].split()[-1]), float(parts[1].split()[-1])
    seen, held = right[100, 100]
    assert seen > 95 > held and held < max(h for _, h in right.values()), "knows by heart what it has seen"
    assert right[0.01, 0.01][0] < seen


def test_borders_begin_in_the_middle_and_leave_out_what_takes_long(borders):
    assert borders.labels[borders.start].startswith("Learnt from")
    left_out = sum(label.startswith("Not fitted") for label in borders.labels)
    assert left_out == len(PRICES) * sum(gamma > explorers.CUBIC_LIMIT for gamma in GAMMAS)
    assert borders.over and sum(map(len, borders.pictures)) < 100_000


def test_a_way_downhill_for_every_rate():
    shown = explorers.explore_learning_rate(X[Y < 2], Y[Y < 2] == 1)
    assert len(shown.labels) == len(RATES) * len(MOMENTA)
    first, last = shown.labels[0], shown.labels[-1]
    assert first.startswith("Too slow") and last.startswith("Diverges")
    assert any(label.startswith("Arrives") for label in shown.labels)


@pytest.mark.parametrize(
    "losses, said",
    [
        ([2, 1.9, 1.8, 1.7], "Too slow: 70 % of the way down is left."),
        ([2, 1.5, 1, 1], "Arrives with step 2 of 3; 0 steps lead up."),
        ([2, 1, 1.9, 1, 1.9, 1.2], "Oscillates: 2 of 5 steps lead up."),
        ([2, 1, 3], "Diverges: it ends higher than it began."),
    ],
)
def test_a_descent_in_words(losses, said):
    assert explorers._describe(losses, 1.0) == said
