"""A confusion matrix to click on: each number says what it means and shows its cells, without a kernel or a network."""

import base64

import numpy as np
from PIL import Image

from ..cells import CLASS_NAMES, FOLDERS, STAGES, SUBTYPES, titles
from ..errors import BloodcellError
from ..evaluation import error_analysis, metrics
from ..plots.style import short
from .page import Page, data_uri, render, webp

BUDGET = 150_000  # bytes of pictures in one explorer; fewer are shown of each kind until they fit
SIDE = 64  # pixels: of a picture
PAIRED, PAIR_SIDE = 3, 192  # pictures of each group of a pair; large, for what parts two kinds is fine texture
CLOSE = 0.05  # probability of the wrong name from which on a right answer was a close call
ORANGE_FULL = 0.10  # a mistake that takes this share of its class has the strongest orange


def explore_matrix(
    confusion,
    images=None,
    y_true=None,
    *,
    y_pred=None,
    classes=FOLDERS,
    confidence=None,
    title="",
    per_cell=12,
):
    """A confusion matrix whose numbers are buttons.

    A click says what a number means, with its interval, and shows the cells behind it beside cells that were named
    correctly; a switch turns counts into percent of the row. Arrow keys move from number to number.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)
        Rows true, columns predicted.
    images : sequence of numpy.ndarray of uint8, shape (height, width, 3), optional
        One a cell; without them the numbers have no pictures.
    y_true, y_pred : array-like of int, shape (n,), optional
        Class numbers that belong to ``images``.
    classes : sequence of str
        Class folders.
    confidence : array-like of float, shape (n,), optional
        Probability of the predicted class, in [0, 1]: the surest cells come first.
    title : str
    per_cell : int
        At most so many pictures of one kind of mistake, and a third as many of the cells named correctly.

    Returns
    -------
    Page

    Raises
    ------
    BloodcellError
        If images and class numbers do not belong together.
    """
    confusion = np.asarray(confusion)
    chosen, tiles = {}, []
    if images is not None:
        chosen, tiles = _pictures(images, y_true, y_pred, confidence, len(confusion), per_cell)
    wrong = confusion - np.diag(np.diag(confusion))
    first = np.unravel_index(int(wrong.argmax() if wrong.any() else confusion.argmax()), confusion.shape)
    data = {
        "size": len(confusion),
        "first": "{},{}".format(*first),
        "side": SIDE,
        "prefix": data_uri(b""),
        "tiles": tiles,
        "cells": {
            f"{i},{j}": _meaning(confusion, i, j, titles(classes)) | {"tiles": chosen.get((i, j), [])}
            for i, j in np.argwhere(confusion).tolist()
        },
    }
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    strong = np.where(np.eye(len(confusion), dtype=bool), share, np.minimum(share / ORANGE_FULL, 1))
    html = render(
        __package__,
        "matrix_explorer.html",
        title=title,
        names=titles(classes),
        shorts=[short(folder) for folder in classes],
        counts=confusion,
        percents=100 * share,
        strengths=0.08 + 0.6 * strong,
        height=2 * SIDE if tiles else 48,
        data=data,
    )
    return Page(html, f"Confusion matrix of {confusion.sum():,} cells, to click on")


def gallery(groups, side=96, *, columns=2):
    """Groups of pictures, each with its name; three stand beside each other, the middle one marked.

    Parameters
    ----------
    groups : dict of str to sequence of (numpy.ndarray, str)
        Name of the group; its images, and a caption for each.
    side : int
        Of a picture, in pixels.
    columns : int
        Of pictures, where three groups stand beside each other.

    Returns
    -------
    Page
    """
    shown = {
        name: [(data_uri(_tile(image, side, 80)), caption) for image, caption in pictures]
        for name, pictures in groups.items()
    }
    html = render(__package__, "gallery.html", groups=shown, three=len(groups) == 3, side=side, columns=columns)
    return Page(html, "; ".join(f"{name}: {len(pictures)} pictures" for name, pictures in groups.items()))


