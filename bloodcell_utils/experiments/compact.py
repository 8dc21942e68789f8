"""CompactNet, trained from nothing on the training images: how good after three epochs, after six, and on a worse day.

A worse day is the test set again with another lamp, tint, focus, magnification or compression, as cells meet them in
the next laboratory. The changes are computed from the test images, so all answers belong to the one look at them.
"""

import io
import time

import numpy as np

from .. import datasets, metrics, paper, records, runtime, training
from ..compact import IMAGE, CompactNet
from ..config import SEED
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..provenance import peak_rss_mb
from ..store import key
from .finetune import Picked

VERSION = 1  # rises when the same settings give another network
SYMMETRIES = 8


def settings(epochs, seed=SEED, **changes):
    """How CompactNet is trained.

    Parameters
    ----------
    epochs : int
    seed : int
    **changes
        Fields of `training.Settings` to replace.

    Returns
    -------
    training.Settings
    """
    chosen = {"batch_size": 64, "optimizer": "muon", "learning_rate": 5e-3, "schedule": "cosine",
              "label_smoothing": 0.1, "weight_decay": 0.05}  # fmt: skip
    return training.Settings(epochs=epochs, seed=seed, **{**chosen, **changes})


def trained(images, y, train, validation, chosen, progressbar=True, **network):
    """Train CompactNet, or take it from the cache where it was trained before.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    y : numpy.ndarray of int, shape (n,)
    train, validation : numpy.ndarray of int
        Rows.
    chosen : training.Settings
    progressbar : bool
    **network
        Arguments of `compact.CompactNet`.

    Returns
    -------
    model : keras.Model
        With the weights of its best epoch.
    history : training.History
    """
    with runtime.precision():
        model = CompactNet(image=images.shape[1], seed=chosen.seed, **network)
    name = f"compact-{key(VERSION, network, chosen, train, validation, y[train], images[:: len(images) // 64 or 1])}"
    data = Picked(images, train), y[train], Picked(images, validation), y[validation]
    return model, training.fit(model, *data, chosen, name, progressbar)


def lengths(profile):
    """Epochs of the trainings that are compared.

    Parameters
    ----------
    profile : config.Profile

    Returns
    -------
    dict of str to int
    """
    return {"short": profile.compact.short, "long": profile.compact.long}


def symmetric(model, images):
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
    return np.mean([training.predict(model, np.ascontiguousarray(view)) for view in views], axis=0)


def worse_days():
    """Changes that an image may suffer in the next laboratory.

    Returns
    -------
    dict of str to callable
        Each from images (n, side, side, 3), levels 0-255, to such images.
    """
    return {
        "5 % darker": lambda x: _levels(x * 0.95),
        "5 % brighter": lambda x: _levels(x * 1.05),
        "15 % darker": lambda x: _levels(x * 0.85),
        "15 % brighter": lambda x: _levels(x * 1.15),
        "red +15, blue -15": lambda x: _levels(x + np.array([15, 0, -15], np.float32)),
        "stain 20 % paler": lambda x: _levels(255 - (255 - x) * 0.8),
        "stain 20 % stronger": lambda x: _levels(255 - (255 - x) * 1.2),
        "out of focus": lambda x: _each(x, _blurred),
        "JPEG at quality 20": lambda x: _each(x, _compressed),
        "10 % smaller": lambda x: _each(x, lambda image: _scaled(image, 0.9)),
        "10 % larger": lambda x: _each(x, lambda image: _scaled(image, 1.1)),
    }


def run(profile, seed=SEED, progressbar=True):
    """Measure short and longer trainings, each with three seeds, and the worse days.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact`` says for how long.
    seed : int
        The first of the seeds.
    progressbar : bool
        Progress bars and a line a network.

    Returns
    -------
    records.Record
        Not written yet; see `records.Record.write`.
    """
    say = print if progressbar else lambda *_: None
    table = splits.clean(datasets.index(profile), seed=SEED)
    y, subset = labels(table), table["subset"].to_numpy()
    rows = {name: np.flatnonzero(subset == name) for name in splits.SUBSETS}
    started = time.perf_counter()
    images = load_images(table, IMAGE, progressbar=progressbar, reduced=True)
    loaded = time.perf_counter() - started
    test, truth = np.asarray(images[rows["test"]]), y[rows["test"]]
    runtime.load_keras()
    models, predictions = {}, {}
    for title, epochs in lengths(profile).items():
        for i in range(profile.compact.seeds):
            chosen, name = settings(epochs, seed + i), f"{title}, seed {seed + i}"
            model, history = trained(images, y, rows["train"], rows["validation"], chosen, progressbar)
            predictions[name] = training.predict(model, test).argmax(axis=1)
            models[name] = records.measure(
                metrics.confusion_matrix(truth, predictions[name], len(paper.TABLE_1)),
                history.seconds + loaded,
                peak_rss_mb(),
                paper.ACCURACY[("fine_tuned", "vgg16")].value,
                training=title,
                loaded_s=round(loaded, 1),
                trained_s=round(history.seconds, 1),
                parameters=model.count_params(),
                symmetries_right=int((symmetric(model, test).argmax(axis=1) == truth).sum()),
                worse_days=right_on(model, test, truth) if epochs == profile.compact.long else None,
                **history.details(),
            )
            say(f"{name}: {100 * models[name]['accuracy']:.2f} % after {history.seconds:.0f} s of training.")
    return records.create("compact", profile, table, y, models, predictions, seed, [describe(profile)])


def right_on(model, images, y):
    """Right answers on each of the worse days.

    Parameters
    ----------
    model : keras.Model
    images : numpy.ndarray of uint8, shape (n, side, side, 3)
    y : numpy.ndarray of int, shape (n,)

    Returns
    -------
    dict of str to int
    """
    return {
        name: int((training.predict(model, change(images)).argmax(axis=1) == y).sum())
        for name, change in worse_days().items()
    }


def describe(profile):
    """What was trained, in a sentence for the record.

    Parameters
    ----------
    profile : config.Profile

    Returns
    -------
    str
    """
    epochs = ", ".join(f"{name}: {n} epochs" for name, n in lengths(profile).items())
    return f"CompactNet from random weights, {IMAGE} px, {settings(1).optimizer}; {epochs}."


def _levels(x):
    return np.clip(np.asarray(x, np.float32), 0, 255).round().astype(np.uint8)


def _each(images, change):
    return np.stack([change(image) for image in images])


def _blurred(image):
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, (1, 1, 0))


def _compressed(image):
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=20)
    return np.asarray(Image.open(stream))


def _scaled(image, factor):
    """The cell larger or smaller, the picture as large as before; what is missing at the edges is mirrored."""
    from PIL import Image

    side = len(image)
    inner = round(side / factor)
    if factor > 1:
        edge = (side - inner) // 2
        image = image[edge : edge + inner, edge : edge + inner]
    else:
        edge = (inner - side + 1) // 2
        image = np.pad(image, ((edge, edge), (edge, edge), (0, 0)), mode="reflect")
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR))
