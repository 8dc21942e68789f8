"""The directive ``{slide-decks} tracks`` or ``chapters``: a link to each of these decks, and one for printing it."""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course

ROOT = Path(__file__).resolve().parents[2]


def items(decks, folder):
    """An item a deck; `book/tools/slides.py` writes the decks after the pages, so these are plain addresses."""
    for deck in decks:
        address = f"{folder}/{deck.name}.html"
        paragraph = nodes.paragraph()
        paragraph += nodes.reference("", deck.title, refuri=address, internal=True)
        paragraph += nodes.Text(": ")
        paragraph += nodes.reference("", "for printing", refuri=f"{address}?print-pdf", internal=True)
        yield nodes.list_item("", paragraph)


class SlideDecks(SphinxDirective):
    """Take the kind of decks; leave a list."""

    required_arguments = 1

    def run(self):
        self.env.note_dependency(str(ROOT / "course.yml"))
        decks, folder = getattr(course.load(), self.arguments[0]), "../" * self.env.docname.count("/") + "slides"
        return [nodes.bullet_list("", *items(decks, folder))]


def setup(app):
    app.add_directive("slide-decks", SlideDecks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
