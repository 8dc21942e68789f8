"""Numbers from images: a colour histogram, and what a frozen network sees.

Two views of a network are kept from one pass. ``last`` is the paper's: the layer before the classifier, or the last
convolution block flattened where only the convolution weights are at hand. ``blocks`` describes every block by the
mean, the standard deviation and the centre-weighted mean of each of its maps: early blocks know colour and texture,
late ones shape, and blood needs both.
"""

from functools import cache

import numpy as np

from . import backbones, engines, runtime
from .config import SEED
from .datasets.loading import load_images
from .store import key, stored_array


def color_histogram(images, bins=8):
    """Share of the pixels in each cell of a grid over RGB: no network, no shape, no position.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, height, width, 3)
    bins : int
        A channel, 2-256.

    Returns
    -------
    numpy.ndarray of float32, shape (n, bins ** 3)
        Each row sums to 1.
    """
    result = np.empty((len(images), bins**3), np.float32)
    for i, image in enumerate(images):
        red, green, blue = (np.asarray(image, np.int32) * bins // 256).reshape(-1, 3).T
        result[i] = np.bincount((red * bins + green) * bins + blue, minlength=bins**3)
    return result / np.float32(np.prod(images.shape[1:3]))


def closeups(table, profile, backbone="vgg16", progressbar=True):
    """The images of an index as a profile shows them to a network.

    Parameters
    ----------
    table : pandas.DataFrame
    profile : config.Profile
        Its ``feature_size`` (None: the network's own) and ``crop``.
    backbone : str
    progressbar : bool

    Returns
    -------
    numpy.ndarray of uint8, shape (n, size, size, 3)
    """
    size = profile.feature_size or backbones.backbone(backbone).input_size
    return load_images(table, size, profile.crop, progressbar=progressbar)


def extract(
    images,
    backbone="vgg16",
    weights="imagenet",
    precision=None,
    batch_size=64,
    progressbar=True,
    seed=SEED,
    engine="keras",
):
    """Features of a frozen network, cached; an interrupted run continues where it stopped.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
        RGB; their size is the network's input size.
    backbone : str
        One of `backbones.BACKBONES`.
    weights : {"imagenet", "random"}
    precision : str, optional
        Keras dtype policy; default: `backbones.fastest_precision`. Statistics are always computed in float32.
    batch_size : int
    progressbar : bool
    seed : int
        For random weights.
    engine : str
        One of `engines.ENGINES`; others than Keras compute from float32 weights. The progress bar says what computes.

    Returns
    -------
    dict of str to numpy.ndarray of float32
        ``last`` (n, d1) and ``blocks`` (n, d2); read-only memory maps.
    """
    usable = engines.available(engine)
    precision = precision or ("float32" if engine != "keras" and usable else backbones.fastest_precision())
    size = images.shape[1]
    # The layers of the 1,000-class head are used only where its weights are at hand: half a gigabyte to download.
    published = weights == "imagenet" and size == backbones.backbone(backbone).input_size
    top = published and backbones.has_weights(backbone, top=True)
    model, widths = _network(backbone, size, weights, top, precision, seed)
    others = [engine] if engine != "keras" and usable else []
    name = f"features-{backbone}-{size}-{key('v2', precision, seed, *others, *model.get_weights(), images)}"

    @cache
    def ready():
        spread = np.linspace(0, len(images) - 1, min(len(images), engines.EXAMPLES)).astype(int)
        return engines.engine(model, engine, backbones.preprocess(backbone, images[spread]))

    def compute(start, stop):
        batches = range(start, stop, batch_size)
        parts = (backbones.preprocess(backbone, images[i : min(i + batch_size, stop)]) for i in batches)
        return np.concatenate([ready().predict(part) for part in parts])

    shape = (len(images), sum(widths))
    description = f"{backbone} ({', '.join([*others, precision])})"
    array = stored_array(name, shape, np.float32, compute, 4 * batch_size, description, progressbar)
    return {"last": array[:, : widths[0]], "blocks": array[:, widths[0] :]}


def _network(backbone, size, weights, top, precision, seed):
    """A model from images to (last | blocks), concatenated, and the two widths."""
    keras = backbones.load_keras()
    spec = backbones.backbone(backbone)
    with runtime.precision(precision):
        base = backbones.build(backbone, size, weights, top, seed)
        last = base.get_layer(spec.feature_layer if top else spec.last_layer).output
        to_float = keras.layers.Activation("linear", dtype="float32")
        last = keras.layers.Flatten(dtype="float32")(to_float(last))
        outputs = [last]
        for layer in spec.blocks:
            outputs.append(_statistics(keras, to_float(base.get_layer(layer).output)))
        merged = keras.layers.Concatenate(dtype="float32")(outputs)
        return keras.Model(base.input, merged), (last.shape[1], merged.shape[1] - last.shape[1])


def _statistics(keras, maps):
    """Mean, standard deviation and centre-weighted mean of each map; maps are (batch, side, side, channels)."""
    ops = keras.ops
    mean = ops.mean(maps, axis=(1, 2))
    deviation = ops.std(maps, axis=(1, 2))
    height, width = maps.shape[1:3]
    across, down = (np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in (width, height))
    window = np.exp(-(down[:, None] ** 2 + across[None, :] ** 2) / (2 * 0.45**2))
    centre = ops.sum(maps * (window / window.sum()).astype("float32")[None, :, :, None], axis=(1, 2))
    return ops.concatenate([mean, deviation, centre], axis=-1)
