"""CompactNet, trained from nothing on the training images: how good after how many epochs, and on a worse day.

A corruption, which readers know as a worse day, is the test set again with another lamp, tint, focus, magnification or
compression, as cells meet them in the next laboratory. The changes are computed from the test images, so all answers
belong to the one look at them.
"""

import io
import time

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from .. import paper
from ..cells import FOLDERS
from ..config import SEED
from ..datasets.cache import key
from ..datasets.splits import load_split
from ..models import runtime
from ..models.compactnet import CompactNet
from ..models.compactnet_input import IMAGE
from ..training import fitting
from . import records
from .finetune import Subset

VERSION = 1  # rises when the same settings give another network
SYMMETRIES = 8


def settings(epochs, seed=SEED, **changes):
    """How CompactNet is trained.

    Parameters
    ----------
    epochs : int
    seed : int
    **changes
        Fields of `fitting.Settings` to replace.

    Returns
    -------
    fitting.Settings
    """
    chosen = {"batch_size": 64, "optimizer": "muon", "learning_rate": 5e-3, "schedule": "cosine",
              "label_smoothing": 0.1, "weight_decay": 0.05}  # fmt: skip
    return fitting.Settings(epochs=epochs, seed=seed, **{**chosen, **changes})


def train_compactnet(images, y, train, *, validation, settings, strangers=None, progressbar=True, **network):
    """Train CompactNet, or take it from the cache where it was trained before.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    y : numpy.ndarray of int, shape (n,)
    train, validation : numpy.ndarray of int
        Rows.
    settings : fitting.Settings
    strangers : numpy.ndarray of uint8, shape (m, 128, 128, 3), optional
        Pictures that are none of the classes (`datasets.strangers`): one more class, the last, for training alone.
    progressbar : bool
    **network
        Arguments of `compactnet.CompactNet`.

    Returns
    -------
    model : keras.Model
        With the weights of its best epoch.
    history : fitting.History
    """
    parts, seen = [Subset(images, train)], y[train]
    content = [VERSION, network, settings, train, validation, seen, images[:: len(images) // 64 or 1]]
    if strangers is not None:
        network = {"n_classes": len(FOLDERS) + 1, **network}
        parts, seen = [*parts, strangers], np.append(seen, np.full(len(strangers), len(FOLDERS)))
        content.append(strangers)
    with runtime.precision():
        model = CompactNet(image=images.shape[1], seed=settings.seed, **network)
    how = {"settings": settings, "name": f"compact-{key(*content)}", "progressbar": progressbar}
    held = Subset(images, validation), y[validation]
    return model, fitting.fit(model, Joined(*parts), seen, validation_data=held, **how)


class Joined:
    """Arrays one after the other, without a copy of them.

    Parameters
    ----------
    *arrays : array-like
    """

    def __init__(self, *arrays):
        self.arrays, self.ends = arrays, np.cumsum([len(array) for array in arrays])

    def __len__(self):
        return int(self.ends[-1])

    def __getitem__(self, rows):
        which = np.searchsorted(self.ends, rows, side="right")
        return fitting.take(self.arrays, which, rows - np.concatenate([[0], self.ends])[which])


def corruptions():
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
        "out of focus": lambda x: gaussian_filter(x, (0, 1, 1, 0)),
        "JPEG at quality 20": lambda x: _each(x, _compressed),
        "10 % smaller": lambda x: _each(x, lambda image: _scaled(image, 0.9)),
        "10 % larger": lambda x: _each(x, lambda image: _scaled(image, 1.1)),
    }


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure three lengths of training, each with some seeds, and the `corruptions`.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact`` says for how long.
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
    """
    started = time.perf_counter()
    split = load_split(profile, IMAGE, seed=split_seed, reduced=True, progressbar=progressbar)
    loaded = time.perf_counter() - started
    images, y, train, validation = split.images, split.y, split.rows("train"), split.rows("validation")
    found = records.Collector("compact", profile, split, seed=seed, progressbar=progressbar)
    test = np.asarray(images[found.rows])
    lengths = {title: getattr(profile.compact, title) for title in ("short", "long", "longest")}
    for title, epochs in lengths.items():
        for own_seed in range(seed, seed + profile.compact.seeds):
            how = {"settings": settings(epochs, own_seed), "progressbar": progressbar}
            model, history = train_compactnet(images, y, train, validation=validation, **how)
            details = {
                "training": title,
                "loaded_s": round(loaded, 1),
                "trained_s": round(history.seconds, 1),
                "parameters": model.count_params(),
                "symmetries_right": int(
                    (fitting.predict_with_symmetries(model, test).argmax(axis=1) == found.truth).sum()
                ),
                "corruptions": correct_after_corruption(model, test, found.truth) if title == "long" else None,
            }
            found.add(
                f"{title}, seed {own_seed}",
                fitting.predict(model, test).argmax(axis=1),
                history.seconds + loaded,
                printed=paper.ACCURACY["fine_tuned", "vgg16"].value,
                **details,
                **history.details(),
            )
    said = ", ".join(f"{title}: {epochs} epochs" for title, epochs in lengths.items())
    return found.record(f"CompactNet from random weights, {IMAGE} px, {settings(1).optimizer}; {said}.")


def correct_after_corruption(model, images, y):
    """Right answers after each of the `corruptions`.

    Parameters
    ----------
    model : keras.Model
    images : numpy.ndarray of uint8, shape (n, side, side, 3)
    y : numpy.ndarray of int, shape (n,)

    Returns
    -------
    dict of str to int
    """
    days = {name: fitting.predict(model, change(images)) for name, change in corruptions().items()}
    return {name: int((p[:, : len(FOLDERS)].argmax(axis=1) == y).sum()) for name, p in days.items()}


def _levels(x):
    return np.clip(np.asarray(x, np.float32), 0, 255).round().astype(np.uint8)


def _each(images, change):
    return np.stack([change(image) for image in images])


def _compressed(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=20)
    return np.asarray(Image.open(stream))


def _scaled(image, factor):
    """The cell larger or smaller, the picture as large as before; what is missing at the edges is mirrored."""
    side = len(image)
    inner = round(side / factor)
    if factor > 1:
        edge = (side - inner) // 2
        image = image[edge : edge + inner, edge : edge + inner]
    else:
        edge = (inner - side + 1) // 2
        image = np.pad(image, ((edge, edge), (edge, edge), (0, 0)), mode="reflect")
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR))
