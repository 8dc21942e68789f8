"""From predictions to counts, from counts to rates, from rates to intervals.

Everything starts at the confusion matrix of counts: rows are the true class, columns the predicted one.
"""

import numpy as np
import pandas as pd

from ..config import SEED
from ..errors import BloodcellError


def confusion_matrix(y_true, y_pred, n_classes=8):
    """Counts of true against predicted class.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n,)
        Class numbers in ``0 .. n_classes - 1``.
    n_classes : int

    Returns
    -------
    numpy.ndarray of int64, shape (n_classes, n_classes)
        Rows true, columns predicted.

    Raises
    ------
    BloodcellError
        If lengths differ, or a class number is out of range or no whole number.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.shape != y_pred.shape or y_true.ndim != 1:
        raise BloodcellError(f"y_true and y_pred must be lists of one length; got {y_true.shape} and {y_pred.shape}.")
    for name, values in (("y_true", y_true), ("y_pred", y_pred)):
        if values.dtype.kind not in "biuf" or not (values == np.floor(values)).all():  # nor is NaN
            raise BloodcellError(f"{name} has a class that is no whole number.")
        if values.size and (values.min() < 0 or values.max() >= n_classes):
            raise BloodcellError(f"{name} has a class outside 0..{n_classes - 1}.")
    pairs = n_classes * y_true.astype(int) + y_pred.astype(int)
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)


def _square(confusion):
    confusion = np.asarray(confusion)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or confusion.dtype.kind not in "biuf":
        raise BloodcellError(f"A confusion matrix is a square of counts, not {confusion.dtype} {confusion.shape}.")
    if confusion.size and not confusion.min() >= 0:
        raise BloodcellError("A confusion matrix holds counts, none below 0.")
    return confusion


def at_equal_counts(y_true, y_pred, per_class, *, n_classes=8, seed=SEED):
    """The confusion matrix of a test set with equally many images of each class, drawn from the one at hand.

    Sensitivities stay what they are, up to the luck of the draw; accuracy becomes the mean sensitivity, and precision
    what it is where every class is equally common.

    Parameters
    ----------
    y_true, y_pred : array-like of int, shape (n,)
        Class numbers, one pair for each image.
    per_class : int
        Images to draw of each class. A class with fewer is drawn from *with replacement*: its row then repeats some
        images and holds no more information than they do.
    n_classes, seed : int

    Returns
    -------
    numpy.ndarray of int64, shape (n_classes, n_classes)
        Rows true, each with the sum ``per_class``; columns predicted.

    Raises
    ------
    BloodcellError
        If a class has no image to draw, or ``per_class`` is not positive.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if per_class < 1:
        raise BloodcellError(f"per_class is {per_class}; draw one image of each class or more.")
    empty = np.flatnonzero(confusion_matrix(y_true, y_pred, n_classes).sum(axis=1) == 0)
    if len(empty):
        raise BloodcellError(f"There is no image of class {', '.join(map(str, empty))} to draw.")
    rng = np.random.default_rng(seed)
    rows = (np.flatnonzero(y_true == c) for c in range(n_classes))
    drawn = np.concatenate([rng.choice(of, per_class, replace=len(of) < per_class) for of in rows])
    return confusion_matrix(y_true[drawn], y_pred[drawn], n_classes)


def one_vs_rest(confusion):
    """Each class against all others: the four counts that equation 7 is made of.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)

    Returns
    -------
    pandas.DataFrame
        ``TP``, ``FN``, ``FP``, ``TN``; a row for each class, and each row sums to the number of images.
    """
    confusion = _square(confusion)
    right = np.diag(confusion)
    counts = pd.DataFrame({"TP": right, "FN": confusion.sum(axis=1) - right, "FP": confusion.sum(axis=0) - right})
    return counts.assign(TN=confusion.sum() - counts.sum(axis=1))


def per_class(confusion):
    """Sensitivity, specificity and precision of each class (Acevedo et al. 2019, equation 7), and the F1 score.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)

    Returns
    -------
    pandas.DataFrame
        Columns ``n`` (images of the class), ``sensitivity``, ``specificity``, ``precision``, ``f1``; fractions in
        [0, 1]. A rate without a denominator (a class never seen, or never predicted) is NaN.
    """
    counts = one_vs_rest(confusion)
    tp, fn, fp, tn = (counts[name] for name in ("TP", "FN", "FP", "TN"))
    rates = {"sensitivity": tp / (tp + fn), "specificity": tn / (tn + fp), "precision": tp / (tp + fp)}
    return pd.DataFrame({"n": tp + fn, **rates, "f1": 2 * tp / (2 * tp + fp + fn)})


def accuracy(confusion):
    """Share of images on the diagonal.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)

    Returns
    -------
    float
        In [0, 1]; NaN without images.
    """
    confusion = _square(confusion)
    return float(np.trace(confusion) / confusion.sum()) if confusion.sum() else float("nan")


def balanced_accuracy(confusion):
    """Mean sensitivity over the classes that occur: every class weighs the same.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)

    Returns
    -------
    float
        In [0, 1]; NaN without images.
    """
    confusion = _square(confusion)
    n = confusion.sum(axis=1)
    return float(np.mean(np.diag(confusion)[n > 0] / n[n > 0])) if n.any() else float("nan")


def macro_f1(confusion):
    """Mean F1 score over the classes that occur or are predicted.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)

    Returns
    -------
    float
        In [0, 1]; NaN without images.
    """
    return float(per_class(confusion)["f1"].mean())


def kappa(confusion):
    """Cohen's kappa: agreement of two readers beyond what their habits alone would give.

    After J. Cohen, Educational and Psychological Measurement 20 (1960) 37-46.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)
        Rows are the names that one reader gave (or the truth), columns those of the other, for the same cells.

    Returns
    -------
    float
        1 for full agreement, 0 for that of two readers who give each name as often as these but at random, below 0 for
        less; NaN without cells, or where both gave the same one name only.
    """
    confusion = _square(confusion).astype(float)
    n = confusion.sum()
    by_chance = confusion.sum(axis=1) @ confusion.sum(axis=0)
    return float((n * np.trace(confusion) - by_chance) / (n**2 - by_chance)) if n**2 > by_chance else float("nan")


def mean_sd(confusion):
    """Mean and standard deviation over the classes, as in the paper's Fig. 13.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)

    Returns
    -------
    pandas.DataFrame
        Rows sensitivity, specificity, precision; columns ``mean``, ``sd`` (n - 1 in the denominator).
    """
    rates = per_class(confusion)[["sensitivity", "specificity", "precision"]]
    return pd.DataFrame({"mean": rates.mean(), "sd": rates.std()})


