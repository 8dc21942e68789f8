"""The directive ``{results-table}``: every run record of ``book/results`` as a table."""

from pathlib import Path

from sphinx.util.docutils import SphinxDirective

from bloodcell_utils.experiments import records
from bloodcell_utils.interactive.page import markdown_code, markdown_text

FOLDER = Path(__file__).resolve().parents[1] / "results"
EMPTY = """```{note}
Nothing has been recorded yet. `bloodcell run svm --profile laptop` measures, and this page shows what it found.
```"""


def table(record):
    """One record as Markdown: what was measured on what, and a row a model."""
    n = max(row["n_test"] for row in records.record_rows([record]))
    images = markdown_text(f"{n:,} {record.subset} images, measured on {record.created[:10]}")
    yield f"**{markdown_text(record.experiment)}**, profile {markdown_code(record.profile)}: {images}"
    yield ""
    yield "| Model | Accuracy, % | 95 % interval | Balanced, % | Printed, % |"
    yield "| :-- | --: | --: | --: | --: |"
    for row in records.record_rows([record]):
        accuracy, low, high, balanced = (
            f"{100 * rate:.2f}" for rate in (row["accuracy"], *row["accuracy_ci95"], row["balanced_accuracy"])
        )
        printed = "–" if row["printed_percent"] is None else f"{row['printed_percent']:g}"
        yield f"| {markdown_text(row['model'])} | {accuracy} | {low} to {high} | {balanced} | {printed} |"
    yield ""


class ResultsTable(SphinxDirective):
    """Take no argument; leave a table for each record, or a note when there is none."""

    def run(self):
        measured = records.read_all(FOLDER)
        for path in FOLDER.glob("*.json"):
            self.env.note_dependency(str(path))
        lines = [line for record in measured for line in table(record)]
        return self.parse_text_to_nodes("\n".join(lines) or EMPTY)


def setup(app):
    app.add_directive("results-table", ResultsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
