"""The directive ``{benchmark-table}``: what `make bench` measured, kept in ``book/benchmark.json``."""

import json
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

SAME = "step", "n", "plain", "fast"  # what makes rows of two machines one comparison
FILE = Path(__file__).resolve().parents[1] / "benchmark.json"


def table(machines):
    """Markdown: a row a comparison, a column a machine."""
    heads = [f" {one['device']}<br>{one['created'][:10]}, `{one['profile']}` |" for one in machines]
    yield "| Step | Plain way : this course |" + "".join(heads)
    yield f"| :-- | :-- |{' --: |' * len(machines)}"
    columns = [{tuple(row[name] for name in SAME): row for row in one["rows"]} for one in machines]
    for key in dict.fromkeys(key for column in columns for key in column):
        step, n, plain, fast = key
        cells = [_cell(column[key]) if key in column else "–" for column in columns]
        yield f"| {step}{f'<br>{n:,}' if n else ''} | {plain} : {fast} | {' | '.join(cells)} |"


def _cell(row):
    lines = f"**{row['ratio']:.1f}**", f"{row['plain_s']:.2f} : {row['fast_s']:.2f} s", row["agreement"]
    return "<br>".join(filter(None, lines))


class BenchmarkTable(SphinxDirective):
    """Take no argument; leave the table."""

    def run(self):
        self.env.note_dependency(str(FILE))
        return self.parse_text_to_nodes("\n".join(table(json.loads(FILE.read_text("utf-8")))))


def setup(app):
    app.add_directive("benchmark-table", BenchmarkTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
