"""What is wrong with a data set before any network sees it: copies, contradictions and a second batch."""

from dataclasses import dataclass

import pandas as pd


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
