"""How many images does CompactNet need? The paper: "at least 1,000 a class"; and what a batch of images is worth.

The learning curve draws images of each class from the clean training part, and lets every network see equally many; its
best epoch is chosen on a fifth of the validation images. The last network never sees the second batch
(`audit.second_batch`): images of another format are its test.
"""

import time

import numpy as np

from .. import datasets, metrics, paper, records, training
from ..compact import IMAGE
from ..config import SEED
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..provenance import peak_rss_mb
from .compact import settings, trained


def choose(table, per_class, seed=SEED):
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
    return np.sort(
        np.concatenate([rng.permutation(rows)[:per_class] for rows in train.groupby("class").groups.values()])
    )


def run(profile, seed=SEED, progressbar=True):
    """Measure the learning curve, and a training without the second batch.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact`` says with how many images, and for how long.
    seed : int
        The first of the seeds; each also chooses other images.
    progressbar : bool

    Returns
    -------
    records.Record
        A model for each number of images and seed, and one, ``first batch alone``, with ``second_batch``: the confusion
        matrix on the second batch's images, of which it has seen none.
    """
    say = print if progressbar else lambda *_: None
    table = splits.clean(datasets.index(profile), seed=SEED)
    y, subset = labels(table), table["subset"].to_numpy()
    images = load_images(table, IMAGE, progressbar=progressbar, reduced=True)
    validation, test = (np.flatnonzero(subset == name) for name in ("validation", "test"))
    shown, truth = np.asarray(images[test]), y[test]
    models, predictions = {}, {}

    def measured(name, train, validation, epochs, seed, **details):
        started = time.perf_counter()
        model, history = trained(images, y, train, validation, settings(epochs, seed), progressbar)
        predictions[name] = training.predict(model, shown).argmax(axis=1)
        models[name] = records.measure(
            metrics.confusion_matrix(truth, predictions[name], len(paper.TABLE_1)),
            time.perf_counter() - started,
            peak_rss_mb(),
            n_train=len(train),
            smallest_class=int(np.bincount(y[train]).min()),
            **details,
            **history.details(),
        )
        say(f"{name}: {100 * models[name]['accuracy']:.2f} % of the test images.")
        return model

    batch_size = settings(1).batch_size
    some = validation[::5]  # the smaller a training set, the more epochs there are, and each is validated
    for per_class, seeds in profile.compact.few:
        for i in range(seeds):
            train = choose(table, per_class, seed + i)
            epochs = max(1, round(profile.compact.few_steps * batch_size / len(train)))
            measured(f"{per_class} a class, seed {seed + i}", train, some, epochs, seed + i, images_per_class=per_class)

    second = (table["batch"] == 2).to_numpy()
    train, held = (np.flatnonzero((subset == name) & ~second) for name in ("train", "validation"))
    name = "first batch alone"
    model = measured(name, train, held, profile.compact.long, seed)
    answers = training.predict(model, np.asarray(images[second])).argmax(axis=1)
    models[name]["second_batch"] = metrics.confusion_matrix(y[second], answers, len(paper.TABLE_1)).tolist()
    notes = [f"CompactNet from random weights, {IMAGE} px; as many batches for every number of images."]
    return records.create("compact_few", profile, table, y, models, predictions, seed, notes)
