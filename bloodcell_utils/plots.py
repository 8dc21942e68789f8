"""Every figure of the book, one function each. A function returns a Figure and shows nothing itself.

Class colours are `cells.CELLS`'; axes carry units; counts are printed where there is room for them.
"""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt

from . import metrics
from .cells import FOLDERS, by_folder, titles

MEASURED, PRINTED, NEUTRAL = "#0072B2", "#D55E00", "#666666"

_STYLE = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
}


def montage(images, names=None, columns=8, width=9.0):
    """Images in a grid, each with its name above.

    Parameters
    ----------
    images : sequence of numpy.ndarray, shape (height, width, 3)
        Sizes may differ.
    names : sequence of str, optional
    columns : int
    width : float
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(images) // columns)
    side = width / columns
    fig, axes = _figure(width, rows * (side + (0.25 if names is not None else 0)), rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for i, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        ax.imshow(image)
        if names is not None:
            ax.set_title(names[i], fontsize=8)
    return fig


def class_counts(tables, classes=FOLDERS):
    """Images a class, one group of bars a table.

    Parameters
    ----------
    tables : dict of str to (pandas.DataFrame or dict)
        Label of the bars, and an index or counts by class folder.
    classes : sequence of str
        Class folders in order.

    Returns
    -------
    matplotlib.figure.Figure
    """
    counts = {label: _counts(table, classes) for label, table in tables.items()}
    fig, ax = _figure(8, 0.45 * len(classes) * max(1, len(counts) / 2) + 1)
    height = 0.8 / len(counts)
    for i, (label, values) in enumerate(counts.items()):
        y = np.arange(len(classes)) + (i - (len(counts) - 1) / 2) * height
        bars = ax.barh(y, values, height, color=_colors(classes), alpha=1 - 0.6 * i / max(1, len(counts)), label=label)
        ax.bar_label(bars, [f"{v:,}" for v in values], padding=3, fontsize=8)
    ax.set(yticks=range(len(classes)), yticklabels=titles(classes), xlabel="images")
    ax.invert_yaxis()
    ax.margins(x=0.1)
    if len(counts) > 1:
        ax.set_title(", ".join(f"{label}: {sum(values):,}" for label, values in counts.items()) + " (top to bottom)")
    return fig


def batches(table, classes=FOLDERS):
    """Share of the second batch in each class: how far the size of an image gives its class away.

    Parameters
    ----------
    table : pandas.DataFrame
        An index.
    classes : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = _figure(8, 3.2)
    total = _counts(table, classes)
    second = _counts(table[table["batch"] == 2], classes)
    share = 100 * second / total
    bars = ax.bar(range(len(classes)), share, color=_colors(classes))
    ax.bar_label(bars, [f"{a:,} of {b:,}" for a, b in zip(second, total, strict=True)], fontsize=8, padding=2)
    ax.set(xticks=range(len(classes)), xticklabels=[_short(c) for c in classes], ylabel="in the second batch (%)")
    return fig


