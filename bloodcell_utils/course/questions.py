"""The questions of the course: five a chapter for its quiz, and one for each exercise that is answered with a letter.

They lie in ``quizzes/<chapter>.json``, in the format of JupyterQuiz: a list of questions of type ``multiple_choice``,
each answer with its feedback. Two keys are the course's own: ``objective``, the number of the objective that a question
of the quiz assesses, and ``exercise``, the exercise that a question checks. The order of the answers in a file means
nothing: each question is shuffled by itself, so that who edits one leaves the letters of the others.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import BloodcellError

FOLDER = Path(__file__).resolve().parent / "quizzes"
LETTERS = "abcdef"


@dataclass(frozen=True)
class Answer:
    """One answer to choose.

    Attributes
    ----------
    text : str
    correct : bool
    feedback : str
        Why it is right; or, without giving the right answer away, what is wrong with it.
    """

    text: str
    correct: bool
    feedback: str


@dataclass(frozen=True)
class Question:
    """A question with one right answer.

    Attributes
    ----------
    text : str
    answers : tuple of Answer
        In the order in which they are shown everywhere.
    objective : int or None
        Of the chapter, from 1; None where the exercise says it.
    exercise : str or None
        The exercise that it checks; None for a question of the quiz.
    """

    text: str
    answers: tuple[Answer, ...]
    objective: int | None = None
    exercise: str | None = None

    @property
    def right(self):
        """The letter of the right answer."""
        return LETTERS[self.answers.index(self.right_answer)]

    @property
    def right_answer(self):
        """The right one of the answers."""
        return next(answer for answer in self.answers if answer.correct)

    @property
    def lettered(self):
        """The answers as lines, each behind its letter."""
        return [f"{letter}) {answer.text}" for letter, answer in zip(LETTERS, self.answers, strict=False)]


@cache
def load(chapter):
    """All questions of a chapter.

    Parameters
    ----------
    chapter : str
        Its name, for example ``"dataset"``.

    Returns
    -------
    tuple of Question

    Raises
    ------
    BloodcellError
        If the chapter has no questions, or its file is not a list of questions with one right answer each.
    """
    path = FOLDER / f"{chapter}.json"
    if not path.is_file():
        raise BloodcellError(f"There are no questions for {chapter!r}: {path} does not exist.")
    try:
        entries = enumerate(json.loads(path.read_text("utf-8")))
        return tuple(_question(_place(chapter, number), **entry) for number, entry in entries)
    except (TypeError, KeyError, ValueError) as err:
        raise BloodcellError(f"{path} is not a list of multiple-choice questions: {err}") from err


def quiz(chapter):
    """The questions of a chapter's quiz.

    Parameters
    ----------
    chapter : str

    Returns
    -------
    tuple of Question
    """
    return tuple(question for question in load(chapter) if not question.exercise)


def of_exercises(chapter):
    """The questions that check exercises of a chapter.

    Parameters
    ----------
    chapter : str

    Returns
    -------
    dict of str to Question
        By exercise.
    """
    return {question.exercise: question for question in load(chapter) if question.exercise}


def of_exercise(exercise):
    """The question that checks an exercise; None for one whose answer is computed.

    Parameters
    ----------
    exercise : str

    Returns
    -------
    Question or None
    """
    return of_exercises(exercise.split(".")[0]).get(exercise)


def _question(place, *, question, answers, type, objective=None, exercise=None):
    chosen = [Answer(entry["answer"], entry["correct"], entry["feedback"]) for entry in answers]
    if type != "multiple_choice" or sum(answer.correct for answer in chosen) != 1 or len(chosen) > len(LETTERS):
        raise ValueError(f"one right answer of at most {len(LETTERS)} is asked for: {question!r}")
    chosen.sort(key=lambda answer: (answer.correct, _digest(question, answer.text)))
    chosen.insert(place, chosen.pop())
    return Question(question, tuple(chosen), objective, exercise)


def _place(chapter, number):
    """Of the right one among four answers: eight questions use each place twice, in an order of the chapter's own."""
    return sorted(range(8), key=lambda card: _digest(chapter, number // 8, card))[number % 8] % 4


def _digest(*words):
    return hashlib.sha256(repr(words).encode()).digest()
