"""Are drawn cells blood to a network? Trained on drawn cells and tested on real ones, and the other way round.

Besides, how far apart both kinds lie in the eyes of a network that has never seen a cell (VGG-16 with the weights of
ImageNet): whether a straight line between them tells them apart, and the Fréchet distance of each class.
"""

import numpy as np

from ..cells import FOLDERS
from ..config import SEED
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..datasets.pictures import resize
from ..datasets.sample import VERSION, sample
from ..datasets.splits import load_split
from ..evaluation import metrics
from ..models import features, pretrained
from ..models.compactnet_input import IMAGE
from ..training import fitting
from . import records
from .compact import settings, train_compactnet

MAPS = 512  # of VGG-16's last block: their means come first of its three statistics (`features`)


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure how far what is learnt on drawn cells holds for real ones, and the reverse.

    Parameters
    ----------
    profile : config.Profile
        Its ``drawn`` says how many cells are drawn, and for how long a network is trained.
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        ``trained on drawn cells``: a network that has seen no real image and no real label, on the real test images.
        ``trained on real cells``: the shipped network, on the same, with ``drawn``, its confusion matrix on drawn
        cells, and ``told_apart``, see `separability`.
    """
    split = load_split(profile, IMAGE, seed=split_seed, reduced=True, progressbar=progressbar)
    shown = np.asarray(split.images[split.rows("test")])
    drawn, drawn_y = sample(profile.drawn.per_class, IMAGE, seed)

    found = records.Collector("drawn", profile, split, seed=seed, progressbar=progressbar)
    validation = np.arange(len(drawn)) % 10 == 0
    rows, held = np.flatnonzero(~validation), np.flatnonzero(validation)
    how = {"settings": settings(profile.drawn.epochs, seed), "progressbar": progressbar}
    model, history = train_compactnet(drawn, drawn_y, rows, validation=held, **how)
    answers = fitting.predict(model, shown).argmax(axis=1)
    found.add("trained on drawn cells", answers, found.lap(), n_train=len(rows), **history.details())

    matrix = metrics.confusion_matrix(drawn_y, _shipped(drawn), len(FOLDERS)).tolist()
    train = split.table.iloc[split.rows("train")]
    told_apart = separability(train, drawn, drawn_y, profile=profile, progressbar=progressbar)
    found.add("trained on real cells", _shipped(shown), drawn=matrix, told_apart=told_apart)
    return found.record(
        f"Cells drawn with version {VERSION} of the recipes; CompactNet from random weights, {IMAGE} px."
    )


def separability(table, drawn, drawn_y, *, profile, progressbar=True):
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
    of_class = np.split(seen[0], np.cumsum([len(rows) for rows in real])[:-1])
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
    return images if images.shape[1] == size else np.stack([resize(image, size) for image in images])


def _shipped(images):
    return pretrained.logits(images)[0].argmax(axis=1)
