"""The paper's first design, and two rows that put it in perspective.

(a) a colour histogram and an SVM: no network at all;
(b) the paper's way: the last block of a frozen network and a cubic SVM;
(c) the same frozen network, all its blocks, and an SVM.

All rows share one clean split: fitted on the training and validation images (where (b) compares its kernels by 5-fold
cross-validation, as the paper does), one look at the test images. A fourth row repeats (b) with augmented siblings of
training images, to show what cross-validation reports when siblings are spread over the folds.
"""

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from .. import paper
from ..config import SEED
from ..datasets import augment
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..datasets.splits import load_split
from ..errors import BloodcellError
from ..models import backbones
from ..models.features import closeups, color_histogram, extract
from ..models.kernel_svm import KernelSVM
from . import records

FOLDS = paper.HYPERPARAMETERS["cross_validation_folds"]
GAINS = (0.95, 1.05)


def histogram_classifier():
    """Row (a): each bin standardised, RBF kernel; an unfitted scikit-learn pipeline."""
    return make_pipeline(StandardScaler(), KernelSVM("rbf"))


def last_block_preparation(n_components, *, seed=SEED):
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


def last_block_classifier(n_components, kernel="cubic", *, seed=SEED):
    """Row (b): `last_block_preparation` and an SVM.

    Parameters
    ----------
    n_components, seed
        As for `last_block_preparation`.
    kernel : {"cubic", "rbf"}

    Returns
    -------
    sklearn.pipeline.Pipeline
        Unfitted.
    """
    return make_pipeline(last_block_preparation(n_components, seed=seed), KernelSVM(kernel))


def all_blocks_classifier():
    """Row (c): square roots, each feature standardised, RBF kernel; an unfitted scikit-learn pipeline.

    Thousands of features want a kernel four times as wide as the default, and a higher price of errors.
    """
    return make_pipeline(FunctionTransformer(_root), StandardScaler(), KernelSVM("rbf", C=100, gamma_factor=0.25))


