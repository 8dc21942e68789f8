"""The weights of CompactNet that came with this package, and its answers without loading Keras.

There are two: one that stayed at home (`FOLDER`), and one that was trained on what cells may look like elsewhere
(`TRAVELLED`).

Starting TensorFlow takes longer than reading a thousand cells. So a forward pass of the network is written out here, in
NumPy: convolutions as one matrix product each, batch normalisation folded into them. A test holds it equal to Keras'.
"""

import io
import json
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from ..cells import FOLDERS
from ..config import cache_dir
from ..datasets.archives import DAMAGED
from ..errors import BloodcellError
from ..files import replace_file, replace_files
from .compactnet import CompactNet, without_top
from .compactnet_input import BACKGROUND, IMAGE, MEAN, PATCH, SCALE, VIEW

FOLDER = Path(__file__).parent / "weights"
TRAVELLED = FOLDER / "travelled"  # a second network, trained on looks of other laboratories, with a ninth score
BATCH = 64  # images at a time: what they become on the way takes memory
EPSILON = 1e-3  # of Keras' batch normalisation


def save(model, about, folder=None, **arrays):
    """Write the weights of a trained CompactNet in half precision, and a card that says what they are.

    Parameters
    ----------
    model : keras.Model
        From `CompactNet`.
    about : dict
        The card, of what json can hold; what `prediction` needs is made by `experiments.travelled.fit`.
    folder : path-like, optional
        Gets ``compactnet.npz`` and ``compactnet.json``; default: the package's.
    **arrays
        Kept with the weights.
    """
    folder = Path(folder or FOLDER)
    for kept in (metadata, weights, _folded):  # of an earlier file
        kept.cache_clear()
    packed = io.BytesIO()
    named = {name: np.asarray(values) for name, values in {**_variables(model), **arrays}.items()}
    for name in ("kernel", "bias"):  # the ninth score, if there is one, has a name of its own
        named[f"logits/{name}"], ninth = np.split(named[f"logits/{name}"], [len(FOLDERS)], axis=-1)
        named |= {f"none/{name}": ninth} if ninth.size else {}
    np.savez_compressed(packed, **{name: np.asarray(values, np.float16) for name, values in named.items()})
    card = (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()
    replace_files({folder / "compactnet.npz": packed.getvalue(), folder / "compactnet.json": card})


@cache
def metadata(folder=FOLDER):
    """What is to be known about the shipped weights: data, command, accuracy, calibration.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    dict
    """
    with _reading(folder, "compactnet.json") as path:
        return json.loads(path.read_text("utf-8"))


@cache
def weights(folder=FOLDER):
    """The shipped weights by name (``"block1a_conv/kernel"``), in float32.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    dict of str to numpy.ndarray
    """
    with _reading(folder, "compactnet.npz") as path, np.load(path, allow_pickle=False) as file:
        return {name: values.astype(np.float32) for name, values in file.items()}


def network():
    """CompactNet with the shipped weights, as a Keras model: to explain its answers, or to train it on.

    A process that opens a file of it (``keras.saving.load_model``) imports `models.layers` first; what `write_base` and
    the chapters write, any Keras opens.
    """
    return assign(CompactNet())


def assign(model):
    """Give a model the shipped weights of all its layers, by name; it is changed and given back.

    Parameters
    ----------
    model : keras.Model
        From `CompactNet`, or a part of it.

    Returns
    -------
    keras.Model
    """
    for name, variable in _variables(model).items():
        variable.assign(weights()[name])
    return model


def write_base(path=None):
    """Write CompactNet without its last layers as a file that any Keras opens (``keras.saving.load_model``).

    Parameters
    ----------
    path : path-like, optional
        Ends in ``.keras``; default: a file in the cache.

    Returns
    -------
    pathlib.Path
    """
    path = Path(path or cache_dir() / "base.keras")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "base.keras")
        assign(without_top()).save(whole)
        replace_file(path, whole.read_bytes())
    return path


def logits(images, folder=FOLDER, adapted=None):
    """The network's scores, before softmax, and the features that they are computed from.

    Parameters
    ----------
    images : array-like of uint8, shape (n, 128, 128, 3)
        Read a batch at a time.
    folder : path-like
    adapted : dict of str to numpy.ndarray, optional
        Weights that replace the shipped ones (`evaluation.adaptation`).

    Returns
    -------
    scores : numpy.ndarray of float32, shape (n, 8)
    features : numpy.ndarray of float32, shape (n, 256)
    """
    if len(images) > BATCH:
        parts = [logits(images[i : i + BATCH], folder, adapted) for i in range(0, len(images), BATCH)]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))
    w = _folded(folder) if adapted is None else _fold({**weights(folder), **adapted})
    features = forward(images[:], w, lambda x, name, stride: _convolve(x, *w[name], stride))
    return features @ w["logits"][0] + w["logits"][1], features


def feature_maps(images, folder=FOLDER):
    """What each convolution answers to images, without loading Keras.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    folder : path-like

    Returns
    -------
    dict of str to numpy.ndarray of float32, shape (n, height, width, maps)
        ``"stem1"``, ``"stem2"``, ``"block1a"``, ..., in order.
    """
    w, found = _folded(folder), {}

    def convolve(x, name, stride):
        found[name] = _convolve(x, *w[name], stride)
        return found[name].copy()

    forward(images, w, convolve)
    return found


def none_score(features, folder=TRAVELLED):
    """The ninth score of the network that travelled, on the scale of the others: none of the eight.

    Parameters
    ----------
    features : numpy.ndarray of float32, shape (n, 256)
        From `logits`.
    folder : path-like

    Returns
    -------
    numpy.ndarray of float32, shape (n,)
    """
    w = weights(folder)
    return features @ w["none/kernel"][:, 0] + w["none/bias"][0]


def forward(images, w, convolve):
    """From images to features, with the convolutions and their normalisation as they are given.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    w : dict of str to numpy.ndarray
        The kernels of the shortcuts, ``"block1_shortcut"``, ...
    convolve : callable
        ``convolve(maps, name, stride)`` gives the normalised maps of a layer.

    Returns
    -------
    numpy.ndarray of float32, shape (n, 256)
    """
    edge = (IMAGE - VIEW) // 2
    x = _white_balanced(np.asarray(images[:, edge : edge + VIEW, edge : edge + VIEW], np.float32))
    for name in ("stem1", "stem2"):
        x = _relu(convolve(x, name, 2))
    for name in ("block1", "block2", "block3"):
        n, height, width, channels = x.shape
        short = x.reshape(n, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4)) @ w[f"{name}_shortcut"]
        x = _relu(convolve(_relu(convolve(x, f"{name}a", 2)), f"{name}b", 1) + short)
    return x.mean(axis=(1, 2))


def statistics(images, folder=TRAVELLED):
    """Mean and variance of the maps of each convolution over images: what batch normalisation would learn from them.

    Each layer sees the maps of the layers before it as they are normalised by these images. After Y. Li et al.,
    "Revisiting batch normalization for practical domain adaptation", ICLR workshop 2017.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
        All at a time: some hundreds.
    folder : path-like

    Returns
    -------
    dict of str to numpy.ndarray
        ``"stem1_bn/moving_mean"``, ``"stem1_bn/moving_variance"``, ...
    """
    w, found = weights(folder), {}

    def convolve(x, name, stride):
        kernel = w[f"{name}_conv/kernel"]
        x = _convolve(x, kernel.reshape(-1, kernel.shape[-1]), 0, stride)
        mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
        found.update({f"{name}_bn/moving_mean": mean, f"{name}_bn/moving_variance": variance})
        return (x - mean) * (w[f"{name}_bn/gamma"] / np.sqrt(variance + EPSILON)) + w[f"{name}_bn/beta"]

    forward(images, _folded(folder), convolve)
    return found


@cache
def _folded(folder):
    return _fold(weights(folder))


def _fold(w):
    """Kernels (9 x channels, maps) and biases, batch normalisation inside."""
    folded = {}
    for name in (name.removesuffix("_conv/kernel") for name in w if name.endswith("_conv/kernel")):
        gain = w[f"{name}_bn/gamma"] / np.sqrt(w[f"{name}_bn/moving_variance"] + EPSILON)
        kernel = w[f"{name}_conv/kernel"] * gain
        folded[name] = kernel.reshape(-1, kernel.shape[-1]), w[f"{name}_bn/beta"] - w[f"{name}_bn/moving_mean"] * gain
    for name in (name for name in w if name.endswith("_shortcut/kernel")):
        folded[name.removesuffix("/kernel")] = w[name][0, 0]
    folded["logits"] = w["logits/kernel"], w["logits/bias"]
    return folded


def brightest(x):
    """The level of the brightest patch of each image, the empty glass.

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (n, height, width, 3)
        Sides are multiples of the patch's.

    Returns
    -------
    numpy.ndarray of float32, shape (n, 1, 1, 3)
        At least 1.
    """
    n, height, width, channels = x.shape
    patches = x.reshape(n, height // PATCH, PATCH, width // PATCH, PATCH, channels).mean(axis=(2, 4))
    return np.maximum(patches.max(axis=(1, 2), keepdims=True), 1)


def _white_balanced(x):
    """As `layers.WhiteBalance`."""
    return x * (BACKGROUND / SCALE / brightest(x)) - MEAN / SCALE


def _convolve(x, kernel, bias, stride):
    """A 3 x 3 convolution with zeros around, as Keras pads: one row a place, one matrix product."""
    before = 1 if stride == 1 else 0
    x = np.pad(x, ((0, 0), (before, 1), (before, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::stride, ::stride]
    n, height, width = windows.shape[:3]
    rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * height * width, kernel.shape[0])
    return (rows @ kernel + bias).reshape(n, height, width, kernel.shape[1])


def _relu(x):
    return np.maximum(x, 0, out=x)


def _variables(model):
    return {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.weights}


@contextmanager
def _reading(folder, name):
    path = Path(folder) / name
    try:
        yield path
    except DAMAGED as err:
        raise BloodcellError(f"{path} is missing or damaged ({err}). Install the package again.") from err
