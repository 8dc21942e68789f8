"""Figures of what a model answered: matrices, rates, intervals, folds, borders."""

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from ..cells import FOLDERS, titles
from ..evaluation import metrics
from .style import BESIDE, MEASURED, NEUTRAL, NOT_MEASURED, ON_COLOUR, PRINTED, SERIES, colors, figure, short

_FULL = {"right": 100, "mistakes": 10}  # percent of the true class: where the colour is strongest
_SCALE = {
    "right": LinearSegmentedColormap.from_list("right", ["#eaf3fa", MEASURED]),
    "mistakes": LinearSegmentedColormap.from_list("mistakes", ["#fdeee0", "#f28e3c"]),
}


def confusion_matrix(confusion, classes=FOLDERS, title="", *, percent=False) -> Figure:
    """Counts in every cell; blue for what is right and orange for mistakes, by share of the true class.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)
        Rows true, columns predicted.
    classes : sequence of str
    title : str
    percent : bool
        Write the share of the true class instead of the count.
    """
    fig, axes = figure(6.6, 4.5, squeeze=False)
    _matrix(axes[0, 0], np.asarray(confusion), classes, title, percent, size=9)
    _scales(fig, axes)
    return fig


def confusion_matrices(matrices, classes=FOLDERS, *, percent=False) -> Figure:
    """Several confusion matrices, drawn like `confusion_matrix`.

    Parameters
    ----------
    matrices : dict of str to (array-like of int, shape (k, k), or None)
        Title and counts; None leaves an empty panel that says `NOT_MEASURED`.
    classes, percent
        As for `confusion_matrix`.
    """
    columns = min(2, len(matrices))
    rows = -(-len(matrices) // columns)
    fig, axes = figure(1 + 3.7 * columns, 3.8 * rows + 0.7, rows, columns=columns, squeeze=False, sharey=True)
    for ax, (title, confusion) in zip(axes.flat, matrices.items(), strict=False):
        empty = np.zeros((len(classes), len(classes)), int)
        _matrix(ax, empty if confusion is None else np.asarray(confusion), classes, title, percent, size=8)
        if confusion is None:
            where = {"transform": ax.transAxes, "ha": "center", "va": "center", "linespacing": 1.6}
            ax.text(0.5, 0.5, NOT_MEASURED, color=NEUTRAL, backgroundcolor="white", fontsize=11, **where)
    for ax in axes.flat[len(matrices) :]:
        ax.remove()
    for ax in axes[:, 1:].flat:
        ax.set_ylabel("")
    _scales(fig, axes)
    return fig


def _matrix(ax, confusion, classes, title, percent, size):
    share = 100 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    right = np.eye(len(confusion), dtype=bool)
    for name, here in {"right": right, "mistakes": ~right}.items():
        ax.imshow(np.where(here & (confusion > 0), share, np.nan), _SCALE[name], vmin=0, vmax=_FULL[name])
    for i, j in np.argwhere(confusion):
        text = f"{share[i, j]:.1f}" if percent else str(confusion[i, j])
        color = "white" if i == j and share[i, j] > 60 else "black"
        ax.text(j, i, text, ha="center", va="center", fontsize=size, color=color, **ON_COLOUR)
    ax.set(xticks=range(len(classes)), yticks=range(len(classes)), xlabel="predicted", ylabel="true", title=title)
    ax.set_xticklabels([short(c) for c in classes], fontsize=size)
    ax.set_yticklabels(titles(classes), fontsize=size)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(FixedLocator(np.arange(len(classes) + 1) - 0.5))
    ax.grid(which="minor", color="#dddddd", lw=0.6)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)


def _scales(fig, axes):
    """A scale for each of the two colours: below the outer columns, or beside a single one."""
    fig.set_layout_engine("compressed", wspace=0.05)
    single = axes.shape[1] == 1
    columns = [[ax for ax in axes[:, i] if ax.figure] for i in (0, -1)]
    for name, ax in zip(_SCALE, columns, strict=True):
        scale = ScalarMappable(Normalize(0, _FULL[name]), _SCALE[name])
        where = {"location": "right" if single else "bottom", "shrink": 0.8, "aspect": 25, "pad": 0.03}
        bar = fig.colorbar(scale, ax=ax, extend="max" if name == "mistakes" else "neither", **where)
        bar.set_label(f"{name} (% of the true class)", fontsize=8)
        bar.ax.tick_params(labelsize=8)
        bar.outline.set_visible(False)


