"""Does balancing help, or the images that came with it? The paper's Figs. 17 and 18, with one change at a time.

Balancing by augmentation changes two things at once: the proportions of the classes, and how many images there are.
Four arms take them apart. All start from the same natural training images, and train the same end of the same network
for the same epochs.
"""

from dataclasses import asdict, replace

import numpy as np

from .. import paper
from ..config import SEED
from ..datasets.cache import key
from ..datasets.pbc import labels
from ..training import fitting
from . import finetune, records

ARMS = {
    "balanced by augmentation": "the same number of every class, filled up with turned copies",
    "unbalanced, equal size": "as many images in all, copies too, but in natural proportions",
    "balanced by weights": "the natural images, no copies; rare classes weigh more in the loss",
    "unbalanced, as it is": "the natural images, no copies",
}
FIRST = "balanced by augmentation", "unbalanced, as it is"  # the paper's two, so that a run that is stopped has them


def natural(table, size=None, *, seed=SEED):
    """Training images in the proportions of the PBC data set.

    Parameters
    ----------
    table : pandas.DataFrame
        A split.
    size : int or None
        Images in all; None takes every training image.
    seed : int

    Returns
    -------
    pandas.DataFrame
        The table; training images that were not chosen are in the subset ``"unused"``.
    """
    train = table["subset"] == "train"
    if size is None:
        return table
    counts = shares(size)
    drawn = table[train].sample(frac=1, random_state=seed).groupby("class")
    chosen = [rows.index[: counts[folder]] for folder, rows in drawn]
    unused = train & ~table.index.isin(np.concatenate(chosen))
    return table.assign(subset=table["subset"].mask(unused, "unused"))


def shares(size):
    """So many images in the proportions of the PBC data set (Table 1).

    Parameters
    ----------
    size : int

    Returns
    -------
    dict of str to int
        Images of each class folder, one at least.
    """
    return {folder: max(1, round(size * n / paper.N_IMAGES)) for folder, n in paper.TABLE_1.items()}


def arm(name, table, images_per_class, *, seed=SEED):
    """The training images of an arm.

    Parameters
    ----------
    name : str
        One of `ARMS`.
    table : pandas.DataFrame
        A split, for example from `natural`.
    images_per_class : int
        Of the balanced arm.
    seed : int

    Returns
    -------
    sources : numpy.ndarray of int, shape (n,)
        Rows of the table.
    versions : numpy.ndarray of int, shape (n,)
        Which of the eight symmetries each is shown in.
    class_weight : tuple of float or None
    """
    wanted = {
        "balanced by augmentation": images_per_class,
        "unbalanced, equal size": shares(images_per_class * len(paper.TABLE_1)),
    }.get(name)
    sources, (versions,) = finetune.training_rows(table, wanted, seed=seed)
    weights = fitting.balanced_weights(labels(table)[sources]) if name == "balanced by weights" else None
    return sources, versions, weights


def run(
    profile, backbone=None, *, seed=SEED, split_seed=SEED, known=None, deadline=None, progressbar=True, seeds=3
):  # fmt: skip
    """Train and test every arm with several seeds.

    Parameters
    ----------
    profile : config.Profile
        Its ``small`` tuning says how.
    backbone, seed, split_seed, progressbar
        As for every experiment (`experiments`).
    known, deadline
        As for `records.Collector`.
    seeds : int
        How many.

    Returns
    -------
    records.Record
    """
    tuning, small = profile.small, replace(profile, tuning=profile.small)
    backbone = backbone or profile.borrowed
    split = finetune.tuning_split(small, backbone, seed=split_seed, progressbar=progressbar)
    y, validation = split.y, split.rows("validation")
    first = finetune.untrained(small, split, backbone=backbone, seed=seed)

    def given(rows, versions=0):
        return finetune.training_inputs(first, split.images, rows, versions=versions, progressbar=progressbar)

    held, shown = (given(validation), y[validation]), given(split.rows("test"))
    how = {"head_epochs": tuning.head_epochs, "progressbar": progressbar}
    limits = {"known": known, "deadline": deadline, "progressbar": progressbar}
    found = records.Collector("balance", profile, split, backbone=backbone, seed=seed, **limits)
    named = {(name, own_seed): f"{name}, seed {own_seed}" for own_seed in range(seed, seed + seeds) for name in ARMS}
    for own_seed in range(seed, seed + seeds):
        chosen = natural(split.table, profile.natural, seed=own_seed)
        for name in sorted(ARMS, key=lambda name: name not in FIRST):
            if not found.due(named[name, own_seed]):
                continue
            found.lap()
            sources, versions, class_weight = arm(name, chosen, tuning.images_per_class, seed=own_seed)
            network = finetune.untrained(small, split, backbone=backbone, seed=own_seed)
            settings = finetune.settings(tuning, own_seed, class_weight=class_weight)
            weights = profile.weights_of(backbone)
            made_of = weights, asdict(tuning), settings, sources, versions, validation, split.images
            how["name"] = f"balance-{backbone}-{key(finetune.VERSION, *made_of)}"
            X = given(sources, versions)
            history = finetune.fit(network, X, y[sources], validation_data=held, settings=settings, **how)
            predicted = fitting.predict(network.end, shown).argmax(axis=1)
            details = {
                "arm": name,
                "seed": own_seed,
                "training_images": np.bincount(y[sources], minlength=len(paper.TABLE_1)).tolist(),
                "copies": int((versions > 0).sum()),
                "tuning": asdict(tuning),
            }
            found.add(named[name, own_seed], predicted, found.lap(), **details, **history.details())
    found.models = {name: found.models[name] for name in named.values() if name in found.models}  # as `ARMS` has them
    return found.record(finetune.describe(small, backbone))
