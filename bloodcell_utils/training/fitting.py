"""A fit that shows its progress, survives an interruption and keeps the best epoch.

Keras alone is used, so the same code trains on TensorFlow, JAX and PyTorch.
"""

import math
import re
import time
from dataclasses import asdict, dataclass, field
from functools import cached_property

import numpy as np

from ..config import SEED
from ..errors import BloodcellError
from ..models.runtime import deterministic, load_keras
from .checkpoints import Checkpoint


@dataclass(frozen=True)
class Settings:
    """How a model is trained; all of it is kept in the record.

    Attributes
    ----------
    epochs, batch_size : int
    optimizer : {"adam", "sgd", "muon"}
        ``"sgd"`` is the paper's equation 6, plain gradient descent on batches. ``"muon"`` is for convolutions that
        train from nothing (`muon.ConvolutionMuon`).
    learning_rate : float
        The paper's is 1e-4.
    schedule : {"constant", "cosine"}
        ``"cosine"`` warms up over a tenth of the steps and falls to zero along half a cosine.
    patience : int or None
        Stop after so many epochs without a better validation accuracy; None trains all epochs.
    class_weight : tuple of float or None
        Weight of each class in the loss.
    label_smoothing : float
        In [0, 1).
    weight_decay : float
        Share of each weight that a step at learning rate 1 would take away; biases and normalisations keep theirs.
    seed : int
        For the order of the images.
    deterministic : bool
        Ask the backend for operations that give the same bits every time; slower.
    """

    epochs: int = 100
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float = 1e-4
    schedule: str = "constant"
    patience: int | None = None
    class_weight: tuple[float, ...] | None = None
    label_smoothing: float = 0.0
    weight_decay: float = 0.0
    seed: int = SEED
    deterministic: bool = False

    def __post_init__(self):
        if self.optimizer not in ("adam", "sgd", "muon"):
            raise BloodcellError(f"There is no optimizer {self.optimizer!r} here; choose 'adam', 'sgd' or 'muon'.")
        if self.schedule not in ("constant", "cosine"):
            raise BloodcellError(f"There is no schedule {self.schedule!r}; choose 'constant' or 'cosine'.")
        if self.epochs < 1 or self.batch_size < 1 or self.learning_rate <= 0:
            raise BloodcellError("Epochs, batch size and learning rate must be positive.")


@dataclass
class History:
    """What happened, epoch by epoch.

    Attributes
    ----------
    settings : Settings
    epochs : list of dict
        ``epoch`` (from 1), ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``, ``seconds``.
    """

    settings: Settings
    epochs: list = field(default_factory=list)

    @property
    def best(self):
        """The epoch with the highest validation accuracy; of equals, the one with the lowest validation loss."""
        return max(self.epochs, key=lambda epoch: (epoch["val_accuracy"], -epoch["val_loss"]))

    @property
    def seconds(self):
        """How long all epochs took together."""
        return sum(epoch["seconds"] for epoch in self.epochs)

    def curves(self):
        """The epochs without their seconds: what two runs can have in common."""
        return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in self.epochs]

    def details(self):
        """What a record keeps: settings, curves and the best epoch."""
        return {"settings": asdict(self.settings), "history": self.epochs, "best_epoch": self.best["epoch"]}


