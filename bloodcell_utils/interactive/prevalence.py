"""A threshold and a prevalence to move: the same model among common and rare cells, counted on the page itself."""

import numpy as np

from ..errors import BloodcellError
from ..evaluation import metrics
from .page import Page, render

PREVALENCES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
TARGETS = (0.9, 0.95, 0.99, 1.0)  # sensitivities, each with a button where it needs a threshold of its own
STEPS = 10_000  # scores are compared to so many steps between 0 and 1, here and on the page
START = (0.99, 0.1)  # sensitivity and prevalence to begin with
CELLS = 1000  # in which the page counts
KINDS = {"tp": "found", "fn": "missed", "fp": "false alarms", "tn": "rightly left alone"}


def explore_threshold(scores, positive, name="basophil", *, mark=0.005, where="in blood"):
    """Sliders for the threshold and for how common a cell is, and 1,000 cells as dots.

    The slider stops at each score of a cell of the kind: in between, nothing more is found and alarms only grow.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
        Of each cell, in [0, 1]; by a model that has not learnt from it.
    positive : array-like of bool, shape (n,)
        Whether the cell is of the kind.
    name : str
        Of the kind, in the singular.
    mark : float
        One of `PREVALENCES`, to be marked.
    where : str
        What the mark means.

    Returns
    -------
    page.Page

    Raises
    ------
    BloodcellError
        If a score is no number from 0 to 1, or cells of the kind or others are missing.
    """
    scores, positive = _checked(scores, positive)
    stops = np.unique(scores[positive])
    counts = [expected_counts(scores / STEPS, positive, stop / STEPS, prevalence=mark) for stop in stops]
    n, others = int(positive.sum()), int((~positive).sum())
    ends = [metrics.wilson([c["found"] for c in counts], n)]
    ends.append(metrics.wilson([others - c["alarms"] for c in counts], others))
    buttons = {_stop(counts, target): target for target in TARGETS}  # of few cells, 99 % are all
    data = {
        "name": name,
        "steps": STEPS,
        "prevalences": PREVALENCES,
        "kinds": KINDS,
        "stops": stops.tolist(),
        "positives": np.sort(scores[positive]).tolist(),
        "negatives": np.sort(scores[~positive]).tolist(),
        "intervals": (100 * np.concatenate(ends, axis=1)).round(1).tolist(),
    }
    html = render(
        __package__,
        "prevalence.html",
        sliders=[
            ("threshold", len(stops) - 1, _stop(counts, START[0])),
            ("prevalence", len(PREVALENCES) - 1, PREVALENCES.index(START[1])),
        ],
        buttons=buttons.items(),
        share=PREVALENCES.index(mark) / (len(PREVALENCES) - 1),
        name=name,
        where=where,
        data=data,
    )
    return Page(html, f"Threshold and prevalence: {n:,} {name}s and {others:,} other cells, to move sliders over")


def expected_counts(scores, positive, threshold, *, prevalence):
    """What a threshold does where a kind of cell is so common.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
        In [0, 1]; compared to four decimals.
    positive : array-like of bool, shape (n,)
    threshold : float
        A cell with this score or a higher one is called positive.
    prevalence : float
        Share of the kind, in (0, 1).

    Returns
    -------
    dict of str to float
        ``found`` and ``alarms``: cells of the kind and others that are called positive here; ``sensitivity``,
        ``specificity``; ``tp, fn, fp, tn``: the counts to be expected among 1,000 cells; ``ppv``, ``npv``: the share of
        right ones among those called positive and among the others, NaN where there are none.
    """
    scores, positive = _checked(scores, positive)
    called = scores >= round(threshold * STEPS)
    found, alarms = int((called & positive).sum()), int((called & ~positive).sum())
    sensitivity, alarm_rate = found / positive.sum(), alarms / (~positive).sum()
    tp, fp = CELLS * prevalence * sensitivity, CELLS * (1 - prevalence) * alarm_rate
    fn, tn = CELLS * prevalence - tp, CELLS * (1 - prevalence) - fp
    shares = [right / (right + wrong) if right + wrong > 0 else float("nan") for right, wrong in ((tp, fp), (tn, fn))]
    names = ("found", "alarms", "sensitivity", "specificity", "tp", "fn", "fp", "tn", "ppv", "npv")
    values = (found, alarms, sensitivity, 1 - alarm_rate, tp, fn, fp, tn, *shares)
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def _checked(scores, positive):
    """Scores in whole steps, and which cells are of the kind."""
    scores, positive = np.asarray(scores, float), np.asarray(positive, bool)
    if scores.ndim != 1 or scores.shape != positive.shape or not ((scores >= 0) & (scores <= 1)).all():
        raise BloodcellError("Each cell needs a score from 0 to 1, and whether it is of the kind.")
    if not 0 < positive.sum() < len(positive):
        raise BloodcellError("A threshold needs cells of the kind, and others.")
    return np.round(scores * STEPS).astype(int), positive


def _stop(counts, target):
    """The highest of the thresholds at which enough cells are found."""
    return max(i for i, count in enumerate(counts) if count["sensitivity"] >= target or i == 0)
