"""The cached prefix: what the frozen part of a network makes of each image, computed once.

When only the last blocks train, the first ones give the same answer in every epoch. Their answers are kept on disk in
half precision, and training starts from there: without a graphics card, minutes instead of an afternoon.
"""

import numpy as np

from ..datasets import augment
from ..datasets.cache import key, stored_array

BATCH = 32  # images at a time


def activations(prefix, images, sources=None, *, symmetries=0, progressbar=True):
    """Activations of a frozen model, cached; an interrupted run continues where it stopped.

    Parameters
    ----------
    prefix : keras.Model
        From `backbones.split_at`.
    images : numpy.ndarray of uint8, shape (m, size, size, 3)
    sources : array-like of int, shape (n,), optional
        Rows of `images` to take; default: each one once.
    symmetries : int or array-like of int, shape (n,)
        Which of the eight symmetries (`augment.symmetry`) each row is shown in.
    progressbar : bool

    Returns
    -------
    numpy.ndarray of float16, shape (n, height, width, channels)
        A read-only memory map.
    """
    sources = np.arange(len(images)) if sources is None else np.asarray(sources, int)
    symmetries = np.broadcast_to(np.asarray(symmetries, int), sources.shape)
    precision = prefix.layers[-1].compute_dtype
    shape = (len(sources), *prefix.output_shape[1:])
    name = f"prefix-{prefix.name}-{key('v1', precision, shape, *prefix.get_weights(), images, sources, symmetries)}"
    top = float(np.finfo(np.float16).max)

    def compute(start, stop):
        parts = []
        for i in range(start, stop, BATCH):
            rows = range(i, min(i + BATCH, stop))
            shown = np.stack([augment.symmetry(images[sources[row]], symmetries[row]) for row in rows])
            # bfloat16 has a wider range than float16, and numpy cannot clip it
            parts.append(np.asarray(prefix.predict_on_batch(shown)).astype(np.float32).clip(-top, top))
        return np.concatenate(parts)

    options = {"block": 8 * BATCH, "desc": "frozen part", "progressbar": progressbar}
    return stored_array(name, shape, np.float16, compute=compute, **options)
