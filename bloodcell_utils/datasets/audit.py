"""What is wrong with a data set before any network sees it: copies, contradictions and a second batch."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .loading import load_images

LOOK, LEVELS = 16, 4.0  # pixels of a thumbnail; mean difference (of 255) up to which two show the same picture


def identical_groups(table):
    """Files with the same bytes.

    Parameters
    ----------
    table : pandas.DataFrame
        An index (`pbc.index`).

    Returns
    -------
    list of pandas.DataFrame
        One table a group, two rows or more each, in order of the first path.
    """
    copies = table[table.duplicated("sha256", keep=False)]
    return [group for _, group in copies.groupby("sha256", sort=False)]


def look_alikes(table, *, progressbar=False):
    """Pictures that show the same once turned or mirrored, saved again, or in another size: copies with other bytes.

    Parameters
    ----------
    table : pandas.DataFrame
    progressbar : bool

    Returns
    -------
    numpy.ndarray of int, shape (len(table),)
        A number for each group of look-alikes; a picture without any has one of its own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    small = load_images(table, LOOK, progressbar=progressbar).astype(np.float32)
    flat, found = small.reshape(len(small), -1), []
    for turns in range(4):
        turned = np.rot90(small, turns, axes=(1, 2))
        for other in (turned, turned[:, :, ::-1]):
            other = np.ascontiguousarray(other).reshape(len(small), -1)
            for start in range(0, len(small), 1024):
                here = flat[start : start + 1024]
                squares = (here**2).sum(1)[:, None] + (other**2).sum(1) - 2 * here @ other.T
                i, j = np.nonzero(squares < flat.shape[1] * LEVELS**2)
                found.append(np.stack([i + start, j]))
    i, j = np.concatenate(found, axis=1)
    return connected_components(coo_array((np.ones(len(i)), (i, j)), (len(small),) * 2), directed=False)[1]


def conflicts(table):
    """Groups of identical files with more than one label: at least one label must be wrong.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    list of pandas.DataFrame
    """
    return [group for group in identical_groups(table) if group["class"].nunique() > 1]


def second_batch(table):
    """Images whose size is not the usual one: acquired, or exported, on another occasion.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
    """
    return table[table["batch"] == 2]


@dataclass(frozen=True)
class Report:
    """What `clean` dropped.

    Attributes
    ----------
    before, after : int
        Images.
    copies, conflicting : list of str
        Paths of second and further copies, and of identical files with different labels (all of which are dropped).
    """

    before: int
    after: int
    copies: list
    conflicting: list

    def __str__(self):
        return (
            f"{self.before:,} images: {len(self.copies)} copies and {len(self.conflicting)} files with contradictory "
            f"labels dropped, {self.after:,} remain."
        )


def clean(table):
    """Keep one of each group of identical files, and none where their labels disagree.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        With a fresh row index.
    Report
    """
    conflicting = pd.concat(found)["path"].tolist() if (found := conflicts(table)) else []
    kept = table[~table["path"].isin(conflicting)]
    copies = kept.loc[kept.duplicated("sha256"), "path"].tolist()
    kept = kept[~kept["path"].isin(copies)].reset_index(drop=True)
    return kept, Report(len(table), len(kept), copies, conflicting)
