"""Figures of the images themselves: what is there, how many, how bright."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..cells import FOLDERS, titles
from .style import colors, figure, short

TOO_MUCH, MISSED = (213, 94, 0), (0, 114, 178)


def montage(images, names=None, columns=8, *, width=9.0) -> Figure:
    """Images in a grid, each with its name above.

    Parameters
    ----------
    images : sequence of numpy.ndarray, shape (height, width, 3)
        Sizes may differ.
    names : sequence of str, optional
    columns : int
    width : float, in inches
    """
    rows = -(-len(images) // columns)
    side = width / columns
    fig, axes = figure(width, rows * (side + (0.25 if names is not None else 0)), rows, columns=columns, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for i, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        ax.imshow(image)
        if names is not None:
            ax.set_title(names[i], fontsize=8)
    return fig


def cuts(images, found, truth, *, names=None) -> Figure:
    """Where a segmentation differs from the truth: orange is what it takes too much, blue what it misses.

    Parameters
    ----------
    images : sequence of numpy.ndarray of uint8, shape (height, width, 3)
    found, truth : sequence of numpy.ndarray of bool, shape (height, width)
    names : sequence of str, optional
    """
    marked = []
    for image, mine, true in zip(images, found, truth, strict=True):
        shown = image.copy()
        shown[mine & ~true], shown[true & ~mine] = TOO_MUCH, MISSED
        marked.append(shown)
    return montage(marked, names, len(marked), width=1.2 * len(marked))


def class_counts(tables, classes=FOLDERS) -> Figure:
    """Images a class, one group of bars a table.

    Parameters
    ----------
    tables : dict of str to (pandas.DataFrame or dict)
        Label of the bars, and an index or counts by class folder.
    classes : sequence of str
    """
    counts = {label: _counts(table, classes) for label, table in tables.items()}
    fig, ax = figure(8, 0.45 * len(classes) * max(1, len(counts) / 2) + 1)
    height = 0.8 / len(counts)
    for i, (label, values) in enumerate(counts.items()):
        y = np.arange(len(classes)) + (i - (len(counts) - 1) / 2) * height
        bars = ax.barh(y, values, height, color=colors(classes), alpha=1 - 0.6 * i / max(1, len(counts)), label=label)
        ax.bar_label(bars, [f"{v:,}" for v in values], padding=3, fontsize=8)
    ax.set(yticks=range(len(classes)), yticklabels=titles(classes), xlabel="images")
    ax.invert_yaxis()
    ax.margins(x=0.1)
    if len(counts) > 1:
        ax.set_title(", ".join(f"{label}: {sum(values):,}" for label, values in counts.items()) + " (top to bottom)")
    return fig


def batches(table) -> Figure:
    """Share of the second batch in each class: how far the size of an image gives its class away.

    Parameters
    ----------
    table : pandas.DataFrame
        An index.
    """
    fig, ax = figure(8, 3.2)
    total, second = _counts(table, FOLDERS), _counts(table[table["batch"] == 2], FOLDERS)
    bars = ax.bar([short(c) for c in FOLDERS], 100 * second / total, color=colors(FOLDERS))
    ax.bar_label(bars, [f"{a:,} of {b:,}" for a, b in zip(second, total, strict=True)], fontsize=8, padding=2)
    ax.set_ylabel("in the second batch (%)")
    return fig


def image_levels(images, names) -> Figure:
    """Histograms of the red, green and blue levels, one panel an image or set of images.

    Parameters
    ----------
    images : sequence of numpy.ndarray
        Levels 0-255, last axis RGB; or standardised values.
    names : sequence of str
    """
    fig, axes = figure(9, 2.4, 1, columns=len(images), squeeze=False)
    for ax, image, name in zip(axes.flat, images, names, strict=True):
        for channel, color in enumerate(("#D55E00", "#009E73", "#0072B2")):
            ax.hist(np.asarray(image)[..., channel].ravel(), 40, histtype="step", color=color, lw=1.5)
        ax.set(title=name, xlabel="level", yticks=[])
    axes.flat[0].set_ylabel("pixels")
    return fig


def _counts(table, classes):
    counts = table["class"].value_counts() if hasattr(table, "columns") else pd.Series(dict(table))
    return counts.reindex(classes, fill_value=0).to_numpy(int)
