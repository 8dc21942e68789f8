"""The paper's second design: the same networks, their last blocks trained on blood cells.

Two roads to the same model. With a cached prefix (``Tuning.symmetries`` > 0) the frozen part sees each image once and
only its end trains: a processor is enough. Without, training goes from the pixels, augmented anew in every epoch, as on
the profile ``full``: that takes a GPU.
"""

import time
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from .. import augment, backbones, datasets, metrics, paper, records, runtime, training
from ..checkpoints import begun
from ..config import SEED
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..prefix import activations
from ..provenance import peak_rss_mb
from ..store import key

VERSION = 4  # rises when the same tuning gives another network
HEAD_RATE = 1e-3  # of the head alone: it has nothing to lose yet
HEAD_IMAGES = 4096  # enough for the head to find its feet


@dataclass(frozen=True)
class Tuned:
    """A network that knows blood.

    Attributes
    ----------
    model : keras.Model
        From images, levels 0-255, to probabilities; with the weights of its best epoch.
    table : pandas.DataFrame
        The split it was trained on.
    images : numpy.ndarray of uint8, shape (len(table), size, size, 3)
        As the model sees them.
    probabilities : numpy.ndarray of float32, shape (len(table), 8)
        Its answer to each image. NaN for training images, whose answers prove nothing.
    history : training.History
    prepared_s, trained_s : float
        Seconds for images and frozen part, and for training; of this run, so small where the cache had them.
    """

    model: object
    table: pd.DataFrame
    images: np.ndarray
    probabilities: np.ndarray
    history: training.History
    prepared_s: float
    trained_s: float


def settings(tuning, seed=SEED, **changes):
    """The training settings of a profile.

    Parameters
    ----------
    tuning : config.Tuning
    seed : int
    **changes
        Fields of `training.Settings` to replace.

    Returns
    -------
    training.Settings
    """
    taken = {name: getattr(tuning, name) for name in ("epochs", "batch_size", "learning_rate", "schedule")}
    return training.Settings(**{**taken, "seed": seed, **changes})


def untrained(profile, backbone="vgg16", blocks=None, seed=SEED):
    """A profile's network before training, its last blocks free to train; random weights are calibrated.

    Parameters
    ----------
    profile : config.Profile
    backbone : str
    blocks : int, optional
        Default: the profile's.
    seed : int

    Returns
    -------
    keras.Model
    """
    tuning = profile.tuning
    with runtime.precision():
        model = backbones.classifier(
            backbone, tuning.size, profile.weights, tuning.head, len(paper.TABLE_1), tuning.pooling,
            augmentation=not tuning.symmetries, seed=seed,
        )  # fmt: skip
    if profile.weights == "random":
        table = splits.clean(datasets.index(profile))
        examples = table[table["subset"] == "train"][::20]
        backbones.calibrate(
            model, backbone, load_images(examples, model.input_shape[1], tuning.crop, progressbar=False)
        )
    return backbones.unfreeze(model, backbone, tuning.blocks if blocks is None else blocks)


def training_rows(table, images_per_class=None, symmetries=1, seed=SEED):
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


def road(model, backbone, tuning, images, progressbar=True):
    """What trains, and what it is given: the end behind a cached prefix, or the whole network from the pixels.

    Parameters
    ----------
    model : keras.Model
        From `untrained`.
    backbone : str
    tuning : config.Tuning
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
    progressbar : bool

    Returns
    -------
    keras.Model
        Shares its layers with `model`.
    callable
        ``given(rows, versions=0)``: its input for these images. From the pixels, versions are drawn anew in each epoch.
    """
    if not tuning.symmetries:
        return model, lambda rows, versions=0: Picked(images, rows)
    prefix, end = backbones.halves(model, backbone, tuning.blocks)
    return end, lambda rows, versions=0: activations(prefix, images, rows, versions, progressbar=progressbar)


