"""The paper's first design, and two rows that put it in perspective.

(a) a colour histogram and an SVM: no network at all;
(b) the paper's way: the last block of a frozen network and a cubic SVM;
(c) the same frozen network, all its blocks, and an SVM.

All rows share one clean split: fitted on the training and validation images (where (b) compares its kernels by 5-fold
cross-validation, as the paper does), one look at the test images. A fourth row repeats (b) with augmented siblings of
training images, to show what cross-validation reports when siblings are spread over the folds.
"""

import time

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from .. import augment, backbones, datasets, metrics, paper, records
from ..config import SEED
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..features import closeups, color_histogram, extract
from ..kernel_svm import KernelSVM
from ..provenance import peak_rss_mb

FOLDS = paper.HYPERPARAMETERS["cross_validation_folds"]
GAINS = (0.95, 1.05)


def histogram_classifier():
    """Row (a): each bin standardised, RBF kernel; an unfitted scikit-learn pipeline."""
    return make_pipeline(StandardScaler(), KernelSVM("rbf"))


def last_block_preparation(n_components, seed=SEED):
    """Row (b), before the SVM: square roots (activations have long tails), then principal components.

    Parameters
    ----------
    n_components : int or None
        None keeps every feature.
    seed : int
        Of the randomised principal components.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Unfitted.
    """
    steps = [FunctionTransformer(_root)]
    if n_components:
        # Fewer power iterations than the default: approximate components do for a preparation.
        steps.append(PCA(n_components, svd_solver="randomized", iterated_power=2, random_state=seed))
    return make_pipeline(*steps)


def last_block_classifier(n_components, kernel="cubic", seed=SEED):
    """Row (b): `last_block_preparation` and an SVM.

    Parameters
    ----------
    n_components : int or None
        None keeps every feature.
    kernel : {"cubic", "rbf"}
    seed : int
        Of the randomised principal components.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Unfitted.
    """
    return make_pipeline(last_block_preparation(n_components, seed), KernelSVM(kernel))


def all_blocks_classifier():
    """Row (c): square roots, each feature standardised, RBF kernel; an unfitted scikit-learn pipeline.

    Thousands of features want a kernel four times as wide as the default, and a higher price of errors.
    """
    return make_pipeline(FunctionTransformer(_root), StandardScaler(), KernelSVM("rbf", C=100, gamma_factor=0.25))


def cross_validate(classifiers, X, y, preparation, groups=None, folds=FOLDS, seed=SEED):
    """Accuracy on each held-out fold; everything that learns, scaling included, is fitted on the other folds.

    Parameters
    ----------
    classifiers : dict of str to classifier
        Unfitted; they share the prepared features of a fold.
    X : numpy.ndarray, shape (n, d)
    y : numpy.ndarray of int, shape (n,)
    preparation : transformer
        Unfitted, for example `last_block_preparation`.
    groups : array-like, shape (n,), optional
        Rows of one group (the versions of one source image) stay in one fold.
    folds : int
    seed : int

    Returns
    -------
    dict of str to list of float
        One accuracy a fold for each classifier.
    """
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    scores = {name: [] for name in classifiers}
    for fit, held in splitter(folds, shuffle=True, random_state=seed).split(X, y, groups):
        prepared = clone(preparation).fit(X[fit])
        seen, unseen = prepared.transform(X[fit]), prepared.transform(X[held])
        for name, classifier in classifiers.items():
            scores[name].append(float(clone(classifier).fit(seen, y[fit]).score(unseen, y[held])))
    return scores


def siblings(table, images, backbone, weights, n_components, n_sources, n_versions, progressbar=True, seed=SEED):
    """Cross-validate twice on augmented images: versions of one source in one fold, and spread over the folds.

    Parameters
    ----------
    table : pandas.DataFrame
        A split; only its training images are used as sources.
    images : numpy.ndarray of uint8, shape (len(table), size, size, 3)
    backbone, weights : str
        As for `features.extract`.
    n_components : int or None
    n_sources, n_versions : int
        Source images a class, and versions of each, the original included.
    progressbar : bool
    seed : int

    Returns
    -------
    classifier
        Fitted on all versions.
    dict of str to list of float
        Accuracy on each fold, ``together`` (honest) and ``apart`` (leaking).
    """
    train = table[table["subset"] == "train"]
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(rows)[:n_sources] for rows in train.groupby("class").indices.values()]
    plan = augment.versions(train.iloc[np.concatenate(chosen)], n_versions, seed)
    X = extract(augment.apply(images, plan), backbone, weights, progressbar=progressbar, seed=seed)["last"]
    y = labels(plan)
    preparation, machine = last_block_preparation(n_components, seed), KernelSVM("cubic")
    scores = {
        **cross_validate({"together": machine}, X, y, preparation, groups=plan["source"], seed=seed),
        **cross_validate({"apart": machine}, X, y, preparation, seed=seed),
    }
    return make_pipeline(preparation, machine).fit(X, y), scores


