"""The directive ``{course-map}``: every chapter, its question, its minutes to read and to run, from ``course.yml``."""

from pathlib import Path

from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course

ROOT = Path(__file__).resolve().parents[2]


def rows():
    """The map as a Markdown table."""
    yield "| Chapter | The question it answers | Minutes |"
    yield "| :-- | :-- | --: |"
    for chapter in course.load().chapters:
        minutes = chapter.minutes
        link = f"[{chapter.title}](/notebooks/{chapter.file})"
        yield f"| {link} | {chapter.question} | {minutes['reading']} + {minutes['sample']} |"


class CourseMap(SphinxDirective):
    """Take no argument; leave a table."""

    def run(self):
        self.env.note_dependency(str(ROOT / "course.yml"))
        return self.parse_text_to_nodes("\n".join(rows()))


def setup(app):
    app.add_directive("course-map", CourseMap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
