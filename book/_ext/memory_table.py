"""The directive ``{memory-table}``: what `book/tools/measure.py` measured of each chapter (``book/memory.json``)."""

import json
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course

FILE = Path(__file__).resolve().parents[1] / "memory.json"
BINDER_MB = 2000  # what mybinder.org allows, https://mybinder.readthedocs.io/en/latest/about/user-guidelines.html


def table(measured):
    """Markdown: a row a chapter, server and kernel together."""
    chapters, server = measured["chapters"], measured["server_rss_mb"]
    newest = max(chapters.values(), key=lambda chapter: chapter["created"])
    yield f"Measured until {newest['created'][:10]}, {newest['device']}, profile `{measured['profile']}`: each chapter"
    yield f"alone, with an empty cache. Memory is the kernel's largest and JupyterLab's own {server:,} MB together."
    yield ""
    yield "| Chapter | Memory, MB | Seconds | Cache, MB | |"
    yield "| :-- | --: | --: | --: | :-- |"
    for chapter in course.load().chapters:
        if took := chapters.get(chapter.name):
            memory = took["peak_rss_mb"] + server
            mark = "more than Binder gives" if memory > BINDER_MB else ""
            yield f"| {chapter.title} | {memory:,} | {took['seconds']:.0f} | {took['cache_mb']:.0f} | {mark} |"


class MemoryTable(SphinxDirective):
    """Take no argument; leave the table."""

    def run(self):
        self.env.note_dependency(str(FILE))
        return self.parse_text_to_nodes("\n".join(table(json.loads(FILE.read_text("utf-8")))))


def setup(app):
    app.add_directive("memory-table", MemoryTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