def image_levels(images, names):
    """Histograms of the red, green and blue levels, one panel an image or set of images.

    Parameters
    ----------
    images : sequence of numpy.ndarray
        Levels 0-255, last axis RGB; or standardised values.
    names : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = _figure(9, 2.4, 1, len(images), squeeze=False)
    for ax, image, name in zip(axes.flat, images, names, strict=True):
        for channel, color in enumerate(("#D55E00", "#009E73", "#0072B2")):
            ax.hist(np.asarray(image)[..., channel].ravel(), 40, histtype="step", color=color, lw=1.5)
        ax.set(title=name, xlabel="level", yticks=[])
    axes.flat[0].set_ylabel("pixels")
    return fig


def decision_map(X, y, classifiers, classes=FOLDERS):
    """Where each classifier draws its borders between classes, in two dimensions.

    Parameters
    ----------
    X : numpy.ndarray, shape (n, 2)
    y : numpy.ndarray of int, shape (n,)
    classifiers : dict of str to classifier
        Title, and a classifier fitted on ``X`` and ``y``.
    classes : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, axes = _figure(9, 4.2, 1, len(classifiers), squeeze=False, sharex=True, sharey=True)
    (left, bottom), (right, top) = X.min(axis=0), X.max(axis=0)
    pad_x, pad_y = 0.05 * (right - left), 0.05 * (top - bottom)
    across = np.linspace(left - pad_x, right + pad_x, 150)
    up = np.linspace(bottom - pad_y, top + pad_y, 150)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype(np.float32)
    colors = _colors(classes)
    for ax, (title, classifier) in zip(axes.flat, classifiers.items(), strict=True):
        regions = np.array([plt.matplotlib.colors.to_rgb(colors[c]) for c in classifier.predict(grid)])
        extent = (across[0], across[-1], up[0], up[-1])
        ax.imshow(regions.reshape(150, 150, 3), origin="lower", extent=extent, aspect="auto", alpha=0.35)
        for c, color in enumerate(colors):
            ax.scatter(*X[y == c].T, s=9, color=color, edgecolor="black", lw=0.2, label=_short(classes[c]))
        ax.set(title=title, xlabel="first component")
    axes.flat[0].set_ylabel("second component")
    fig.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=8, markerscale=2)
    return fig


def fold_accuracies(scores, test_accuracy=None):
    """Accuracy on every held-out fold, a row of dots for each way of cross-validating.

    Parameters
    ----------
    scores : dict of str to list of float
        Fractions.
    test_accuracy : float, optional
        On untouched images, drawn as a line.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = _figure(8, 0.6 * len(scores) + 1.2)
    for i, values in enumerate(scores.values()):
        values = 100 * np.asarray(values)
        ax.scatter(values, np.full(len(values), i), s=30, alpha=0.6, color=MEASURED, edgecolor="none")
        ax.scatter([values.mean()], [i], marker="|", s=500, color=MEASURED)
        ax.annotate(f"{values.mean():.1f} %", (values.mean(), i), (0, 12), textcoords="offset points", ha="center")
    if test_accuracy is not None:
        ax.axvline(100 * test_accuracy, color=PRINTED, ls="--", lw=1.5)
        ax.annotate(f"untouched test images: {100 * test_accuracy:.1f} %", (100 * test_accuracy, len(scores) - 0.45),
                    (4, 0), textcoords="offset points", color=PRINTED, fontsize=9)  # fmt: skip
    ax.set(yticks=range(len(scores)), yticklabels=list(scores), xlabel="accuracy (%)", ylim=(-0.6, len(scores) - 0.2))
    ax.margins(x=0.15)
    return fig


def accuracies(rows):
    """Measured accuracies with their intervals, and the printed ones beside them.

    Parameters
    ----------
    rows : list of dict
        From `records.rows`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = pd.DataFrame(rows)
    fig, ax = _figure(8, 0.5 * len(table) + 1.1)
    y = np.arange(len(table))
    middle = 100 * table["accuracy"]
    reach = np.abs(100 * np.stack(table["accuracy_ci95"]).T - middle.to_numpy())
    ax.errorbar(middle, y, xerr=reach, fmt="o", color=MEASURED, capsize=3, label="measured, 95 % interval")
    printed = table["printed_percent"].notna().to_numpy()
    values = table["printed_percent"][printed]
    ax.scatter(values, y[printed], marker="D", color=PRINTED, label="printed in the paper", zorder=3)
    ax.set(yticks=y, yticklabels=table["model"] + "\n(" + table["data"] + ")", xlabel="accuracy on the test images (%)")
    ax.invert_yaxis()
    ax.legend(loc="best")
    return fig


