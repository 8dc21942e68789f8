"""How many images does CompactNet need? The paper: "at least 1,000 a class"; and what a batch of images is worth.

The learning curve draws images of each class from the clean training part, and lets every network see equally many; its
best epoch is chosen on a fifth of the validation images. The last network never sees the second batch
(`audit.second_batch`): images of another format are its test.
"""

import numpy as np

from .. import paper
from ..config import SEED
from ..datasets.splits import load_split
from ..evaluation import metrics
from ..models.compactnet_input import IMAGE
from ..training import fitting
from . import records
from .compact import settings, train_compactnet


def choose_images(table, per_class, *, seed=SEED):
    """Some training images of each class.

    Parameters
    ----------
    table : pandas.DataFrame
        A split.
    per_class : int
        Of a class with fewer all are taken.
    seed : int

    Returns
    -------
    numpy.ndarray of int
        Rows; with a larger `per_class` the same ones, and more.
    """
    rng = np.random.default_rng(seed)
    train = table[table["subset"] == "train"]
    chosen = [rng.permutation(rows)[:per_class] for rows in train.groupby("class").groups.values()]
    return np.sort(np.concatenate(chosen))


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure the learning curve, and a training without the second batch.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact`` says with how many images, and for how long.
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        A model for each number of images and seed (which also chooses the images), and one, ``first batch alone``, with
        ``second_batch``: the confusion matrix on the second batch's images, of which it has seen none.
    """
    split = load_split(profile, IMAGE, seed=split_seed, reduced=True, progressbar=progressbar)
    images, y, validation = split.images, split.y, split.rows("validation")
    found = records.Collector("compact_few", profile, split, seed=seed, progressbar=progressbar)
    shown = np.asarray(images[found.rows])

    def measured(name, train, validation, epochs, seed, **details):
        found.lap()
        how = {"settings": settings(epochs, seed), "progressbar": progressbar}
        model, history = train_compactnet(images, y, train, validation=validation, **how)
        details = {"n_train": len(train), "smallest_class": int(np.bincount(y[train]).min()), **details}
        answers = fitting.predict(model, shown).argmax(axis=1)
        found.add(name, answers, found.lap(), **details, **history.details())
        return model

    batch_size = settings(1).batch_size
    some = validation[::5]  # the smaller a training set, the more epochs there are, and each is validated
    for per_class, seeds in profile.compact.few:
        for own_seed in range(seed, seed + seeds):
            train = choose_images(split.table, per_class, seed=own_seed)
            epochs = max(1, round(profile.compact.few_steps * batch_size / len(train)))
            name = f"{per_class} a class, seed {own_seed}"
            measured(name, train, some, epochs, own_seed, images_per_class=per_class)

    second = (split.table["batch"] == 2).to_numpy()
    train, held = (rows[~second[rows]] for rows in (split.rows("train"), validation))
    name = "first batch alone"
    model = measured(name, train, held, profile.compact.long, seed)
    answers = fitting.predict(model, np.asarray(images[second])).argmax(axis=1)
    matrix = metrics.confusion_matrix(y[second], answers, len(paper.TABLE_1))
    found.models[name]["second_batch"] = matrix.tolist()
    return found.record(f"CompactNet from random weights, {IMAGE} px; as many batches for every number of images.")