def fine_tuned(profile, backbone="vgg16", seed=SEED, progressbar=True):
    """Train a profile's network, or take it from the cache where it was trained before.

    Parameters
    ----------
    profile : config.Profile
        Its `config.Tuning` says how.
    backbone : str
    seed : int
    progressbar : bool

    Returns
    -------
    Tuned
    """
    started = time.perf_counter()
    tuning, table = profile.tuning, splits.clean(datasets.index(profile), seed=seed)
    y, subset = labels(table), table["subset"].to_numpy()
    size = tuning.size or backbones.backbone(backbone).input_size
    images = load_images(table, size, tuning.crop, progressbar=progressbar)
    model = untrained(profile, backbone, seed=seed)
    sources, versions = training_rows(table, tuning.images_per_class, max(1, tuning.symmetries), seed)
    held = np.flatnonzero(subset != "train")
    end, given = road(model, backbone, tuning, images, progressbar)
    X, shown = [given(sources, which) for which in versions], given(held)
    prepared = time.perf_counter()
    validation = np.flatnonzero(subset[held] == "validation")
    chosen = settings(tuning, seed)
    name = f"finetune-{backbone}-{key(VERSION, profile.weights, asdict(tuning), chosen, images)}"
    data = X, y[sources], Picked(shown, validation), y[held[validation]]
    history = fit(model, backbone, tuning, *data, chosen, name, progressbar)
    trained = time.perf_counter()
    probabilities = np.full((len(table), len(paper.TABLE_1)), np.nan, np.float32)
    probabilities[held] = training.predict(end, shown, chosen.batch_size)
    return Tuned(model, table, images, probabilities, history, prepared - started, trained - prepared)


def fit(model, backbone, tuning, X, y, X_val, y_val, chosen, name=None, progressbar=True):
    """Train what `untrained` left free: the head first, where the tuning asks for it, then the last blocks with it.

    Parameters
    ----------
    model : keras.Model
        From `untrained`; changed in place.
    backbone : str
    tuning : config.Tuning
    X, y, X_val, y_val : array-like
        As for `training.fit`; with a cached prefix, activations at the cut.
    chosen : training.Settings
    name : str, optional
        As for `training.fit`.
    progressbar : bool

    Returns
    -------
    training.History
        Of the second part.
    """
    if not tuning.symmetries:
        return training.fit(model, X, y, X_val, y_val, chosen, name, progressbar)
    prefix, end = backbones.halves(model, backbone, tuning.blocks)
    if tuning.head_epochs and not begun(name):
        before, head = backbones.halves(model, backbone, 0)
        middle = runtime.load_keras().Model(prefix.output, before.output)
        few = np.sort(np.random.default_rng(chosen.seed).permutation(len(y))[:HEAD_IMAGES])
        seen = training.predict(middle, Picked(X[0] if isinstance(X, list) else X, few))
        _fit_head(head, seen, y[few], tuning.head_epochs, chosen)
    return training.fit(end, X, y, X_val, y_val, chosen, name, progressbar)


def run(profile, backbone="vgg16", seed=SEED, progressbar=True):
    """Measure a fine-tuned network on the test images.

    Parameters
    ----------
    profile : config.Profile
    backbone : str
        ``"vgg16"`` or ``"inception_v3"``.
    seed : int
    progressbar : bool

    Returns
    -------
    records.Record
        Not written yet; see `records.Record.write`.
    """
    started = time.perf_counter()
    tuned = fine_tuned(profile, backbone, seed, progressbar)
    table, y = tuned.table, labels(tuned.table)
    test = (table["subset"] == "test").to_numpy()
    predicted = tuned.probabilities[test].argmax(axis=1)
    name = f"{backbone} fine-tuned"
    measured = records.measure(
        metrics.confusion_matrix(y[test], predicted, len(paper.TABLE_1)),
        time.perf_counter() - started,
        peak_rss_mb(),
        paper.ACCURACY[("fine_tuned", backbone)].value,
        prepared_s=round(tuned.prepared_s, 1),
        trained_s=round(tuned.trained_s, 1),
        parameters={"all": tuned.model.count_params(), "trained": _count(tuned.model.trainable_weights)},
        tuning=asdict(profile.tuning),
        **tuned.history.details(),
    )
    notes = [describe(profile, backbone)]
    experiment = records.experiment_name("finetune", backbone)
    return records.create(experiment, profile, table, y, {name: measured}, {name: predicted}, seed, notes)


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
    tuning, spec = profile.tuning, backbones.backbone(backbone)
    return (
        f"{spec.title}, {profile.weights} weights, {tuning.size or spec.input_size} px, central {tuning.crop:.0%} of "
        f"the image, last {tuning.blocks} of {len(spec.blocks)} blocks trained in {runtime.fastest_precision()}."
    )


class Picked:
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


def _fit_head(head, seen, y, epochs, chosen):
    keras = runtime.load_keras()
    keras.utils.set_random_seed(chosen.seed)
    weights = None if chosen.class_weight is None else dict(enumerate(chosen.class_weight))
    head.compile(keras.optimizers.Adam(HEAD_RATE), "sparse_categorical_crossentropy")
    head.fit(seen, y, batch_size=chosen.batch_size, epochs=epochs, class_weight=weights, verbose=0)


def _count(weights):
    return int(sum(np.prod(w.shape) for w in weights))
