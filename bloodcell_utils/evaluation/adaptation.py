"""The network that travelled, in another laboratory: colours matched by cells from there; with a few names, a new head.

Colours are matched in optical density, where a stain acts: mean and spread of each channel over many cells of a
laboratory are brought to those of the training images. Batch normalisation's own averages are left as they are: to
recompute them from cells of another mixture of kinds did harm (record ``adapt``).
"""

import hashlib
import io
import json
from dataclasses import dataclass

import numpy as np

from ..cells import FOLDERS
from ..datasets.archives import DAMAGED
from ..errors import BloodcellError
from ..files import read_file, replace_file
from ..models import pretrained
from ..models.compactnet_input import BACKGROUND, IMAGE, VIEW
from ..models.pretrained import TRAVELLED
from .calibration import mahalanobis_distance

MOST = 10_000_000  # bytes of a file
LEAST, LEAST_LABELLED = 30, 5  # cells altogether, and of each kind that is named
ONE_KIND = 0.85  # share of one answer above which colours would be those of a kind, not of a laboratory
APART = 8.0  # gap between two groups of pictures, in deviations within them, that one laboratory does not have
PULL = 0.3  # chosen on one laboratory (record ``adapt``)


@dataclass(frozen=True)
class Adaptation:
    """What was learnt from cells of another laboratory.

    Attributes
    ----------
    density : numpy.ndarray, shape (2, 3)
        Mean and deviation of each channel's optical density.
    kernel, bias : numpy.ndarray, shapes (256, 8) and (8,)
        The last layer.
    card : dict
        ``network`` (fingerprint of the shipped weights), ``cells``, ``labelled`` (cells of each kind).
    """

    density: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    card: dict

    def match(self, images):
        """Images as they would look with the training images' colours.

        Parameters
        ----------
        images : numpy.ndarray of uint8, shape (n, 128, 128, 3)

        Returns
        -------
        numpy.ndarray of uint8, same shape
        """
        (mean, deviation), (home, spread) = self.density, pretrained.weights(TRAVELLED)["density"]
        matched = np.empty_like(images)
        for start in range(0, len(images), 256):
            density = (optical_density(images[start : start + 256]) - mean) / deviation * spread + home
            matched[start : start + 256] = np.clip(256 * np.exp(-density) - 1, 0, 255).round()
        return matched

    def save(self, path):
        """Write it as a small file (``.npz``).

        Parameters
        ----------
        path : path-like
        """
        packed = io.BytesIO()
        card = np.frombuffer(json.dumps(self.card).encode(), np.uint8)
        np.savez_compressed(packed, density=self.density, kernel=self.kernel, bias=self.bias, card=card)
        replace_file(path, packed.getvalue())


def load(path, *, any_weights=False):
    """Read what `Adaptation.save` wrote.

    Parameters
    ----------
    path : path-like
    any_weights : bool
        Also what was made for other weights than those that are shipped.

    Returns
    -------
    Adaptation

    Raises
    ------
    BloodcellError
        If it is no such file, is damaged, or belongs to other weights than those that are shipped.
    """
    data = read_file(path, MOST)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            card = json.loads(bytes(file["card"]))
            parts = [np.asarray(file[name], np.float32) for name in ("density", "kernel", "bias")]
        shapes = [part.shape for part in parts]
        fine = all(np.isfinite(part).all() for part in parts) and (parts[0][1:] > 0).all()
        if shapes != [(2, 3), (256, len(FOLDERS)), (len(FOLDERS),)] or not fine:
            raise ValueError(f"its parts have the shapes {shapes}, or hold what is no number")
        network = card["network"]
    except (*DAMAGED, ValueError, KeyError, TypeError) as err:
        raise BloodcellError(f"{path} is no file of `bloodcell adapt`, or is damaged ({err}); make it again.") from err
    if network != fingerprint() and not any_weights:
        raise BloodcellError(f"{path} was made for other weights ({network}, not {fingerprint()}); make it again.")
    return Adaptation(*parts, card)


def fingerprint():
    """The first digits of the shipped weights' SHA-256."""
    return hashlib.sha256((TRAVELLED / "compactnet.npz").read_bytes()).hexdigest()[:12]


def adapt(images, y=None, *, pull=PULL):
    """Adapt the network that travelled to the laboratory that these cells come from.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
        One cell in the middle of each, as the laboratory meets them: all kinds, not a choice.
    y : array-like of int, shape (n,), optional
        Class numbers where they are known, -1 elsewhere.
    pull : float
        How strongly a new last layer is held at the old one, in labelled cells.

    Returns
    -------
    Adaptation

    Raises
    ------
    BloodcellError
        Where it would harm: few cells, cells of one kind, pictures of two laboratories (with a tenth of
        them each, or more).
    """
    images = np.asarray(images)
    if len(images) < LEAST:
        raise BloodcellError(f"{len(images)} cells say little of a laboratory's colours; at least {LEAST} are needed.")
    if images.shape[1:] != (IMAGE, IMAGE, 3) or images.dtype != np.uint8:
        raise BloodcellError(f"Images as from `prediction.prepare` are needed, not {images.dtype} {images.shape}.")
    named = np.full(len(images), -1) if y is None else np.asarray(y)
    if named.shape != (len(images),) or named.dtype.kind not in "iu" or named.max() >= len(FOLDERS):
        raise BloodcellError(f"y needs a class number (0-{len(FOLDERS) - 1}, or -1) for each of {len(images)} images.")
    _check_one_laboratory(images)
    w = pretrained.weights(TRAVELLED)
    card = {"network": fingerprint(), "cells": len(images), "labelled": {}}
    found = Adaptation(statistics(images), w["logits/kernel"], w["logits/bias"], card)
    scores, features = pretrained.logits(found.match(images), TRAVELLED)
    kinds = np.bincount(np.where(named < 0, scores.argmax(axis=1), named), minlength=len(FOLDERS))
    if kinds.max() > ONE_KIND * len(images):
        raise BloodcellError(
            f"{kinds.max()} of {len(images)} cells are {FOLDERS[kinds.argmax()]}, or read as such: their colours are "
            "those of a kind, not of a laboratory. Give it cells as a smear has them."
        )
    if y is None:
        return found
    counts = np.bincount(named[named >= 0], minlength=len(FOLDERS))
    few = [FOLDERS[c] for c in np.flatnonzero((counts > 0) & (counts < LEAST_LABELLED))]
    if few or np.count_nonzero(counts) < 2:
        wrong = (
            f"too few: {', '.join(few)}; name more of them, or leave them out" if few else "here is one kind or none"
        )
        raise BloodcellError(
            f"At least two kinds with {LEAST_LABELLED} named cells each are needed for a new last layer; {wrong}."
        )
    kernel, bias = new_head(features[named >= 0], named[named >= 0], kernel=found.kernel, bias=found.bias, pull=pull)
    labelled = {FOLDERS[c]: int(counts[c]) for c in np.flatnonzero(counts)}
    return Adaptation(found.density, kernel, bias, {**card, "labelled": labelled})


