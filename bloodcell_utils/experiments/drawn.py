"""Are drawn cells blood to a network? Trained on drawn cells and tested on real ones, and the other way round.

Besides, how far apart both kinds lie in the eyes of a network that has never seen a cell (VGG-16 with the weights of
ImageNet): whether a straight line between them tells them apart, and the Fréchet distance of each class.
"""

import time

import numpy as np

from .. import datasets, features, metrics, records, shipped, training
from ..cells import FOLDERS
from ..compact import IMAGE
from ..config import SEED
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..datasets.sample import VERSION, sample
from ..provenance import peak_rss_mb
from .compact import settings, trained

MAPS = 512  # of VGG-16's last block: their means come first of its three statistics (`features`)


def run(profile, seed=SEED, progressbar=True):
    """Measure how far what is learnt on drawn cells holds for real ones, and the reverse.

    Parameters
    ----------
    profile : config.Profile
        Its ``drawn`` says how many cells are drawn, and for how long a network is trained.
    seed : int
        Of the drawn cells and the training.
    progressbar : bool

    Returns
    -------
    records.Record
        ``trained on drawn cells``: a network that has seen no real image and no real label, on the real test images.
        ``trained on real cells``: the shipped network, on the same, with ``drawn``, its confusion matrix on drawn
        cells. ``told apart``: see `apart`.
    """
    table = splits.clean(datasets.index(profile), seed=SEED)
    y, subset = labels(table), table["subset"].to_numpy()
    images = load_images(table, IMAGE, progressbar=progressbar, reduced=True)
    test = subset == "test"
    shown, truth = np.asarray(images[test]), y[test]
    drawn, drawn_y = sample(profile.drawn.per_class, IMAGE, seed)

    started = time.perf_counter()
    validation = np.arange(len(drawn)) % 10 == 0
    rows = np.flatnonzero(~validation), np.flatnonzero(validation)
    model, history = trained(drawn, drawn_y, *rows, settings(profile.drawn.epochs, seed), progressbar)
    answers = {
        "trained on drawn cells": training.predict(model, shown).argmax(axis=1),
        "trained on real cells": _shipped(shown),
    }
    matrices = {name: metrics.confusion_matrix(truth, answer, len(FOLDERS)) for name, answer in answers.items()}
    home, abroad = matrices.items()
    models = {
        home[0]: records.measure(home[1], time.perf_counter() - started, peak_rss_mb(), n_train=len(rows[0]),
                                 **history.details()),
        abroad[0]: records.measure(
            abroad[1], drawn=metrics.confusion_matrix(drawn_y, _shipped(drawn), len(FOLDERS)).tolist(),
            told_apart=apart(table[subset == "train"], drawn, drawn_y, profile, progressbar),
        ),
    }  # fmt: skip
    notes = [f"Cells drawn with version {VERSION} of the recipes; CompactNet from random weights, {IMAGE} px."]
    return records.create("drawn", profile, table, y, models, answers, seed, notes)


def apart(table, drawn, drawn_y, profile, progressbar=True):
    """How VGG-16 tells drawn cells from real ones.

    Parameters
    ----------
    table : pandas.DataFrame
        Real cells; twice ``profile.drawn.compared`` of each class are used.
    drawn : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    drawn_y : numpy.ndarray of int, shape (n,)
    profile : config.Profile
    progressbar : bool

    Returns
    -------
    dict
        ``accuracy`` of a logistic regression on the two kinds (5-fold cross-validation; 0.5 is chance), and
        ``frechet``, for each class the distances ``"drawn"`` and, as large as chance makes it, ``"real"``: between two
        halves of the real cells.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n, y = profile.drawn.compared, labels(table)
    real = [np.flatnonzero(y == k)[: 2 * n] for k in range(len(FOLDERS))]
    size = min(profile.feature_size or IMAGE, IMAGE)
    both = (
        np.asarray(load_images(table.iloc[np.concatenate(real)], size, progressbar=progressbar, reduced=True)),
        _resized(drawn[np.concatenate([np.flatnonzero(drawn_y == k)[:n] for k in range(len(FOLDERS))])], size),
    )
    seen = [
        features.extract(x, "vgg16", profile.weights, progressbar=progressbar)["blocks"][:, -3 * MAPS : -2 * MAPS]
        for x in both
    ]
    ends = np.cumsum([0, *map(len, real)])
    of_class = [seen[0][start:stop] for start, stop in zip(ends[:-1], ends[1:], strict=True)]
    halves = [(rows[0::2], rows[1::2]) for rows in of_class]
    frechet = {
        folder: {"drawn": metrics.frechet(one, made), "real": metrics.frechet(one, other)}
        for folder, (one, other), made in zip(FOLDERS, halves, np.split(seen[1], len(FOLDERS)), strict=True)
    }
    X = np.concatenate([*(one for one, _ in halves), seen[1]])
    line = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    right = cross_val_score(line, X, np.arange(len(X)) < len(X) - len(seen[1]), cv=5)
    return {"accuracy": round(float(right.mean()), 4), "frechet": frechet}


def _resized(images, size):
    from ..datasets.loading import resize

    return images if images.shape[1] == size else np.stack([resize(image, size) for image in images])


def _shipped(images):
    return shipped.logits(images)[0].argmax(axis=1)
