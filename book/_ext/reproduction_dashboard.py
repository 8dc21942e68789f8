"""The directive ``{reproduction-dashboard}``: each printed number beside the measured one, to be filtered.

``{reproduction-figures}`` leaves those of the paper's figures that set networks, works or trainings side by side. Made
from the run records of ``book/results``, ``course.yml`` and ``paper.py``; complete without a script.
"""

from pathlib import Path

from docutils import nodes
from one_style import OWN
from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import reproduction
from bloodcell_utils.experiments import records
from bloodcell_utils.files import replace_file
from bloodcell_utils.interactive.page import asset

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "book" / "results"
PAGE = "book/reproduction"
FILTER = """<form class="items-filter" hidden><p>
<label>Of the paper <select name="group"><option value="">everything</option>{options}</select></label>
<label>Words <input type="search" name="words" placeholder="VGG-16, basophil, accuracy …"></label>
<output class="items-count" aria-live="polite"></output></p></form>"""


def dashboard(rows):
    """Tally, filter and tables as HTML.

    Parameters
    ----------
    rows : sequence of bloodcell_utils.reproduction.Row

    Returns
    -------
    str
    """
    options = "".join(f"<option>{group}</option>" for group in reproduction.GROUPS)
    parts = ['<div class="reproduction">', reproduction.tally_list(rows), FILTER.format(options=options)]
    for group in reproduction.GROUPS:
        parts += [f'<section data-group="{group}"><h3>{group}</h3>']
        parts += [reproduction.items_table(rows, group, address), "</section>"]
    return "".join([*parts, "</div>"])


def drawn(evidence):
    """Figures that compare, as HTML: they are those of the report.

    Parameters
    ----------
    evidence : bloodcell_utils.reproduction.Evidence

    Returns
    -------
    str
    """
    return str(reproduction.figure_list(list(reproduction.compared(evidence))))


def address(chapter):
    """The page of a chapter, as seen from `PAGE`."""
    return f"../notebooks/{Path(chapter.file).stem}.html"


class ReproductionDashboard(SphinxDirective):
    """Take no argument; leave the tables."""

    def run(self):
        for path in [ROOT / "course.yml", *FOLDER.glob("*.json")]:
            self.env.note_dependency(str(path))
        rows = reproduction.checklist(records.read_all(FOLDER))
        return [nodes.raw("", dashboard(rows), format="html")]


class ReproductionFigures(SphinxDirective):
    """Take no argument; leave the figures."""

    def run(self):
        for path in FOLDER.glob("*.json"):
            self.env.note_dependency(str(path))
        return [nodes.raw("", drawn(reproduction.Evidence(records.read_all(FOLDER))), format="html")]


def style(app, pagename, templatename, context, doctree):
    if pagename == PAGE:
        app.add_css_file("items.css", priority=OWN)
        app.add_css_file("reproduction.css", priority=OWN)
        app.add_js_file("reproduction.js")


def write(app, exception):
    """Put the style of the tables, which the package keeps, beside the pages."""
    if exception is None and app.builder.format == "html":
        replace_file(
            Path(app.outdir) / "_static" / "items.css", asset("bloodcell_utils.reproduction", "table.css").encode()
        )


def setup(app):
    app.add_directive("reproduction-dashboard", ReproductionDashboard)
    app.add_directive("reproduction-figures", ReproductionFigures)
    app.connect("html-page-context", style)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
