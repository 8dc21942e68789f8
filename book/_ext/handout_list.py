"""The directive ``{handout-list}``: the PDF of each handout, for which chapter it is, and how many a class needs.

`book/tools/handouts.py` prints them after the pages, where there is Chromium; elsewhere their names are no links.
"""

import sys
from itertools import groupby
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course

sys.path.append(str(Path(__file__).parents[1] / "tools"))
import handouts  # noqa: E402

SHARED = {0: "one for the room", 1: "one each", 2: "one for two", 4: "one for four"}


def items(folder):
    """An item a handout; those that each track has of its own share one."""
    for _, same in groupby(handouts.sheets(), lambda sheet: sheet.name):
        same = list(same)
        sheet, paragraph = same[0], nodes.paragraph()
        if sheet.track:
            paragraph += nodes.Text(f"{sheet.title}: ")
        for place, one in enumerate(same):
            words = one.track.title if one.track else one.title
            paragraph += nodes.Text(", " * bool(place))
            paragraph += nodes.reference("", words, refuri=f"{folder}/{one.file}", internal=True, classes=["handout"])
        chapters = ", ".join(course.chapter(name).title for name in sheet.chapters) or "any class"
        shared = SHARED[sheet.share]
        paragraph += nodes.Text(f" ({chapters}; {shared})")
        yield nodes.list_item("", paragraph)


class HandoutList(SphinxDirective):
    """Take no argument; leave a list."""

    def run(self):
        for source in (handouts.SOURCES / "handouts.yml", handouts.ROOT / "course.yml"):
            self.env.note_dependency(str(source))
        return [nodes.bullet_list("", *items("../" * self.env.docname.count("/") + "handouts"))]


def unlink(app, doctree, docname):
    """Leave the names alone where nothing is printed."""
    if not app.config.bloodcell_printed:
        for link in list(doctree.findall(nodes.reference)):
            if "handout" in link.get("classes", ()):
                link.parent.replace(link, nodes.Text(link.astext()))


def setup(app):
    app.add_directive("handout-list", HandoutList)
    app.connect("doctree-resolved", unlink)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
