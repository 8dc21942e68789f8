"""Figures of rules: which questions are asked in turn, and where each answer leads."""

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .style import ARROW, FROZEN, PRINTED, figure, node


def decisions(steps, end, *, here=None) -> Figure:
    """Questions from top to bottom, each with the answer that ends the way and what it ends in.

    Parameters
    ----------
    steps : list of (str, str, str)
        A question, ``"yes"`` or ``"no"``, and what follows from this answer; the other one leads to the next question.
    end : str
        What follows when no answer has ended the way.
    here : int, optional
        Which of the ends the shipped network comes to; the last is ``len(steps)``.
    """
    fig, ax = figure(8, 0.9 * len(steps) + 1.1)
    colors = [PRINTED if i == here else FROZEN for i in range(len(steps) + 1)]
    for y, (question, answer, outcome) in enumerate(steps):
        node(ax, (0, -y), question, color="#EEEEEE", width=4, size=9)
        node(ax, (6, -y), outcome, color=colors[y], width=4.4, size=9)
        ax.annotate("", (3.8, -y), (2, -y), arrowprops=ARROW)
        ax.annotate("", (0, -y - 0.66), (0, -y - 0.34), arrowprops=ARROW)
        ax.text(2.9, -y + 0.06, answer, ha="center", fontsize=9)
        ax.text(0.1, -y - 0.5, {"yes": "no", "no": "yes"}[answer], va="center", fontsize=9)
    node(ax, (0, -len(steps)), end, color=colors[-1], width=4, size=9)
    ax.set(xlim=(-2.1, 8.3), ylim=(-len(steps) - 0.4, 0.4))
    ax.axis("off")
    if here is not None:
        fig.legend(handles=[Patch(color=PRINTED, label="CompactNet, as it is shipped")], loc="outside lower right")
    return fig
