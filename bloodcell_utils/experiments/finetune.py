"""The paper's second design: the same networks, their last blocks trained on blood cells.

Two ways to the same model. With a cached prefix (``Tuning.symmetries`` > 0) the frozen part sees each image once and
only its end trains: a processor is enough. Without, training goes from the pixels, augmented anew in every epoch, as on
the profile ``full``: that takes a GPU.
"""

import time
from dataclasses import asdict, dataclass, replace

import numpy as np

from .. import paper
from ..config import SEED
from ..datasets import augment
from ..datasets.cache import key
from ..datasets.splits import Split, load_split
from ..evaluation import explain
from ..models import backbones, runtime
from ..training import fitting
from ..training.checkpoints import begun
from ..training.prefix import activations
from . import records
from .provenance import device

VERSION = 4  # rises when the same tuning gives another network
HEAD_RATE = 1e-3  # of the head alone: it has nothing to lose yet
HEAD_IMAGES = 4096  # enough for the head to find its feet
LOOKED_AT = 100  # cells whose maps are compared, of the kind that the paper's Fig. 15 shows


@dataclass(frozen=True)
class Network:
    """A network whose last blocks are free to train, cut once before them.

    Attributes
    ----------
    backbone : str
    model : keras.Model
        From images, levels 0-255, to probabilities.
    prefix : keras.Model or None
        What stays frozen; None where training goes from the pixels.
    end : keras.Model
        What trains; it shares its layers with `model`, and is `model` itself where there is no prefix.
    """

    backbone: str
    model: object
    prefix: object
    end: object


@dataclass(frozen=True)
class FineTuningResult:
    """A network that knows blood.

    Attributes
    ----------
    model : keras.Model
        As in `Network`, with the weights of its best epoch.
    split : datasets.Split
        What it was trained on; the images are as the model sees them.
    probabilities : numpy.ndarray of float32, shape (len(split.table), 8)
        Its answer to each image. NaN for training images, whose answers prove nothing.
    history : fitting.History
    prepared_s, trained_s : float
        Seconds for images and frozen part, and for training; of this run, so small where the cache had them.
    """

    model: object
    split: Split
    probabilities: np.ndarray
    history: fitting.History
    prepared_s: float
    trained_s: float


def settings(tuning, seed=SEED, **changes):
    """The training settings of a profile.

    Parameters
    ----------
    tuning : config.Tuning
    seed : int
    **changes
        Fields of `fitting.Settings` to replace.

    Returns
    -------
    fitting.Settings
    """
    taken = {name: getattr(tuning, name) for name in ("epochs", "batch_size", "learning_rate", "schedule")}
    return fitting.Settings(**taken | {"seed": seed} | changes)


def tuning_split(profile, backbone=None, *, seed=SEED, progressbar=True):
    """The profile's images as its tuning shows them to a network.

    Parameters
    ----------
    profile : config.Profile
    backbone : str, optional
        Default: the one that the profile borrows.
    seed, progressbar
        As for `load_split`.

    Returns
    -------
    datasets.Split
    """
    size = backbones.backbone(backbone or profile.borrowed).side(profile.tuning.size)
    return load_split(profile, size, profile.tuning.crop, seed=seed, progressbar=progressbar)


def untrained(profile, split=None, *, backbone=None, blocks=None, seed=SEED):
    """A profile's network before training, its last blocks free to train; random weights are calibrated.

    Parameters
    ----------
    profile : config.Profile
    split : datasets.Split, optional
        From `tuning_split`, whose training images calibrate random weights; default: the profile's.
    backbone : str, optional
        Default: the one that the profile borrows.
    blocks : int, optional
        Default: the profile's.
    seed : int
        Of the head.

    Returns
    -------
    Network
    """
    tuning, backbone = profile.tuning, backbone or profile.borrowed
    size, weights = backbones.backbone(backbone).side(tuning.size), profile.weights_of(backbone)
    head = {"head": tuning.head, "n_classes": len(paper.TABLE_1), "pooling": tuning.pooling, "seed": seed}
    with runtime.precision():
        augmentation = not tuning.symmetries
        model = backbones.classifier(backbone, size, weights, augmentation=augmentation, **head)
    if weights == "random":
        split = split or tuning_split(profile, backbone, progressbar=False)
        backbones.calibrate(model, backbone, split.images[split.rows("train")[::20]])
    prefix, end = backbones.unfreeze(model, backbone, tuning.blocks if blocks is None else blocks)
    return Network(backbone, model, prefix, end) if tuning.symmetries else Network(backbone, model, None, model)