def per_class_rates(confusion, classes=FOLDERS) -> Figure:
    """Sensitivity and precision of every class with Wilson's 95 % interval.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)
    classes : sequence of str
    """
    counts = metrics.one_vs_rest(confusion)
    fig, axes = figure(9, 3.6, 1, columns=2, sharey=True)
    wholes = {"sensitivity": counts["TP"] + counts["FN"], "precision": counts["TP"] + counts["FP"]}
    for ax, (name, whole) in zip(axes, wholes.items(), strict=True):
        bounds = 100 * metrics.wilson(counts["TP"], whole)
        rate = 100 * counts["TP"] / whole.replace(0, np.nan)
        for i, color in enumerate(colors(classes)):
            ax.plot(bounds[i], [i, i], color=NEUTRAL, lw=2, zorder=1)
            ax.scatter(rate[i], i, s=55, color=color, edgecolor="black", lw=0.6, zorder=2)
            ax.annotate(f"{counts['TP'][i]}/{whole[i]}", (1.01, i), **BESIDE)
        ax.set(xlabel=f"{name} (%)", yticks=range(len(classes)), yticklabels=titles(classes))
    axes[0].invert_yaxis()
    return fig


def shares(tables, truth=None, *, label="share of the white cells (%)") -> Figure:
    """Shares of the kinds of a count with their intervals, a colour a count; the true shares as ticks.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        For each count its ``share``, ``low`` and ``high``, as fractions; a row a kind.
    truth : sequence of float, optional
        The true share of each kind.
    label : str
        Of what is a share.
    """
    fig, ax = figure(8, 3.6)
    for i, (name, table) in enumerate(tables.items()):
        y = np.arange(len(table)) + (i - (len(tables) - 1) / 2) * 0.7 / len(tables)
        ax.hlines(y, 100 * table["low"], 100 * table["high"], color=SERIES[i % len(SERIES)], lw=2)
        ax.scatter(100 * table["share"], y, s=24, color=SERIES[i % len(SERIES)], label=name)
    if truth is not None:
        at = 100 * np.asarray(truth), np.arange(len(truth))
        ax.scatter(*at, marker="|", s=700, color=NEUTRAL, label="in the blood")
    ax.set(xlabel=label, yticks=range(len(table)), yticklabels=list(table.index))
    ax.grid(axis="x", color="#dddddd", lw=0.6)
    ax.invert_yaxis()
    many = len(tables) > 3
    legend = fig.legend(loc="outside upper center", ncols=3) if many else ax.legend(loc="lower right", fontsize=8)
    for handle in legend.legend_handles:
        handle.set_sizes([36])
    return fig


def printed_rates(confusion, printed, above=None, *, unknown=()) -> Figure:
    """True-positive rates of some classes with Wilson's 95 % interval, beside printed ones (the paper's Fig. 14).

    Parameters
    ----------
    confusion : array-like of int, shape (8, 8)
    printed : dict of str to float or None
        The classes to draw, and the printed rate of each in percent; None where no rate is printed.
    above : dict of str to float, optional
        What is printed instead: the rate is greater than so many percent; drawn as an arrow from there.
    unknown : sequence of str
        Works whose rates are not known: named in the legend, without a mark.
    """
    confusion, above = np.asarray(confusion), above or {}
    fig, ax = figure(8, 3.8)
    rows = [FOLDERS.index(name) for name in printed]
    found, whole = confusion[rows, rows], confusion[rows].sum(axis=1)
    rates, reach = 100 * found / whole, 100 * metrics.wilson(found, whole).T
    x = np.arange(len(rows))
    ax.errorbar(x - 0.12, rates, yerr=abs(reach - rates), fmt="o", capsize=4, color=MEASURED, label="measured here")
    known = {i: value for i, value in enumerate(printed.values()) if value is not None}
    ax.scatter(np.add(list(known), 0.12), list(known.values()), marker="D", color=PRINTED, label="printed in the paper")
    for i, name in enumerate(printed):
        if name in above and i not in known:
            arrow = {"arrowstyle": "->", "color": PRINTED, "lw": 1.5}
            ax.annotate("", (i + 0.12, 100), (i + 0.12, above[name]), arrowprops=arrow)
            ax.annotate(f"over {above[name]:g}", (i + 0.18, above[name]), color=PRINTED, fontsize=8, va="center")
    for name in unknown:
        ax.plot([], [], " ", label=f"{name}: not given in the text")
    ax.set(xticks=x, xticklabels=titles(printed), ylabel="true-positive rate (%)", xlim=(-0.5, len(rows) - 0.3))
    ax.set_ylim(top=100.6)
    fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8)
    return fig


