"""Figures of mistakes: whose they are, where two classes meet, and what two models have in common."""

import numpy as np
from matplotlib.figure import Figure

from ..cells import FOLDERS, STAGES, SUBTYPES, titles
from .style import BESIDE, MEASURED, NEUTRAL, SERIES, colors, figure, short


def subtype_errors(tables) -> Figure:
    """Share of each sub-type that is named wrongly, with Wilson's 95 % interval, and the commonest wrong name.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Name of the model, and `error_analysis.errors_by_subtype` of it; the wrong names shown are the last one's.
    """
    last = list(tables.values())[-1]
    fig, ax = figure(8.5, 0.4 * len(last) + 1.2)
    for i, (name, table) in enumerate(tables.items()):
        table = 100 * table.loc[last.index, ["rate", "low", "high"]]
        y = np.arange(len(table)) + (i - (len(tables) - 1) / 2) * 0.3
        reach = np.abs(table[["low", "high"]].sub(table["rate"], axis=0)).T.to_numpy()
        ax.errorbar(table["rate"], y, xerr=reach, fmt="o", ms=5, lw=1.5, color=SERIES[i % len(SERIES)], label=name)
    for y, (_, row) in enumerate(last.iterrows()):
        most = f", {row['of_these']} as {titles([row['called']])[0]}" if row["wrong"] else ""
        ax.annotate(f"{row['wrong']} of {row['n']}{most}", (1.01, y), color=NEUTRAL, **BESIDE)
    names = [STAGES.get(prefix, prefix) for prefix in last.index]
    ax.set(yticks=range(len(last)), yticklabels=names, xlabel="named wrongly (%), with 95 % interval")
    for label, color in zip(ax.get_yticklabels(), colors(last["class"]), strict=True):
        label.set_bbox({"facecolor": color, "alpha": 0.25, "edgecolor": "none", "pad": 1.5})
    ax.grid(axis="x", color="#dddddd", lw=0.6)
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    fig.legend(loc="outside upper center", ncols=len(tables), frameon=False)
    return fig


def maturation(tables) -> Figure:
    """What the stages of a granulocyte are called wrongly, youngest on top; a line where the two classes meet.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Name of the model, and `error_analysis.answers_by_stage` of it.
    """
    fig, axes = figure(8.5, 3, 1, columns=len(tables), squeeze=False, sharex=True, sharey=True)
    wrong = {"ig": "immature granulocyte", "neutrophil": "neutrophil", "other": "anything else"}
    shade = dict(zip(wrong, (*colors(["ig", "neutrophil"]), "#bbbbbb"), strict=True))
    for ax, (name, table) in zip(axes.flat, tables.items(), strict=True):
        total, start = table.sum(axis=1), np.zeros(len(table))
        for column, label in wrong.items():
            mistaken = table[column].where([SUBTYPES[prefix] != column for prefix in table.index], 0)
            share = (100 * mistaken / total.where(total > 0, 1)).to_numpy()
            bars = ax.barh(range(len(table)), share, left=start, color=shade[column], label=f"called {label}")
            ax.bar_label(bars, [n or "" for n in mistaken], label_type="center", fontsize=8)
            start += share
        ax.axhline(2.5, color="black", ls="--", lw=1.2)  # between metamyelocyte and band neutrophil
        ax.set(title=name, xlabel="of the stage (%); counts inside")
    axes[0, 0].set_yticks(range(len(table)), [f"{STAGES[prefix]} ({n})" for prefix, n in total.items()])
    axes[0, 0].invert_yaxis()
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return fig


def shared_mistakes(results) -> Figure:
    """Cells that two models both get wrong, beside what chance would give.

    Parameters
    ----------
    results : dict of str to dict
        Label, and what `error_analysis.shared_errors` found.
    """
    fig, ax = figure(8, 0.7 * len(results) + 1.1)
    for y, found in enumerate(results.values()):
        chance = {"color": NEUTRAL, "solid_capstyle": "butt", "alpha": 0.5, "lw": 10}
        ax.plot([found["low"], found["high"]], [y, y], label=None if y else "by chance, 95 % range", **chance)
        ax.scatter(found["both"], y, s=70, color=MEASURED, zorder=3, label=None if y else "both wrong, as measured")
        ax.annotate(str(found["both"]), (found["both"], y), (9, 0), textcoords="offset points", va="center")
        ax.annotate(f"{found['expected']:.1f}", (found["high"], y), (6, 0), textcoords="offset points", va="center",
                    color=NEUTRAL)  # fmt: skip
    ax.set(yticks=range(len(results)), yticklabels=list(results), xlabel="cells that both models name wrongly")
    ax.set(ylim=(len(results) - 0.4, -0.6), xlim=(0, None))
    ax.margins(x=0.12)
    ax.legend(loc="best", frameon=False)
    return fig


def scorecard(y_true, readers, unsure=None) -> Figure:
    """Every cell of a round, a column each, and who named it how; what is wrong is strong in colour and has its name.

    Parameters
    ----------
    y_true : array-like of int, shape (n,)
    readers : dict of str to array-like of int, shape (n,)
        Name of the reader, and the answers.
    unsure : dict of str to array-like of bool, shape (n,), optional
        Of some readers: the cells that they would rather not have named, marked by a dot.
    """
    y_true, palette = np.asarray(y_true), colors(FOLDERS)
    order = np.argsort(y_true, kind="stable")
    fig, ax = figure(9, 0.75 * len(readers) + 1)
    for row, (name, answers) in enumerate(readers.items()):
        doubts = np.asarray((unsure or {}).get(name, np.zeros(len(y_true), bool)))[order]
        for x, (true, called, doubt) in enumerate(zip(y_true[order], np.asarray(answers)[order], doubts, strict=True)):
            wrong = true != called
            ax.bar(x, 0.8, 0.9, row - 0.4, color=palette[called], alpha=1 if wrong else 0.25, lw=0)
            if wrong:
                style = {"fontsize": 7, "fontweight": "bold", "rotation": 90, "ha": "center", "va": "center"}
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
                ax.text(x, row, short(FOLDERS[called]), bbox=box, **style)
            if doubt:
                ax.plot(x, row + 0.32, "o", ms=3.5, color="black")
    ax.vlines(np.flatnonzero(np.diff(y_true[order])) + 0.5, -0.5, len(readers) - 0.5, color=NEUTRAL, lw=0.8)
    present = np.unique(y_true)
    middles = [np.flatnonzero(y_true[order] == c).mean() for c in present]
    right = [f"{name}\n{np.sum(np.asarray(a) == y_true)} of {len(y_true)} right" for name, a in readers.items()]
    ax.set_xticks(middles, [short(FOLDERS[c]) for c in present])
    ax.set(yticks=range(len(readers)), yticklabels=right, xlabel="the cells, by what they are")
    ax.set(xlim=(-0.6, len(y_true) - 0.4), ylim=(len(readers) - 0.45, -0.55))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return fig
