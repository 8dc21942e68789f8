"""The picture that is shown where somebody sends the address of the book: the recorded matrix beside the title."""

from pathlib import Path

from front_page import FOLDER, sunflower

from bloodcell_utils import course
from bloodcell_utils.cells import by_folder
from bloodcell_utils.experiments import records

RECORD, MODEL = ("compact_best", "laptop"), "eight symmetries"
WIDTH, HEIGHT, SIDE, TOP, LEFT = 1200, 630, 68, 43, 590  # px; of a place of the matrix, and where it begins
FILE = "social-card.png"


def card():
    """The picture.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure  # here, since most builds draw nothing

    record = records.load_record(*RECORD, folder=FOLDER)
    measured, cells = record.models[MODEL], [by_folder(folder) for folder in record.classes]
    figure = Figure((WIDTH / 100, HEIGHT / 100), dpi=100, facecolor="#14181f")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    ax.axis("off")
    for i, row in enumerate(measured["confusion"]):
        for j, n in enumerate(row):
            x, y = LEFT + (j + 0.5) * SIDE, TOP + (i + 0.5) * SIDE
            ax.plot(x, y, "s", ms=0.72 * (SIDE - 4), color="#1d232c")
            if n:
                spread = list(sunflower(n, 1.35 if i == j else 4.5))
                dots = {"color": cells[i].color, "ms": 1.5 if i == j else 4, "mew": 0}
                ax.plot([x + dx for dx, _ in spread], [y + dy for _, dy in spread], "o", **dots)
    words = {"color": "#f3f5f7", "ha": "left", "va": "top"}
    ax.text(56, 96, "Blood cells and\nneural networks", fontsize=33, fontweight="bold", linespacing=1.25, **words)
    chapters = len(course.load().chapters)
    ax.text(56, 262, f"A hands-on course in {chapters} chapters:\nteach a computer to read\na blood smear, and learn\n"
            "when not to believe it.", fontsize=21, linespacing=1.45, **words)  # fmt: skip
    words["color"] = "#a2acb8"
    dots = f"Each dot is one of {measured['n_test']:,} cells:\nits row what it is, its column what the network says."
    ax.text(56, 520, dots, fontsize=14, linespacing=1.4, **words)
    return figure


def write(app, exception):
    """Draw the picture once."""
    path = Path(app.outdir) / "_static" / FILE
    if exception is None and app.builder.format == "html" and not path.is_file():
        card().savefig(path)


def know_home(app, config):
    """Addresses that are sent are whole ones."""
    config.ogp_site_url = config.html_baseurl


def setup(app):
    app.connect("config-inited", know_home)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
