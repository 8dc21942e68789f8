"""What ``course.yml`` says of chapters and tracks, where the pages need it: as tables and lists.

``{course-map}`` lists all chapters; ``{who-are-you}`` points every reader to a track; ``{track-plan} NAME`` lists its
sessions; ``{syllabus} NAME`` what each objective is assessed by; ``{chapter-facts} NAME`` heads a teacher's page;
``{network-card}`` is the model card of the shipped network, from its records.
"""

from pathlib import Path

from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course
from bloodcell_utils.course import network_card, syllabus

ROOT = Path(__file__).resolve().parents[2]


def link(chapter):
    """The title of a chapter, as a link to it."""
    return f"[{chapter.title}](/notebooks/{chapter.file})"


def course_map():
    """A row a chapter: its question, and the minutes for reading and for quiz and exercises."""
    yield "| Chapter | The question it answers | Minutes |"
    yield "| :-- | :-- | --: |"
    for chapter in course.load().chapters:
        minutes = chapter.minutes
        yield f"| {link(chapter)} | {chapter.question} | {minutes['reading']} + {minutes['exercises']} |"


def who_are_you():
    """A row a track: the reader, the track, what is in the reader's hands afterwards."""
    yield "| You say | Take | Afterwards |"
    yield "| :-- | :-- | :-- |"
    for track in course.load().tracks:
        yield f"| *{track.reader}* | [{track.title}](/book/tracks.md) | {track.outcome} |"


def track_plan(name):
    """A row a session: what is worked through, what is told, and the minutes."""
    yield "| Session | Work through | Told with slides | Chapters + questions |"
    yield "| :-- | :-- | :-- | --: |"
    for number, session in enumerate(course.track(name).sessions, 1):
        parts = (session.chapters, session.told)
        worked, told = (", ".join(link(course.chapter(name)) for name in names) or "–" for names in parts)
        minutes = syllabus.planned(session)
        yield f"| {number}. {session.title} | {worked} | {told} | {minutes} + {session.minutes - minutes} min |"


def assessed(chapter):
    """A row an objective: what assesses it."""
    for objective, exercises, asked in syllabus.assessments(chapter):
        by = [f"exercise {exercise}" for exercise in exercises] + [f"question {number}" for number in asked]
        yield objective, ", ".join(by)


def syllabus_table(name):
    """A row an objective of the chapters that a track works through."""
    yield "| Chapter | The learner can … | Assessed by |"
    yield "| :-- | :-- | :-- |"
    for session in course.track(name).sessions:
        for chapter in map(course.chapter, session.chapters):
            for i, (objective, by) in enumerate(assessed(chapter)):
                yield f"| {'' if i else link(chapter)} | {objective} | {by} |"


def chapter_facts(name):
    """Times, what comes first, and how each objective is assessed."""
    chapter = course.chapter(name)
    minutes = chapter.minutes
    needed = ", ".join(link(course.chapter(other)) for other in chapter.needs) or "nothing"
    slides = f'<a href="../../../slides/{name}.html">slides</a>'
    yield f"**{link(chapter)}**: {chapter.question} ({slides})"
    yield ""
    yield (
        f"**Minutes:** {minutes['reading']} to read, {minutes['exercises']} for quiz and exercises, "
        f"{minutes['sample']} to run on the sample, {minutes['laptop']} on the real data. **Comes after:** {needed}."
    )
    yield ""
    yield "| The learner can … | Assessed by |"
    yield "| :-- | :-- |"
    for objective, by in assessed(chapter):
        yield f"| {objective} | {by} |"


class Generated(SphinxDirective):
    """A directive that leaves the lines of one of the functions above."""

    optional_arguments = 1
    lines = None

    def run(self):
        folders = (ROOT / "bloodcell_utils" / "course" / "quizzes", ROOT / "book" / "results")
        for read in (ROOT / "course.yml", *(path for folder in folders for path in sorted(folder.glob("*.json")))):
            self.env.note_dependency(str(read))
        return self.parse_text_to_nodes("\n".join(type(self).lines(*self.arguments)))


def setup(app):
    for name, lines in {
        "course-map": course_map,
        "who-are-you": who_are_you,
        "track-plan": track_plan,
        "syllabus": syllabus_table,
        "chapter-facts": chapter_facts,
        "network-card": lambda: network_card.card(ROOT / "book" / "results").split("\n"),
    }.items():
        app.add_directive(name, type(name, (Generated,), {"lines": staticmethod(lines)}))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