def run(profile, backbone="vgg16", seed=SEED, progressbar=True):
    """Measure all rows.

    Parameters
    ----------
    profile : config.Profile
    backbone : str
        ``"vgg16"`` or ``"inception_v3"``.
    seed : int
    progressbar : bool
        Progress bars and a line a step.

    Returns
    -------
    records.Record
        Not written yet; see `records.Record.write`.
    """
    say = print if progressbar else lambda *_: None
    spec = backbones.backbone(backbone)
    table = splits.clean(datasets.index(profile), seed=seed)
    y = labels(table)
    test = (table["subset"] == "test").to_numpy()
    fit = ~test
    say(f"{len(table):,} images; {fit.sum():,} for cross-validation and training, {test.sum():,} for the test.")

    clock = _Clock()
    images = closeups(table, profile, backbone, progressbar)
    views = extract(images, backbone, profile.weights, progressbar=progressbar, seed=seed)
    extraction_s = clock.lap()
    say(f"Features: {', '.join(f'{name} {X.shape[1]:,}' for name, X in views.items())} ({extraction_s:.0f} s).")

    whole = load_images(table, profile.image_size, progressbar=progressbar)
    histogram = color_histogram(whole)
    clock.lap()
    printed = paper.ACCURACY[("svm", backbone)].value
    models, predictions = {}, {}

    def tested(name, model, X, **details):
        predictions[name] = model.predict(X[test])
        counts = metrics.confusion_matrix(y[test], predictions[name], len(paper.TABLE_1))
        models[name] = records.measure(counts, clock.lap(), peak_rss_mb(), **details)
        say(f"{name}: {100 * models[name]['accuracy']:.2f} % on the test images ({models[name]['wall_time_s']:.0f} s).")

    model = histogram_classifier().fit(histogram[fit], y[fit])
    darker_and_brighter = {
        f"{gain:g}": float(model.score(color_histogram(brighten(whole[test], gain)), y[test])) for gain in GAINS
    }
    tested("colour histogram", model, histogram, gain=darker_and_brighter)

    last, blocks = np.asarray(views["last"]), np.asarray(views["blocks"])
    kernels = {kernel: KernelSVM(kernel) for kernel in paper.HYPERPARAMETERS["svm_kernels"]}
    scores = cross_validate(kernels, last[fit], y[fit], last_block_preparation(profile.pca, seed), seed=seed)
    model = last_block_classifier(profile.pca, seed=seed).fit(last[fit], y[fit])
    tested(f"{backbone} last block", model, last, printed=printed, cross_validation=scores, extraction_s=extraction_s)

    model = all_blocks_classifier().fit(blocks[fit], y[fit])
    tested(f"{backbone} all blocks", model, blocks, extraction_s=extraction_s)

    model, scores = siblings(
        table, images, backbone, profile.weights, profile.pca, *profile.siblings, progressbar=progressbar, seed=seed
    )
    tested(f"{backbone} last block, siblings", model, last, cross_validation=scores)

    notes = [f"{spec.title}, {profile.weights} weights, {images.shape[1]} px, central {profile.crop:.0%} of the image."]
    name = records.experiment_name("svm", backbone)
    return records.create(name, profile, table, y, models, predictions, seed, notes)


def brighten(images, gain):
    """Multiply all levels: another lamp, another exposure time.

    Parameters
    ----------
    images : numpy.ndarray of uint8
    gain : float

    Returns
    -------
    numpy.ndarray of uint8, same shape
    """
    return np.clip(np.asarray(images, np.float32) * gain, 0, 255).round().astype(np.uint8)


def _root(X):
    return np.sqrt(np.maximum(X, 0))


class _Clock:
    """Seconds since the last look."""

    def __init__(self):
        self.start = time.perf_counter()

    def lap(self):
        before, self.start = self.start, time.perf_counter()
        return round(self.start - before, 1)
