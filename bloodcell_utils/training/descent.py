"""Gradient descent in the open: a logistic regression small enough that its whole way downhill can be drawn."""

import numpy as np


def loss(weights, X, positive, *, decay=0.0):
    """Cross-entropy of a logistic regression without intercept, and the price of large weights.

    Parameters
    ----------
    weights : array-like of float, shape (..., d)
        One set of weights or many.
    X : array-like of float, shape (n, d)
    positive : array-like of bool, shape (n,)
    decay : float
        Half of it times the squared length of the weights is added, so that there is one lowest point.

    Returns
    -------
    numpy.ndarray of float, shape (...)
    """
    weights = np.asarray(weights, float)
    signed = (weights @ np.asarray(X, float).T) * np.where(positive, 1.0, -1.0)
    return np.logaddexp(0, -signed).mean(axis=-1) + decay / 2 * (weights**2).sum(axis=-1)


def descend(X, positive, rate, *, start, momentum=0.0, steps=40, decay=0.0):
    """Walk downhill on `loss`, all cells in every step.

    Parameters
    ----------
    X : array-like of float, shape (n, d)
    positive : array-like of bool, shape (n,)
    rate : float
        Learning rate: length of a step per slope.
    start : array-like of float, shape (d,)
        The first weights.
    momentum : float
        Share of the last step that is added to the next, in [0, 1).
    steps : int
    decay : float
        As for `loss`.

    Returns
    -------
    numpy.ndarray of float, shape (steps + 1, d)
        The weights at the start and after each step; they may become very large, but stay numbers.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
    """
    X, truth = np.asarray(X, float), np.asarray(positive, float)
    path, step = [np.asarray(start, float)], np.zeros(X.shape[1])
    for _ in range(steps):
        probabilities = (1 + np.tanh(X @ path[-1] / 2)) / 2  # the logistic function; no exponential can overflow
        slope = X.T @ (probabilities - truth) / len(X) + decay * path[-1]
        step = momentum * step - rate * slope
        path.append(np.clip(path[-1] + step, -1e100, 1e100))
    return np.array(path)
