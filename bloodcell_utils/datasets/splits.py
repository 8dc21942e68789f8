"""Training, validation and test sets: stratified by class and sub-type, identical files never apart, seeded.

There are no patient identifiers in PBC, so every split here is by image and its accuracies are upper bounds.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..config import SEED, cache_dir, cached
from ..errors import BloodcellError, DataError
from ..paper import N_IMAGES, SPLIT_FINE_TUNING
from . import pbc, sample
from .audit import clean as drop_duplicates
from .loading import load_images

SUBSETS = ("train", "validation", "test")
FOLLOWED = ("monocyte/MO_149397.jpg", "monocyte/MO_102400.jpg")  # in the sample, in PBC; test images of both


@dataclass(frozen=True)
class Split:
    """Images, their labels and the rows of each subset: made once by `load_split`, then passed on.

    Attributes
    ----------
    table : pandas.DataFrame
        An index with the column ``subset``.
    y : numpy.ndarray of int64, shape (len(table),)
        Class numbers.
    seed : int
        The seed that the subsets were drawn with; what is trained on them has a seed of its own.
    images : numpy.ndarray of uint8, shape (len(table), size, size, 3), or None
        None where no size was asked for.
    """

    table: pd.DataFrame
    y: np.ndarray
    seed: int = SEED
    images: np.ndarray | None = None

    def rows(self, *subsets):
        """Rows of some subsets, for example ``split.rows("train", "validation")``, as an array in rising order."""
        return np.flatnonzero(self.table["subset"].isin(subsets))


def load_index(profile):
    """The images that a profile works on, as an index (see `pbc`).

    Parameters
    ----------
    profile : config.Profile
        ``synthetic`` data are drawn into the cache on first use; ``pbc`` data must have been fetched.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        If the real data set is not there; the message says how to get it.
    """
    if profile.data != "synthetic":
        return pbc.index()
    name = f"sample-v{sample.VERSION}"
    own, shared = cache_dir() / name, cached(name)
    if shared != own:
        with suppress(BloodcellError):  # changed, where it may only be read: draw one's own
            return pbc.index(sample.write(shared))
    return pbc.index(sample.write(own, repair=True))


def load_split(profile, size=None, crop=1.0, *, seed=SEED, reduced=False, progressbar=True):
    """A profile's images, cleaned and split (`clean`): the one way to the data for everything that is measured.

    Parameters
    ----------
    profile : config.Profile
    size : int, optional
        Side of the images in pixels; None loads none.
    crop : float
        Central part of the images, in (0, 1].
    seed : int
        For the split.
    reduced, progressbar : bool
        As for `loading.load_images`.

    Returns
    -------
    Split
    """
    table = clean(load_index(profile), seed=seed)
    images = None if size is None else load_images(table, size, crop, reduced=reduced, progressbar=progressbar)
    return Split(table, pbc.labels(table), seed, images)


def followed(table):
    """The cell that the course follows from pixel to verdict: a monocyte, never trained on.

    Parameters
    ----------
    table : pandas.DataFrame
        An index of the sample, or of PBC.

    Returns
    -------
    int
        Its row.

    Raises
    ------
    DataError
        If the index is of other cells.
    """
    rows = np.flatnonzero(table["path"].isin(FOLLOWED))
    if not len(rows):
        raise DataError(f"This index has neither {' nor '.join(FOLLOWED)}; choose a cell of your own.")
    return int(rows[0])


def followed_spec():
    """What the drawn one of the two cells that the course follows was drawn from; the photograph has no such thing.

    Returns
    -------
    spec : specs.CellSpec
    drawing : int
        The seed to draw it with.
    """
    return sample.spec_of(FOLLOWED[0])


def clean(table, *, fractions=(0.70, 0.15, 0.15), seed=SEED):
    """The course's split: duplicates dropped, then 70 / 15 / 15 %.

    Parameters
    ----------
    table : pandas.DataFrame
        An index (`pbc.index`).
    fractions : tuple of float
        The share of each of `SUBSETS`; they sum to 1.
    seed : int

    Returns
    -------
    pandas.DataFrame
        The index without duplicates and with a column ``subset``.

    Raises
    ------
    DataError
        If a class has too few images to be in every subset.
    """
    table, _ = drop_duplicates(table)
    sizes = _largest_remainder(np.asarray(fractions, float) * len(table))
    made = split(table, dict(zip(SUBSETS, sizes, strict=True)), seed)
    _check_filled(made)
    return made


def paper(table, *, seed=SEED):
    """The paper's protocol: every image is used, duplicates included (here at least never apart).

    11,077 / 4,096 / 1,919 images are for fine-tuning; the paper's SVMs learn from the first two together.

    Parameters
    ----------
    table : pandas.DataFrame
        An index. If it has another number of images than the paper's 17,092, sizes are scaled.
    seed : int

    Returns
    -------
    pandas.DataFrame
        The index with a column ``subset``.
    """
    sizes = _largest_remainder(np.array(list(SPLIT_FINE_TUNING.values())) * (len(table) / N_IMAGES))
    return split(table, dict(zip(SPLIT_FINE_TUNING, sizes, strict=True)), seed)


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


def _check_filled(table):
    """A class without a test image would be missing from every rate, in silence."""
    counts = pd.crosstab(table["class"], table["subset"]).reindex(columns=SUBSETS, fill_value=0)
    if len(empty := counts[counts.min(axis=1) == 0]):
        name, few = empty.index[0], empty.iloc[0]
        none = " and ".join(few.index[few == 0])
        raise DataError(f"{name!r} has {few.sum()} images, which leaves none for {none}: collect more of them.")


def _largest_remainder(shares, total=None, limits=None):
    """Round to whole numbers that keep the sum, giving the leftover to the largest fractions (up to the limits)."""
    shares = np.asarray(shares, float)
    total = round(shares.sum()) if total is None else total
    limits = np.full(len(shares), np.inf) if limits is None else np.asarray(limits)
    counts = np.minimum(np.floor(shares + 1e-9), limits)
    while (left := int(total - counts.sum())) > 0:
        room = np.flatnonzero(counts < limits)
        if not len(room):
            raise DataError("Too many identical files to fill the other subsets.")
        order = room[np.argsort(-(shares - counts)[room], kind="stable")]
        counts[order[:left]] += 1
    return counts.astype(int)
