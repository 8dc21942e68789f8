"""Figures of changed cells: one parameter moved from end to end, and what each parameter does to each class."""

import numpy as np
from matplotlib.figure import Figure

from ..cells import FOLDERS, titles
from ..datasets.specs import shown, words
from .style import MEASURED, NEUTRAL, ON_COLOUR, colors, figure


def film_strip(sweep) -> Figure:
    """A cell with one parameter moved from end to end, and below it the probability of each class that reaches 10 %.

    Parameters
    ----------
    sweep : counterfactuals.Sweep
    """
    n, width = len(sweep.values), 9.0
    fig, axes = figure(width, width / n + 2.2, 2, columns=n, height_ratios=(width / n, 1.8), squeeze=False)
    for ax, image, value in zip(axes[0], sweep.images, sweep.values, strict=True):
        ax.imshow(image)
        ax.axis("off")
        ax.set_title(shown(value), fontsize=8)
    for ax in axes[1]:
        ax.remove()
    ax = fig.add_subplot(axes[1, 0].get_gridspec()[1, :])
    ax.spines[["top", "right"]].set_visible(False)
    for probabilities, color, title in zip(sweep.probabilities.T, colors(FOLDERS), titles(FOLDERS), strict=True):
        if probabilities.max() >= 0.1:
            ax.plot(np.arange(n), probabilities, "o-", color=color, ms=4, label=title)
    ax.set(xlim=(-0.5, n - 0.5), ylim=(-0.03, 1.03), xticks=[], xlabel=words(sweep.parameter), ylabel="probability")
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return fig


def effects(table, title="") -> Figure:
    """What each parameter does to the evidence for each class: blue against it, red for it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `counterfactuals.effects`: a row a class folder, a column a parameter, log odds.
    title : str
    """
    values, limit = table.to_numpy(float).T, 8  # log odds at which the colours end
    fig, ax = figure(8, 0.26 * len(values) + 1.4)
    drawn = ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    ax.set_xticks(range(len(table)), titles(table.index), rotation=30, ha="right")
    ax.set_yticks(range(len(values)), [words(name) for name in table], fontsize=8)
    for (row, column), value in np.ndenumerate(values):
        if abs(value) >= 1:
            ax.text(column, row, f"{value:+.0f}", ha="center", va="center", fontsize=7,
                    color="white" if abs(value) > 0.6 * limit else "black", **ON_COLOUR)  # fmt: skip
    fig.colorbar(drawn, label="change in log odds of the own class")
    ax.set_title(title)
    return fig


def drawn_and_real(pairs) -> Figure:
    """The effect of a parameter on drawn cells against that of the attribute on real ones.

    Parameters
    ----------
    pairs : pandas.DataFrame
        With ``class``, ``parameter``, ``drawn`` and ``real`` (log odds).
    """
    fig, ax = figure(8, 4.6)
    ax.axhline(0, color=NEUTRAL, lw=0.8)
    ax.axvline(0, color=NEUTRAL, lw=0.8)
    classes = sorted(set(pairs["class"]), key=FOLDERS.index)
    for folder, color, title in zip(classes, colors(classes), titles(classes), strict=True):
        some = pairs[pairs["class"] == folder]
        ax.scatter(some["drawn"], some["real"], color=color, s=30, label=title)
    for _, row in pairs.reindex(pairs["real"].abs().sort_values(ascending=False).index).head(6).iterrows():
        right = row["drawn"] > pairs["drawn"].mean()
        ax.annotate(words(row["parameter"]), (row["drawn"], row["real"]), (-6 if right else 6, 3), fontsize=7,
                    textcoords="offset points", ha="right" if right else "left", color=MEASURED)  # fmt: skip
    ax.set_xlabel("drawn cells: change in log odds when the parameter is moved")
    ax.set_ylabel("real cells: difference in log odds\nbetween those with and without")
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return fig
