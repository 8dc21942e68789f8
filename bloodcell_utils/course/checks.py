"""Self-checks for the exercises: `check` says at once whether an answer holds, and hints at what went wrong.

They work wherever Python does: in Jupyter, on Colab, in a script. What was solved is kept on this machine (`progress`).
"""

from functools import cache

from ..errors import BloodcellError
from . import chapters, progress, questions
from .computed_checks import COMPUTED, Stopped

PATIENCE = 2  # wrong answers, after which the hint also says where to read again
WORDS = 5  # of the reader's own, before choices are shown


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


def check(exercise, answer, letter=None):
    """Check an answer, and keep that it was tried.

    Exercises that recall or think ask for a sentence first; only then do they show choices, and ask for the nearest.

    Parameters
    ----------
    exercise : str
        For example ``"dataset.2"``; any exercise of ``course.yml``.
    answer : object
        What the exercise asks for, or a sentence of your own; None or ... for "not yet".
    letter : str, optional
        Of the choice that comes nearest to the sentence.

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
    question = _question(exercise)
    if question and (letter is None or len(str(answer).split()) < WORDS):
        return Verdict(f"{exercise}: {_ask(question, answer)}", None)
    found = verdict(exercise, letter, answer) if question else verdict(exercise, answer)
    if found.right is None:
        return found
    try:
        misses = progress.record(exercise, found.right)
    except BloodcellError as err:
        return Verdict(f"{found}\n({err})", found.right)
    again = f' Read again: "{exercises()[exercise].section}".' if misses > PATIENCE else ""
    return Verdict(f"{found}{again}", found.right)


def verdict(exercise, answer, sentence=None):
    """Check an answer, and keep nothing; for grading the answers of others.

    Parameters
    ----------
    exercise : str
    answer : object
        Where there are choices, the letter of one.
    sentence : str, optional
        What was written before the choices were seen; it is shown beside the right one.

    Returns
    -------
    Verdict
        As for `check`.

    Raises
    ------
    BloodcellError
        If there is no such exercise.
    """
    question = _question(exercise)
    if answer is None or answer is ...:
        return Verdict(f"{exercise}: your turn. Put your answer in the place of the dots and run the cell again.", None)
    try:
        hint = _chosen(question, answer) if question else COMPUTED[exercise](answer)
    except Stopped as err:
        hint = str(err)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        hint = "this is not the kind of answer that the exercise asks for; read its last sentence again."
    if hint is not None:
        return Verdict(f"{exercise}: {hint}", False)
    why = f": {question.right_answer.feedback}" if question else ""
    return Verdict(f"✓ {exercise}{why}" + (f"\nYou wrote: {sentence}" if sentence else ""), True)


@cache
def exercises():
    """Every exercise of the course.

    Returns
    -------
    dict of str to course.Exercise
        By its id, in the order of the course.
    """
    return {exercise.id: exercise for chapter in chapters.load().chapters for exercise in chapter.exercises}


def _question(exercise):
    """What checks an exercise that has choices; None for one whose answer is computed."""
    if exercise not in exercises():
        raise BloodcellError(f"There is no check for {exercise!r}; there is one for {', '.join(exercises())}.")
    return questions.of_exercise(exercise)


def _ask(question, answer):
    """For a sentence or, where there is one, for a letter."""
    if answer is None or answer is ...:
        return (
            "your turn. Say it in your own words first: put a sentence, in quotation marks, in the place of the dots "
            "and run the cell again. It then shows choices to compare your sentence with."
        )
    if len(str(answer).split()) < WORDS:
        return f"a sentence of your own comes first, of {WORDS} words or more; the letter of a choice comes behind it."
    choices = "".join(f"\n  {line}" for line in question.lettered)
    add = f'check("{question.exercise}", "your sentence", "a")'
    return f"{question.text}{choices}\nLeave your sentence, and add the letter behind it: {add}."


def _chosen(question, answer):
    """The hint for a letter, or None if it is the right one."""
    letters = questions.LETTERS[: len(question.answers)]
    letter = str(answer).strip().lower().removesuffix(")")
    if len(letter) != 1 or letter not in letters:
        return f'answer with one letter of "{letters}", for example "{letters[0]}".'
    chosen = question.answers[letters.index(letter)]
    return None if chosen.correct else chosen.feedback