def mean_rates(tables) -> Figure:
    """Mean and standard deviation over the classes of sensitivity, specificity and precision (Fig. 13 of the paper).

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Name of the model, and `metrics.mean_sd` of its matrix.
    """
    fig, ax = figure(8, 3.2)
    for i, (name, table) in enumerate(tables.items()):
        x = np.arange(len(table)) + (i - (len(tables) - 1) / 2) * 0.8 / len(tables)
        mean, color = 100 * table["mean"], SERIES[i % len(SERIES)]
        ax.errorbar(x, mean, yerr=100 * table["sd"], fmt="o", capsize=4, color=color, label=name)
        for at, value in zip(x, mean, strict=True):
            ax.annotate(f"{value:.1f}", (at, value), (5, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set(xticks=range(len(table)), xticklabels=list(table.index), ylabel="mean over the classes (%)")
    ax.set(xlim=(-0.5, len(table) - 0.5))
    ax.grid(axis="y", color="#dddddd", lw=0.6)
    ax.legend(loc="lower right", fontsize=8)
    return fig


def accuracies(rows) -> Figure:
    """Measured accuracies with their intervals, and the printed ones beside them.

    Parameters
    ----------
    rows : list of dict
        From `records.record_rows`.
    """
    table = pd.DataFrame(rows)
    fig, ax = figure(8, 0.5 * len(table) + 1.1)
    y = np.arange(len(table))
    middle = 100 * table["accuracy"]
    reach = np.abs(100 * np.stack(table["accuracy_ci95"]).T - middle.to_numpy())
    ax.errorbar(middle, y, xerr=reach, fmt="o", color=MEASURED, capsize=3, label="measured, 95 % interval")
    printed = table["printed_percent"].astype(float)  # some models were not printed: they have no mark
    ax.scatter(printed, y, marker="D", color=PRINTED, label="printed in the paper", zorder=3)
    ax.set(yticks=y, yticklabels=table["model"] + "\n(" + table["data"] + ")", xlabel="accuracy on the test images (%)")
    ax.invert_yaxis()
    ax.legend(loc="best")
    return fig


def corruptions(accuracies) -> Figure:
    """Accuracy as the images are and after each corruption: a row a corruption, a colour a model, a dot a network.

    Parameters
    ----------
    accuracies : dict of str to list of dict
        For each model its networks, each a dict from the name of a corruption to an accuracy (a fraction).
    """
    rows = list(dict.fromkeys(name for networks in accuracies.values() for network in networks for name in network))
    fig, ax = figure(8.5, 0.34 * len(rows) + 1)
    for i, (name, networks) in enumerate(accuracies.items()):
        points = [(100 * network[row], rows.index(row)) for network in networks for row in network]
        ax.scatter(*zip(*points, strict=True), s=34, color=SERIES[2 * i], alpha=0.65, edgecolor="none", label=name)
    ax.set(yticks=range(len(rows)), yticklabels=rows, xlabel="test accuracy (%)")
    ax.grid(axis="y", lw=0.4)
    ax.invert_yaxis()
    if len(accuracies) > 1:
        fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig


def fold_accuracies(scores, test_accuracy=None, *, score="accuracy") -> Figure:
    """Accuracy on every held-out fold, a row of dots for each way of cross-validating.

    Parameters
    ----------
    scores : dict of str to list of float
        Fractions.
    test_accuracy : float, optional
        On untouched images, drawn as a line.
    score : str
        What was measured, for the axis.
    """
    fig, ax = figure(8, 0.6 * len(scores) + 1.2)
    for i, values in enumerate(100 * np.asarray(values) for values in scores.values()):
        beside = i + np.linspace(-0.12, 0.12, len(values))  # or two equal folds would look like one
        ax.scatter(values, beside, s=30, alpha=0.6, color=MEASURED, edgecolor="none")
        ax.scatter([values.mean()], [i], marker="|", s=500, color=MEASURED)
        ax.annotate(f"{values.mean():.1f} %", (values.mean(), i), (0, 12), textcoords="offset points", ha="center")
    if test_accuracy is not None:
        ax.axvline(100 * test_accuracy, color=PRINTED, ls="--", lw=1.5)
        ax.annotate(f"untouched test images: {100 * test_accuracy:.1f} %", (100 * test_accuracy, len(scores) - 0.45),
                    (4, 0), textcoords="offset points", color=PRINTED, fontsize=9)  # fmt: skip
    ax.set(yticks=range(len(scores)), yticklabels=list(scores), xlabel=f"{score} (%)", ylim=(-0.6, len(scores) - 0.2))
    ax.margins(x=0.15)
    return fig


def reliability(tables) -> Figure:
    """How often answers are right against how sure they were, with Wilson's 95 % interval; dotted, where both agree.

    Parameters
    ----------
    tables : dict of str to dict
        For each model, or each state of one, what `calibration.reliability` gives. The more answers, the larger a dot.
    """
    fig, ax = figure(6.5, 4.2)
    ax.plot([0, 100], [0, 100], color=NEUTRAL, ls=":", label="as sure as right")
    for color, (name, table) in zip(SERIES[::2], tables.items(), strict=False):
        x, n, right = (np.asarray(table[key]) for key in ("confidence", "n", "right"))
        low, high = np.transpose([metrics.wilson(int(k), int(m)) for k, m in zip(right, n, strict=True)])
        rate = right / n
        ax.vlines(100 * x, 100 * low, 100 * high, color=color, lw=1.2)
        ax.plot(100 * x, 100 * rate, color=color, lw=1, alpha=0.5)
        ax.scatter(100 * x, 100 * rate, s=18 + 260 * n / n.sum(), color=color, alpha=0.7, edgecolor="none", label=name)
    least = min(min(table["confidence"]) for table in tables.values())
    ax.set(xlabel="mean confidence (%)", ylabel="answers that are right (%)", xlim=(100 * least - 5, 102))
    legend = ax.legend(loc="lower right")
    for handle in legend.legend_handles[1:]:
        handle.set_sizes([36])
    return fig


def coverage_risk(curves) -> Figure:
    """Wrong names among those given, when only the surest answers become names.

    Parameters
    ----------
    curves : dict of str to tuple of array-like
        For each, answers that became ``named``, in rising order, and how many of these were ``wrong``. Drawn from a
        twentieth of the answers on: of fewer, chance makes the share.
    """
    fig, ax = figure(6.5, 3.8)
    for color, (name, (named, wrong)) in zip(SERIES, curves.items(), strict=False):
        named, wrong = np.array([named, wrong])[:, np.asarray(named) >= named[-1] / 20]
        ax.plot(100 * named / named[-1], 100 * wrong / named, color=color, lw=1.8, drawstyle="steps-post", label=name)
    ax.set(xlabel="coverage: answers that become names (%)", ylabel="risk: names that are wrong (%)", ylim=(0, None))
    ax.legend(loc="upper left")
    return fig


def roc_curves(curves) -> Figure:
    """Strangers that are refused against cells that are, as a limit moves; dotted, a score that says nothing.

    Parameters
    ----------
    curves : dict of str to tuple of array-like
        For each score the shares of cells and of strangers that are refused (`sklearn.metrics.roc_curve`).
    """
    fig, ax = figure(5.2, 4.2)
    ax.plot([0, 100], [0, 100], color=NEUTRAL, ls=":")
    for color, (name, (cells, strange)) in zip(SERIES, curves.items(), strict=False):
        ax.plot(100 * np.asarray(cells), 100 * np.asarray(strange), color=color, lw=1.8, label=name)
    ax.set(xlabel="cells that are refused (%)", ylabel="strangers that are refused (%)")
    ax.legend(loc="lower right")
    return fig


def votes(scores, title="") -> Figure:
    """How strongly a classifier votes for every class for one image.

    Parameters
    ----------
    scores : array-like of float, shape (k,)
        For example a row of a support vector machine's ``decision_function``.
    title : str
    """
    fig, ax = figure(6.5, 3)
    ax.barh(titles(FOLDERS), scores, color=colors(FOLDERS))
    ax.set(xlabel="votes", title=title)
    ax.invert_yaxis()
    return fig
