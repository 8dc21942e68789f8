"""The paper's items as tables of HTML, and figures: for the report, and for the page of the book that says the same."""

from ..interactive.page import render
from .verdicts import KINDS, MARKS, tally

GROUPS = {"Tables": "Table", "Figures": "Fig.", "Equations": "Eq."}
WIDEST = 6  # percentage points that the little scale of a row shows at most; an arrow leads to what lies beyond


def items_table(rows, group, address):
    """The paper's tables, figures or equations as HTML.

    Each item is a group of rows; each comparison a row with a little scale: the measured interval around the printed
    number. ``table.css`` belongs to it.

    Parameters
    ----------
    rows : sequence of Row
        All items; the scale follows from them.
    group : str
        One of `GROUPS`.
    address : callable
        From a chapter to where its page is.

    Returns
    -------
    markupsafe.Markup
    """
    reach = [abs(bound) for row in rows for line in row.lines if line.offset for bound in line.offset]
    widest = min(max([1.0, *reach]), WIDEST)
    return render(
        __package__,
        "items.html",
        rows=[row for row in rows if row.name.startswith(GROUPS[group])],
        group=group,
        widest=widest,
        address=address,
        anchor=anchor,
        marks=MARKS,
        scale=_scale,
    )


def anchor(name):
    """Where an item is on its page.

    Parameters
    ----------
    name : str
        For example ``"Fig. 11"``.

    Returns
    -------
    str
        For example ``"fig-11"``.
    """
    return name.lower().replace(". ", "-").replace(" ", "-")


def tally_list(rows):
    """How many comparisons ended how, as a list of HTML.

    Parameters
    ----------
    rows : sequence of Row

    Returns
    -------
    markupsafe.Markup
    """
    return render(__package__, "tally.html", counts=tally(line for row in rows for line in row.lines), kinds=KINDS)


def figure_list(figures):
    """Figures as HTML.

    Parameters
    ----------
    figures : sequence of dict
        From `figures.figures` or `figures.compared`.

    Returns
    -------
    markupsafe.Markup
    """
    return render(__package__, "figures.html", figures=figures)


def _scale(offset, widest):
    """Where a measured interval lies around the printed number, which is the dashed line in the middle."""
    middle, low, high = (100 + 92 * max(-1, min(1, value / widest)) for value in offset)
    return {"middle": middle, "low": low, "high": high, "beyond": abs(offset[0]) > widest}
