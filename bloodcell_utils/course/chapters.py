"""The course as data: what each chapter asks, teaches, needs and sets as exercises (read from ``course.yml``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import yaml

from ..errors import BloodcellError

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    id : str
        Chapter and number, for example ``"dataset.1"``; the label of the exercise in the notebook.
    kind : str
        ``"recall"``, ``"apply"`` or ``"think"``.
    objective : int
        The objective of the chapter that it assesses, from 1.
    section : str
        Where the chapter says what it takes: the heading to read again.
    task : str
        What to do, in a few words.
    """

    id: str
    kind: str
    objective: int
    section: str
    task: str


@dataclass(frozen=True)
class Chapter:
    """One chapter; a notebook shows its own as a box at the head of the page.

    Attributes
    ----------
    name : str
        The key by which everything refers to the chapter.
    file : str
        Its notebook, inside ``notebooks/``.
    title, question : str
        The heading, and the question that the chapter answers.
    minutes : mapping of str to int
        ``"reading"``, running it on the profiles ``"sample"`` and ``"laptop"``, and ``"exercises"``, the quiz included.
    needs : tuple of str
        Names of the chapters to read first.
    objectives : tuple of str
        What the reader can do afterwards; each starts with a verb.
    paper : tuple of str
        Tables, figures and equations of the paper that the chapter makes again.
    exercises : tuple of Exercise
    """

    name: str
    file: str
    title: str
    question: str
    minutes: Mapping[str, int]
    needs: tuple[str, ...]
    objectives: tuple[str, ...]
    paper: tuple[str, ...]
    exercises: tuple[Exercise, ...]

    def _repr_markdown_(self):
        needed = [f"[{chapter(name).title}]({chapter(name).file})" for name in self.needs]
        minutes = self.minutes
        facts = [
            f"**Time:** {minutes['reading']} min to read and {minutes['exercises']} for quiz and exercises; to run, "
            f"{minutes['sample']} min on the sample, {minutes['laptop']} on the real data",
            f"**Read first:** {', '.join(needed) or 'nothing'}",
            *([f"**From the paper:** {', '.join(self.paper)}"] if self.paper else []),
        ]
        objectives = [f"- {objective}" for objective in self.objectives]
        return "\n".join([f"**{self.question}**", "", "You will be able to", "", *objectives, "", "  \n".join(facts)])

    @property
    def total(self):
        """Minutes on the sample: reading, running, quiz and exercises."""
        return self.minutes["reading"] + self.minutes["sample"] + self.minutes["exercises"]


@dataclass(frozen=True)
class Row:
    """A row of a session's plan: a chapter worked through or told, something else, or a pause.

    Attributes
    ----------
    minutes : int
        Of a chapter that is worked through: none, they are the chapter's.
    work, tell : str
        The chapter that is worked through, with quiz and exercises, or told with its slides.
    without : str
        ``"exercises"``: quiz and exercises are for home.
    show : tuple of str
        The sections whose slides are shown.
    who, what : str
        Who does what; Markdown.
    late, saves : str, int
        What to do instead in a room that is late, and the minutes that this gives back.
    pause : int
        Minutes of a break.
    """

    minutes: int = 0
    work: str = ""
    tell: str = ""
    without: str = ""
    show: tuple[str, ...] = ()
    who: str = ""
    what: str = ""
    late: str = ""
    saves: int = 0
    pause: int = 0

    @property
    def takes(self):
        """Minutes, of whatever kind."""
        if not self.work:
            return self.minutes or self.pause
        worked = chapter(self.work)
        return worked.total - (worked.minutes[self.without] if self.without else 0)


@dataclass(frozen=True)
class Session:
    """One part of a meeting of a class.

    Attributes
    ----------
    title : str
    rows : tuple of Row
    """

    title: str
    rows: tuple[Row, ...]

    @property
    def minutes(self):
        """From the first word to the last, pauses not counted."""
        return sum(row.takes for row in self.rows if not row.pause)

    @property
    def chapters(self):
        """Names of the chapters that are worked through."""
        return tuple(row.work for row in self.rows if row.work)

    @property
    def told(self):
        """Names of the chapters that are told with their slides alone."""
        return tuple(row.tell for row in self.rows if row.tell)


@dataclass(frozen=True)
class Track:
    """A way through the course in the time that there is.

    Attributes
    ----------
    name, title : str
    reader : str
        Who should take it, in the first person.
    outcome : str
        What is in your hands afterwards.
    sessions : tuple of Session
    hours : tuple of str
        From when to when a meeting goes, ``"0:00"`` where every class has its own hour; none where there is no plan.
    meetings : tuple of int
        How many sessions each meeting has; empty where each has one.
    """

    name: str
    title: str
    reader: str
    outcome: str
    sessions: tuple[Session, ...]
    hours: tuple[str, ...] = ()
    meetings: tuple[int, ...] = ()


@dataclass(frozen=True)
class Course:
    """All chapters, in the order in which they are read, and the tracks through them.

    Attributes
    ----------
    title : str
    chapters : tuple of Chapter
    tracks : tuple of Track
    """

    title: str
    chapters: tuple[Chapter, ...]
    tracks: tuple[Track, ...]


@cache
def load():
    """Read the course from the checkout, or from the installed package.

    Returns
    -------
    Course

    Raises
    ------
    BloodcellError
        If ``course.yml`` is missing or does not have the shape of `Chapter`.
    """
    path = next((p for p in (_PACKAGE.parent / "course.yml", _PACKAGE / "course.yml") if p.is_file()), None)
    if path is None:
        raise BloodcellError(f"course.yml is neither beside nor in {_PACKAGE}; install bloodcell-utils again.")
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
        chapters = tuple(_made(Chapter, entry, exercises=partial(_made, Exercise)) for entry in data["chapters"])
        session = partial(_made, Session, rows=partial(_made, Row))
        return Course(data["title"], chapters, tuple(_made(Track, entry, sessions=session) for entry in data["tracks"]))
    except (KeyError, TypeError, yaml.YAMLError) as err:
        raise BloodcellError(f"{path} is not a list of chapters as this version knows them: {err}") from err


def chapter(name):
    """The chapter of that name.

    Parameters
    ----------
    name : str
        For example ``"dataset"``.

    Returns
    -------
    Chapter

    Raises
    ------
    BloodcellError
        If the course has no such chapter.
    """
    return _named("chapter", name, load().chapters)


def track(name):
    """The track of that name.

    Parameters
    ----------
    name : str
        For example ``"taster"``; any other is an error, as for `chapter`.

    Returns
    -------
    Track
    """
    return _named("track", name, load().tracks)


def _named(kind, name, entries):
    known = {entry.name: entry for entry in entries}
    if name not in known:
        raise BloodcellError(f"There is no {kind} {name!r}; choose one of {', '.join(known)}.")
    return known[name]


def _made(kind, entry, **parts):
    """An entry of the file as a dataclass, its lists as tuples; `parts` makes the entries of some lists."""
    parted = {field: [make(each) for each in entry[field]] for field, make in parts.items()}
    return kind(**{field: tuple(v) if isinstance(v, list) else v for field, v in (entry | parted).items()})