def optical_density(images):
    """How much light each pixel takes away, relative to the glass: -log of the share that is left.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)

    Returns
    -------
    numpy.ndarray of float32, same shape
    """
    x = np.asarray(images, np.float32)
    balanced = np.clip(x * (BACKGROUND / pretrained.brightest(_centre(x))), 0, 255)
    return -np.log((balanced + 1) / 256)


def statistics(images):
    """Mean and deviation of each channel's optical density over many images.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)

    Returns
    -------
    numpy.ndarray of float32, shape (2, 3)
    """
    moments, exact = np.zeros((2, 3)), {"axis": (0, 1, 2), "dtype": float}  # millions of pixels are added up
    for start in range(0, len(images), 256):
        density = _centre(optical_density(images[start : start + 256]))
        moments += [density.sum(**exact), (density**2).sum(**exact)]
    mean, square = moments / (len(images) * VIEW**2)
    return np.stack([mean, np.sqrt(np.maximum(square - mean**2, 1e-6))]).astype(np.float32)


def colours(images):
    """Mean and deviation of each channel's optical density, of every image; light and glass are left as they are.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)

    Returns
    -------
    numpy.ndarray of float32, shape (n, 6)
    """
    if len(images) > 256:  # what they become on the way takes memory
        return np.concatenate([colours(images[i : i + 256]) for i in range(0, len(images), 256)])
    density = -np.log((np.asarray(images, np.float32) + 1) / 256)
    return np.hstack([density.mean(axis=(1, 2)), density.std(axis=(1, 2))])


def colour_distance(images, folder=TRAVELLED):
    """How far the colours of images are from those of home.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    folder : path-like
        Of the network's weights.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        Above 1 for colours that are stranger than those of almost all validation images.
    """
    w = pretrained.weights(folder)
    distance = mahalanobis_distance(colours(images), w["colours/means"], w["colours/whitening"])
    return distance / pretrained.metadata(folder)["colour_limit"]


def _centre(images):
    edge = (IMAGE - VIEW) // 2
    return images[:, edge : edge + VIEW, edge : edge + VIEW]


def _check_one_laboratory(images):
    """Two groups of pictures whose glass, lamp and camera lie far apart are two laboratories."""
    light = np.log(np.concatenate([pretrained.brightest(_centre(images[i : i + 256].astype(np.float32)))[:, 0, 0]
                                   for i in range(0, len(images), 256)]))  # fmt: skip
    tint = light - light.mean(axis=1, keepdims=True)
    along = np.sort((tint - tint.mean(axis=0)) @ np.linalg.svd(tint - tint.mean(axis=0), full_matrices=False)[2][0])
    cut = len(along) // 10 + np.diff(along[len(along) // 10 : -(len(along) // 10)]).argmax() + 1
    low, high = along[:cut], along[cut:]
    if high.min() - low.max() > max(APART * max(low.std(), high.std()), 0.02):
        raise BloodcellError(
            f"The pictures fall into two groups by the colour of their glass ({len(low)} and {len(high)}): two "
            "laboratories, or two cameras. Adapt to each alone."
        )


def new_head(features, y, *, kernel, bias, pull=PULL):
    """Logistic regression that is held near the layer it starts from.

    Parameters
    ----------
    features : numpy.ndarray, shape (n, 256)
    y : numpy.ndarray of int, shape (n,)
    kernel, bias : numpy.ndarray
        The layer it starts from.
    pull : float
        As for `adapt`.

    Returns
    -------
    kernel, bias : numpy.ndarray of float32
    """
    from scipy.optimize import minimize

    size, targets = np.square(features).sum(axis=1).mean(), np.eye(len(bias))[y]

    def loss(change):
        change = change.reshape(-1, len(bias))
        scores = features @ (kernel + change[:-1]) + bias + change[-1]
        scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        slope = p - targets
        gradient = np.vstack([features.T @ slope, slope.sum(axis=0)])
        gradient += pull * size * change / len(bias)
        cost = -np.log(np.maximum(p[targets > 0], 1e-12)).sum() + pull * size * np.square(change).sum() / 2 / len(bias)
        return cost, gradient.ravel()

    start = np.zeros((len(kernel) + 1) * len(bias))
    change = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x.reshape(-1, len(bias))
    return (kernel + change[:-1]).astype(np.float32), (bias + change[-1]).astype(np.float32)
