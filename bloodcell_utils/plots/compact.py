"""Figures of a small network: how many images it needs, and what a worse day does to it."""

import numpy as np

from .style import MEASURED, PRINTED, SERIES, figure


def few_images(models, printed=None, needed=None):
    """Accuracy over the number of training images a class: a dot for every seed, a line for their mean.

    Parameters
    ----------
    models : dict of str to dict
        Of a record of the experiment ``compact_few``; those with ``images_per_class`` and ``accuracy`` are drawn.
    printed : float, optional
        An accuracy in percent that the paper prints.
    needed : int, optional
        Images a class that the paper asks for.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = figure(8, 3.6)
    runs = [
        (model["images_per_class"], 100 * model["accuracy"]) for model in models.values() if "images_per_class" in model
    ]
    numbers = sorted({number for number, _ in runs})
    means = [np.mean([accuracy for number, accuracy in runs if number == n]) for n in numbers]
    ax.plot(numbers, means, color=MEASURED, lw=1.5, label="measured")
    ax.scatter(*zip(*runs, strict=True), color=MEASURED, s=26, alpha=0.6, edgecolor="none")
    for number, mean in zip(numbers, means, strict=True):
        ax.annotate(f"{mean:.1f}", (number, mean), (0, -16), textcoords="offset points", ha="center")
    if printed is not None:
        ax.axhline(printed, color=PRINTED, ls=":", lw=1.5, label="the paper's best")
    if needed is not None:
        ax.axvline(needed, color=PRINTED, ls="--", lw=1, label="needed, says the paper")
    ax.set(xscale="log", xlabel="training images a class", ylabel="test accuracy (%)", xticks=numbers)
    ax.set_xticks(numbers, [f"{n:,}" for n in numbers])
    ax.minorticks_off()
    ax.margins(y=0.2)
    ax.legend(loc="upper left")
    return fig


def worse_days(accuracies):
    """Accuracy as the images are and on each of the worse days: a row a day, a colour a model, a dot a network.

    Parameters
    ----------
    accuracies : dict of str to list of dict
        For each model its networks, each a dict from the name of a day to an accuracy (a fraction).

    Returns
    -------
    matplotlib.figure.Figure
    """
    days = list(dict.fromkeys(day for networks in accuracies.values() for network in networks for day in network))
    fig, ax = figure(8.5, 0.34 * len(days) + 1)
    for i, (name, networks) in enumerate(accuracies.items()):
        points = [(100 * network[day], days.index(day)) for network in networks for day in network]
        ax.scatter(*zip(*points, strict=True), s=34, color=SERIES[2 * i], alpha=0.65, edgecolor="none", label=name)
    ax.set(yticks=range(len(days)), yticklabels=days, xlabel="test accuracy (%)")
    ax.grid(axis="y", lw=0.4)
    ax.invert_yaxis()
    if len(accuracies) > 1:
        fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig
