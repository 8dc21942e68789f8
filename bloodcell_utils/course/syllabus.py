"""What a teacher plans with: which exercise or question assesses which objective, and how a track fills its hours."""

from . import questions


def assessments(chapter):
    """How each objective of a chapter is assessed.

    Parameters
    ----------
    chapter : course.Chapter

    Returns
    -------
    list of (str, list of str, list of int)
        Each objective, the exercises that assess it, and the numbers of the questions of the quiz (from 1) that do.
    """
    quiz = questions.quiz(chapter.name)
    return [
        (
            objective,
            [exercise.id for exercise in chapter.exercises if exercise.objective == number],
            [i for i, question in enumerate(quiz, 1) if question.objective == number],
        )
        for number, objective in enumerate(chapter.objectives, 1)
    ]


def planned(session):
    """The minutes that the chapters of a session take; what is left of it is for discussion.

    Parameters
    ----------
    session : chapters.Session

    Returns
    -------
    int
    """
    return sum(row.takes for row in session.rows if row.work or row.tell)
