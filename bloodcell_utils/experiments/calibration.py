"""How far the confidence of the network that travelled holds: at home, and in other laboratories.

Nothing is trained. The network was calibrated at home, on validation images that have also chosen its best epoch; the
same images calibrate the sets of names (split conformal prediction, by one minus the true class's probability; after
M. Sadinle, J. Lei and L. Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 2019).
"""

import numpy as np

from ..cells import FOLDERS
from ..config import SEED
from ..datasets import other_labs
from ..datasets.splits import load_split
from ..errors import DataError
from ..evaluation import calibration, metrics
from ..models import pretrained
from ..models.compactnet_input import IMAGE
from ..models.pretrained import TRAVELLED
from . import records

MISSED = (0.1, 0.05, 0.01)  # share of the cells whose set may lack their name
STEPS = 120  # of the curve of coverage and risk
HALVES = 200  # times that a laboratory's own cells are halved


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure calibration, coverage against risk, and conformal sets.

    Parameters
    ----------
    profile : config.Profile
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        ``at home`` and each set of another laboratory that is at hand, with what `measure` gives.
    """
    split = load_split(profile, IMAGE, seed=split_seed, reduced=True, progressbar=progressbar)
    found = records.Collector("calibration", profile, split, seed=seed, progressbar=progressbar)
    held = split.rows("validation")
    temperature, notes = pretrained.metadata(TRAVELLED)["temperature"], []
    scores, _ = pretrained.logits(np.asarray(split.images[held]), TRAVELLED)
    home = calibration.softmax(scores / temperature), split.y[held]
    scores, _ = pretrained.logits(np.asarray(split.images[found.rows]), TRAVELLED)
    details = measure(scores, found.truth, home, temperature=temperature, seed=seed)
    found.add("at home", scores.argmax(axis=1), found.lap(), **details)
    for name, lab in other_labs.LABS.items():
        try:
            table = other_labs.index(name)
        except DataError:
            notes.append(f"The set {name} was not at hand (bloodcell data fetch --set {name}).")
            continue
        scores, _ = pretrained.logits(other_labs.images(table, IMAGE), TRAVELLED)
        y = np.array([FOLDERS.index(kind) for kind in table["class"]])
        details = measure(scores, y, home, temperature=temperature, seed=seed) | {"set": other_labs.fingerprint(table)}
        confusion = metrics.confusion_matrix(y, scores.argmax(axis=1))
        found.models[lab.title.split(":")[0]] = records.measure(confusion, found.lap(), **details)
    return found.record("The network that travelled, calibrated on validation images of home.", *notes)


def measure(scores, y, home, *, temperature, seed=SEED):
    """What confidence is worth on some cells.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, k)
        Before softmax.
    y : numpy.ndarray of int, shape (n,)
    home : tuple of numpy.ndarray
        Calibrated probabilities, and classes, of the cells by which sets are calibrated.
    temperature : float
    seed : int
        Of the halves.

    Returns
    -------
    dict
        ``reliability`` and ``calibration_error`` as trained and calibrated; ``by_chance``, the mean error that answers
        exactly as right as they are sure would show; ``risk``: of the surest ``named`` answers so many ``wrong``, the
        last of them with a ``confidence``;
        ``temperature_here``, which would fit these cells best; ``sets``, for each share of `MISSED` what `count_sets`
        gives, and ``own``, ``[share that holds the name, mean size]`` where a half of these cells calibrates.
    """
    rng = np.random.default_rng(seed)
    raw, p = calibration.softmax(scores), calibration.softmax(scores / temperature)
    states = {"as trained": raw, "calibrated": p}
    order, confidence = np.argsort(-p.max(axis=1), kind="stable"), p.max(axis=1)
    wrong, named = np.cumsum(p.argmax(axis=1)[order] != y[order]), np.unique(np.linspace(1, len(y), STEPS).astype(int))
    bins = np.minimum(confidence * 10, 9).astype(int)
    right = rng.random((HALVES, len(y))) < confidence
    gaps = np.stack([np.bincount(bins, confidence - row, 10) for row in right])
    sets = {}
    for missed in MISSED:
        own = []
        for _ in range(HALVES):
            half, rest = np.split(rng.permutation(len(y)), [len(y) // 2])
            held = p[rest] >= least(p[half], y[half], missed)
            own.append((held[np.arange(len(rest)), y[rest]].mean(), held.sum(axis=1).mean()))
        marginal = count_sets(p >= least(*home, missed), y)
        by_class = [least(home[0][home[1] == k], home[1][home[1] == k], missed) for k in range(p.shape[1])]
        conditional = count_sets(p >= np.array(by_class), y)
        sets[str(missed)] = {"all": marginal, "by class": conditional, "own": np.mean(own, axis=0).round(4).tolist()}
    return {
        "reliability": {name: calibration.reliability(q, y) for name, q in states.items()},
        "calibration_error": [calibration.calibration_error(q, y) for q in states.values()],
        "by_chance": round(float(np.abs(gaps).sum(axis=1).mean() / len(y)), 6),
        "temperature": temperature,
        "temperature_here": calibration.fit_temperature(raw, y),
        "risk": {
            "named": named.tolist(),
            "wrong": wrong[named - 1].tolist(),
            "confidence": confidence[order][named - 1].round(6).tolist(),
        },
        "sets": sets,
    }


def least(p, y, missed):
    """The probability from which on a name is in the set.

    Parameters
    ----------
    p : numpy.ndarray, shape (n, k)
    y : numpy.ndarray of int, shape (n,)
        Of cells that are like those to come.
    missed : float
        Share of these that may be missed.

    Returns
    -------
    float
        0 where there are too few cells for the promise: then every name is in the set.
    """
    rank = int(np.floor(missed * (len(y) + 1)))  # as many of these cells, or fewer, are below
    return float(np.sort(p[np.arange(len(y)), y])[rank - 1]) if rank else 0.0


def count_sets(held, y):
    """Count sets of names.

    Parameters
    ----------
    held : numpy.ndarray of bool, shape (n, k)
        Which names are in the set of each cell.
    y : numpy.ndarray of int, shape (n,)

    Returns
    -------
    dict of str to list of int
        ``sizes``, cells with a set of 0, 1, ... names; ``covered`` and ``n``, for each class, of how many cells the set
        holds the name.
    """
    k = held.shape[1]
    inside = held[np.arange(len(y)), y]
    sizes = np.bincount(held.sum(axis=1), minlength=k + 1)
    covered, n = np.bincount(y[inside], minlength=k), np.bincount(y, minlength=k)
    return {"sizes": sizes.tolist(), "covered": covered.tolist(), "n": n.tolist()}
