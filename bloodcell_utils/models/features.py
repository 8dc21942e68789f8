"""Numbers from images: a colour histogram, and what a frozen network sees.

Two views of a network are kept from one pass. ``last`` is the paper's: the layer before the classifier, or the last
convolution block flattened where only the convolution weights are at hand. ``blocks`` describes every block by the
mean, the standard deviation and the centre-weighted mean of each of its maps: what an early block says comes from a few
pixels, what a late one says from most of the cell.
"""

import numpy as np

from ..config import SEED
from ..datasets.cache import key, stored_array
from ..datasets.loading import load_images
from . import backbones, runtime


def color_histogram(images, bins=8, *, where=None):
    """Share of the pixels in each cell of a grid over RGB: no network, no shape, no position.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, height, width, 3)
    bins : int
        A channel, 2-256.
    where : numpy.ndarray of bool, shape (height, width) or (n, height, width), optional
        The pixels that count, at least one of each image; default: all. How many they are does not show.

    Returns
    -------
    numpy.ndarray of float32, shape (n, bins ** 3)
        Each row sums to 1.
    """
    counted = np.broadcast_to(True if where is None else where, images.shape[:3])
    result = np.empty((len(images), bins**3), np.float32)
    for i, (image, mask) in enumerate(zip(images, counted, strict=True)):
        pixels = image.reshape(-1, 3) if where is None else image[mask]
        red, green, blue = (np.asarray(pixels, np.int32) * bins // 256).T
        result[i] = np.bincount((red * bins + green) * bins + blue, minlength=bins**3)
    return result / counted.sum(axis=(1, 2), dtype=np.float32)[:, None]


def closeups(table, profile, backbone=None, *, progressbar=True):
    """The images of an index as a profile shows them to a network.

    Parameters
    ----------
    table : pandas.DataFrame
    profile : config.Profile
        Its ``feature_size`` (None: the network's own) and ``crop``.
    backbone : str, optional
        Default: the one that the profile borrows.
    progressbar : bool

    Returns
    -------
    numpy.ndarray of uint8, shape (n, size, size, 3)
    """
    size = backbones.backbone(backbone or profile.borrowed).side(profile.feature_size)
    return load_images(table, size, profile.crop, progressbar=progressbar)


def extract(
    images, backbone="vgg16", weights="imagenet", *, precision=None, batch_size=64, seed=SEED, progressbar=True
):
    """Features of a frozen network, cached; an interrupted run continues where it stopped.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
        RGB; their size is the network's input size.
    backbone : str
    weights : {"imagenet", "pbc", "random"}
        As for `backbones.build`.
    precision : str, optional
        Keras dtype policy; default: `runtime.fastest_precision`. Statistics are always computed in float32.
    batch_size : int
    seed : int
        For random weights.
    progressbar : bool

    Returns
    -------
    dict of str to numpy.ndarray of float32
        ``last`` (n, d1) and ``blocks`` (n, d2); read-only memory maps.
    """
    precision, size = precision or runtime.fastest_precision(), images.shape[1]
    # The layers of the 1,000-class head are used only where its weights are at hand: half a gigabyte to download.
    published = weights == "imagenet" and size == backbones.backbone(backbone).input_size
    top = published and backbones.has_weights(backbone, top=True)
    with runtime.precision(precision):
        model, widths = _network(backbone, size, weights, top, seed)
    name = f"features-{backbone}-{size}-{key('v2', precision, seed, *model.get_weights(), images)}"

    def compute(start, stop):
        batches = range(start, stop, batch_size)
        parts = (backbones.preprocess(backbone, images[i : min(i + batch_size, stop)]) for i in batches)
        return np.concatenate([np.asarray(model.predict_on_batch(part), np.float32) for part in parts])

    shape, label = (len(images), sum(widths)), f"{backbone} ({precision})"
    options = {"block": 4 * batch_size, "desc": label, "progressbar": progressbar}
    array = stored_array(name, shape, np.float32, compute=compute, **options)
    return {"last": array[:, : widths[0]], "blocks": array[:, widths[0] :]}


def _network(backbone, size, weights, top, seed):
    """A model from images to (last | blocks), concatenated, and the two widths."""
    layers, spec = runtime.load_keras().layers, backbones.backbone(backbone)
    base = backbones.build(backbone, size, weights, top=top, seed=seed)
    to_float = layers.Activation("linear", dtype="float32")
    last = to_float(base.get_layer(spec.feature_layer if top else spec.last_layer).output)
    last = layers.Flatten(dtype="float32")(last)
    blocks = [_statistics(to_float(base.get_layer(layer).output)) for layer in spec.blocks]
    merged = layers.Concatenate(dtype="float32")([last, *blocks])
    return runtime.load_keras().Model(base.input, merged), (last.shape[1], merged.shape[1] - last.shape[1])


def _statistics(maps):
    """Mean, standard deviation and centre-weighted mean of each map; maps are (batch, side, side, channels)."""
    ops = runtime.load_keras().ops
    across, down = (np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in maps.shape[2:0:-1])
    window = np.exp(-(down[:, None] ** 2 + across[None, :] ** 2) / (2 * 0.45**2))
    centre = ops.sum(maps * (window / window.sum()).astype("float32")[None, :, :, None], axis=(1, 2))
    return ops.concatenate([ops.mean(maps, axis=(1, 2)), ops.std(maps, axis=(1, 2)), centre], axis=-1)
