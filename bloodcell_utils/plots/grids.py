"""Figures of a grid of experiments: the table with intervals, the curves behind it, and the luck of its best cell."""

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .style import MEASURED, NEUTRAL, ON_COLOUR, PRINTED, SERIES, figure


def accuracy_grid(tables, chosen=None) -> Figure:
    """Accuracy and 95 % interval in every cell of a grid, a panel a table; what cannot be told from the best is bold.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Title, and the columns ``images_per_class, blocks, accuracy, low, high`` (fractions); of several rows for one
        cell the first is shown. Where the optional column ``like_best`` is true, the cell is in bold type.
    chosen : tuple of int, optional
        Images a class and blocks of a cell to frame.
    """
    tables = {title: table.drop_duplicates(["images_per_class", "blocks"]) for title, table in tables.items()}
    widths = [table["blocks"].nunique() for table in tables.values()]
    rows = max(table["images_per_class"].nunique() for table in tables.values())
    fig, axes = figure(min(9.5, 1.1 * sum(widths) + 1.3 * len(tables)), 0.62 * rows + 1.2, 1, columns=len(tables),
                       squeeze=False, width_ratios=widths)  # fmt: skip
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=True):
        shown = table.pivot(index="images_per_class", columns="blocks", values="accuracy")
        worst, best = shown.min(axis=None), shown.max(axis=None)
        span = max(best - worst, 0.01)  # the darkest blues stay free: black must be read on all of them
        scale = {"cmap": "Blues", "vmin": worst - 0.2 * span, "vmax": best + 1.2 * span}
        sns.heatmap(shown, cbar=False, linewidths=2, ax=ax, **scale)
        for row in table.itertuples():
            i, j = shown.index.get_loc(row.images_per_class), shown.columns.get_loc(row.blocks)
            text = f"{100 * row.accuracy:.1f}\n{100 * row.low:.1f} to {100 * row.high:.1f}"
            style = {"fontweight": "bold" if getattr(row, "like_best", False) else "normal", "fontsize": 8}
            ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", **style, **ON_COLOUR)
            if (row.images_per_class, row.blocks) == chosen:
                ax.add_patch(Rectangle((j + 0.03, i + 0.03), 0.94, 0.94, fill=False, ec=PRINTED, lw=2.5))
        ax.set_yticklabels([f"{n:,}" for n in shown.index], rotation=0)
        ax.set(title=title, xlabel="last blocks trained", ylabel="")
    axes.flat[0].set_ylabel("images a class")
    return fig


def grid_curves(tables) -> Figure:
    """Accuracy over the number of images a class, a line for each number of trained blocks and a panel a table.

    All panels span as many points and as many doublings, so that their slopes may be compared.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        As for `accuracy_grid`; several rows for one cell (seeds) are drawn beside each other.
    """
    fig, axes = figure(min(9.5, 1 + 4 * len(tables)), 3.4, 1, columns=len(tables), squeeze=False)
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=True):
        for i, (blocks, rows) in enumerate(table.groupby("blocks")):
            color, shift = SERIES[i % len(SERIES)], 1 + 0.03 * (i - (table["blocks"].nunique() - 1) / 2)
            mean = 100 * rows.groupby("images_per_class")["accuracy"].mean()
            label = f"{blocks} block" + ("s" if blocks > 1 else "")
            ax.plot(mean.index * shift, mean, color=color, lw=1.2, label=label)
            again = rows.groupby("images_per_class").cumcount()
            reach = np.abs(100 * rows[["low", "high"]].to_numpy().T - 100 * rows["accuracy"].to_numpy())
            x = rows["images_per_class"] * shift * 1.06**again
            ax.errorbar(x, 100 * rows["accuracy"], reach, fmt="o", ms=4, color=color, capsize=2, lw=1)
        ticks = sorted(table["images_per_class"].unique())
        ax.set(xscale="log", title=title, xlabel="images a class")
        ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
        ax.minorticks_off()
        ax.legend(fontsize=8, loc="lower right")
    half = max(np.ptp(ax.get_ylim()) for ax in axes.flat) / 2
    ratio = max(np.divide(*ax.get_xlim()[::-1]) for ax in axes.flat) ** 0.5
    for ax in axes.flat:
        middle, centre = np.mean(ax.get_ylim()), np.prod(ax.get_xlim()) ** 0.5
        ax.set(ylim=(middle - half, middle + half), xlim=(centre / ratio, centre * ratio))
    axes.flat[0].set_ylabel("accuracy on the validation images (%)")
    return fig


def best_of_many(best, truth, seen=None) -> Figure:
    """How good the best cell of a table looks when all its cells are equally good.

    Parameters
    ----------
    best : array-like of float
        The best accuracy of each of many simulated tables; fractions.
    truth : float
        The accuracy that every cell has in truth.
    seen : float, optional
        The best accuracy of a real table, to compare.
    """
    best = 100 * np.asarray(best)
    fig, ax = figure(8, 3)
    values, tables = np.unique(best.round(9), return_counts=True)  # a count of images has no values in between
    ax.bar(values, tables, np.diff(values, append=values[-1] + 1).min(), color=MEASURED, alpha=0.5)
    lines = {f"every cell in truth: {100 * truth:.1f} %": (100 * truth, NEUTRAL, "-"),
             f"best cell on average: {best.mean():.1f} %": (best.mean(), MEASURED, "-")}  # fmt: skip
    if seen is not None:
        lines[f"best cell as printed: {100 * seen:.1f} %"] = (100 * seen, PRINTED, "--")
    for label, (x, color, style) in lines.items():
        ax.axvline(x, color=color, ls=style, lw=1.8, label=label)
    ax.set(xlabel="best accuracy of the table (%)", ylabel="simulated tables")
    ax.legend(fontsize=8, loc="upper right")
    return fig
