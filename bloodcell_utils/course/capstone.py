"""The course's workflow on a set of the reader's own: audit, groups that stay together, split, cross-validation.

A set is a folder a class, or a zip of these (`datasets.pbc`). What a model card says of it is in `model_card`.
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..config import SEED
from ..datasets import audit as auditing
from ..datasets import pbc
from ..datasets.pictures import decode
from ..errors import DataError

LEAST_IMAGES = 8  # of a class: to learn from some and to test on others; it takes far more to say something
LEAST_GROUPS = 3  # of a class: one to test on, two to cross-validate with
FOLDS = 5


@dataclass(frozen=True)
class Audit:
    """What is in a set of images, and what is wrong with it.

    Attributes
    ----------
    name : str
        Of the folder or zip.
    files : int
        Named like images.
    unreadable : dict of str to str
        Path and reason of those that are left out.
    copies : list of str
        Second and further copies; one of each is kept.
    conflicting : list of str
        Identical files with different labels; all are left out.
    known : list of str
        Paths of the images that are kept and that belong to PBC, by name or checksum: the network of this package has
        learnt from them.
    alike : list of list of str
        Kept images that show the same picture turned, mirrored or saved again; `with_groups` keeps them together.
    sizes : pandas.DataFrame
        Images that can be read: a row a class, a column a size ("128 × 128"), the commonest first.
    """

    name: str
    files: int
    unreadable: dict
    copies: list
    conflicting: list
    known: list
    alike: list
    sizes: pd.DataFrame

    def __str__(self):
        kept = self.files - len(self.unreadable) - len(self.copies) - len(self.conflicting)
        found = [(self.copies, "a second copy"), (self.conflicting, "the same picture has another name, too")]
        lines = [f"{self.files:,} files in {self.name}, {kept:,} images to work with. Left out:"]
        lines += [f"  {path}" for path in self.unreadable.values()]
        lines += [f"  {path}: {why}" for paths, why in found for path in paths]
        if self.alike:
            many, first = sum(map(len, self.alike)), " and ".join(self.alike[0][:2])
            lines.append(
                f"{many:,} of the images are {len(self.alike):,} pictures, turned, mirrored or saved again ({first}): "
                "they are kept together in every split."
            )
        if self.known:
            belong = f"{len(self.known):,} of the images belong to PBC"
            lines.append(f"{belong}: the network has seen them, do not test on them.")
        return "\n".join(lines if kept < self.files else [lines[0].removesuffix(" Left out:"), *lines[1:]])


def audit(source):
    """Read every image of a set to its end, and find copies and contradictions.

    Parameters
    ----------
    source : path-like
        A folder of class folders, or a zip; any names.

    Returns
    -------
    pandas.DataFrame
        An index (`datasets.pbc`) of the images that are worth working with, with a column ``look``: a number for each
        picture, the same for those in `Audit.alike`.
    Audit

    Raises
    ------
    DataError
        If there is no folder a class, there are fewer than two of them, or a class has fewer than `LEAST_IMAGES`
        usable images.
    """
    located, problems, files = _located(Path(source)), {}, 0
    for path, data in pbc.read_files(located):
        files += 1
        try:
            decode(data, 8, name=path)
        except DataError as err:
            problems[path] = str(err)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the unreadable files, which are told of in the audit
        table = pbc.index(located, classes=None, on_error="skip")
    table = table[~table["path"].isin(problems)].reset_index(drop=True)
    kept, report = auditing.clean(table)
    _check_classes(kept, sorted(set(table["class"]) | {path.split("/")[0] for path in problems}), located)
    official = pbc.manifest()
    known = kept["path"].isin(official["path"]) | kept["sha256"].isin(official["sha256"])
    sizes = table["width"].astype(str) + " × " + table["height"].astype(str)
    sizes = pd.crosstab(table["class"], sizes.rename("size"))[sizes.value_counts().index]
    kept = kept.assign(look=auditing.look_alikes(kept))
    alike = [group["path"].tolist() for _, group in kept.groupby("look") if len(group) > 1]
    lists = report.copies, report.conflicting, kept.loc[known, "path"].tolist(), alike
    return kept, Audit(Path(located).name, files, problems, *lists, sizes)


def with_groups(table, patients=None):
    r"""Say which images must not be parted: those of one patient, identical files, and look-alikes.

    Parameters
    ----------
    table : pandas.DataFrame
        An index.
    patients : str or path-like, optional
        Where the patient of an image is written: a regular expression whose first bracket finds it in the file name,
        for example ``r"^(P\d+)_"``, or a csv with the columns ``path`` and ``group``. None: nobody knows, and every
        image stands for itself.

    Returns
    -------
    pandas.DataFrame
        A copy with the column ``group``; groups that share a file are one.

    Raises
    ------
    DataError
        If the expression or the table cannot be used, or leaves images without a patient; they are named.
    """
    if patients is None:
        group = table["path"]
    elif str(patients).endswith(".csv"):
        try:
            rows = pd.read_csv(patients, dtype=str, keep_default_na=False)[["path", "group"]]
            rows = rows.apply(lambda column: column.str.strip()).replace("", np.nan).dropna().drop_duplicates()
        except (OSError, KeyError, ValueError) as err:
            raise DataError(f"{patients} is no table with the columns path and group ({err}).") from err
        if len(twice := rows.loc[rows["path"].duplicated(), "path"]):
            raise DataError(f"{patients} gives {twice.iloc[0]} two patients; only one can be right.")
        group = table["path"].map(rows.set_index("path")["group"])
    else:
        try:
            group = table["path"].str.split("/").str[-1].str.extract(str(patients)).iloc[:, 0]
        except (re.error, ValueError) as err:
            raise DataError(f"{patients!r} finds no patient ({err}); write one bracket, as in r'^(P\\d+)_'.") from err
    lost = table.loc[group.isna(), "path"].tolist()
    if lost:
        raise DataError(
            f"{len(lost)} of {len(table)} images have no patient in {patients!r}, for example {lost[0]}. Mend the "
            "expression or the table; an image without a patient has to stay out."
        )
    group = _joined(group.astype(str), table["sha256"])
    return table.assign(group=_joined(group, table["look"]) if "look" in table else group)


def split(table, share=0.25, seed=SEED):
    """Keep whole groups aside for the test, in the classes' proportions as nearly as the groups allow.

    Parameters
    ----------
    table : pandas.DataFrame
        With the column ``group`` (`with_groups`).
    share : float
        Of the images that are for the test, from 0.1 to 0.5; what comes out depends on the sizes of the groups.
    seed : int

    Returns
    -------
    pandas.DataFrame
        A copy with the column ``subset``: ``"train"`` or ``"test"``. Every class is in both, with two groups or more
        in the first.

    Raises
    ------
    DataError
        If a class comes from too few groups, or no split puts every class on both sides.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if not 0.1 <= share <= 0.5:
        raise DataError(f"share={share} must be from 0.1 to 0.5.")
    of_class = table.groupby("class")["group"].nunique()
    if of_class.min() < LEAST_GROUPS:
        raise DataError(
            f"All images of {of_class.idxmin()!r} come from {of_class.min()} patient(s) or group(s); at least "
            f"{LEAST_GROUPS} are needed to learn from some and to test on others. Collect cells of more patients, or "
            "leave the class out."
        )
    parts = min(round(1 / share), table["class"].value_counts().min(), table["group"].nunique())
    best = None
    for attempt in range(4):
        folds = StratifiedGroupKFold(parts, shuffle=True, random_state=seed + attempt)
        for train, test in folds.split(table, table["class"], table["group"]):
            left = table.iloc[train].groupby("class")["group"].nunique()
            held = table.iloc[test]["class"].value_counts().reindex(of_class.index, fill_value=0)
            off = np.abs(held / table["class"].value_counts() - share).sum()
            if held.min() and left.reindex(of_class.index, fill_value=0).min() >= 2 and (best is None or off < best[0]):
                best = off, test
    if best is None:
        raise DataError("No split leaves every class on both sides with its groups whole; collect more groups.")
    subset = np.full(len(table), "train", dtype=object)
    subset[best[1]] = "test"
    return table.assign(subset=subset)