def training_rows(table, images_per_class=None, symmetries=1, *, seed=SEED):
    """Which training images, in which versions.

    Parameters
    ----------
    table : pandas.DataFrame
        A split.
    images_per_class : int, dict of str to int, or None
        Images of every class, or of each: large classes are sampled, small ones filled up with further versions. None
        takes every training image once.
    symmetries : int
        Versions of each row; a training epoch takes one of them.
    seed : int

    Returns
    -------
    sources : numpy.ndarray of int, shape (n,)
        Rows of the table.
    versions : list of numpy.ndarray of int, shape (n,)
        For `augment.symmetry`, one array a version.
    """
    if images_per_class:
        plan = augment.balance(table, images_per_class, seed=seed)
        sources, first = plan["source"].to_numpy(), plan["version"].to_numpy()
    else:
        sources = np.flatnonzero(table["subset"] == "train")
        first = np.zeros(len(sources), int)
    # Each image starts somewhere else in the circle of the eight symmetries, the first time as it was taken.
    order = np.array([0, 4, 2, 6, 1, 5, 3, 7])
    return sources, [order[(first + version * (1 + sources % 7)) % 8] for version in range(symmetries)]


def training_inputs(network, images, rows, *, versions=0, progressbar=True):
    """What a network's end is given for some images: activations at the cut, or the images themselves.

    Parameters
    ----------
    network : Network
    images : numpy.ndarray of uint8, shape (m, size, size, 3)
    rows : array-like of int, shape (n,)
    versions : int or array-like of int, shape (n,)
        For `augment.symmetry`; from the pixels, versions are drawn anew in each epoch instead.
    progressbar : bool

    Returns
    -------
    numpy.ndarray or Subset
    """
    if network.prefix is None:
        return Subset(images, rows)
    return activations(network.prefix, images, rows, symmetries=versions, progressbar=progressbar)


def fine_tuned(
    profile, backbone=None, *, seed=SEED, split_seed=SEED, split=None, deadline=None, progressbar=True
):  # fmt: skip
    """Train a profile's network, or take it from the cache where it was trained before.

    Parameters
    ----------
    profile : config.Profile
        Its ``tuning`` says how.
    backbone, seed, split_seed, progressbar
        As for every experiment (`experiments`).
    split : datasets.Split, optional
        Images as the tuning shows them, for who has them already; default: `tuning_split`.
    deadline : float, optional
        As for `fitting.fit`.

    Returns
    -------
    FineTuningResult
    """
    started = time.perf_counter()
    backbone = backbone or profile.borrowed
    tuning = profile.tuning
    split = split or tuning_split(profile, backbone, seed=split_seed, progressbar=progressbar)
    network = untrained(profile, split, backbone=backbone, seed=seed)
    sources, versions = training_rows(split.table, tuning.images_per_class, max(1, tuning.symmetries), seed=seed)
    held = split.rows("validation", "test")

    def given(rows, which=0):
        return training_inputs(network, split.images, rows, versions=which, progressbar=progressbar)

    X, shown = [given(sources, which) for which in versions], given(held)
    prepared = time.perf_counter()
    validation = np.flatnonzero(np.isin(held, split.rows("validation")))
    validation_data = Subset(shown, validation), split.y[held[validation]]
    chosen = settings(tuning, seed)
    made_of = profile.weights_of(backbone), asdict(tuning), chosen, sources, held[validation], split.images
    name = f"finetune-{backbone}-{key(VERSION, *made_of)}"
    how = {"settings": chosen, "head_epochs": tuning.head_epochs, "name": name, "progressbar": progressbar}
    history = fit(network, X, split.y[sources], validation_data=validation_data, deadline=deadline, **how)
    trained = time.perf_counter()
    probabilities = np.full((len(split.y), len(paper.TABLE_1)), np.nan, np.float32)
    probabilities[held] = fitting.predict(network.end, shown, chosen.batch_size)
    return FineTuningResult(network.model, split, probabilities, history, prepared - started, trained - prepared)