def fit(model, X, y, *, validation_data, settings=None, name=None, deadline=None, progressbar=True):
    """Train what is trainable in a model on the categorical cross-entropy (the paper's equation 5).

    After each epoch weights, optimiser and history are saved under `name`; a training that was interrupted, even by a
    power cut, goes on after its last whole epoch and ends with the same history. One that was finished is not repeated.

    Parameters
    ----------
    model : keras.Model
        One that gives probabilities, for example from `backbones.classifier`; changed in place.
    X : numpy.ndarray, shape (n, ...), or list of such arrays
        Inputs; several arrays are versions of the same rows, and each epoch takes one version of each row.
    y : numpy.ndarray of int, shape (n,)
        Class numbers.
    validation_data : tuple of (numpy.ndarray, numpy.ndarray of int)
        Inputs and class numbers; they choose the best epoch.
    settings : Settings, optional
    name : str, optional
        Name of the checkpoint in `config.cache_dir`; must identify model, data and settings (see `cache.key`). None
        saves nothing.
    deadline : float, optional
        A moment of `time.monotonic`. No epoch begins that would end after it if it took as long as the last one, so
        the training may stop early; the same call with a later one goes on.
    progressbar : bool

    Returns
    -------
    History
        The model has the weights of its best epoch.

    Raises
    ------
    BloodcellError
        If a loss is not a number, the deadline leaves no epoch at all, or the memory does not hold a batch; the message
        then names a batch size that fits.
    """
    from tqdm import tqdm

    keras, settings = load_keras(), settings or Settings()
    batches = _batches(keras)(X, y, model.output_shape[-1], settings)
    _prepare(model, settings, len(batches))
    checkpoint = Checkpoint(model, name)
    history = History(settings, checkpoint.resume())
    steps, done = len(batches), len(history.epochs)
    took = history.epochs[-1]["seconds"] if done else 0
    length = {"total": settings.epochs * steps, "initial": done * steps, "unit": "batch"}
    with tqdm(desc="training", mininterval=0.5, disable=not progressbar, **length) as bar:
        # Where it may count from another thread, Keras does not wait for the loss of each batch.
        progress = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: bar.update(), async_safe=True)
        for epoch in range(done, settings.epochs):
            if settings.patience and history.epochs and epoch - history.best["epoch"] >= settings.patience:
                break
            if deadline and time.monotonic() + took > deadline:
                if not history.epochs:
                    raise BloodcellError("The time was over before a single epoch was done.")
                break
            batches.start(epoch)
            _advance_random_layers(model, settings.seed, epoch)
            started = time.perf_counter()
            entry = {"epoch": epoch + 1, **_one_epoch(model, batches, progress, settings)}
            entry |= _evaluate(model, *validation_data, settings.batch_size)
            entry["seconds"] = round(time.perf_counter() - started, 1)
            if not math.isfinite(entry["loss"]):
                rate = f"try a lower learning rate than {settings.learning_rate:g}"
                raise BloodcellError(f"The loss became {entry['loss']} in epoch {epoch + 1}; {rate}.")
            history.epochs.append({k: round(v, 6) for k, v in entry.items()})
            checkpoint.save(history.epochs, best=history.best is history.epochs[-1])
            took = time.perf_counter() - started  # with what saving costs
            bar.set_postfix_str(f"validation {100 * history.best['val_accuracy']:.1f} %")
    checkpoint.load_best()
    return history


def predict(model, X, batch_size=64):
    """Probabilities, computed as in use: no augmentation, no dropout.

    Parameters
    ----------
    model : keras.Model
    X : numpy.ndarray, shape (n, ...)
    batch_size : int

    Returns
    -------
    numpy.ndarray of float32, shape (n, k)
    """
    parts = [np.asarray(model.predict_on_batch(X[i : i + batch_size])) for i in range(0, len(X), batch_size)]
    return np.concatenate(parts).astype(np.float32)


def predict_with_symmetries(model, images):
    """Mean probabilities over the eight symmetries of each image.

    Parameters
    ----------
    model : keras.Model
    images : numpy.ndarray of uint8, shape (n, size, size, 3)

    Returns
    -------
    numpy.ndarray of float32, shape (n, k)
    """
    mirrored = images[:, :, ::-1]
    views = (np.rot90(x, quarter, (1, 2)) for x in (images, mirrored) for quarter in range(4))
    return np.mean([predict(model, np.ascontiguousarray(view)) for view in views], axis=0)


def take(arrays, which, rows):
    """Rows of several arrays as one array, gathered array by array and not row by row.

    Parameters
    ----------
    arrays : sequence of array-like
        With rows of one shape; each takes an array of row numbers as its index.
    which, rows : numpy.ndarray of int, shape (n,)
        The i-th row of the result is row ``rows[i]`` of ``arrays[which[i]]``.

    Returns
    -------
    numpy.ndarray, shape (n, ...)
    """
    numbers, taken = np.unique(which), None
    for number in numbers:
        here = which == number
        part = np.asarray(arrays[number][rows[here]])
        if len(numbers) == 1:
            return part
        taken = np.empty((len(rows), *part.shape[1:]), part.dtype) if taken is None else taken
        taken[here] = part
    return taken


def balanced_weights(y, n_classes=8):
    """Weights that let every class count the same in the loss: inversely proportional to its frequency.

    Parameters
    ----------
    y : array-like of int
    n_classes : int

    Returns
    -------
    tuple of float
        With mean 1 over the images; 0 for a class without images.
    """
    counts = np.bincount(y, minlength=n_classes)
    share = len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return tuple(float(w) for w in np.where(counts > 0, share, 0).round(6))


def _prepare(model, settings, steps):
    """Compile: optimiser, loss, accuracy."""
    keras = load_keras()
    if settings.deterministic:
        deterministic()
    rate, total = settings.learning_rate, settings.epochs * steps
    if settings.schedule == "cosine":
        from .schedule import WarmCosine

        warm = max(1, total // 10)
        rate = WarmCosine(0.0, max(1, total - warm), warmup_target=settings.learning_rate, warmup_steps=warm)
    decay = settings.weight_decay
    if settings.optimizer == "muon":
        from .muon import ConvolutionMuon

        optimizer = ConvolutionMuon(rate, weight_decay=decay, adam_weight_decay=decay)
    else:
        kind = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[settings.optimizer]
        optimizer = kind(rate, weight_decay=decay or None)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)
    # All variables are made here: if TensorFlow met new ones while it traces a step, it would trace the step twice.
    model.compile(optimizer, loss, metrics=[keras.metrics.CategoricalAccuracy("accuracy")])
    model.optimizer.build(model.trainable_variables)  # in float16, Keras' own around ours, which scales the loss


