"""Does balancing help, or the images that came with it? The paper's Figs. 17 and 18, with one change at a time.

Balancing by augmentation changes two things at once: the proportions of the classes, and how many images there are.
Four arms take them apart. All start from the same natural training images, and train the same end of the same network
for the same epochs.
"""

import time
from dataclasses import asdict, replace

import numpy as np

from .. import backbones, datasets, metrics, paper, records, training
from ..config import SEED
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..provenance import peak_rss_mb
from ..store import key
from . import finetune

ARMS = {
    "balanced by augmentation": "the same number of every class, filled up with turned copies",
    "unbalanced, equal size": "as many images in all, copies too, but in natural proportions",
    "balanced by weights": "the natural images, no copies; rare classes weigh more in the loss",
    "unbalanced, as it is": "the natural images, no copies",
}


def natural(table, size=None, seed=SEED):
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


def arm(name, table, images_per_class, seed=SEED):
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
    sources, (versions,) = finetune.training_rows(table, wanted, 1, seed)
    weights = training.balanced_weights(labels(table)[sources]) if name == "balanced by weights" else None
    return sources, versions, weights


def run(profile, backbone="vgg16", seed=SEED, progressbar=True, seeds=3):
    """Train and test every arm with several seeds.

    Parameters
    ----------
    profile : config.Profile
        Its ``small`` tuning says how.
    backbone : str
    seed : int
        Of the split, and the first of the seeds.
    progressbar : bool
    seeds : int
        How many.

    Returns
    -------
    records.Record
        Not written yet; see `records.Record.write`.
    """
    say = print if progressbar else lambda *_: None
    tuning, table = profile.small, splits.clean(datasets.index(profile), seed=seed)
    small, y = replace(profile, tuning=tuning), labels(table)
    validation, test = (np.flatnonzero(table["subset"] == name) for name in ("validation", "test"))
    size = tuning.size or backbones.backbone(backbone).input_size
    images = load_images(table, size, tuning.crop, progressbar=progressbar)
    first = finetune.untrained(small, backbone, seed=seed)
    _, given = finetune.road(first, backbone, tuning, images, progressbar)
    held, shown = given(validation), given(test)
    models, predictions = {}, {}
    for own_seed in range(seed, seed + seeds):
        chosen = natural(table, profile.natural, own_seed)
        for name in ARMS:
            started = time.perf_counter()
            sources, versions, class_weight = arm(name, chosen, tuning.images_per_class, own_seed)
            X = given(sources, versions)
            model = finetune.untrained(small, backbone, seed=own_seed)
            end, _ = finetune.road(model, backbone, tuning, images, progressbar)
            settings = finetune.settings(tuning, own_seed, class_weight=class_weight)
            made_of = profile.weights, asdict(tuning), settings, sources, versions, images
            kept = f"balance-{backbone}-{key(finetune.VERSION, *made_of)}"
            data = X, y[sources], held, y[validation]
            history = finetune.fit(model, backbone, tuning, *data, settings, kept, progressbar)
            label = f"{name}, seed {own_seed}"
            predictions[label] = training.predict(end, shown).argmax(axis=1)
            models[label] = measured = records.measure(
                metrics.confusion_matrix(y[test], predictions[label], len(paper.TABLE_1)),
                time.perf_counter() - started,
                peak_rss_mb(),
                arm=name,
                seed=own_seed,
                training_images=np.bincount(y[sources], minlength=len(paper.TABLE_1)).tolist(),
                copies=int((versions > 0).sum()),
                **history.details(),
            )
            say(f"{label}: mean sensitivity {100 * measured['balanced_accuracy']:.1f} %")
    notes = [finetune.describe(small, backbone)]
    name = records.experiment_name("balance", backbone)
    return records.create(name, profile, table, y, models, predictions, seed, notes)