def fit(network, X, y, *, validation_data, settings, head_epochs=0, name=None, deadline=None, progressbar=True):
    """Train what `untrained` left free: the head first, then the last blocks with it.

    Parameters
    ----------
    network : Network
        Changed in place.
    X, y, validation_data, settings, name, deadline, progressbar
        As for `fitting.fit`; the inputs are from `training_inputs`.
    head_epochs : int
        As in `config.Tuning`.

    Returns
    -------
    fitting.History
        Of the second part.
    """
    if head_epochs and not begun(name):
        before, head = backbones.split_at(network.model, network.backbone, 0)
        start = network.model.input if network.prefix is None else network.prefix.output
        middle = runtime.load_keras().Model(start, before.output)
        few = np.sort(np.random.default_rng(settings.seed).permutation(len(y))[:HEAD_IMAGES])
        seen = fitting.predict(middle, Subset(X[0] if isinstance(X, list) else X, few))
        _fit_head(head, seen, y[few], head_epochs, settings)
    options = {"settings": settings, "name": name, "deadline": deadline, "progressbar": progressbar}
    return fitting.fit(network.end, X, y, validation_data=validation_data, **options)


def run(
    profile, backbone=None, *, seed=SEED, split_seed=SEED, split=None, known=None, deadline=None, progressbar=True
):  # fmt: skip
    """Measure fine-tuned networks on the test images.

    With a cached prefix, also the head alone, before; from the pixels, also the mean answer to the eight symmetries and
    `compared_maps`, unless the deadline is over.

    Parameters
    ----------
    profile : config.Profile
        Its ``tuning`` says how, its ``seeds`` how many.
    backbone, seed, split_seed, progressbar
        As for every experiment (`experiments`).
    split, deadline
        As for `fine_tuned`.
    known
        As for `records.Collector`.

    Returns
    -------
    records.Record
    """
    backbone, tuning = backbone or profile.borrowed, profile.tuning
    split = split or tuning_split(profile, backbone, seed=split_seed, progressbar=progressbar)
    given = {"split_seed": split_seed, "split": split, "progressbar": progressbar}
    limits = {"known": known, "deadline": deadline, "progressbar": progressbar}
    found = records.Collector("finetune", profile, split, backbone=backbone, seed=seed, **limits)
    if tuning.symmetries and tuning.head_epochs and found.due(f"{backbone} head"):
        alone = {"blocks": 0, "head_epochs": 0, "epochs": tuning.head_epochs, "learning_rate": HEAD_RATE}
        frozen = replace(profile, tuning=replace(tuning, **alone, schedule="constant"))
        head = fine_tuned(frozen, backbone, seed=seed, **given)
        found.add(f"{backbone} head", head.probabilities[found.rows].argmax(axis=1), **head.history.details())
    for own_seed in range(seed, seed + profile.seeds):
        suffix = f", seed {own_seed}" * (own_seed != seed)
        one, eight = f"{backbone} fine-tuned{suffix}", f"{backbone} fine-tuned, eight symmetries{suffix}"
        due = [found.due(name) for name in ((one,) if tuning.symmetries else (one, eight))]
        if not any(due):
            continue
        found.lap()
        tuned = fine_tuned(profile, backbone, seed=own_seed, deadline=deadline, **given)
        in_time = deadline is None or time.monotonic() < deadline
        trained = int(sum(np.prod(weight.shape) for weight in tuned.model.trainable_weights))
        found.add(
            one,
            tuned.probabilities[found.rows].argmax(axis=1),
            found.lap() - tuned.trained_s + tuned.history.seconds,
            printed=paper.printed_accuracy("fine_tuned", backbone),
            prepared_s=round(tuned.prepared_s, 1),
            trained_s=round(tuned.history.seconds, 1),  # of the training itself, also where the cache had the network
            parameters={"all": tuned.model.count_params(), "trained": trained},
            tuning=asdict(profile.tuning),
            seed=own_seed,
            device=device(),
            **tuned.history.details(),
            **(_figure_15(profile, tuned, backbone, seed=own_seed) if in_time else {}),
        )
        if not tuning.symmetries and in_time:
            views = fitting.predict_with_symmetries(tuned.model, split.images[found.rows])
            found.add(eight, views.argmax(axis=1))
    return found.record(describe(profile, backbone))


