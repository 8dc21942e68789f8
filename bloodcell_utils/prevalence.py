"""A threshold and a prevalence to move: the same model among common and among rare cells, counted on the page itself.

What `explore` returns shows itself in a notebook and in the published page alike; all it needs is inside.
"""

import json
from html import escape

import numpy as np

from . import metrics
from .errors import BloodcellError
from .page import Page, asset

PREVALENCES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
TARGETS = (0.9, 0.95, 0.99, 1.0)  # sensitivities, each with a button
STEPS = 10_000  # scores are compared to so many steps between 0 and 1, here and on the page
KINDS = {"tp": "found", "fn": "missed", "fp": "false alarms", "tn": "rightly left alone"}


def explore(scores, positive, name="basophil", mark=0.005, where="in blood", start=(0.99, 0.1)):
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
    start : tuple of float
        Sensitivity to reach and prevalence to begin with.

    Returns
    -------
    matrix_explorer.Page

    Raises
    ------
    BloodcellError
        If a score is no number from 0 to 1, or cells of the kind or others are missing.
    """
    scores, positive = _checked(scores, positive)
    stops = np.unique(scores[positive])
    counts = [at(scores / STEPS, positive, stop / STEPS, mark) for stop in stops]
    n, others = int(positive.sum()), int((~positive).sum())
    ends = [metrics.wilson([c["found"] for c in counts], n)]
    ends.append(metrics.wilson([others - c["alarms"] for c in counts], others))
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
    first = _stop(counts, start[0])
    buttons = "".join(
        f'<button type="button" data-stop="{_stop(counts, target)}">{100 * target:.0f} %</button>' for target in TARGETS
    )
    sliders = _slider("threshold", len(stops) - 1, first) + _slider(
        "prevalence", len(PREVALENCES) - 1, int(np.argmin(np.abs(np.array(PREVALENCES) - start[1])))
    )
    share = PREVALENCES.index(mark) / (len(PREVALENCES) - 1)
    html = (
        f'<div class="bc-prevalence" role="group" aria-label="Threshold and prevalence">'
        f"<style>{asset('prevalence.css')}</style>"
        '<svg viewBox="0 0 400 250" role="img" aria-label="1,000 cells as dots"></svg><ul class="bc-legend"></ul>'
        f'<div class="bc-controls" hidden>{sliders}<p class="bc-mark" style="--bc-at:{share:.4f}">'
        f"<span>▲ {escape(name)}s {escape(where)}</span></p>"
        f"<p>Find at least {buttons} of the {escape(name)}s.</p></div>"
        '<div class="bc-says" aria-live="polite"><p>The counting needs JavaScript, which is off here.</p></div>'
        f'<script type="application/json">{json.dumps(data).replace("<", chr(92) + "u003c")}</script>'
        f"<script>{{{asset('prevalence.js')}}}</script></div>"
    )
    return Page(html, f"Threshold and prevalence: {n:,} {name}s and {others:,} other cells, to move sliders over")


def at(scores, positive, threshold, prevalence, cells=1000):
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
    cells : int
        Among how many cells to count.

    Returns
    -------
    dict of str to float
        ``found`` and ``alarms``: cells of the kind and others that are called positive here; ``sensitivity``,
        ``specificity``; ``tp, fn, fp, tn``: the counts to be expected among ``cells``; ``ppv``, ``npv``: the share of
        right ones among those called positive and among the others, NaN where there are none.
    """
    scores, positive = _checked(scores, positive)
    called = scores >= round(threshold * STEPS)
    found, alarms = int((called & positive).sum()), int((called & ~positive).sum())
    sensitivity, alarm_rate = found / positive.sum(), alarms / (~positive).sum()
    tp, fp = cells * prevalence * sensitivity, cells * (1 - prevalence) * alarm_rate
    fn, tn = cells * prevalence - tp, cells * (1 - prevalence) - fp
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


def _slider(name, last, value):
    return (
        f'<label><span>{name}</span><input type="range" data-of="{name}" min="0" max="{last}" value="{value}" step="1" '
        f'aria-label="{name}"><output aria-hidden="true"></output></label>'
    )
