"""Figures of training sets in different proportions, and of what came of them."""

import numpy as np

from ..cells import FOLDERS
from .style import SERIES, figure, short


def arm_rates(models, classes=FOLDERS):
    """True-positive rate of each class, one colour an arm: a dot for every seed, a line for their mean.

    Parameters
    ----------
    models : dict of str to dict
        Of a record of the experiment ``balance``: each with ``arm`` and ``per_class``.
    classes : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = figure(9, 4)
    arms = list(dict.fromkeys(model["arm"] for model in models.values()))
    for i, arm in enumerate(arms):
        runs = [model["per_class"] for model in models.values() if model["arm"] == arm]
        rates = 100 * np.array([[row["sensitivity"] for row in run] for run in runs], float)
        x = np.arange(len(classes)) + (i - (len(arms) - 1) / 2) * 0.18
        ax.scatter(np.tile(x, len(runs)), rates.ravel(), s=16, color=SERIES[i], alpha=0.6, edgecolor="none")
        ax.scatter(x, rates.mean(axis=0), marker="_", s=160, lw=2.5, color=SERIES[i], label=arm)
    ax.set(xticks=range(len(classes)), xticklabels=[short(c) for c in classes], ylabel="true-positive rate (%)")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


def arm_scores(models):
    """Accuracy and mean sensitivity of each arm, a dot for every seed.

    Parameters
    ----------
    models : dict of str to dict
        As for `arm_rates`; with ``accuracy`` and ``balanced_accuracy``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    arms = list(dict.fromkeys(model["arm"] for model in models.values()))
    fig, axes = figure(9, 0.45 * len(arms) + 1.2, 1, 2, sharey=True)
    titles = {"accuracy": "accuracy: every image counts the same", "balanced_accuracy": "mean over the classes"}
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        for i, arm in enumerate(arms):
            values = 100 * np.array([model[name] for model in models.values() if model["arm"] == arm])
            ax.scatter(values, np.full(len(values), i), s=30, color=SERIES[i], alpha=0.6, edgecolor="none")
            ax.scatter(values.mean(), i, marker="|", s=350, lw=2.5, color=SERIES[i])
        ax.set(title=title, xlabel="%", yticks=range(len(arms)), yticklabels=arms)
    axes[0].invert_yaxis()
    return fig
