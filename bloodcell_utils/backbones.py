"""VGG-16 and Inception-v3: input size, preprocessing, blocks, and the layer that gives the paper's features.

Keras alone is used here, so the same code runs on its TensorFlow, JAX and PyTorch backends.
"""

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from .config import SEED, weights_dir
from .errors import BloodcellError


@dataclass(frozen=True)
class Backbone:
    """A published network.

    Attributes
    ----------
    name, title : str
    constructor : str
        In `keras.applications`.
    input_size : int
        Side in pixels that it was published with.
    min_size : int
        Smallest side that it accepts without its head.
    feature_layer : str
        Gives the paper's features when the classifier's weights are at hand.
    n_features : int
        4,096 for VGG-16 (its second dense layer), 2,048 for Inception-v3 (its global average).
    last_layer : str
        The last convolution block's output, flattened when only convolution weights are at hand.
    blocks : tuple of str
        The output of each block, first to last.
    scaling : str
        ``"caffe"`` (BGR, ImageNet mean subtracted) or ``"tf"`` (to [-1, 1]).
    top_file, notop_file : str
        Names that Keras gives its weight files.
    """

    name: str
    title: str
    constructor: str
    input_size: int
    min_size: int
    feature_layer: str
    n_features: int
    last_layer: str
    blocks: tuple[str, ...]
    scaling: str
    top_file: str
    notop_file: str


BACKBONES = {
    b.name: b
    for b in (
        Backbone(
            "vgg16", "VGG-16", "VGG16", 224, 32, "fc2", 4096, "block5_pool",
            ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"), "caffe",
            "vgg16_weights_tf_dim_ordering_tf_kernels.h5", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        ),
        Backbone(
            "inception_v3", "Inception-v3", "InceptionV3", 299, 75, "avg_pool", 2048, "mixed10",
            tuple(f"mixed{i}" for i in range(11)), "tf",
            "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
            "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        ),
    )
}  # fmt: skip


def backbone(name):
    """A network by name.

    Parameters
    ----------
    name : str
        One of `BACKBONES`.

    Returns
    -------
    Backbone

    Raises
    ------
    BloodcellError
        For an unknown name.
    """
    if name not in BACKBONES:
        raise BloodcellError(f"There is no backbone {name!r}; choose one of {', '.join(BACKBONES)}.")
    return BACKBONES[name]


def build(name, size=None, weights="imagenet", top=False, seed=SEED):
    """The network, frozen.

    Parameters
    ----------
    name : str
        One of `BACKBONES`.
    size : int, optional
        Side of the input in pixels; default: the published one.
    weights : {"imagenet", "random"} or path-like
        ImageNet weights come from `config.weights_dir`, else Keras downloads them; random ones are drawn from `seed`.
    top : bool
        With the 1,000-class head (published size only).
    seed : int

    Returns
    -------
    keras.Model

    Raises
    ------
    BloodcellError
        If the size does not fit or the weights are neither here nor downloadable; the message has the manual steps.
    """
    spec, keras = backbone(name), load_keras()
    size = size or spec.input_size
    if size < spec.min_size or (top and size != spec.input_size):
        need = f"{spec.min_size} px or more ({spec.input_size} with its head)"
        raise BloodcellError(f"{spec.title} needs images of {need}; {size} px was asked.")
    if weights == "random":
        keras.utils.set_random_seed(seed)
    constructor = getattr(keras.applications, spec.constructor)
    shape = (size, size, 3)
    try:
        model = constructor(include_top=top, weights=_weights_argument(spec, weights, top), input_shape=shape)
    except Exception as err:  # Keras raises bare Exception for a failed download, OSError or ValueError for a bad file
        file = spec.top_file if top else spec.notop_file
        raise BloodcellError(
            f"The weights of {spec.title} could not be loaded: {err}\nPut {file} (from the Keras applications release "
            f"on GitHub) into {weights_dir()}, or set BLOODCELL_WEIGHTS_DIR to the folder that has it. "
            "The profile 'sample' needs no weights."
        ) from err
    model.trainable = False
    return model


def has_weights(name, top=False):
    """Whether ImageNet weights are at hand without a download.

    Parameters
    ----------
    name : str
    top : bool

    Returns
    -------
    bool
    """
    return _find_weights(backbone(name), top) is not None


def preprocess(name, images):
    """Scale images as the network's authors did.

    Parameters
    ----------
    name : str
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
        RGB, 0-255.

    Returns
    -------
    numpy.ndarray of float32, same shape
    """
    images = np.asarray(images, np.float32)
    if backbone(name).scaling == "tf":
        return images / 127.5 - 1
    return images[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)


@cache
def load_keras():
    """Import Keras, without TensorFlow's greetings; takes some seconds the first time.

    Returns
    -------
    module
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_off():
        import keras

        keras.ops.zeros(1)  # the devices are looked for, and reported, at the first operation
    return keras


def fastest_precision():
    """``"mixed_bfloat16"`` where the processor computes in bfloat16, else ``"float32"``.

    Returns
    -------
    str
        A Keras dtype policy. An accelerator is given ``mixed_bfloat16`` too.
    """
    flags = Path("/proc/cpuinfo")
    native = flags.exists() and any(flag in flags.read_text() for flag in ("avx512_bf16", "amx_bf16"))
    return "mixed_bfloat16" if native or _has_accelerator() else "float32"


def _find_weights(spec, top):
    file = spec.top_file if top else spec.notop_file
    for folder in (weights_dir(), Path.home() / ".keras" / "models"):
        if (folder / file).is_file():
            return folder / file
    return None


def _weights_argument(spec, weights, top):
    if weights == "random":
        return None
    if weights == "imagenet":
        return _find_weights(spec, top) or "imagenet"
    if not Path(weights).is_file():
        raise BloodcellError(f"There is no weight file {weights}.")
    return weights


def _has_accelerator():
    try:
        return bool(load_keras().distribution.list_devices("gpu"))
    except (RuntimeError, ValueError, NotImplementedError):
        return False


@contextmanager
def _native_stderr_off():
    """Drop what compiled code writes to file descriptor 2; Python's own errors are raised as ever."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
