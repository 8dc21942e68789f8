"""The directive ``{reproduction-checklist}``: each table, figure and equation of the paper, and how close it was met.

Without an argument, the list; with ``numbers``, every printed number beside the measured one. Both are made from the
run records of ``book/results``, ``course.yml`` and ``paper.py``.
"""

from pathlib import Path

from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import records, reproduction

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "book" / "results"


def overview(rows):
    """One line an item: what it is, where it is made again, on what, how close."""
    counts = reproduction.tally(line for row in rows for line in row.lines)
    total = "; ".join(f"{n} {reproduction.KINDS[kind]}" for kind, n in counts.items())
    yield f"{len(rows)} items, {sum(counts.values())} comparisons: {total}."
    yield ""
    yield "| Item | What it is | Made again in | On | How close |"
    yield "| :-- | :-- | :-- | :-- | :-- |"
    for row in rows:
        name = f"[{row.name}](#{anchor(row)})" if has_numbers(row) else row.name
        on = "; ".join(dict.fromkeys(line.data for line in row.lines if line.data)) or "–"
        mark = f"{reproduction.MARKS[row.lines[0].kind]} " if len(row.lines) == 1 else ""
        name = name.replace(" ", "\N{NO-BREAK SPACE}", 1)
        yield f"| **{name}** | {row.what} | {chapters(row)} | {on} | {mark}{reproduction.summary(row.lines)} |"
    yield ""


def numbers(rows):
    """A small table an item: printed, measured, verdict."""
    for row in filter(has_numbers, rows):
        yield f"({anchor(row)})="
        yield f"```{{rubric}} {row.name}: {row.what}\n```"
        yield ""
        yield f"Made again in {chapters(row)}. {' '.join(row.notes)}"
        yield ""
        yield "| Compared | Printed | Measured, 95 % interval | Verdict |"
        yield "| :-- | :-- | :-- | :-- |"
        for line in row.lines:
            mark = reproduction.MARKS[line.kind]
            yield f"| {line.what} | {line.printed or '–'} | {line.measured or '–'} | {mark} {line.verdict} |"
        yield ""


def has_numbers(row):
    """Whether there is more to say than that it was made again."""
    return any(line.what for line in row.lines)


def chapters(row):
    """Links to the chapters of an item."""
    return ", ".join(f"[{chapter.title}](/notebooks/{chapter.file})" for chapter in row.chapters) or "–"


def anchor(row):
    """A label of the item's own."""
    return f"reproduction-{row.name.lower().replace('.', '').replace(' ', '-')}"


class ReproductionChecklist(SphinxDirective):
    """Take ``numbers`` or nothing; leave tables."""

    optional_arguments = 1

    def run(self):
        for path in [ROOT / "course.yml", *FOLDER.glob("*.json")]:
            self.env.note_dependency(str(path))
        rows = reproduction.checklist(records.read_all(FOLDER))
        lines = numbers(rows) if self.arguments == ["numbers"] else overview(rows)
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app):
    app.add_directive("reproduction-checklist", ReproductionChecklist)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
