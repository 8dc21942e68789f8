"""From predictions to the cells behind them: whose mistakes, how sure, how close, and whether two models share them.

Everything here works on names, class numbers and probabilities; no image is read.
"""

from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from ..cells import FOLDERS, STAGES
from ..config import SEED
from ..errors import BloodcellError
from . import metrics

MATURATION = ("PMY", "MY", "MMY", "BNE", "SNE")  # a granulocyte's stages, youngest first; MMY | BNE parts two classes


def subtypes(paths):
    """The sub-type that each file name begins with, for example ``MMY``.

    Parameters
    ----------
    paths : iterable of str
        ``class/PREFIX_number.jpg``, as in an index or in a record's predictions.

    Returns
    -------
    numpy.ndarray of str
    """
    return np.array([PurePosixPath(path).stem.partition("_")[0] for path in paths])


def errors_by_subtype(paths, y_true, y_pred):
    """How often the cells of each sub-type are named wrongly, and what they are called instead.

    Parameters
    ----------
    paths : sequence of str
        The sub-type is read from the file name.
    y_true, y_pred : array-like of int, shape (n,)

    Returns
    -------
    pandas.DataFrame
        A row for each sub-type, in class order: ``class``, ``n``, ``wrong``; ``rate``, ``low`` and ``high`` (fractions,
        with Wilson's 95 % interval); ``called``, the most frequent wrong name ("" if none is wrong), and ``of_these``.
    """
    table = pd.DataFrame({"subtype": subtypes(paths), "true": np.asarray(y_true), "called": np.asarray(y_pred)})
    rows = []
    for (true, subtype), group in table.groupby(["true", "subtype"]):
        names = group.loc[group["called"] != true, "called"].value_counts()
        wrong, n = int(names.sum()), len(group)
        most = (FOLDERS[names.index[0]], int(names.iloc[0])) if wrong else ("", 0)
        rows.append((subtype, FOLDERS[true], n, wrong, wrong / n, *metrics.wilson(wrong, n), *most))
    order = {subtype: i for i, subtype in enumerate(STAGES)}
    rows.sort(key=lambda row: order.get(row[0], len(order)))
    columns = ["subtype", "class", "n", "wrong", "rate", "low", "high", "called", "of_these"]
    return pd.DataFrame(rows, columns=columns).set_index("subtype")


def answers_by_stage(paths, y_pred):
    """What the stages of a granulocyte are called, from the youngest to the oldest.

    Parameters
    ----------
    paths : sequence of str
    y_pred : array-like of int, shape (n,)

    Returns
    -------
    pandas.DataFrame of int
        Rows `MATURATION`; columns ``ig``, ``neutrophil``, ``other``, cells.
    """
    called = pd.Series(np.asarray(FOLDERS)[np.asarray(y_pred)])
    called = called.where(called.isin(["ig", "neutrophil"]), "other")
    counts = pd.crosstab(subtypes(paths), called.to_numpy())
    return counts.reindex(index=MATURATION, columns=["ig", "neutrophil", "other"], fill_value=0)


def confusions_of(probabilities, y_true, true, *, called, count=4, among=None):
    """The cells of one class that a model calls another or, where there are too few, comes closest to calling so.

    Parameters
    ----------
    probabilities : array-like of float, shape (n, k)
    y_true : array-like of int, shape (n,)
    true, called : int
        Class numbers.
    count : int
    among : array-like of bool, shape (n,), optional
        Cells to choose from, for example those of one sub-type.

    Returns
    -------
    numpy.ndarray of int
        Rows, the surest mistakes first, then the closest calls; fewer than ``count`` if fewer cells of the class are
        called by either name.
    """
    probabilities, y_true, among = _checked(probabilities, y_true, among)
    rows = np.flatnonzero(among & (y_true == true))
    rows = rows[np.isin(probabilities[rows].argmax(axis=1), (true, called))]
    lead = probabilities[rows, called] - probabilities[rows, true]
    return rows[np.argsort(-lead, kind="stable")[:count]]


def typical(probabilities, y_true, true, *, count=4, among=None):
    """The cells of a class that a model is most sure of, and right about.

    Parameters
    ----------
    probabilities, y_true, true, count, among
        As for `confusions_of`.

    Returns
    -------
    numpy.ndarray of int
        Rows, surest first; fewer than ``count`` if fewer are right.
    """
    probabilities, y_true, among = _checked(probabilities, y_true, among)
    right = np.flatnonzero(among & (y_true == true) & (probabilities.argmax(axis=1) == true))
    return right[np.argsort(-probabilities[right, true], kind="stable")[:count]]


def most_confident(probabilities, y_true, count=8):
    """The mistakes that a model was surest of.

    Parameters
    ----------
    probabilities, y_true, count
        As for `confusions_of`.

    Returns
    -------
    numpy.ndarray of int
        Rows, surest first; fewer than ``count`` if there are fewer mistakes.
    """
    probabilities, y_true, _ = _checked(probabilities, y_true)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != y_true)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")[:count]]


def shared_errors(y_true, first, second, *, strata=None, seed=SEED):
    """Cells that two models both get wrong, against what chance would give if their mistakes had nothing in common.

    Chance: each model makes its mistakes on cells drawn at random, as many in each stratum as it makes there.

    Parameters
    ----------
    y_true, first, second : array-like of int, shape (n,)
        The truth and the two models' predictions.
    strata : array-like, shape (n,), optional
        For example sub-types: then cells of one sub-type count as equally hard, and chance is within it.
    seed : int

    Returns
    -------
    dict
        ``first`` and ``second`` (mistakes of each), ``both``, ``same_name`` (both call it by the same wrong name),
        ``expected`` (mean by chance), ``low`` and ``high`` (95 % of 4,000 draws).
    """
    y_true, first, second = map(np.asarray, (y_true, first, second))
    strata = np.zeros(len(y_true), int) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    wrong = {"first": first != y_true, "second": second != y_true}
    n, a, b = (np.bincount(strata, weights).astype(int) for weights in (None, *wrong.values()))
    wrong["both"] = wrong["first"] & wrong["second"]
    wrong["same_name"] = wrong["both"] & (first == second)
    draws = np.random.default_rng(seed).hypergeometric(a, n - a, b, (4000, len(n))).sum(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5]).astype(int).tolist()
    counts = {name: int(cells.sum()) for name, cells in wrong.items()}
    return counts | {"expected": float((a * b / n).sum()), "low": low, "high": high}


def _checked(probabilities, y_true, among=None):
    probabilities, y_true = np.asarray(probabilities), np.asarray(y_true)
    if probabilities.ndim != 2 or len(probabilities) != len(y_true):
        got = f"got {probabilities.shape} for {len(y_true)} cells"
        raise BloodcellError(f"A row of probabilities for each cell is needed; {got}.")
    return probabilities, y_true, np.ones(len(y_true), bool) if among is None else np.asarray(among, bool)
