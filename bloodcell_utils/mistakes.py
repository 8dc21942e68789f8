"""From predictions to the cells behind them: whose mistakes, how sure, how close, and whether two models share them.

Everything here works on names, class numbers and probabilities; no image is read.
"""

from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from . import metrics
from .cells import FOLDERS, STAGES
from .config import SEED
from .errors import BloodcellError

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


def by_subtype(paths, y_true, y_pred, classes=FOLDERS):
    """How often the cells of each sub-type are named wrongly, and what they are called instead.

    Parameters
    ----------
    paths : sequence of str
        The sub-type is read from the file name.
    y_true, y_pred : array-like of int, shape (n,)
    classes : sequence of str
        Class folders.

    Returns
    -------
    pandas.DataFrame
        One row a sub-type, in class order: ``class``, ``n``, ``wrong``; ``rate``, ``low`` and ``high`` (fractions, with
        Wilson's 95 % interval); ``called``, the most frequent wrong name ("" without mistakes), and ``of_these``.
    """
    table = pd.DataFrame({"subtype": subtypes(paths), "true": np.asarray(y_true), "called": np.asarray(y_pred)})
    rows = []
    for (true, subtype), group in table.groupby(["true", "subtype"]):
        names = group.loc[group["called"] != true, "called"].value_counts()
        wrong, n = int(names.sum()), len(group)
        low, high = metrics.wilson(wrong, n)
        row = {"subtype": subtype, "class": classes[true], "n": n, "wrong": wrong}
        row |= {"rate": wrong / n, "low": low, "high": high}
        row |= {"called": classes[names.index[0]] if wrong else "", "of_these": int(names.iloc[0]) if wrong else 0}
        rows.append(row)
    known = list(STAGES)
    rows.sort(key=lambda row: known.index(row["subtype"]) if row["subtype"] in known else len(known))
    return pd.DataFrame(rows).set_index("subtype")


def along_maturation(paths, y_pred, classes=FOLDERS):
    """What the stages of a granulocyte are called, from the youngest to the oldest.

    Parameters
    ----------
    paths : sequence of str
    y_pred : array-like of int, shape (n,)
    classes : sequence of str
        Class folders; ``ig`` and ``neutrophil`` are among them.

    Returns
    -------
    pandas.DataFrame of int
        Rows `MATURATION`; columns ``ig``, ``neutrophil``, ``other``, cells.
    """
    called = pd.Series(np.asarray(classes)[np.asarray(y_pred)])
    called = called.where(called.isin(["ig", "neutrophil"]), "other")
    counts = pd.crosstab(subtypes(paths), called.to_numpy())
    return counts.reindex(index=MATURATION, columns=["ig", "neutrophil", "other"], fill_value=0)


def confusions_of(probabilities, y_true, true, called, count=4, among=None):
    """The cells of one class that a model calls another or, where there are too few, comes closest to calling so.

    Parameters
    ----------
    probabilities : array-like of float, shape (n, k)
        From a model.
    y_true : array-like of int, shape (n,)
    true, called : int
        Class numbers.
    count : int
    among : array-like of bool, shape (n,), optional
        Cells to choose from, for example those of one sub-type.

    Returns
    -------
    numpy.ndarray of int
        Rows, the most convinced mistakes first, then the closest calls; fewer than ``count`` if fewer cells of the
        class are called by either name.
    """
    probabilities, y_true, among = _checked(probabilities, y_true, among)
    rows = np.flatnonzero(among & (y_true == true))
    rows = rows[np.isin(probabilities[rows].argmax(axis=1), (true, called))]
    lead = probabilities[rows, called] - probabilities[rows, true]
    return rows[np.argsort(-lead, kind="stable")[:count]]


def typical(probabilities, y_true, true, count=4, among=None):
    """The cells of a class that a model is most sure of, and right about.

    Parameters
    ----------
    probabilities : array-like of float, shape (n, k)
    y_true : array-like of int, shape (n,)
    true : int
        Class number.
    count : int
    among : array-like of bool, shape (n,), optional
        Cells to choose from.

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
    probabilities : array-like of float, shape (n, k)
    y_true : array-like of int, shape (n,)
    count : int

    Returns
    -------
    numpy.ndarray of int
        Rows, surest first; fewer than ``count`` if there are fewer mistakes.
    """
    probabilities, y_true, _ = _checked(probabilities, y_true)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != y_true)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")[:count]]


def shared(y_true, first, second, strata=None, n_draws=4000, seed=SEED):
    """Cells that two models both get wrong, against what chance would give if their mistakes had nothing in common.

    Chance: each model makes its mistakes on cells drawn at random, as many in each stratum as it makes there.

    Parameters
    ----------
    y_true, first, second : array-like of int, shape (n,)
        The truth and the two models' predictions.
    strata : array-like, shape (n,), optional
        For example sub-types: then cells of one sub-type count as equally hard, and chance is within it.
    n_draws : int
        Of the chance count, for its range.
    seed : int

    Returns
    -------
    dict
        ``first`` and ``second`` (mistakes of each), ``both``, ``same_name`` (both call it by the same wrong name),
        ``expected`` (mean by chance), ``low`` and ``high`` (95 % of the draws).
    """
    y_true, first, second = map(np.asarray, (y_true, first, second))
    strata = np.zeros(len(y_true), int) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    wrong_first, wrong_second = first != y_true, second != y_true
    both = wrong_first & wrong_second
    n, a, b = (np.bincount(strata, weights).astype(int) for weights in (None, wrong_first, wrong_second))
    draws = np.random.default_rng(seed).hypergeometric(a, n - a, b, (n_draws, len(n))).sum(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return {
        "first": int(wrong_first.sum()),
        "second": int(wrong_second.sum()),
        "both": int(both.sum()),
        "same_name": int((both & (first == second)).sum()),
        "expected": float((a * b / n).sum()),
        "low": int(low),
        "high": int(high),
    }


def _checked(probabilities, y_true, among=None):
    probabilities, y_true = np.asarray(probabilities), np.asarray(y_true)
    if probabilities.ndim != 2 or len(probabilities) != len(y_true):
        raise BloodcellError(
            f"A row of probabilities for each cell is needed; got {probabilities.shape} for {len(y_true)} cells."
        )
    return probabilities, y_true, np.ones(len(y_true), bool) if among is None else np.asarray(among, bool)
