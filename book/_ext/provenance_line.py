"""Under the title of a page, one line: which records its numbers come from, and whose cells its pictures show.

A page quotes the records that its directives read, or that its notebook loads.
"""

import os
import re
from html import escape
from itertools import groupby
from pathlib import Path

import nbformat

from bloodcell_utils.experiments import records

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "book" / "results"
LOADED = re.compile(r'(?:load|find)_record\("([a-z0-9_-]+)", "([a-z]+)"')
MANY = 6  # records; a page that quotes more links to their table
DRAWN = "Cells on this page are drawn by a program: they are not patients’, and what is measured on them is no result."
REAL = (
    "Photographs of cells: Acevedo et al. (2020), "
    '<a class="reference external" href="https://doi.org/10.17632/snkd93bnjr.1">doi:10.17632/snkd93bnjr.1</a>, '
    '<a class="reference external" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>, made smaller. '
    "Cells that the text calls drawn are drawn by a program."
)


def quoted(app, docname):
    """Paths of the records that a page quotes, in order of their names."""
    paths = {(Path(app.srcdir) / read).resolve() for read in app.env.dependencies[docname]}
    source = Path(app.env.doc2path(docname))
    if source.suffix == ".ipynb":
        code = "\n".join(cell.source for cell in nbformat.read(source, as_version=4).cells if cell.cell_type == "code")
        paths |= {FOLDER / f"{name}.{profile}.json" for name, profile in LOADED.findall(code)}
    return sorted(path for path in paths if path.parent == FOLDER and path.suffix == ".json" and path.exists())


def sample(record):
    """What a record was measured on."""
    return f"{record.profile} profile, data {record.data['name']} {record.data['fingerprint']}"


def numbers(paths, results):
    """The records of some paths in one sentence; those measured on the same images together, `MANY` by their names."""
    parts = []
    for said, alike in groupby(sorted(map(records.read, paths), key=sample), key=sample):
        alike = list(alike)
        named = ", ".join(f"{r.experiment} ({r.created[:10]}, commit {r.commit})" for r in alike)
        named = named if len(paths) <= MANY else f"{len(alike)} of them"
        parts.append(escape(f"{said}: {named}"))
    return (
        f'Numbers of the real images: <a class="reference internal" href="{results}">records</a>, {"; ".join(parts)}.'
    )


def cells(docname, profile):
    """Whose cells a page shows, or nothing where it shows none."""
    if docname.startswith("notebooks/") and profile != "sample":
        return f"Run on the {profile} profile. {REAL}"
    return DRAWN if docname.startswith(("notebooks/", "book/lab/")) or docname == "book/intro" else ""


def add(app, pagename, templatename, context, doctree):
    """Put the line after the page's title."""
    if doctree is None:
        return
    said = [cells(pagename, os.environ.get("BLOODCELL_PROFILE", "sample"))]
    if paths := quoted(app, pagename):
        said.append(numbers(paths, context["pathto"]("book/results")))
    if line := " ".join(filter(None, said)):
        context["body"] = context["body"].replace("</h1>", f'</h1>\n<p class="provenance">{line}</p>', 1)


def setup(app):
    app.connect("html-page-context", add, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
