"""Self-checks for the exercises: `check` says at once whether an answer holds, and hints at what went wrong.

They work wherever Python does: in Jupyter, on Colab, in a script. What was solved is kept on this machine (`progress`).
"""

from functools import cache

from ..errors import BloodcellError
from . import chapters, progress, questions
from .computed_checks import COMPUTED

PATIENCE = 2  # wrong answers, after which the hint also says where to read again


class Verdict(str):
    """What `check` says; a notebook shows it as it is, without quotation marks.

    Attributes
    ----------
    right : bool or None
        None for "not yet answered".
    """

    right: bool | None

    def __new__(cls, text, right):
        """A verdict is its text."""
        verdict = super().__new__(cls, text)
        verdict.right = right
        return verdict

    def __repr__(self):
        return str(self)


def check(exercise, answer):
    """Check an answer, and keep that it was tried.

    Parameters
    ----------
    exercise : str
        For example ``"dataset.2"``; any exercise of ``course.yml``.
    answer : object
        What the exercise asks for; None or ... for "not yet".

    Returns
    -------
    Verdict
        Text that starts with "✓", or is a hint that does not give the answer away. After two wrong answers it also says
        which section to read again.

    Raises
    ------
    BloodcellError
        If there is no such exercise.
    """
    found = verdict(exercise, answer)
    if found.right is None:
        return found
    try:
        misses = progress.record(exercise, found.right)
    except BloodcellError as err:
        return Verdict(f"{found}\n({err})", found.right)
    again = f' Read again: "{exercises()[exercise].section}".' if misses > PATIENCE else ""
    return Verdict(f"{found}{again}", found.right)


def verdict(exercise, answer):
    """Check an answer, and keep nothing; for grading the answers of others.

    Parameters
    ----------
    exercise : str
    answer : object

    Returns
    -------
    Verdict
        As for `check`.

    Raises
    ------
    BloodcellError
        If there is no such exercise.
    """
    if exercise not in exercises():
        raise BloodcellError(f"There is no check for {exercise!r}; there is one for {', '.join(exercises())}.")
    question = None if exercise in COMPUTED else questions.of_exercises(exercise.split(".")[0])[exercise]
    if answer is None or answer is ...:
        what = "your answer" if question is None else "the letter of your answer, in quotation marks,"
        choices = f" {question.text}\n{_choices(question)}\n" if question else " "
        return Verdict(
            f"{exercise}: your turn.{choices}Put {what} in the place of the dots and run the cell again.", None
        )
    try:
        hint = _chosen(question, answer) if question else COMPUTED[exercise](answer)
    except (TypeError, ValueError, AttributeError, KeyError):
        hint = "this is not the kind of answer that the exercise asks for; read its last sentence again."
    return Verdict(f"✓ {exercise}", True) if hint is None else Verdict(f"{exercise}: {hint}", False)


@cache
def exercises():
    """Every exercise of the course.

    Returns
    -------
    dict of str to course.Exercise
        By its id, in the order of the course.
    """
    return {exercise.id: exercise for chapter in chapters.load().chapters for exercise in chapter.exercises}


def _choices(question):
    letters = zip(questions.LETTERS, question.answers, strict=False)
    return "\n".join(f"  {letter}) {answer.text}" for letter, answer in letters)


def _chosen(question, answer):
    """The hint for a letter, or None if it is the right one."""
    letters = questions.LETTERS[: len(question.answers)]
    letter = str(answer).strip().lower().removesuffix(")")
    if len(letter) != 1 or letter not in letters:
        return f'answer with one letter of "{letters}", for example "{letters[0]}".'
    chosen = question.answers[letters.index(letter)]
    return None if chosen.correct else chosen.feedback
