"""The directive ``{vitals-table}``: what `book/tools/vitals.py` measured of the pages, kept in ``book/vitals.json``."""

import json
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

FILE = Path(__file__).resolve().parents[1] / "vitals.json"


def table(measured):
    """Markdown: a row a measurement, with its goal and whether it was met."""
    yield f"Measured on {measured['created'][:10]}, {measured['device']}, {measured['browser']}."
    yield ""
    yield "| What | Measured | Goal: at most | |"
    yield "| :-- | --: | --: | :-- |"
    for row in measured["rows"]:
        verdict = "met" if row["value"] <= row["goal"] else "**missed**"
        yield f"| {row['what']} | {row['value']} {row['unit']} | {row['goal']} {row['unit']} | {verdict} |"


class VitalsTable(SphinxDirective):
    """Take no argument; leave the table."""

    def run(self):
        self.env.note_dependency(str(FILE))
        return self.parse_text_to_nodes("\n".join(table(json.loads(FILE.read_text("utf-8")))))


def setup(app):
    app.add_directive("vitals-table", VitalsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