def confusion_matrix(confusion, classes=FOLDERS, title=""):
    """Counts in every cell, colour by share of the true class.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)
        Rows true, columns predicted.
    classes : sequence of str
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    confusion = np.asarray(confusion)
    share = 100 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    fig, ax = _figure(6.8, 5.6)
    counts = np.where(confusion > 0, confusion.astype(str), "")
    bar = {"label": "share of the true class (%)"}
    sns.heatmap(share, annot=counts, fmt="", cmap="Blues", vmin=0, vmax=100, linewidths=0.5, cbar_kws=bar, ax=ax)
    ax.set_xticklabels([_short(c) for c in classes], rotation=0)
    ax.set_yticklabels(titles(classes), rotation=0)
    ax.set(xlabel="predicted", ylabel="true", title=title)
    return fig


def per_class_rates(confusion, classes=FOLDERS):
    """Sensitivity and precision of every class with Wilson's 95 % interval.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)
    classes : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    counts = metrics.one_vs_rest(confusion)
    fig, axes = _figure(9, 3.6, 1, 2, sharey=True)
    wholes = {"sensitivity": counts["TP"] + counts["FN"], "precision": counts["TP"] + counts["FP"]}
    for ax, (name, whole) in zip(axes, wholes.items(), strict=True):
        bounds = 100 * metrics.wilson(counts["TP"], whole)
        rate = 100 * counts["TP"] / whole.replace(0, np.nan)
        for i, color in enumerate(_colors(classes)):
            ax.plot(bounds[i], [i, i], color=NEUTRAL, lw=2, zorder=1)
            ax.scatter(rate[i], i, s=55, color=color, edgecolor="black", lw=0.6, zorder=2)
            where = {"xycoords": ("axes fraction", "data"), "fontsize": 8, "va": "center"}
            ax.annotate(f"{counts['TP'][i]}/{whole[i]}", (1.01, i), **where)
        ax.set(xlabel=f"{name} (%)", yticks=range(len(classes)), yticklabels=titles(classes))
    axes[0].invert_yaxis()
    return fig


def mean_rates(tables):
    """Mean and standard deviation over the classes of sensitivity, specificity and precision (Fig. 13 of the paper).

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Name of the model, and `metrics.mean_sd` of its matrix.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = _figure(8, 3.2)
    width = 0.8 / len(tables)
    palette = (MEASURED, "#56B4E9", "#009E73", "#CC79A7")
    for i, (name, table) in enumerate(tables.items()):
        x = np.arange(len(table)) + (i - (len(tables) - 1) / 2) * width
        style = {"capsize": 3, "color": palette[i % len(palette)], "label": name}
        bars = ax.bar(x, 100 * table["mean"], width * 0.95, yerr=100 * table["sd"], **style)
        ax.bar_label(bars, [f"{100 * m:.1f}" for m in table["mean"]], label_type="center", color="white", fontsize=8)
    ax.set(xticks=range(len(table)), xticklabels=list(table.index), ylabel="mean over the classes (%)", ylim=(0, 105))
    ax.legend(loc="lower right", fontsize=8, framealpha=0.9, frameon=True)
    return fig


def votes(scores, classes=FOLDERS, title=""):
    """How strongly a classifier votes for every class for one image.

    Parameters
    ----------
    scores : array-like of float, shape (k,)
        For example a row of `KernelSVM.decision_function`.
    classes : sequence of str
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = _figure(6.5, 3)
    ax.barh(range(len(classes)), scores, color=_colors(classes))
    ax.set(yticks=range(len(classes)), yticklabels=titles(classes), xlabel="votes", title=title)
    ax.invert_yaxis()
    return fig


def _figure(width, height, rows=1, columns=1, **options):
    """A figure that pyplot forgets at once, so that a notebook shows it once: as the value of its cell."""
    with plt.rc_context(_STYLE):
        fig, axes = plt.subplots(rows, columns, figsize=(width, height), **options)
    plt.close(fig)
    return fig, axes


def _counts(table, classes):
    counts = table["class"].value_counts() if hasattr(table, "columns") else pd.Series(dict(table))
    return counts.reindex(classes, fill_value=0).to_numpy(int)


def _colors(classes):
    """The fixed colour of each class; a reader's own classes take the same colours in turn."""
    spare = [by_folder(folder).color for folder in FOLDERS]
    return [cell.color if (cell := by_folder(c)) else spare[i % len(spare)] for i, c in enumerate(classes)]


def _short(folder):
    return cell.short if (cell := by_folder(folder)) else folder
