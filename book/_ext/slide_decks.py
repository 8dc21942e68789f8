"""The directive ``{slide-decks}``: a link to the slides of each chapter, and one for printing them."""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course

ROOT = Path(__file__).resolve().parents[2]


def items(folder):
    """An item a chapter; `book/tools/slides.py` writes the decks after the pages, so these are plain addresses."""
    for chapter in course.load().chapters:
        deck = f"{folder}/{chapter.name}.html"
        paragraph = nodes.paragraph()
        paragraph += nodes.reference("", chapter.title, refuri=deck, internal=True)
        paragraph += nodes.Text(": ")
        paragraph += nodes.reference("", "for printing", refuri=f"{deck}?print-pdf", internal=True)
        yield nodes.list_item("", paragraph)


class SlideDecks(SphinxDirective):
    """Take no argument; leave a list."""

    def run(self):
        self.env.note_dependency(str(ROOT / "course.yml"))
        return [nodes.bullet_list("", *items("../" * self.env.docname.count("/") + "slides"))]


def setup(app):
    app.add_directive("slide-decks", SlideDecks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
