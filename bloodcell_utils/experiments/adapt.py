"""What helps the network that travelled in another laboratory: colours, averages, a few of its cells with their names.

What has a setting is tuned on the first laboratory alone; the others are what may be reported. A new last layer is
tested on cells that it was not given, again and again with other cells, so that each cell gets an answer.
"""

import numpy as np

from ..cells import FOLDERS
from ..config import SEED
from ..datasets.splits import load_split
from ..evaluation import adaptation, prediction
from ..models import pretrained
from ..models.pretrained import FOLDER, TRAVELLED
from . import shift

LABELLED = (5, 10, 20)
DRAWS = 8  # choices of labelled cells
PULLS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)  # share of the laboratory's own averages in batch normalisation
MIXTURES = {
    "all kinds alike": dict.fromkeys(FOLDERS, 1),
    "healthy blood": {"neutrophil": 60, "lymphocyte": 30, "monocyte": 7, "eosinophil": 3},
    "neutrophils alone": {"neutrophil": 1},
}
MIXED = 200  # cells of a mixture, at most


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure what each way of adapting gives.

    Parameters
    ----------
    profile : config.Profile
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        A model for each way, with ``groups`` as in `shift`, and ``draws`` (right and tested cells of each choice of
        labelled ones) where there are several; the last two are of the network that stayed at home. "statistics
        recomputed" has ``mixtures``: cells from home, whose averages are recomputed from bloods of several mixtures.
        ``tuned`` says what would be chosen, on which set; recomputed averages have their ``groups`` at a share of 1.
    """
    split = load_split(profile, seed=split_seed)
    sets = shift.laboratories(profile, split, seed=seed)
    here = sets.pop(shift.HOME)
    found, rows = shift.collector("adapt", profile, split, sets=sets, seed=seed, progressbar=progressbar)
    first, *_ = sets
    truth, shown = {name: found.truth[rows[name]] for name in sets}, {name: x for name, (_, x) in sets.items()}

    def add(model, answers, **details):
        """Scores and features of each set, in their order."""
        scores, features = map(np.concatenate, zip(*answers, strict=True))
        groups = shift.counts(found.truth, *prediction.judge(scores, features), rows=rows)
        found.add(model, scores.argmax(axis=1), found.lap(), groups=groups, **details)

    def right(name, scores):
        return int((scores.argmax(axis=1) == truth[name]).sum())

    add("as it is", [pretrained.logits(x, TRAVELLED) for x in shown.values()])
    home = pretrained.weights(TRAVELLED)
    matched = {name: adaptation.adapt(x).match(x) for name, x in shown.items()}
    add("colours matched", [pretrained.logits(x, TRAVELLED) for x in matched.values()])
    for model, pictures in ("statistics recomputed", shown), ("both", matched):
        averages = {name: pretrained.statistics(x) for name, x in pictures.items()}
        tried = {}
        for alpha in ALPHAS:
            mixed = {n: {k: (1 - alpha) * home[k] + alpha * v for k, v in a.items()} for n, a in averages.items()}
            tried[alpha] = {name: pretrained.logits(x, TRAVELLED, mixed[name]) for name, x in pictures.items()}
        shares = {str(a): {name: right(name, answers[name][0]) for name in sets} for a, answers in tried.items()}
        best = max(ALPHAS, key=lambda a: shares[str(a)][first])
        extra = {"mixtures": mixtures(*here, seed)} if model == "statistics recomputed" else {}
        add(model, tried[1.0].values(), shares=shares, tuned={"on": first, "alpha": best}, **extra)
    features = {name: pretrained.logits(x, TRAVELLED)[1] for name, x in matched.items()}
    pulls = {pull: labelled(features[first], truth[first], LABELLED[1], seed=seed, pull=pull)[1] for pull in PULLS}
    pull = max(PULLS, key=lambda p: np.divide(*np.sum(pulls[p], axis=0)))
    for k in LABELLED:
        answers, draws = {}, {}
        for name in sets:
            answers[name], draws[name] = labelled(features[name], truth[name], k, seed=seed, pull=pull)
        called = np.concatenate(list(answers.values()))
        groups = {name: shift.tally(truth[name], answers[name]) for name in sets}
        tuned = {"on": first, "pull": pull, "tried": {str(p): np.sum(d, axis=0).tolist() for p, d in pulls.items()}}
        found.add(f"a new head, {k} a class", called, found.lap(), groups=groups, draws=draws, tuned=tuned)
    ways = {"colours matched": lambda name: pretrained.logits(matched[name])}
    ways["statistics recomputed"] = lambda name: pretrained.logits(
        shown[name], adapted=pretrained.statistics(shown[name], FOLDER)
    )
    for model, ask in ways.items():
        answers = {name: ask(name)[0].argmax(axis=1) for name in sets}
        groups = {name: shift.tally(truth[name], called) for name, called in answers.items()}
        found.add(f"{shift.STAYED}, {model}", np.concatenate(list(answers.values())), found.lap(), groups=groups)
    return shift.finished(found, split, f"Tuned on {first}; colours from all cells of a laboratory, without names.")


def labelled(features, y, k, *, seed, pull, draws=DRAWS):
    """A new last layer from labelled cells of each class that has enough of them, tested on all others.

    Parameters
    ----------
    features : numpy.ndarray, shape (n, 256)
    y : numpy.ndarray of int, shape (n,)
    k : int
        Labelled cells of a class; at most half of it.
    seed : int
    pull : float
        As for `adaptation.adapt`.
    draws : int

    Returns
    -------
    called : numpy.ndarray of int, shape (n,)
        For each cell the answer of the first layer that was not given it.
    tested : list of [int, int]
        Right, and tested, with each choice of labelled cells.
    """
    rng, w = np.random.default_rng([seed, k]), pretrained.weights(TRAVELLED)
    called, tested = np.full(len(y), -1), []
    cells = [np.flatnonzero(y == c) for c in range(len(FOLDERS)) if (y == c).sum() >= shift.FEWEST]
    while len(tested) < draws or (called < 0).any():
        train = np.concatenate([rng.choice(own, min(k, len(own) // 2), replace=False) for own in cells])
        kernel, bias = adaptation.new_head(
            features[train], y[train], kernel=w["logits/kernel"], bias=w["logits/bias"], pull=pull
        )
        answers, others = (features @ kernel + bias).argmax(axis=1), np.ones(len(y), bool)
        others[train] = False
        tested.append([int((answers == y)[others].sum()), int(others.sum())])
        called = np.where((called < 0) & others, answers, called)
    return called, tested


def mixtures(table, images, seed):
    """Cells from home in several mixtures, with the averages of batch normalisation recomputed from each.

    Parameters
    ----------
    table : pandas.DataFrame
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    seed : int

    Returns
    -------
    dict of str to dict
        By name of the mixture: ``cells``, and of all cells that do not belong to it ``n``, ``before`` and ``after``,
        how many are right.
    """
    y, found = table["class"].map(FOLDERS.index).to_numpy(), {}
    before = pretrained.logits(images, TRAVELLED)[0].argmax(axis=1)
    for name, parts in MIXTURES.items():
        rng, whole = np.random.default_rng(seed), sum(parts.values())
        size = min(MIXED, *(int((y == FOLDERS.index(c)).sum() * 0.6 * whole / part) for c, part in parts.items()))
        chosen = np.concatenate([
            rng.choice(np.flatnonzero(y == FOLDERS.index(c)), max(1, round(size * part / whole)), replace=False)
            for c, part in parts.items()
        ])  # fmt: skip
        rest = np.setdiff1d(np.arange(len(y)), chosen)
        after, _ = pretrained.logits(images[rest], TRAVELLED, pretrained.statistics(images[chosen]))
        right = [int((called == y[rest]).sum()) for called in (before[rest], after.argmax(axis=1))]
        found[name] = {"cells": len(chosen), "n": len(rest), "before": right[0], "after": right[1]}
    return found
