"""Figures of training: how loss and accuracy move, and what comes of more images or other proportions of classes."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..cells import FOLDERS
from ..evaluation import metrics
from .style import MEASURED, NEUTRAL, NOT_MEASURED, PRINTED, SERIES, figure, short


def learning_curves(epochs, printed=None) -> Figure:
    """Loss and accuracy of every epoch, on training and on validation images (the paper's Fig. 10).

    Parameters
    ----------
    epochs : list of dict
        `training.History.epochs`, or ``history`` of a model in a record.
    printed : float, optional
        An accuracy in percent that the paper prints, drawn as a line.
    """
    fig, (left, right) = figure(9, 3.2, 1, columns=2)
    number = [epoch["epoch"] for epoch in epochs]
    for ax, name, factor, title in ((left, "loss", 1, "cross-entropy"), (right, "accuracy", 100, "accuracy (%)")):
        for prefix, label, style in (("", "training", "--"), ("val_", "validation", "-")):
            values = [factor * epoch[prefix + name] for epoch in epochs]
            ax.plot(number, values, style, marker="o", ms=4, color=MEASURED if prefix else NEUTRAL, label=label)
        ax.set(xlabel="epoch", ylabel=title)
        ax.xaxis.get_major_locator().set_params(integer=True)
    best = max(epochs, key=lambda epoch: (epoch["val_accuracy"], -epoch["val_loss"]))
    right.scatter(best["epoch"], 100 * best["val_accuracy"], s=120, facecolor="none", edgecolor=MEASURED, lw=1.5)
    if printed is not None:
        right.axhline(printed, color=PRINTED, ls=":", lw=1.5, label="printed in the paper")
    right.legend(loc="lower right")
    return fig


def descents(losses) -> Figure:
    """How the loss falls, or does not, step by step.

    Parameters
    ----------
    losses : dict of str to sequence of float
        A name, for example of a learning rate, and the loss after each step.
    """
    fig, ax = figure(8, 3.2)
    for i, (name, values) in enumerate(losses.items()):
        ax.plot(np.arange(len(values)), values, color=SERIES[i % len(SERIES)], label=name)
    ticks = 2.0 ** np.arange(-3, 6)  # each twice the one below it: small losses and large ones in one picture
    ax.set(xlabel="step", ylabel="cross-entropy (log scale)", yscale="log")
    low, high = ax.get_ylim()
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_ylim(low, high)
    ax.legend()
    return fig


def few_images(models, printed=None, needed=None) -> Figure:
    """Accuracy over the number of training images a class: a dot for every seed, a line for their mean.

    Parameters
    ----------
    models : dict of str to dict
        Of a record of the experiment ``compact_few``; those with ``images_per_class`` and ``accuracy`` are drawn.
    printed : float, optional
        An accuracy in percent that the paper prints.
    needed : int, optional
        Images a class that the paper asks for.
    """
    fig, ax = figure(8, 3.6)
    runs = pd.DataFrame([model for model in models.values() if "images_per_class" in model])
    number, accuracy = runs["images_per_class"], 100 * runs["accuracy"]
    means = accuracy.groupby(number).mean()
    ax.plot(means, color=MEASURED, lw=1.5, label="measured")
    ax.scatter(number, accuracy, color=MEASURED, s=26, alpha=0.6, edgecolor="none")
    for n, mean in means.items():
        ax.annotate(f"{mean:.1f}", (n, mean), (0, -16), textcoords="offset points", ha="center")
    if printed is not None:
        ax.axhline(printed, color=PRINTED, ls=":", lw=1.5, label="the paper's best")
    if needed is not None:
        ax.axvline(needed, color=PRINTED, ls="--", lw=1, label="needed, says the paper")
    ax.set(xscale="log", xlabel="training images a class", ylabel="test accuracy (%)")
    ax.set_xticks(means.index, [f"{n:,}" for n in means.index])
    ax.minorticks_off()
    ax.margins(y=0.2)
    ax.legend(loc="upper left")
    return fig


def wrong_names(models) -> Figure:
    """Accuracy over the share of wrong names: filled, by the true names; hollow, by names with as many wrong ones.

    Parameters
    ----------
    models : dict of str to dict
        Of a record of the experiment ``label_noise``: each with ``learner``, ``noise``, ``rate``, ``accuracy``,
        ``n_test`` and ``right_by_noisy_names``.
    """
    fig, axes = figure(9, 3.8, 1, columns=2, sharey=True)
    table = pd.DataFrame(models.values())
    titles = {"any": "any other name", "neighbours": "a neighbour's name"}
    table["by_noisy"] = table["right_by_noisy_names"] / table["n_test"]
    for ax, noise in zip(axes, titles, strict=True):
        for i, (learner, runs) in enumerate(table[(table["noise"] == noise) | (table["rate"] == 0)].groupby("learner")):
            for column, fill, line in (("accuracy", SERIES[i], "-"), ("by_noisy", "none", "--")):
                means = 100 * runs.groupby("rate")[column].mean()
                ax.plot(100 * means.index, means, line, color=SERIES[i], lw=1.5)
                ax.scatter(100 * runs["rate"], 100 * runs[column], s=26, facecolor=fill, edgecolor=SERIES[i])
            ax.plot([], color=SERIES[i], label=learner)
        rates = np.array([0, table["rate"].max()])
        ax.plot(100 * rates, 100 * (1 - rates), ":", color=NEUTRAL, label="who never errs, by noisy names")
        ax.set(title=titles[noise], xlabel="wrong names (%)", ylabel="test accuracy (%)")
        ax.set_xticks(100 * table["rate"].unique())
        ax.label_outer()
    axes[0].legend(fontsize=8)
    return fig


def arm_curves(networks) -> Figure:
    """Validation accuracy over the epochs, one colour an arm: a thin line for every seed, a thick one for their mean.

    Parameters
    ----------
    networks : dict of str to (dict of str to dict, or None)
        Title of a panel, and the models of a record of the experiment ``balance``, each with ``arm`` and ``history``;
        None leaves an empty panel that says `style.NOT_MEASURED` (the paper's Fig. 17 has one for each network).
    """
    fig, axes = figure(4.6 * len(networks), 3.4, 1, columns=len(networks), squeeze=False, sharey=True)
    drawn = {}
    for ax, (title, models) in zip(axes.flat, networks.items(), strict=True):
        ax.set(title=title, xlabel="epoch", ylabel="validation accuracy (%)")
        ax.label_outer()
        if not models:
            ax.set_xticks([])
            ax.text(0.5, 0.5, NOT_MEASURED, transform=ax.transAxes, ha="center", va="center", color=NEUTRAL)
            continue
        runs = pd.DataFrame(models.values())
        arms = runs["arm"].unique()
        for arm, color in zip(arms, _palette(arms), strict=True):
            curves = [pd.DataFrame(epochs).set_index("epoch") for epochs in runs.loc[runs["arm"] == arm, "history"]]
            values = 100 * pd.concat([curve["val_accuracy"] for curve in curves], axis=1)
            ax.plot(values, color=color, lw=0.8, alpha=0.6)
            (drawn[arm],) = ax.plot(values.mean(axis=1), color=color, lw=2.5)
        ax.xaxis.get_major_locator().set_params(integer=True)
    fig.legend(drawn.values(), drawn, loc="outside upper center", ncols=2)
    return fig


def arm_rates(models) -> Figure:
    """True-positive rate of each class, one colour an arm: a dot for every seed, a dash for their mean.

    The bar through the dash is Wilson's 95 % interval of that mean, on as many cells as one network was tested on.

    Parameters
    ----------
    models : dict of str to dict
        Of a record of the experiment ``balance``: each with ``arm`` and ``per_class``.
    """
    fig, ax = figure(9, 4)
    table = pd.DataFrame(models.values())
    arms = table["arm"].unique()
    palette = _palette(arms)
    for i, arm in enumerate(arms):
        runs = table.loc[table["arm"] == arm, "per_class"]
        rates = 100 * np.array([[row["sensitivity"] for row in run] for run in runs], float)
        n = np.array([row["n"] for row in runs.iloc[0]])
        x = np.arange(len(FOLDERS)) + (i - (len(arms) - 1) / 2) * 0.18
        ax.scatter(np.tile(x, len(runs)), rates.ravel(), s=16, color=palette[i], alpha=0.6, edgecolor="none")
        ax.vlines(x, *100 * metrics.wilson(np.nan_to_num(rates.mean(axis=0)) / 100 * n, n).T, color=palette[i], lw=1)
        ax.scatter(x, rates.mean(axis=0), marker="_", s=160, lw=2.5, color=palette[i], label=arm)
    ax.set(xticks=range(len(FOLDERS)), xticklabels=[short(c) for c in FOLDERS], ylabel="true-positive rate (%)")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


def _palette(arms):
    """A colour an arm; two are as unlike as can be."""
    return SERIES[:: 2 if len(arms) < 3 else 1][: len(arms)]


def arm_scores(models) -> Figure:
    """Accuracy and mean sensitivity of each arm, a dot for every seed.

    Parameters
    ----------
    models : dict of str to dict
        As for `arm_rates`; with ``accuracy`` and ``balanced_accuracy``.
    """
    table = pd.DataFrame(models.values())
    arms = table["arm"].unique()
    fig, axes = figure(9, 0.45 * len(arms) + 1.2, 1, columns=2, sharey=True)
    titles = {"accuracy": "accuracy: every image counts the same", "balanced_accuracy": "mean over the classes"}
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        for i, arm in enumerate(arms):
            values = 100 * table.loc[table["arm"] == arm, name]
            ax.scatter(values, np.full(len(values), i), s=30, color=SERIES[i], alpha=0.6, edgecolor="none")
            ax.scatter(values.mean(), i, marker="|", s=350, lw=2.5, color=SERIES[i])
        ax.set(title=title, xlabel="%", yticks=range(len(arms)), yticklabels=arms)
    axes[0].invert_yaxis()
    return fig