def wilson(successes, n, level=0.95):
    """Wilson's score interval for a proportion; sensible where the textbook one is not (0 or n of n, small n).

    After E. B. Wilson, Journal of the American Statistical Association 22 (1927) 209-212.

    Parameters
    ----------
    successes, n : int or array-like of int
    level : float in (0, 1)

    Returns
    -------
    numpy.ndarray, shape (..., 2)
        Lower and upper bound in [0, 1]; (0, 1) for n = 0.
    """
    from scipy.stats import norm

    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    if not np.all((k >= 0) & (k <= n)) or not 0 < level < 1:
        raise BloodcellError("Wilson's interval needs 0 <= successes <= n, and a level between 0 and 1, such as 0.95.")
    z = norm.ppf((1 + level) / 2)
    total = np.where(n > 0, n, 1)
    p = k / total
    centre = (p + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    bounds = np.stack([np.minimum(centre - half, p), np.maximum(centre + half, p)], axis=-1).clip(0, 1)
    return np.where(n[..., None] > 0, bounds, (0.0, 1.0))


def two_proportions(right, n, other_right, *, other_n):
    """Could two rates, each measured on its own images, be the same? The pooled test of two proportions.

    Where both rates are of the same images, and each answer is known, `mcnemar` sees more.

    Parameters
    ----------
    right, n, other_right, other_n : int or array-like of int
        Two counts of right answers, and the images that they are of.

    Returns
    -------
    numpy.ndarray or float
        Two-sided p-value by the normal approximation; 1 where both rates are 0, or both 1.
    """
    from scipy.stats import norm

    right, n, other_right, other_n = (np.asarray(x, float) for x in (right, n, other_right, other_n))
    if not (
        np.all((right >= 0) & (right <= n) & (n > 0))
        and np.all((other_right >= 0) & (other_right <= other_n) & (other_n > 0))
    ):
        raise BloodcellError("Two proportions need 0 <= right <= n, and at least one image on each side.")
    pooled = (right + other_right) / (n + other_n)
    deviation = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / other_n))
    difference = np.abs(right / n - other_right / other_n)
    return 2 * norm.sf(np.divide(difference, deviation, out=np.zeros_like(difference), where=deviation > 0))


def bootstrap(confusion, statistic, level=0.95, *, n_resamples=2000, seed=SEED, stratified=True):
    """Percentile interval of any statistic of a confusion matrix, by drawing the test set again and again.

    Images are drawn with replacement, within each true class where the test set was stratified.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)
    statistic : callable
        From a confusion matrix to a number, for example `balanced_accuracy`.
    level : float
    n_resamples, seed : int
    stratified : bool
        Draw within each true class. False draws from all images alike: for few images of a class, where all or none
        may be right, and where the rows are not the truth but another reader.

    Returns
    -------
    tuple of float
        Lower and upper bound.
    """
    confusion = np.asarray(confusion)
    groups = confusion if stratified else confusion.reshape(1, -1)
    n = groups.sum(axis=1)
    chances = groups / np.where(n, n, 1)[:, None]
    chances[n == 0, 0] = 1.0
    draws = np.random.default_rng(seed).multinomial(n, chances, (n_resamples, len(n))).reshape(-1, *confusion.shape)
    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile([statistic(draw) for draw in draws], [tail, 100 - tail])
    return float(low), float(high)


def mcnemar(y_true, first, second):
    """Exact McNemar test: do two models err equally often on the same images?

    Parameters
    ----------
    y_true, first, second : array-like of int, shape (n,)
        The truth and the two models' predictions.

    Returns
    -------
    dict
        ``only_first`` and ``only_second`` (images that only that model gets right) and the two-sided ``p_value``.
    """
    from scipy.stats import binomtest

    y_true, first, second = map(np.asarray, (y_true, first, second))
    if not y_true.shape == first.shape == second.shape or y_true.ndim != 1:
        raise BloodcellError(f"Three lists of one length are needed: {y_true.shape}, {first.shape}, {second.shape}.")
    first, second = first == y_true, second == y_true
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    discordant = only_first + only_second
    p_value = float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return {"only_first": only_first, "only_second": only_second, "p_value": p_value}


def frechet(a, b):
    """Fréchet distance between two clouds of features, each taken as a normal distribution.

    Parameters
    ----------
    a, b : numpy.ndarray of float, shape (n, d) and (m, d)
        With few rows the distance is too large; compare with that of two halves of one cloud.

    Returns
    -------
    float
        0 for the same mean and covariance; in the units of the features, squared (Heusel et al. 2017, eq. 6).
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    gap = a.mean(axis=0) - b.mean(axis=0)
    # The trace of the covariances' square root is the sum of the singular values of the product of the centred clouds.
    centred = (x - x.mean(axis=0) for x in (a, b))
    a, b = (x / np.sqrt(len(x) - 1) for x in centred)
    common = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(gap @ gap + (a**2).sum() + (b**2).sum() - 2 * common)