def pair(images, subtypes, probabilities, *, true, called):
    """Two kinds of cells, each named correctly, and between them those of the first that are called the second.

    Where there are none, the middle group says so and shows closest calls: cells named correctly to which the model
    gives the other name with 5 % or more. No cell is shown twice. Under each picture stands the probability that the
    model gives to its name in the outer groups, and to the *wrong* name in the middle one.

    Parameters
    ----------
    images : sequence of numpy.ndarray of uint8, shape (height, width, 3)
    subtypes : array-like of str, shape (n,)
        Of each cell, see `cells.SUBTYPES`.
    probabilities : array-like of float, shape (n, 8)
        In the paper's class order.
    true, called : sequence of str
        Sub-types of one class each, for example ``["MO"]`` and ``["PMY", "MMY"]``.

    Returns
    -------
    Page
    """
    subtypes, probabilities = np.asarray(subtypes), np.asarray(probabilities)
    y_true = np.array([FOLDERS.index(SUBTYPES[subtype]) if subtype in SUBTYPES else -1 for subtype in subtypes])
    a, b = (FOLDERS.index(SUBTYPES[kinds[0]]) for kinds in (true, called))
    first, second = (" or ".join(STAGES[kind] for kind in kinds) for kinds in (true, called))
    are_a, are_b = np.isin(subtypes, true), np.isin(subtypes, called)
    middle = f"{first} → {CLASS_NAMES[b]}"
    between = error_analysis.confusions_of(probabilities, y_true, a, called=b, count=PAIRED, among=are_a)
    mistaken = probabilities[between].argmax(axis=1) == b
    if mistaken.any():
        between = between[mistaken]
    elif len(between):  # all were named correctly: of few cells, at least half are left for their own group
        close = between[probabilities[between, b] >= CLOSE]
        between = close[: int((are_a & (probabilities.argmax(axis=1) == a)).sum()) // 2]
        middle += ": none; closest calls" if len(between) else ", or a close call"  # of which there is "none" as well

    def shown(rows, column):
        return [(images[row], f"{100 * probabilities[row, column]:.0f} %") for row in rows]

    left = are_a & ~np.isin(np.arange(len(are_a)), between)
    groups = {
        first: shown(error_analysis.typical(probabilities, y_true, a, count=PAIRED, among=left), a),
        middle: shown(between, b),
        second: shown(error_analysis.typical(probabilities, y_true, b, count=PAIRED, among=are_b), b),
    }
    return gallery(groups, PAIR_SIDE, columns=1)


def _meaning(confusion, i, j, names):
    """What one number says, in words, and the name of its pictures."""
    count, row, column = (int(n) for n in (confusion[i, j], confusion[i].sum(), confusion[:, j].sum()))
    low, high = 100 * metrics.wilson(count, row)
    named = "rightly called so" if i == j else f"called {names[j]}"
    says = (
        f"{names[i].capitalize()}: {count:,} of {row:,} are {named}, {100 * count / row:.1f} % "
        f"(95 % interval {low:.1f} to {high:.1f} %). "
    )
    if i == j:
        says += f"Of the {column:,} cells called {names[j]}, {100 * count / column:.1f} % are."
    else:
        says += f"They are {100 * count / column:.1f} % of the {column:,} cells called {names[j]}."
    return {"says": says, "title": f"{names[i]}, {named}"}


def _pictures(images, y_true, y_pred, confidence, n_classes, per_cell):
    """For each number that has some, its pictures: their places in the list of tiles, and captions."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.shape != (len(images),) or y_pred.shape != y_true.shape:
        got = f"y_true has shape {y_true.shape}, y_pred {y_pred.shape}"
        raise BloodcellError(f"Each of the {len(images)} images needs its true and its predicted class; {got}.")
    sure = np.ones(len(images)) if confidence is None else np.asarray(confidence)
    numbers = [(i, j) for i in range(n_classes) for j in range(n_classes)]
    rows = {(i, j): np.flatnonzero((y_true == i) & (y_pred == j)) for i, j in numbers}
    ordered = {cell: of[np.argsort(-sure[of], kind="stable")] for cell, of in rows.items() if len(of)}
    encoded = {}
    for limit in range(per_cell, 0, -1):
        kept = {(i, j): of[: -(-limit // 3) if i == j else limit].tolist() for (i, j), of in ordered.items()}
        wanted = sorted({row for of in kept.values() for row in of})
        encoded = {row: encoded.get(row) or base64.b64encode(_tile(images[row], SIDE, 75)).decode() for row in wanted}
        if sum(map(len, encoded.values())) <= BUDGET:
            break
    place = {row: i for i, row in enumerate(encoded)}
    caption = (lambda row: "") if confidence is None else (lambda row: f"{100 * sure[row]:.0f} %")
    return {cell: [[place[row], caption(row)] for row in of] for cell, of in kept.items()}, list(encoded.values())


def _tile(image, side, quality):
    """A small picture, as the bytes of a file."""
    return webp(Image.fromarray(np.asarray(image)).resize((side, side), Image.Resampling.LANCZOS), quality)
