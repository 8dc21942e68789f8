"""Differential counts that a model reads: how far the counted shares are off, and what correcting them does.

No network is asked: the answers are those that other experiments have recorded, image by image. What the test images
were called stands for all cells of their kind. From there the counts of invented bloods are drawn, and again the
confusion matrix that the laboratory would have measured and corrects them by.
"""

import numpy as np
from scipy.optimize import nnls

from ..cells import FOLDERS, SUBTYPES
from ..config import SEED
from ..datasets.loading import load_images
from ..datasets.splits import load_split
from ..evaluation import metrics
from ..evaluation.error_analysis import subtypes
from ..models.features import color_histogram
from . import record_name, records, svm

WHITE = FOLDERS[:6]  # the kinds that share the hundred
BLOODS = {  # percent of the white cells, by prefix of the file names; erythroblasts: so many beside a hundred of them
    "healthy": {"SNE": 57, "BNE": 3, "EO": 3, "BA": 0.5, "LY": 29.5, "MO": 7},
    "sepsis": {"SNE": 60, "BNE": 20, "EO": 0.3, "BA": 0.2, "LY": 8, "MO": 5.5,
               "MMY": 4, "MY": 1.5, "PMY": 0.5, "ERB": 5},
    "allergy": {"SNE": 46, "BNE": 2, "EO": 18, "BA": 1, "LY": 26, "MO": 7},
    "leukaemia": {"SNE": 30, "BNE": 15, "EO": 4, "BA": 6, "LY": 6, "MO": 2, "MMY": 14, "MY": 18, "PMY": 5, "ERB": 2},
}  # fmt: skip
SOURCES = (("compact_best", "one view"), ("svm", "colour histogram"))  # experiment and model whose answers are read
COUNTED = (100, 200, 400)
REPEATS, DRAWS = 1000, 200  # counts of a blood; for the interval of one count
UNSEEN = 1 / len(FOLDERS)  # of a cell, added to each count of a row: what was never seen is not impossible


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure bias and coverage of counted and of corrected shares.

    Parameters
    ----------
    profile : config.Profile
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        A model for each of `SOURCES` that has been recorded on these test images, else the colour histogram, asked now.
        ``settings`` says whose answers they are; ``counts`` is a list of what `simulate` gives.
    """
    split = load_split(profile, seed=split_seed)
    found = records.Collector("differential", profile, split, seed=seed, progressbar=progressbar)
    paths = split.table["path"].iloc[found.rows]
    for source, model, called in _answers(profile, split, paths):
        rng = np.random.default_rng(seed)
        cases = [(blood, cells, matched) for blood in BLOODS for matched in (True, False) for cells in COUNTED]
        counts = [
            {"blood": blood, "cells": cells, "matched": matched}
            | simulate(paths, found.truth, called, blood=BLOODS[blood], cells=cells, matched=matched, rng=rng)
            for blood, cells, matched in cases
        ]
        settings = {"answers": source, "repeats": REPEATS, "draws": DRAWS}
        found.add(model, called, found.lap(), settings=settings, counts=counts)
    return found.record("Counts drawn from recorded answers; when these are measured again, so is this.")


def _answers(profile, split, paths):
    """Record, model and its answers to the test images; without a record of these images, one model asked now."""
    recorded = False
    for experiment, model in SOURCES:
        record = records.find_record(record_name(experiment, profile), profile.name)
        if record and model in record.models and set(record.predictions["path"]) == set(paths):
            recorded = True
            yield record.name, model, record.predictions.set_index("path")[model].loc[paths].to_numpy()
    if not recorded:
        fit, test = split.rows("train", "validation"), split.rows("test")
        X = color_histogram(load_images(split.table, profile.image_size, progressbar=False))
        yield "asked now", SOURCES[-1][1], svm.histogram_classifier().fit(X[fit], split.y[fit]).predict(X[test])


def simulate(paths, y_true, y_pred, *, blood, cells, matched=False, repeats=REPEATS, rng=None):
    """Count a blood again and again, as a model reads it.

    Parameters
    ----------
    paths : sequence of str
        Of the images that the model was tested on; their names begin with the stage.
    y_true, y_pred : array-like of int, shape (n,)
    blood : dict of str to float
        As one of `BLOODS`.
    cells : int
        White cells that are looked at; erythroblasts come beside them.
    matched : bool
        Draw the cells of a class as the test images mix its stages, for which the matrix was measured; else the stages
        of the blood.
    repeats : int
    rng : numpy.random.Generator, optional

    Returns
    -------
    dict
        ``share``, the true one of each of `WHITE`, and for ``plain``, ``corrected`` and ``constrained`` shares their
        ``mean`` and ``rmse`` and, but for the last, how often their 95 % interval ``covered`` the true one.
    """
    rng = rng or np.random.default_rng(SEED)
    paths, y_true, y_pred = np.asarray(paths), np.asarray(y_true), np.asarray(y_pred)
    confusion, stages = metrics.confusion_matrix(y_true, y_pred), np.asarray(subtypes(paths))
    tested = confusion.sum(axis=1)
    share, called = np.zeros(len(FOLDERS)), np.zeros((repeats, len(FOLDERS)), int)
    white = {stage: percent for stage, percent in blood.items() if stage != "ERB"}
    looked = dict(zip(white, rng.multinomial(cells, np.array([*white.values()]) / 100, repeats).T, strict=True))
    looked["ERB"] = rng.poisson(cells * blood.get("ERB", 0) / 100, repeats)
    for stage, n in looked.items():
        kind = FOLDERS.index(SUBTYPES[stage])
        share[kind] += white.get(stage, 0) / 100
        alike = y_true == kind if matched or stage not in stages else stages == stage
        names = np.bincount(y_pred[alike], minlength=len(FOLDERS))
        called += rng.multinomial(n, names / names.sum())
    measured = np.stack([rng.multinomial(n, row / n, repeats) for n, row in zip(tested, confusion, strict=True)], 1)
    share, k = share[: len(WHITE)], called[:, : len(WHITE)]
    total = k.sum(axis=1, keepdims=True)
    plain = k / total, metrics.wilson(k.ravel(), np.repeat(total, len(WHITE))).reshape(*k.shape, 2)
    corrected = correct(called, measured), [interval(*one, rng=rng) for one in zip(called, measured, strict=True)]
    constrained = np.array([correct_within_bounds(*one) for one in zip(called, measured, strict=True)]), None
    result = {"share": share.round(4).tolist()}
    for name, (shares, ends) in {"plain": plain, "corrected": corrected, "constrained": constrained}.items():
        rmse = np.sqrt(np.mean((shares - share) ** 2, axis=0))
        result[name] = {"mean": shares.mean(axis=0).round(4).tolist(), "rmse": rmse.round(4).tolist()}
        if ends is not None:
            low, high = np.moveaxis(ends, -1, 0)
            covered = (low <= share + 1e-9) & (share <= high + 1e-9)
            result[name]["covered"] = covered.sum(axis=0).tolist()
    return result


def correct(called, confusion):
    """The shares of the white cells behind a count, by the inverse of the confusion matrix; some may be negative.

    Parameters
    ----------
    called : array-like, shape (..., 8)
        Cells called by each name.
    confusion : array-like, shape (..., 8, 8)
        Counts of a test, rows true.

    Returns
    -------
    numpy.ndarray, shape (..., 6)
        Of `WHITE`; their sum is 1.
    """
    confusion = np.asarray(confusion)
    matrix = confusion / confusion.sum(axis=-1, keepdims=True)
    cells = np.linalg.solve(np.swapaxes(matrix, -1, -2), np.asarray(called)[..., None])[..., 0]
    white = cells[..., : len(WHITE)]
    return white / white.sum(axis=-1, keepdims=True)


def interval(called, confusion, *, rng, draws=DRAWS):
    """95 % interval of `correct`: the count and the matrix are drawn again, as far as they leave open what they are of.

    Parameters
    ----------
    called : array-like of int, shape (8,)
    confusion : array-like of int, shape (8, 8)
    rng : numpy.random.Generator
    draws : int

    Returns
    -------
    numpy.ndarray, shape (6, 2)
        Between 0 and 1.
    """
    counts, matrices = (rng.standard_gamma(np.add(k, UNSEEN), (draws, *np.shape(k))) for k in (called, confusion))
    return np.clip(np.percentile(correct(counts, matrices), [2.5, 97.5], axis=0).T, 0, 1)


def correct_within_bounds(called, confusion):
    """The shares, none negative, whose reading comes nearest to the count (least squares).

    Parameters
    ----------
    called, confusion
        As for `correct`, of one count.

    Returns
    -------
    numpy.ndarray, shape (6,)
    """
    confusion = np.asarray(confusion)
    cells, _ = nnls((confusion / confusion.sum(axis=1, keepdims=True)).T, np.asarray(called, float))
    return cells[: len(WHITE)] / cells[: len(WHITE)].sum()
