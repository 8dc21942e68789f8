"""Counts that a model reads: without errors they are the blood's; what is corrected by its own matrix has no bias."""

import numpy as np
import pytest

from bloodcell_utils import config
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.experiments import differential, load_record

PATHS = [f"{folder}/{stage}_{i}.jpg" for stage, folder in differential.SUBTYPES.items() for i in range(40)]
TRUE = np.array([FOLDERS.index(path.split("/")[0]) for path in PATHS])
BANDS_ARE_IG = np.where([("BNE" in path) and int(path[-6:-4].strip("_")) % 2 == 0 for path in PATHS], 5, TRUE)


def counted(y_pred, blood="healthy", cells=400, **options):
    rng = np.random.default_rng(0)
    return differential.simulate(
        PATHS, TRUE, y_pred, blood=differential.BLOODS[blood], cells=cells, repeats=200, rng=rng, **options
    )


@pytest.mark.parametrize("blood", differential.BLOODS.values(), ids=differential.BLOODS)
def test_white_cells_are_a_hundred(blood):
    assert sum(percent for stage, percent in blood.items() if stage != "ERB") == pytest.approx(100)


def test_who_makes_no_mistake_counts_the_blood():
    found = counted(TRUE)
    assert found["share"] == pytest.approx([0.6, 0.03, 0.005, 0.295, 0.07, 0])
    for shares in ("plain", "corrected", "constrained"):
        assert found[shares]["mean"] == pytest.approx(found["share"], abs=0.008)
    assert min(found["plain"]["covered"][:2]) > 180


def test_the_matrix_undoes_what_it_was_measured_for_and_nothing_else():
    fits, real = counted(BANDS_ARE_IG, matched=True), counted(BANDS_ARE_IG)
    assert fits["plain"]["mean"][5] > 0.05 and fits["corrected"]["mean"][5] == pytest.approx(0, abs=0.01)
    assert real["plain"]["mean"][5] < 0.03 and real["corrected"]["mean"][5] < -0.03, "fewer bands than in the test"
    assert min(np.add(real["constrained"]["mean"], 0)) >= 0


def test_correction_is_exact_where_counts_are_what_is_expected():
    rng = np.random.default_rng(1)
    confusion = rng.integers(0, 5, (8, 8)) + np.diag(np.full(8, 60))
    blood = np.array([60, 3, 1, 29, 7, 0, 5, 0])
    called = blood @ (confusion / confusion.sum(axis=1, keepdims=True))
    white = blood[:6] / blood[:6].sum()
    assert differential.correct(called, confusion) == pytest.approx(white)
    assert differential.correct_within_bounds(called, confusion) == pytest.approx(white, abs=1e-6)
    ends = differential.interval(np.round(called).astype(int), confusion, rng=rng)
    assert ((ends[:, 0] <= white + 1e-9) & (white <= ends[:, 1])).all() and ends.min() >= 0


def test_on_drawn_cells_with_and_without_recorded_answers(monkeypatch):
    monkeypatch.setattr(differential, "COUNTED", (100,))
    monkeypatch.setattr(differential, "DRAWS", 20)
    monkeypatch.setattr(differential, "REPEATS", 20)
    simulate = differential.simulate
    few = {"repeats": 20}
    monkeypatch.setattr(differential, "simulate", lambda *a, **k: simulate(*a, **k | few))
    profile = config.profile("sample")
    recorded = differential.run(profile, progressbar=False).models["colour histogram"]
    assert recorded["settings"]["answers"] == "svm-compactnet.sample"
    assert {(row["blood"], row["matched"]) for row in recorded["counts"]} == {
        (blood, matched) for blood in differential.BLOODS for matched in (True, False)
    }
    monkeypatch.setattr(differential.records, "find_record", lambda *names: None)
    asked = differential.run(profile, progressbar=False).models["colour histogram"]
    assert asked["settings"]["answers"] == "asked now" and asked["confusion"] == recorded["confusion"]


def test_the_committed_record_is_of_the_answers_that_are_recorded_today():
    record = load_record("differential", "laptop")
    for experiment, model in differential.SOURCES:
        same = record.confusion(model) == load_record(experiment, "laptop").confusion(model)
        assert same.all(), f"{experiment} was measured again: bloodcell run differential --profile laptop"


def test_what_the_chapter_says_of_the_reader_of_colours():
    rows = load_record("differential", "laptop").models["colour histogram"]["counts"]

    def some(**asked):
        return [row for row in rows if all(row[key] == value for key, value in asked.items())]

    def kept(cells):
        return np.mean([row["plain"]["covered"] for row in some(matched=True, cells=cells)])

    def helped(matched):
        off = [[np.linalg.norm(row[way]["rmse"]) for way in ("corrected", "plain")] for row in some(matched=matched)]
        return sum(corrected < plain for corrected, plain in off)

    assert kept(400) < kept(100) < 0.9 * differential.REPEATS, "more cells, more broken promises"
    assert helped(matched=True) > 6 > helped(matched=False), "correcting pays where the matrix fits"
    for row in some(blood="healthy", matched=False):
        assert row["corrected"]["mean"][5] < -0.005, "it takes away what nobody added"
    confusion = load_record("differential", "laptop").confusion("colour histogram")
    mean = np.array([0.6, 0.03, 0.005, 0.295, 0.07, 0, 0, 0]) @ (confusion / confusion.sum(axis=1, keepdims=True))
    assert 1.7 < mean[2] / 0.005 < 2.6, "twice the basophils"
