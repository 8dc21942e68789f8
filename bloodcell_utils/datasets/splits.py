"""Training, validation and test sets: stratified by class and sub-type, identical files never apart, seeded.

There are no patient identifiers in PBC, so every split here is by image and its accuracies are upper bounds.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from ..config import SEED
from ..errors import DataError
from ..paper import N_IMAGES, SPLIT_FINE_TUNING, SPLIT_SVM
from .audit import clean as drop_duplicates

SUBSETS = ("train", "validation", "test")


def clean(table, fractions=(0.70, 0.15, 0.15), seed=SEED):
    """The course's split: duplicates dropped, then 70 / 15 / 15 %.

    Parameters
    ----------
    table : pandas.DataFrame
        An index (`pbc.index`).
    fractions : tuple of float
        Of `SUBSETS`; they sum to 1.
    seed : int

    Returns
    -------
    pandas.DataFrame
        The index without duplicates and with a column ``subset``.
    """
    table, _ = drop_duplicates(table)
    sizes = _largest_remainder(np.asarray(fractions, float) * len(table))
    return split(table, dict(zip(SUBSETS, sizes, strict=True)), seed)


def paper(table, design="fine_tuning", seed=SEED):
    """The paper's protocol: every image is used, duplicates included (here at least never apart).

    Parameters
    ----------
    table : pandas.DataFrame
        An index. If it has another number of images than the paper's 17,092, sizes are scaled.
    design : {"svm", "fine_tuning"}
        15,173 / 1,919 images for the SVMs; 11,077 / 4,096 / 1,919 for fine-tuning. Both have the same test set.
    seed : int

    Returns
    -------
    pandas.DataFrame
        The index with a column ``subset``.
    """
    names = list(SPLIT_FINE_TUNING)
    sizes = _largest_remainder(np.array([SPLIT_FINE_TUNING[n] for n in names]) * (len(table) / N_IMAGES))
    result = split(table, dict(zip(names, sizes, strict=True)), seed)
    if design == "svm":
        result["subset"] = result["subset"].replace("validation", "train")
    elif design != "fine_tuning":
        raise DataError(f"The paper has no design {design!r}; choose 'svm' ({SPLIT_SVM}) or 'fine_tuning'.")
    return result


def split(table, sizes, seed=SEED):
    """Assign images to subsets of exact sizes.

    Each stratum (class and sub-type) gets its share of every subset but the first to within one image, and the first
    takes the rest; groups of identical files go to the first subset named, whole.

    Parameters
    ----------
    table : pandas.DataFrame
        An index.
    sizes : dict of str to int
        Images a subset; they sum to ``len(table)``.
    seed : int

    Returns
    -------
    pandas.DataFrame
        A copy with the column ``subset``.

    Raises
    ------
    DataError
        If sizes do not add up, or a class has fewer images than there are subsets.
    """
    if sum(sizes.values()) != len(table):
        raise DataError(f"The subsets {sizes} do not add up to {len(table):,} images.")
    smallest = table["class"].value_counts().min()
    if smallest < len(sizes):
        raise DataError(f"A class with {smallest} image(s) cannot be split into {', '.join(sizes)}.")
    rng = np.random.default_rng(seed)
    table = table.sort_values("path", ignore_index=True)
    first, *others = sizes
    subset = np.full(len(table), first, dtype=object)
    movable = ~table.duplicated("sha256", keep=False)
    strata = [np.array(rows) for rows in table.groupby(["class", "subtype"], sort=True).indices.values()]
    free = [rng.permutation(rows[movable[rows]]) for rows in strata]
    for name in others:
        share = np.array([len(rows) for rows in strata]) * (sizes[name] / len(table))
        for i, count in enumerate(_largest_remainder(share, sizes[name], [len(rows) for rows in free])):
            subset[free[i][:count]] = name
            free[i] = free[i][count:]
    return table.assign(subset=subset)


def save(table, path):
    """Write a split as csv (path, class, subset), atomically.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns path, class and subset.
    path : path-like

    Raises
    ------
    DataError
        If it cannot be written; what was there before is untouched.
    """
    path = Path(path)
    arriving = path.with_name(f".{path.name}.arriving")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        table[["path", "class", "subset"]].to_csv(arriving, index=False, lineterminator="\n")
        arriving.replace(path)
    except OSError as err:
        raise DataError(f"The split cannot be written to {path}: {err}.") from err
    finally:
        arriving.unlink(missing_ok=True)


def load(path, table):
    """Apply a saved split to an index.

    Parameters
    ----------
    path : path-like
        Written by `save`.
    table : pandas.DataFrame
        An index that holds every image of the split.

    Returns
    -------
    pandas.DataFrame
        The rows of the index that the split names, with the column ``subset``.

    Raises
    ------
    DataError
        If the file is no split or names images that the index does not have.
    """
    try:
        saved = pd.read_csv(path)[["path", "subset"]]
        if saved["path"].duplicated().any() or saved.isna().any(axis=None):
            raise ValueError("every image needs one subset")
    except (OSError, KeyError, ValueError) as err:
        raise DataError(f"{path} is not a split ({err}); write one with splits.save.") from err
    missing = saved.loc[~saved["path"].isin(table["path"]), "path"]
    if len(missing):
        raise DataError(f"{path} names {len(missing)} image(s) that are not there, for example {missing.iloc[0]}.")
    return table.merge(saved, on="path", validate="one_to_one")


def _largest_remainder(shares, total=None, limits=None):
    """Round to whole numbers that keep the sum, giving the leftover to the largest fractions (up to the limits)."""
    shares = np.asarray(shares, float)
    total = round(shares.sum()) if total is None else total
    limits = np.asarray(limits if limits is not None else np.full(len(shares), np.inf))
    counts = np.minimum(np.floor(shares + 1e-9), limits)
    while (left := int(total - counts.sum())) > 0:
        room = np.flatnonzero(counts < limits)
        if not len(room):
            raise DataError("Too many identical files to fill the other subsets.")
        order = room[np.argsort(-(shares - counts)[room], kind="stable")]
        counts[order[:left]] += 1
    return counts.astype(int)
