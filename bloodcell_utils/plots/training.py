"""Figures of training: how loss and accuracy move."""

import numpy as np

from .style import MEASURED, NEUTRAL, PRINTED, SERIES, figure


def learning_curves(epochs, printed=None):
    """Loss and accuracy of every epoch, on training and on validation images (the paper's Fig. 10).

    Parameters
    ----------
    epochs : list of dict
        `training.History.epochs`, or ``history`` of a model in a record.
    printed : float, optional
        An accuracy in percent that the paper prints, drawn as a line.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, (left, right) = figure(9, 3.2, 1, 2)
    number = [epoch["epoch"] for epoch in epochs]
    for ax, name, factor in ((left, "loss", 1), (right, "accuracy", 100)):
        for prefix, label, style in (("", "training", "--"), ("val_", "validation", "-")):
            values = [factor * epoch[prefix + name] for epoch in epochs]
            ax.plot(number, values, style, marker="o", ms=4, color=MEASURED if prefix else NEUTRAL, label=label)
        ax.set(xlabel="epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
    best = max(epochs, key=lambda epoch: (epoch["val_accuracy"], -epoch["val_loss"]))
    right.scatter(best["epoch"], 100 * best["val_accuracy"], s=120, facecolor="none", edgecolor=MEASURED, lw=1.5)
    if printed is not None:
        right.axhline(printed, color=PRINTED, ls=":", lw=1.5, label="printed in the paper")
    left.set(ylabel="cross-entropy")
    right.set(ylabel="accuracy (%)")
    right.legend(loc="lower right")
    return fig


def descents(losses):
    """How the loss falls, or does not, step by step.

    Parameters
    ----------
    losses : dict of str to sequence of float
        A name, for example of a learning rate, and the loss after each step.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = figure(8, 3.2)
    for i, (name, values) in enumerate(losses.items()):
        ax.plot(np.arange(len(values)), values, color=SERIES[i % len(SERIES)], label=name)
    ax.set(xlabel="step", ylabel="cross-entropy")
    ax.legend()
    return fig
