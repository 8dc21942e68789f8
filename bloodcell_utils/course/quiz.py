"""The quiz at the end of a chapter: it answers each choice at once, on the page and in the notebook, without Python.

Plain radio buttons in HTML: they work by keyboard and with a screen reader, offline, and even where scripts are not
allowed (then without the count of right answers). JupyterQuiz, whose file format the questions have, needs a script for
every answer and fetches its formulas from elsewhere.
"""

from ..interactive.page import Page, render
from . import chapters, questions


def show_quiz(chapter):
    """The five questions of a chapter.

    Parameters
    ----------
    chapter : str
        Its name, for example ``"dataset"``.

    Returns
    -------
    Page

    Raises
    ------
    BloodcellError
        If there is no such chapter, or it has no questions.
    """
    title = chapters.chapter(chapter).title
    asked = questions.quiz(chapter)
    html = render(__package__, "quiz.html", chapter=chapter, title=title, asked=asked, letters=questions.LETTERS)
    return Page(html, f"{len(asked)} questions on the chapter {title!r}")
