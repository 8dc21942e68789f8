"""Which part of a picture, and which block of a network, the answers come from; the same machine for all of a kind.

Colours: those of the middle, where the cell is, and those of the border, where another slide, lamp or stain shows and
hardly ever the cell. Blocks: each alone, described by the same three statistics of its maps (`models.features`), so
that neither kernel nor price nor pooling differs from one to the next. The whole picture, and all blocks at once, are
rows of ``svm``: same images, same machines.
"""

import numpy as np
from scipy.ndimage import binary_dilation

from ..config import SEED
from ..datasets.loading import load_images
from ..datasets.sample import spec_of
from ..datasets.splits import load_split
from ..datasets.synthetic import draw_layers
from ..models import backbones
from ..models.features import closeups, color_histogram, extract
from . import records, svm

MIDDLE, BORDER = 0.4, 0.8  # radius of the one, and where the other begins: shares of half the side


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure every part and every block.

    Parameters
    ----------
    profile : config.Profile
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
    """
    split, backbone = load_split(profile, seed=split_seed), profile.borrowed
    table, y, fit, test = split.table, split.y, split.rows("train", "validation"), split.rows("test")
    chance = {"seed": seed, "progressbar": progressbar}
    found = records.Collector("parts", profile, split, **chance)

    def tested(name, classifier, X, **details):
        found.add(name, classifier.fit(X[fit], y[fit]).predict(X[test]), found.lap(), **details)

    whole = load_images(table, profile.image_size, progressbar=progressbar)
    for name, where in zip(("middle", "border"), rings(profile.image_size), strict=True):
        X, share = color_histogram(whole, where=where), round(float(where.mean()), 3)
        tested(f"colours of the {name}", svm.histogram_classifier(), X, share_of_picture=share)

    weights, images = profile.weights_of(backbone), closeups(table, profile, backbone, progressbar=progressbar)
    views, spec = extract(images, backbone, weights, **chance)["blocks"], backbones.backbone(backbone)
    for number, X in enumerate(by_block(views, backbone, images.shape[1]), 1):
        tested(f"{backbone} block {number} alone", svm.all_blocks_classifier(), X, features=X.shape[1])
    seen = f"{images.shape[1]} px, central {profile.crop:.0%} of the image"
    return found.record(f"{spec.title}, {weights} weights, {seen}.")


def cell_and_background(table, profile):
    """Which pixels show the cell that is asked about, and which certainly do not.

    Parameters
    ----------
    table : pandas.DataFrame
        An index; its images as ``profile.image_size`` shows them.
    profile : config.Profile

    Returns
    -------
    cell, background : numpy.ndarray of bool
        Of drawn cells, one mask an image, (n, size, size): the outline that it was drawn with, and what lies more than
        two pixels outside. Of photographs, whose outlines nobody drew, `rings`: (size, size).
    """
    if profile.data != "synthetic":
        return rings(profile.image_size)
    drawings = [spec_of(path) for path in table["path"]]
    cell = np.array([draw_layers(spec, profile.image_size, drawing)["cell"] for spec, drawing in drawings])
    return cell, ~binary_dilation(cell, np.ones((1, 5, 5), bool))


def rings(size):
    """The middle and the border of a square picture.

    Parameters
    ----------
    size : int
        Side in pixels.

    Returns
    -------
    middle, border : numpy.ndarray of bool, shape (size, size)
        Nearer to the centre than `MIDDLE`, and farther than `BORDER`, as shares of half the side.
    """
    at = (np.arange(size) + 0.5) * 2 / size - 1
    radius = np.hypot(at, at[:, None])
    return radius < MIDDLE, radius > BORDER


def by_block(views, backbone, size):
    """The features of each block, apart.

    Parameters
    ----------
    views : numpy.ndarray, shape (n, d)
        ``blocks`` of `features.extract`.
    backbone : str
    size : int
        Side of the images that they are of.

    Returns
    -------
    list of numpy.ndarray
        One a block, in the order of the network.
    """
    model, names = backbones.build(backbone, size, "random"), backbones.backbone(backbone).blocks
    widths = [3 * model.get_layer(name).output.shape[-1] for name in names]
    return np.split(np.asarray(views), np.cumsum(widths)[:-1], axis=1)
