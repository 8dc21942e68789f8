"""The course as data: what each chapter asks, teaches, needs and sets as exercises (read from ``course.yml``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from .errors import BloodcellError

_HERE = Path(__file__).resolve().parent


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
        ]
        if self.paper:
            facts.append(f"**From the paper:** {', '.join(self.paper)}")
        return "\n".join(
            [f"**{self.question}**", "", "You will be able to", ""]
            + [f"- {objective}" for objective in self.objectives]
            + ["", "  \n".join(facts)]
        )


@dataclass(frozen=True)
class Course:
    """All chapters, in the order in which they are read.

    Attributes
    ----------
    title : str
    chapters : tuple of Chapter
    """

    title: str
    chapters: tuple[Chapter, ...]


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
    path = next((p for p in (_HERE.parent / "course.yml", _HERE / "course.yml") if p.is_file()), None)
    if path is None:
        raise BloodcellError(f"course.yml is neither beside nor in {_HERE}; install bloodcell-utils again.")
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
        return Course(data["title"], tuple(_chapter(**entry) for entry in data["chapters"]))
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
    chapters = {entry.name: entry for entry in load().chapters}
    if name not in chapters:
        raise BloodcellError(f"There is no chapter {name!r}; choose one of {', '.join(chapters)}.")
    return chapters[name]


def _chapter(*, needs, objectives, paper, exercises, **rest):
    return Chapter(
        needs=tuple(needs),
        objectives=tuple(objectives),
        paper=tuple(paper),
        exercises=tuple(Exercise(**exercise) for exercise in exercises),
        **rest,
    )