def _one_epoch(model, batches, progress, settings):
    """Keras' own loop for one epoch; loss and accuracy over the training batches."""
    try:
        logs = model.fit(batches.feed, epochs=1, verbose=0, shuffle=False, callbacks=[progress]).history
    except Exception as err:  # each backend has its own class for a memory that is too small
        if not _is_memory(err):
            raise
        raise BloodcellError(_advice(model, batches, settings.batch_size)) from err
    return {name: float(logs[name][0]) for name in ("loss", "accuracy")}


def _is_memory(err):
    known = r"resource.?exhausted|out ?of ?memory|\boom\b|can.?t allocate memory|alloc_failed"
    return bool(re.search(known, f"{type(err).__name__} {err}", re.IGNORECASE))


def _advice(model, batches, batch_size):
    """The largest half, quarter, ... of the batch that one step of training survives."""
    first, fits = batches[0], batch_size // 2
    while fits:
        try:
            if load_keras().backend.backend() == "jax":  # the step that failed took the variables' values with it
                for variable in (*model.variables, *model.optimizer.variables, *model.metrics_variables):
                    variable.assign(np.zeros(variable.shape, variable.dtype))
            model.train_on_batch(*(values[:fits] for values in first))
            return f"The memory does not hold a batch of {batch_size} images; {fits} fit: set batch_size={fits}."
        except Exception as err:
            if not _is_memory(err):
                raise
        fits //= 2
    return f"The memory holds neither a batch of {batch_size} images nor a single one; use smaller images."


def _evaluate(model, X, y, batch_size):
    """Cross-entropy and accuracy."""
    p = predict(model, X, batch_size)
    chosen = np.clip(p[np.arange(len(y)), y], 1e-7, 1)
    return {"val_loss": float(-np.log(chosen).mean()), "val_accuracy": float((p.argmax(axis=1) == y).mean())}


def _advance_random_layers(model, seed, epoch):
    """Random layers (augmentation, dropout) draw from their seed and the epoch: an epoch repeats after a resume."""
    for i, layer in enumerate(model.layers):
        if (generator := getattr(layer, "seed_generator", getattr(layer, "generator", None))) is not None:
            state = np.array([(seed + i) % 2**31, epoch * 2**20], "uint32")
            generator.state.assign(state.astype(generator.state.dtype))


def _batches(keras):
    """The class of the training batches; made here because Keras loads late."""

    class Batches(keras.utils.PyDataset):
        """Shuffled by seed and epoch; the last batch of an epoch may be smaller."""

        def __init__(self, X, y, n_classes, settings):
            super().__init__()
            self.versions = X if isinstance(X, (list, tuple)) else [X]
            lengths = {len(y), *map(len, self.versions)}
            if len(lengths) > 1 or not len(y):
                raise BloodcellError(f"Inputs and labels must have one length, not {sorted(lengths)}.")
            self.y, self.settings = np.asarray(y), settings
            self.targets = np.eye(n_classes, dtype=np.float32)
            self.weights = None if settings.class_weight is None else np.asarray(settings.class_weight, np.float32)
            self.start(0)

        def start(self, epoch):
            rng = np.random.default_rng([self.settings.seed, epoch])
            self.epoch, self.order = epoch, rng.permutation(len(self.y))

        @cached_property
        def feed(self):
            """What Keras' loop is given: on TensorFlow a data set whose tuner is off.

            Keras would make one with it on, and may then wait at the end of an epoch for as long as the epoch took,
            because the tuner sleeps twice as long each time.
            """
            if keras.backend.backend() != "tensorflow":
                return self
            from tensorflow import TensorSpec, data

            kinds = tuple(TensorSpec((None, *values.shape[1:]), values.dtype) for values in self[0])
            read = data.Dataset.from_generator(lambda: map(self.__getitem__, range(len(self))), output_signature=kinds)
            options = data.Options()
            options.autotune.enabled = False
            known = data.experimental.assert_cardinality(len(self))
            return read.apply(known).prefetch(2).with_options(options)

        def __len__(self):
            return -(-len(self.y) // self.settings.batch_size)

        def __getitem__(self, i):
            rows = self.order[i * self.settings.batch_size : (i + 1) * self.settings.batch_size]
            which = (rows + self.epoch) % len(self.versions)
            x, y = take(self.versions, which, rows), self.y[rows]
            return (x, self.targets[y]) if self.weights is None else (x, self.targets[y], self.weights[y])

    return Batches
