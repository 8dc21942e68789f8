"""The directive ``{benchmark-table}``: what `make bench` measured, kept in ``book/benchmark.json``."""

import json
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

FILE = Path(__file__).resolve().parents[1] / "benchmark.json"


def table(measured):
    """Markdown: a row a comparison."""
    yield f"Measured on {measured['created'][:10]}, {measured['device']}, profile `{measured['profile']}`."
    yield ""
    yield "| Step | Images | Plain way | This course | Ratio | Results |"
    yield "| :-- | --: | :-- | :-- | --: | :-- |"
    for row in measured["rows"]:
        n = f"{row['n']:,}" if row["n"] else "–"
        yield (
            f"| {row['step']} | {n} | {row['plain']}: {row['plain_s']:.2f} s | {row['fast']}: {row['fast_s']:.2f} s "
            f"| {row['ratio']:.1f} | {row['agreement'] or '–'} |"
        )


class BenchmarkTable(SphinxDirective):
    """Take no argument; leave the table."""

    def run(self):
        self.env.note_dependency(str(FILE))
        return self.parse_text_to_nodes("\n".join(table(json.loads(FILE.read_text("utf-8")))))


def setup(app):
    app.add_directive("benchmark-table", BenchmarkTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
