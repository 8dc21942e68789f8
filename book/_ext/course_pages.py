"""What ``course.yml`` says of chapters and tracks, where the pages need it: as tables and lists.

``{who-are-you}`` points every reader to a track; ``{track-plan} NAME`` lists its sessions, ``{clock-plan} NAME`` every
minute of them; ``{addresses}`` those of game and lab, for the board; ``{syllabus} NAME`` what each objective is
assessed by; ``{chapter-facts} NAME`` heads a teacher's page; ``{network-card}`` is the model card of the shipped
network, from its records.
"""

import sys
from itertools import groupby
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course
from bloodcell_utils.course import network_card, syllabus

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "book" / "tools"))

import plans  # noqa: E402
import printing  # noqa: E402


def link(chapter):
    """The title of a chapter, as a link to it."""
    return f"[{chapter.title}](/notebooks/{chapter.file})"


def who_are_you():
    """A row a track: the reader, the track, what is in the reader's hands afterwards."""
    yield "| You say | Take | Afterwards |"
    yield "| :-- | :-- | :-- |"
    for track in course.load().tracks:
        yield f"| *{track.reader}* | [{track.title}](/book/tracks.md) | {track.outcome} |"


def links(names):
    """The titles of chapters, each as a link."""
    return ", ".join(link(course.chapter(name)) for name in names)


def track_plan(name):
    """An item a session: its minutes, what is worked through, what is told. It fits a narrow page, as no table does."""
    for session in course.track(name).sessions:
        worked, told = links(session.chapters), links(session.told)
        parts = "; ".join([*[f"work through {worked}"] * bool(worked), *[f"told with slides: {told}"] * bool(told)])
        free = session.minutes - syllabus.planned(session)
        yield f"1. **{session.title}**, {session.minutes} min, {free} of them for questions and what all do: {parts}."


def clock_plan(name):
    """A table a meeting, a row each thing to do, with what a late room does instead; then what the track leaves out."""
    track = course.track(name)
    met = {chapter for session in track.sessions for chapter in (*session.chapters, *session.told)}
    several = len(track.meetings or track.sessions) > 1
    for number, (meeting, end) in enumerate(plans.meetings(track), 1):
        if several:
            yield f"**{'Day' if track.meetings else 'Meeting'} {number}**\n"
        yield "| Clock | Min | Who does what | Slides | In a late room |"
        yield "| --: | --: | :-- | :-- | :-- |"
        for session, rows in meeting:
            yield f"| | | **{session.title}** | | |"
            for begins, row in rows:
                late, saves = fallback(row)
                late = plans.numbered(track, late)
                cells = (begins, row.takes, doing(row), shown(track, row), f"{late}: −{saves}" if saves else "")
                yield f"| {' | '.join(map(str, cells))} |"
        saved = sum(fallback(row)[1] for _, rows in meeting for _, row in rows)
        yield f"| {end} | | *end* | | −{saved} in all |"
        yield ""
    if left := links(chapter.name for chapter in course.load().chapters if chapter.name not in met):
        yield f"**Left out:** {left}."


def addresses():
    """Where game and lab are published."""
    yield from ["```text", *(f"{printing.home()}book/lab/{name}.html" for name in ("game", "index")), "```"]


def doing(row):
    """Who does what."""
    if row.pause:
        return f"*{row.what or 'break'}*"
    if row.work:
        home = "; quiz and exercises at home" if row.without else ""
        return f"**Pairs** work through {link(course.chapter(row.work))} ([how](chapters/{row.work}.md)){home}"
    if row.tell:
        return f"**You** tell {link(course.chapter(row.tell))}{f': {row.what}' if row.what else ''}"
    return f"**{(row.who or 'all').capitalize()}:** {row.what}"


def fallback(row):
    """What to do instead in a late room, and the minutes that this gives back."""
    if row.work and not row.without:
        return "quiz and exercises at home", course.chapter(row.work).minutes["exercises"]
    return row.late, row.saves


def shown(track, row):
    """The numbers of the slides that a row shows, each run of them on one line and a link to its first."""
    runs = groupby(enumerate(plans.slides(track, row)), lambda pair: pair[1] - pair[0])
    for_each = [[number for _, number in run] for _, run in runs]
    deck = f"../../slides/{track.name}.html"
    ranges = ((run[0], f"{run[0]}\u2060–\u2060{run[-1]}" if run[1:] else run[0]) for run in for_each)
    return ", ".join(f'<a href="{deck}#/{first - 1}">{text}</a>' for first, text in ranges)


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
    needed = links(chapter.needs) or "nothing"
    slides = f'<a href="../../../slides/{name}.html">slides</a>'
    yield f"**{link(chapter)}**: {chapter.question} ({slides})"
    yield ""
    yield (
        f"**Minutes:** {minutes['reading']} to read, {minutes['exercises']} for quiz and exercises, "
        f"{minutes['sample']} to run on the sample: {chapter.total} in class, as planned below. On the real data it "
        f"runs {minutes['laptop']}. **Comes after:** {needed}."
    )
    yield ""
    yield "| The learner can … | Assessed by |"
    yield "| :-- | :-- |"
    for objective, by in assessed(chapter):
        yield f"| {objective} | {by} |"


READ = {  # beside course.yml
    "clock-plan": ["notebooks/*.ipynb", "bloodcell_utils/course/quizzes/*.json", "book/_deck/taster.md"],
    "syllabus": ["bloodcell_utils/course/quizzes/*.json"],
    "chapter-facts": ["bloodcell_utils/course/quizzes/*.json"],
    "network-card": ["book/results/*.json"],
}


class Generated(SphinxDirective):
    """A directive that leaves the lines of one of the functions above."""

    optional_arguments = 1
    lines = None

    def run(self):
        for pattern in ["course.yml", *READ.get(self.name, [])]:
            for path in ROOT.glob(pattern):
                self.env.note_dependency(str(path))
        return self.parse_text_to_nodes("\n".join(type(self).lines(*self.arguments)))


def setup(app):
    for name, lines in {
        "who-are-you": who_are_you,
        "track-plan": track_plan,
        "clock-plan": clock_plan,
        "addresses": addresses,
        "syllabus": syllabus_table,
        "chapter-facts": chapter_facts,
        "network-card": lambda: network_card.card(ROOT / "book" / "results").split("\n"),
    }.items():
        app.add_directive(name, type(name, (Generated,), {"lines": staticmethod(lines)}))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
