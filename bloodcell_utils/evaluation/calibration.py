"""Confidence that means what it says: a temperature for probabilities, a threshold below which no name is given.

And for pictures that are none of the classes: how far their features lie from those of the training images.
"""

import numpy as np

from ..errors import BloodcellError


def apply_temperature(probabilities, temperature):
    """Probabilities at another temperature: above 1 less sure, below 1 more; the order of the classes stays.

    After C. Guo et al., "On calibration of modern neural networks", ICML 2017.

    Parameters
    ----------
    probabilities : array-like, shape (n, k)
    temperature : float > 0

    Returns
    -------
    numpy.ndarray of float64, shape (n, k)
        Rows sum to 1.
    """
    return softmax(np.log(np.clip(np.asarray(probabilities, float), 1e-12, 1)) / temperature)


def softmax(scores):
    """Scores to probabilities.

    Parameters
    ----------
    scores : array-like, shape (n, k)

    Returns
    -------
    numpy.ndarray of float64, shape (n, k)
        Rows sum to 1.
    """
    scores = np.asarray(scores, float)
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def fit_temperature(probabilities, y):
    """The temperature at which the probabilities fit the classes best (least cross-entropy).

    Parameters
    ----------
    probabilities : array-like, shape (n, k)
        Of images that the model was not trained on.
    y : array-like of int, shape (n,)

    Returns
    -------
    float
        From 0.05 to 20.
    """
    from scipy.optimize import minimize_scalar

    def loss(log):
        return -np.log(np.clip(apply_temperature(probabilities, np.exp(log))[np.arange(len(y)), y], 1e-12, 1)).mean()

    return round(float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x)), 4)


def choose_threshold(probabilities, y, tolerated):
    """The least confidence for a name such that few enough of the names given are wrong.

    Parameters
    ----------
    probabilities : array-like, shape (n, k)
        Of images that the model was not trained on.
    y : array-like of int, shape (n,)
    tolerated : float
        Largest share of wrong names among those given.

    Returns
    -------
    float
        1 where not even the surest answers are good enough.

    Raises
    ------
    BloodcellError
        Without images.
    """
    probabilities, y = np.asarray(probabilities, float), np.asarray(y)
    if not len(y):
        raise BloodcellError("A threshold needs images whose classes are known.")
    confidence, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != y
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(wrong[order]) / np.arange(1, len(y) + 1)
    last = np.append(np.diff(confidence[order]) < 0, True)  # equally sure answers get names together, or none do
    enough = np.flatnonzero((share <= tolerated) & last)
    return round(float(confidence[order][enough[-1]]) - 5e-7, 6) if len(enough) else 1.0


def _confidence(probabilities, y):
    """How sure each answer is, and whether it is right."""
    probabilities, y = np.asarray(probabilities, float), np.asarray(y)
    if probabilities.ndim != 2 or y.shape != probabilities.shape[:1]:
        raise BloodcellError(f"A row of probabilities a label is needed: {probabilities.shape} and {y.shape}.")
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == y


def calibration_error(probabilities, y):
    """How far confidence and accuracy are apart: the mean over ten bins of equal width, weighted by their images.

    Parameters
    ----------
    probabilities : array-like, shape (n, k)
    y : array-like of int, shape (n,)

    Returns
    -------
    float
        Expected calibration error, in [0, 1].
    """
    confidence, right = _confidence(probabilities, y)
    gaps = np.bincount(np.minimum(confidence * 10, 9).astype(int), confidence - right)
    return round(float(np.abs(gaps).sum() / len(right)), 6)


def reliability(probabilities, y):
    """The numbers of a reliability diagram: the answers in ten bins of equal width, by their confidence.

    Parameters
    ----------
    probabilities : array-like, shape (n, k)
    y : array-like of int, shape (n,)

    Returns
    -------
    dict of str to list
        ``n``, the answers of each bin; ``right``, how many of them are right; ``confidence``, their mean. Bins without
        answers are left out.
    """
    confidence, right = _confidence(probabilities, y)
    bins = np.minimum(confidence * 10, 9).astype(int)
    filled = [bins == b for b in np.unique(bins)]
    return {
        "n": [int(here.sum()) for here in filled],
        "right": [int(right[here].sum()) for here in filled],
        "confidence": [round(float(confidence[here].mean()), 6) for here in filled],
    }


def fit_mahalanobis(features, y):
    """Where the features of each class lie, and how they spread.

    After K. Lee et al., "A simple unified framework for detecting out-of-distribution samples and adversarial attacks",
    NeurIPS 2018.

    Parameters
    ----------
    features : array-like, shape (n, d)
        Of training images.
    y : array-like of int, shape (n,)
        Every class from 0 to the largest has images.

    Returns
    -------
    means : numpy.ndarray, shape (k, d)
    whitening : numpy.ndarray, shape (d, d)
        Within a class, ``(features - mean) @ whitening`` has a variance of about 1 in every direction.
    """
    features, y = np.asarray(features, float), np.asarray(y)
    means = np.stack([features[y == c].mean(axis=0) for c in range(y.max() + 1)])
    spread = np.cov((features - means[y]).T)
    # Directions in which the training images do not differ at all must not count without bound.
    spread += np.eye(len(spread)) * (0.01 * np.trace(spread) / len(spread))
    return means, np.linalg.inv(np.linalg.cholesky(spread)).T


def mahalanobis_distance(features, means, whitening):
    """How far features are from the nearest class, in standard deviations of a direction, on average.

    Parameters
    ----------
    features : array-like, shape (n, d)
    means, whitening : numpy.ndarray
        From `fit_mahalanobis`.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        About 1 for images like those of the training.
    """
    features, means = np.asarray(features, float) @ whitening, np.asarray(means, float) @ whitening
    return np.sqrt(((features[:, None] - means[None]) ** 2).mean(axis=2).min(axis=1))