def cross_validate(classifiers, X, y, *, preparation, groups=None, seed=SEED, return_train_score=False):
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
    seed : int
    return_train_score : bool
        Also measure on the folds that were learnt from.

    Returns
    -------
    dict of str to list of float
        One accuracy a fold for each classifier; if asked for, a second such dict, on the images learnt from.
    """
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    scores, training = ({name: [] for name in classifiers} for _ in range(2))
    for fit, held in splitter(FOLDS, shuffle=True, random_state=seed).split(X, y, groups):
        prepared = clone(preparation).fit(X[fit])
        seen, unseen = prepared.transform(X[fit]), prepared.transform(X[held])
        for name, classifier in classifiers.items():
            fitted = clone(classifier).fit(seen, y[fit])
            scores[name].append(float(fitted.score(unseen, y[held])))
            if return_train_score:
                training[name].append(float(fitted.score(seen, y[fit])))
    return (scores, training) if return_train_score else scores


def siblings(split, images, profile, *, backbone=None, seed=SEED, progressbar=True):
    """Cross-validate twice on augmented images: versions of one source in one fold, and spread over the folds.

    Parameters
    ----------
    split : datasets.Split
        Only its training images are used as sources.
    images : numpy.ndarray of uint8, shape (len(split.table), size, size, 3)
        From `features.closeups`.
    profile : config.Profile
        Its ``siblings`` say how many sources a class and versions of each, the original included.
    backbone : str, optional
        Default: the one that the profile borrows.
    seed : int
    progressbar : bool

    Returns
    -------
    classifier
        Fitted on all versions.
    dict of str to list of float
        Accuracy on each fold, ``together`` (honest) and ``apart`` (leaking).
    """
    backbone, (n_sources, n_versions) = backbone or profile.borrowed, profile.siblings
    train = split.table.iloc[split.rows("train")]
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(rows)[:n_sources] for rows in train.groupby("class").indices.values()]
    plan = augment.versions(train.iloc[np.concatenate(chosen)], n_versions, seed=seed)
    weights = profile.weights_of(backbone)
    X = extract(augment.apply(images, plan), backbone, weights, seed=seed, progressbar=progressbar)["last"]
    y = labels(plan)
    preparation, machine = last_block_preparation(profile.pca, seed=seed), KernelSVM("cubic")
    scores = {
        **cross_validate({"together": machine}, X, y, preparation=preparation, groups=plan["source"], seed=seed),
        **cross_validate({"apart": machine}, X, y, preparation=preparation, seed=seed),
    }
    return make_pipeline(preparation, machine).fit(X, y), scores


def run(profile, backbone=None, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure all rows.

    Parameters
    ----------
    profile : config.Profile
    backbone, seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
    """
    split = load_split(profile, seed=split_seed)
    table, y, fit, test = split.table, split.y, split.rows("train", "validation"), split.rows("test")
    check_enough(y[fit], profile)
    backbone = backbone or profile.borrowed
    weights, chance = profile.weights_of(backbone), {"backbone": backbone, "seed": seed, "progressbar": progressbar}
    found = records.Collector("svm", profile, split, **chance)
    found.say(f"{len(table):,} images; {len(fit):,} for cross-validation and training, {len(test):,} for the test.")

    images = closeups(table, profile, backbone, progressbar=progressbar)
    views = extract(images, backbone, weights, progressbar=progressbar, seed=seed)
    extraction_s = found.lap()
    found.say(f"Features: {', '.join(f'{name} {X.shape[1]:,}' for name, X in views.items())} ({extraction_s:.0f} s).")

    whole = load_images(table, profile.image_size, progressbar=progressbar)
    histogram = color_histogram(whole)
    found.lap()

    def tested(name, model, X, **details):
        found.add(name, model.predict(X[test]), found.lap(), **details)

    model = histogram_classifier().fit(histogram[fit], y[fit])
    darker_and_brighter = {
        f"{gain:g}": float(model.score(color_histogram(brighten(whole[test], gain)), y[test])) for gain in GAINS
    }
    tested("colour histogram", model, histogram, gain=darker_and_brighter)

    last, blocks = np.asarray(views["last"]), np.asarray(views["blocks"])
    kernels = {kernel: KernelSVM(kernel) for kernel in paper.HYPERPARAMETERS["svm_kernels"]}
    preparation = last_block_preparation(profile.pca, seed=seed)
    how = {"preparation": preparation, "seed": seed, "return_train_score": True}
    scores, training = cross_validate(kernels, last[fit], y[fit], **how)
    model = last_block_classifier(profile.pca, seed=seed).fit(last[fit], y[fit])
    details = {"printed": paper.printed_accuracy("svm", backbone), "cross_validation": scores}
    details["cross_validation_training"] = training
    features = {
        "size": images.shape[1], "crop": profile.crop, "number": last.shape[1], "roots": True, "components": profile.pca
    }  # fmt: skip
    tested(f"{backbone} last block", model, last, **details, extraction_s=extraction_s, features=features)

    model = all_blocks_classifier().fit(blocks[fit], y[fit])
    tested(f"{backbone} all blocks", model, blocks, extraction_s=extraction_s)

    model, scores = siblings(split, images, profile, **chance)
    tested(f"{backbone} last block, siblings", model, last, cross_validation=scores)

    spec = f"{backbones.backbone(backbone).title}, {weights} weights"
    return found.record(f"{spec}, {images.shape[1]} px, central {profile.crop:.0%} of the image.")


def check_enough(y, profile):
    """Refuse a set that is too small for a profile before anything is computed.

    Parameters
    ----------
    y : numpy.ndarray of int
        Class numbers of the images to learn from.
    profile : config.Profile

    Raises
    ------
    BloodcellError
        If a fold would have fewer images than principal components, or a class fewer images than there are folds.
    """
    fewest, least = np.bincount(y)[np.unique(y)].min(), (profile.pca or 0) * FOLDS // (FOLDS - 1)
    if fewest < FOLDS or len(y) <= least:
        raise BloodcellError(
            f"{len(y):,} images to learn from, {fewest} of the rarest class, are too few for the profile "
            f"{profile.name!r}: it needs more than {least:,}, and {FOLDS} of each class. Take the whole data set, or "
            "`--profile sample`."
        )


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
