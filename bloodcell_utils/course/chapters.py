"""The course as data: what each chapter asks, teaches, needs and sets as exercises (read from ``course.yml``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
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
class Session:
    """One meeting of a class.

    Attributes
    ----------
    title : str
    minutes : int
        From the first word to the last, breaks not counted.
    chapters : tuple of str
        Worked through, with quiz and exercises.
    told : tuple of str
        Told with their slides alone.
    """

    title: str
    minutes: int
    chapters: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


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
    """

    name: str
    title: str
    reader: str
    outcome: str
    sessions: tuple[Session, ...]


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
        chapters = tuple(_made(Chapter, entry, exercises=Exercise) for entry in data["chapters"])
        return Course(data["title"], chapters, tuple(_made(Track, entry, sessions=Session) for entry in data["tracks"]))
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
    """An entry of the file as a dataclass, its lists as tuples; `parts` says what the entries of some lists become."""
    parted = {field: [_made(part, each) for each in entry[field]] for field, part in parts.items()}
    return kind(**{field: tuple(v) if isinstance(v, list) else v for field, v in (entry | parted).items()})
