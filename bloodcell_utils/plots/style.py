"""What all figures share: their look, the colours of the classes, and a figure that shows once."""

from matplotlib import figure as mpl_figure
from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from ..cells import FOLDERS, by_folder

MEASURED, PRINTED, NEUTRAL = "#0072B2", "#D55E00", "#666666"
FROZEN = "#CFE0EE"
ON_COLOUR = {"gid": "on-colour"}  # text on a coloured ground: its ink stays on dark pages (book/_ext/figures.py)
BESIDE = {"xycoords": ("axes fraction", "data"), "fontsize": 8, "va": "center"}  # text on the right of the axes
NOT_MEASURED = "not measured yet:\none command, a GPU\nand internet"  # in a panel of a network that this is true of
SERIES = (MEASURED, "#56B4E9", "#009E73", "#CC79A7", "#E69F00", "#000000")
ARROW = {"arrowstyle": "-|>", "color": NEUTRAL, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}

_STYLE = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
}


class Figure(mpl_figure.Figure):
    """A figure whose texts are what they are: a class called ``a$b$`` is no formula."""

    def draw(self, renderer):
        """Draw the figure, as matplotlib asks it to."""
        for text in self.findobj(Text):
            text.set_parse_math(False)
        super().draw(renderer)


def figure(width, height, rows=1, *, columns=1, **options):
    """A figure that pyplot forgets at once, so that a notebook shows it once: as the value of its cell.

    Parameters
    ----------
    width, height : float, in inches
    rows, columns : int
        Of axes.
    **options
        Passed to `matplotlib.pyplot.subplots`.

    Returns
    -------
    matplotlib.figure.Figure
    matplotlib.axes.Axes or numpy.ndarray of Axes
    """
    plt.draw_if_interactive()  # loads the backend: inside the context, a notebook would forget to show the reader's own
    with plt.rc_context(_STYLE):
        fig, axes = plt.subplots(rows, columns, figsize=(width, height), FigureClass=Figure, **options)
    plt.close(fig)
    return fig, axes


def colors(classes):
    """The fixed colour of each class; a reader's own classes take the same colours in turn.

    Parameters
    ----------
    classes : sequence of str

    Returns
    -------
    list of str
        Hexadecimal colours.
    """
    spare = [by_folder(folder).color for folder in FOLDERS]
    return [cell.color if (cell := by_folder(c)) else spare[i % len(spare)] for i, c in enumerate(classes)]


def short(folder):
    """The short name of a class for narrow places; a reader's own class keeps its name.

    Parameters
    ----------
    folder : str

    Returns
    -------
    str
    """
    return cell.short if (cell := by_folder(folder)) else folder


def bare(axes):
    """No ticks and no frame: the axes of a picture are its own pixels.

    Parameters
    ----------
    axes : iterable of matplotlib.axes.Axes
    """
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)


def node(ax, middle, label, *, color, width, height=0.68, size=7):
    """Draw a box of a flow, with a label in it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    middle : (float, float)
    label, color : str
    width, height : float
    size : float
        Of the letters, in points.
    """
    corner = middle[0] - width / 2, middle[1] - height / 2
    shape = FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=0.08")
    shape.set(fc=color, ec="none", alpha=0.9, zorder=2)
    ax.add_patch(shape)
    ink = "white" if color in (MEASURED, SERIES[2]) else "black"  # on blue and on green
    ax.text(*middle, label, ha="center", va="center", fontsize=size, zorder=3, color=ink, **ON_COLOUR)