def cross_validate(models, views, y, *, groups, seed=SEED):
    """Balanced accuracy on each held-out fold; groups stay together, and every model has the same folds.

    Parameters
    ----------
    models : dict of str to classifier
        Unfitted.
    views : dict of str to array-like, shape (n, d)
        For each model, what it looks at.
    y : array-like of int, shape (n,)
        Class numbers from 0.
    groups : array-like, shape (n,)
    seed : int

    Returns
    -------
    dict of str to list of float
        Five folds, or as many as the class with the fewest groups has.

    Raises
    ------
    DataError
        If a class comes from one group.
    """
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

    y, groups = np.asarray(y), np.asarray(groups)
    fewest = min(len(set(groups[y == c])) for c in set(y.tolist()))
    if fewest < 2:
        raise DataError("A class comes from one group: no fold can hold it out and learn it from others.")
    how = {"cv": StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=seed), "groups": groups}
    return {
        name: cross_val_score(model, np.asarray(views[name]), y, scoring="balanced_accuracy", **how).tolist()
        for name, model in models.items()
    }


def _located(source):
    """The set itself: what lies a level deeper ("train", "test") would be read in part, and silently."""
    try:
        located = pbc.locate(source)
    except DataError as err:
        if source.is_file():
            raise
        what = "holds no folders with images in them" if source.is_dir() else "does not exist"
        raise DataError(f"{source} {what}. Put the images of each class into a folder of its name.") from err
    if source.is_dir() and located != source:
        raise DataError(f"{source} holds no folder a class itself; name the folder or zip in it, such as {located}.")
    return located


def _check_classes(table, folders, source):
    counts = table["class"].value_counts().reindex(folders, fill_value=0)
    if len(counts) < 2:
        raise DataError(
            f"{source} has one class, {', '.join(folders)}: there is nothing to tell apart. It should hold a folder a "
            "class, and nothing above them."
        )
    if counts.min() < LEAST_IMAGES:
        few = ", ".join(f"{name!r} has {n}" for name, n in counts.items() if n < LEAST_IMAGES)
        raise DataError(
            f"Too few usable images to learn from some and to test on others: {few}; a class needs {LEAST_IMAGES}, and "
            "many more before a rate says something. Add images, or take the folder away."
        )


def _joined(group, same):
    """One name for all groups that are connected by pictures with the same mark."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, names = pd.factorize(group)
    b, files = pd.factorize(same)
    shape = (len(names) + len(files),) * 2
    _, part = connected_components(coo_array((np.ones(len(a)), (a, len(names) + b)), shape), directed=False)
    return pd.Series(part[a], group.index).map(dict(zip(part[a][::-1], group[::-1], strict=True)))
