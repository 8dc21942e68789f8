"""The paper's augmentation: flips, rotations of 0 to 60 degrees, standardisation, and balancing of the classes.

Augmentation is a *plan* first: a table that says which version of which source image to make. `balance` reads the
subset column of a split and plans versions of training images only, so no source image can have versions in two
subsets, and `source` is the group that cross-validation must keep together.
"""

import numpy as np
import pandas as pd

from ..config import SEED
from ..errors import DataError

MAX_ROTATION = 60.0


def balance(table, images_per_class, subset="train", *, seed=SEED):
    """Plan the same number of images of every class from one subset of a split.

    A class with more images than asked for is sampled without replacement; a smaller one keeps every image as it is and
    fills up with flipped and rotated versions, spread evenly over its images.

    Parameters
    ----------
    table : pandas.DataFrame
        A split: an index with the column ``subset``.
    images_per_class : int or dict of str to int
        A number for all classes, or one for each class folder.
    subset : str
        The only subset whose images are used.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row an image to make: ``source`` (row label in `table`), ``path``, ``class``, ``version`` (0: the original),
        ``flip_horizontal``, ``flip_vertical`` (bool), ``rotation`` (degrees).

    Raises
    ------
    DataError
        If the table is not split yet, or the subset is empty.
    """
    if "subset" not in table:
        raise DataError("Split first, augment second: this table has no column 'subset' (see datasets.splits).")
    chosen = table[table["subset"] == subset]
    asked = images_per_class
    wanted = asked if isinstance(asked, dict) else dict.fromkeys(chosen["class"].unique(), asked)
    if chosen.empty or min(wanted.values()) < 1:
        raise DataError(f"Nothing to balance: {len(chosen)} images in {subset!r}, {asked} a class asked for.")
    rng, parts = np.random.default_rng(seed), []
    for folder, rows in chosen.groupby("class", sort=True):
        order, take = rng.permutation(len(rows)), np.arange(wanted[folder])
        parts.append(rows.iloc[order[take % len(rows)]][["path", "class"]].assign(version=take // len(rows)))
    return _draw(pd.concat(parts), rng)


def versions(table, n_versions, seed=SEED):
    """Plan the original and ``n_versions - 1`` augmented siblings of every image of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of an index.
    n_versions, seed : int

    Returns
    -------
    pandas.DataFrame
        As for `balance`.
    """
    plan = pd.concat([table[["path", "class"]].assign(version=v) for v in range(n_versions)])
    return _draw(plan, np.random.default_rng(seed))


def apply(images, plan):
    """Make the images of a plan.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
        Row ``i`` is the image with row label ``i`` of the table that was planned from.
    plan : pandas.DataFrame

    Returns
    -------
    numpy.ndarray of uint8, shape (len(plan), size, size, 3)
    """
    rows = zip(plan["source"], plan["flip_horizontal"], plan["flip_vertical"], plan["rotation"], strict=True)
    return np.stack([transform(images[row], across, down, rotation=angle) for row, across, down, angle in rows])


def transform(image, flip_horizontal=False, flip_vertical=False, *, rotation=0.0):
    """Flip, then rotate about the centre; the border is mirrored, so no black corners appear.

    Parameters
    ----------
    image : numpy.ndarray of uint8, shape (height, width, 3)
    flip_horizontal, flip_vertical : bool
        Mirror left and right; top and bottom.
    rotation : float
        Degrees, counter-clockwise.

    Returns
    -------
    numpy.ndarray of uint8, same shape
    """
    from PIL import Image

    image = np.asarray(image)
    image = image[:: -1 if flip_vertical else 1, :: -1 if flip_horizontal else 1]
    if rotation % 360 == 0:
        return np.ascontiguousarray(image)
    height, width = image.shape[:2]
    pad = (int(np.ceil(np.hypot(height, width))) - min(height, width)) // 2 + 1
    mode = "reflect" if pad < min(height, width) else "symmetric"
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode)
    turned = Image.fromarray(padded).rotate(rotation, Image.Resampling.BILINEAR)
    return np.asarray(turned)[pad : pad + height, pad : pad + width]


def symmetry(images, which):
    """One of the eight symmetries of a square: quarter turns, and quarter turns of the mirror image; no pixel is lost.

    Parameters
    ----------
    images : numpy.ndarray, shape (..., size, size, channels)
    which : int
        0-7; 0 leaves the images as they are, 1-3 turn by 90, 180 and 270 degrees, 4-7 mirror first.

    Returns
    -------
    numpy.ndarray, same shape
        A view.
    """
    mirrored = images[..., ::-1, :] if which % 8 >= 4 else images
    return np.rot90(mirrored, which % 4, axes=(-3, -2))


def standardise(images):
    """Zero mean and unit variance for each image, over all its pixels and channels.

    Parameters
    ----------
    images : numpy.ndarray, shape (..., height, width, 3)

    Returns
    -------
    numpy.ndarray of float32, same shape
        An image of one colour gives zeros.
    """
    images = np.asarray(images, np.float32)
    axes = (-3, -2, -1)
    centred = images - images.mean(axis=axes, keepdims=True)
    # Not deviation > 0: the float32 mean of a large image of one colour can miss it by a rounding error.
    varies = np.ptp(images, axis=axes, keepdims=True) > 0
    return np.where(varies, centred, 0) / np.where(varies, images.std(axis=axes, keepdims=True), 1)


def _draw(plan, rng):
    """Draw the transformation of every row that is not an original."""
    plan = plan.rename_axis("source").reset_index()
    altered = plan["version"].to_numpy() > 0
    for column in ("flip_horizontal", "flip_vertical"):
        plan[column] = altered & (rng.random(len(plan)) < 0.5)
    plan["rotation"] = np.where(altered, rng.uniform(0, MAX_ROTATION, len(plan)), 0.0)
    return plan
