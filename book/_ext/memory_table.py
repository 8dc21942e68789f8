"""The directive ``{memory-table}``: what `book/tools/measure.py` measured of each chapter (``book/memory.json``)."""

import json
import re
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course

FILE = Path(__file__).resolve().parents[1] / "memory.json"
BINDER_MB = 2000  # what mybinder.org allows, https://mybinder.readthedocs.io/en/latest/about/user-guidelines.html
STUDENTS, PROCESSORS = 24, 8  # of the room that the last column is about
SMALL_MB = 3000  # what a hub gives for the sample profile (classroom/z2jh-values.yaml)


def sample(measured):
    """Markdown: a row a chapter, server and kernel together."""
    chapters, server = measured["chapters"], measured["server_rss_mb"]
    yield f"Measured {_when_and_where(chapters)}, profile `{measured['profile']}`: each chapter"
    yield f"alone, with an empty cache. Memory is the kernel's largest and JupyterLab's own {server:,} MB together."
    yield "Processor seconds say how long one processor would work; where they were not measured (≤), they are at most"
    yield f"what all of that machine's give in the time. The column beside them: {STUDENTS} students run the chapter"
    yield f"in the same moment, on a server with {PROCESSORS} processors."
    yield ""
    yield f"| Chapter | Memory, MB | Seconds | Processor seconds | {STUDENTS} at once, minutes | Cache, MB | |"
    yield "| :-- | --: | --: | --: | --: | --: | :-- |"
    for chapter in course.load().chapters:
        if took := chapters.get(chapter.name):
            memory = took["peak_rss_mb"] + server
            mark = "more than Binder gives" if memory > BINDER_MB else ""
            most, busy = ("", took["processor_seconds"]) if "processor_seconds" in took else ("≤ ", _most(took))
            room = f"{most}{busy * STUDENTS / PROCESSORS / 60:.1f}"
            yield (
                f"| {chapter.title} | {memory:,} | {took['seconds']:.0f} | {most}{busy:.0f} | {room} "
                f"| {took['cache_mb']:.0f} | {mark} |"
            )


def laptop(measured):
    """Markdown: what the chapters take on real cells, those that were measured."""
    chapters, server = measured["laptop"], measured["server_rss_mb"]
    yield f"Measured {_when_and_where(chapters)}, profile `laptop`, with a cache that an earlier run had filled."
    yield f"Memory is the kernel's largest and JupyterLab's own {server:,} MB together. What stands in no file counts"
    yield "against a server's limit; the rest is files that are read, which the system drops and reads again."
    yield ""
    yield "| Chapter | Memory, MB | In no file, MB | Processor seconds | |"
    yield "| :-- | --: | --: | --: | :-- |"
    for chapter in course.load().chapters:
        if took := chapters.get(chapter.name):
            own = took["peak_own_mb"] + server
            fits = "more than" if own > SMALL_MB else "just fits" if own > 0.9 * SMALL_MB else "fits"
            yield (
                f"| {chapter.title} | {took['peak_rss_mb'] + server:,} | {own:,} | {took['processor_seconds']:.0f} "
                f"| {fits} {SMALL_MB / 1000:.0f} GB |"
            )


def _when_and_where(chapters):
    """The first and the last day of the measurements, and the machines."""
    days = sorted({chapter["created"][:10] for chapter in chapters.values()})
    machines = sorted({chapter["device"] for chapter in chapters.values()})
    return f"{' to '.join(dict.fromkeys((days[0], days[-1])))}, {'; '.join(machines)}"


def _most(took):
    """Processor seconds that a machine has in the seconds that a chapter took."""
    return took["seconds"] * int(re.search(r"(\d+) cores", took["device"])[1])


class MemoryTable(SphinxDirective):
    """Take a profile, or none for the sample's; leave its table."""

    optional_arguments = 1

    def run(self):
        self.env.note_dependency(str(FILE))
        table = {"sample": sample, "laptop": laptop}[self.arguments[0] if self.arguments else "sample"]
        return self.parse_text_to_nodes("\n".join(table(json.loads(FILE.read_text("utf-8")))))


def setup(app):
    app.add_directive("memory-table", MemoryTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