def compared_maps(before, after, images, *, maps=paper.FIG_15):
    """The paper's Fig. 15 in numbers: how alike single maps are before and after training, and all maps beside them.

    Parameters
    ----------
    before, after : keras.Model
        One network, as it was borrowed and trained.
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
        The first is shown.
    maps : dict of str to int
        A map of each of some layers.

    Returns
    -------
    list of dict
        ``layer``, ``map``; the rank correlation (`explain.rank_correlation`) of its two states in the image that is
        ``shown``, and its ``mean`` over those in which it answered anything before; the ``median`` of these means over
        the ``maps`` of the layer that have one, and how many of them changed ``more``.
    """
    rows = []
    for layer, index in maps.items():
        pairs = [np.moveaxis(explain.feature_maps(model, images, layer), -1, 0) for model in (before, after)]
        alike = np.array([explain.rank_correlation(*pair) for pair in zip(*pairs, strict=True)])
        silent = np.ptp(pairs[0], axis=(2, 3)) == 0
        means = np.ma.masked_array(alike, silent).mean(axis=1).filled(np.nan).round(4)
        found = {"shown": alike[index, 0], "mean": means[index], "median": np.nanmedian(means)}
        counts = {"maps": int(np.isfinite(means).sum()), "more": int((means < means[index]).sum())}
        rows.append({"layer": layer, "map": index} | {name: round(float(x), 4) for name, x in found.items()} | counts)
    return rows


def describe(profile, backbone):
    """What was trained, in a sentence for the record.

    Parameters
    ----------
    profile : config.Profile
    backbone : str

    Returns
    -------
    str
    """
    tuning, spec, weights = profile.tuning, backbones.backbone(backbone), profile.weights_of(backbone)
    return (
        f"{spec.title}, {weights} weights, {spec.side(tuning.size)} px, central {tuning.crop:.0%} of "
        f"the image, last {tuning.blocks} of {len(spec.blocks)} blocks trained in {runtime.fastest_precision()}."
    )


class Subset:
    """Rows of an array that is too large to copy, in an order of one's own.

    Parameters
    ----------
    array : numpy.ndarray, shape (m, ...)
    rows : array-like of int, shape (n,)
    """

    def __init__(self, array, rows):
        self.array, self.rows = array, np.asarray(rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, which):
        return self.array[self.rows[which]]


def _figure_15(profile, tuned, backbone, *, seed):
    """The comparison for a record, where the network has the layers of the figure and they were trained."""
    moved = {layer.name for layer in tuned.model.layers if layer.trainable}
    if not moved.issuperset(paper.FIG_15):
        return {}
    table, images = tuned.split.table, tuned.split.images
    rows = [row for row in tuned.split.rows("test") if table["class"].iloc[row] == "neutrophil"][:LOOKED_AT]
    before = untrained(profile, tuned.split, backbone=backbone, seed=seed).model
    compared = compared_maps(before, tuned.model, np.asarray(images[rows]))
    return {"maps": {"cell": table["path"].iloc[rows[0]], "cells": len(rows), "compared": compared}}


def _fit_head(head, seen, y, epochs, settings):
    keras = runtime.load_keras()
    keras.utils.set_random_seed(settings.seed)
    weights = None if settings.class_weight is None else dict(enumerate(settings.class_weight))
    adam = keras.optimizers.Adam(HEAD_RATE)
    adam.build(head.trainable_variables)  # as in `fitting.fit`: TensorFlow traces a step once and not twice
    head.compile(adam, "sparse_categorical_crossentropy")
    head.fit(seen, y, batch_size=settings.batch_size, epochs=epochs, class_weight=weights, verbose=0)
