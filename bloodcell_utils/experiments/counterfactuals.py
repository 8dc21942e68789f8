"""What the shipped network decides by: parameters moved on drawn cells, attributes compared on real ones.

On drawn cells one parameter is changed and nothing else (`counterfactuals.effects`). On real cells nothing can be
changed: there, cells of a class with an attribute of WBCAtt are compared with those without. Both are differences in
log odds of the cell's own class, and what differs between them is what else comes with the attribute.
"""

import numpy as np

from ..cells import FOLDERS
from ..config import SEED
from ..datasets import wbcatt
from ..datasets.loading import load_images
from ..datasets.splits import load_split
from ..errors import DataError
from ..evaluation.calibration import softmax
from ..evaluation.counterfactuals import effects
from ..models import pretrained
from ..models.compactnet_input import IMAGE
from . import records

# Parameter of a drawn cell: the attribute of WBCAtt, its value at the lower end, its value at the upper end.
PAIRS = {
    "cell_diameter_um": ("cell_size", "small", "big"),
    "irregularity": ("cell_shape", "round", "irregular"),
    "nucleus_ratio": ("nuclear_cytoplasmic_ratio", "low", "high"),
    "chromatin": ("chromatin_density", "loosely", "densely"),
    "vacuoles": ("cytoplasm_vacuole", "no", "yes"),
    "frosting": ("cytoplasm_texture", "clear", "frosted"),
    "granule_density": ("granularity", "no", "yes"),
}
FEWEST = 20  # cells with and without an attribute, for a comparison


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure what moves the answers of the shipped network.

    Parameters
    ----------
    profile : config.Profile
        Its ``drawn.compared`` says how many drawn cells of each class are changed.
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        One model with ``drawn_effects``, class by parameter, and ``real_effects``, a list of comparisons.
    """
    split = load_split(profile, seed=split_seed)
    y, test, unseen = split.y, split.rows("test"), split.rows("validation", "test")
    table = split.table.iloc[unseen]
    scores, _ = pretrained.logits(load_images(table, IMAGE, progressbar=progressbar, reduced=True))
    cells = max(1, profile.drawn.compared // 8)
    moved = effects(lambda images: softmax(pretrained.logits(images)[0]), cells, seed=seed, progressbar=progressbar)
    notes = ["The shipped weights; differences on validation and test images."]
    try:
        real = compare(table, log_odds(scores, y[unseen]), wbcatt.attributes())
    except DataError as err:
        real, notes = [], [*notes, f"No real attributes: {err}"]
    details = {
        "drawn_cells": cells,
        "drawn_effects": {folder: row.round(3).to_dict() for folder, row in moved.iterrows()},
        "real_effects": real,
    }
    found = records.Collector("counterfactuals", profile, split, seed=seed)
    found.add("shipped network", scores[np.isin(unseen, test)].argmax(axis=1), **details)
    return found.record(*notes)


def log_odds(scores, y):
    """Log odds of the true class.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, 8)
        Before softmax.
    y : numpy.ndarray of int, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (n,)
    """
    rows = np.arange(len(y))
    others = np.array(scores, float)
    others[rows, y] = -np.inf
    return scores[rows, y] - np.logaddexp.reduce(others, axis=1)


def compare(table, odds, attributes):
    """Cells with an attribute against those of the same class without.

    Parameters
    ----------
    table : pandas.DataFrame
        An index.
    odds : numpy.ndarray, shape (len(table),)
        `log_odds` of each.
    attributes : pandas.DataFrame
        From `wbcatt.attributes`; cells that it does not know are left out.

    Returns
    -------
    list of dict
        ``class, parameter, attribute, without, with, n_without, n_with, difference`` (of the mean log odds).
    """
    known, rows = attributes.reindex(table["path"]), []
    for folder in FOLDERS:
        own = (table["class"] == folder).to_numpy()
        for parameter, (attribute, low, high) in PAIRS.items():
            value = known[attribute].to_numpy()
            without, with_ = odds[own & (value == low)], odds[own & (value == high)]
            if min(len(without), len(with_)) >= FEWEST:
                rows.append({
                    "class": folder, "parameter": parameter, "attribute": attribute, "without": low, "with": high,
                    "n_without": len(without), "n_with": len(with_),
                    "difference": round(float(with_.mean() - without.mean()), 3),
                })  # fmt: skip
    return rows
