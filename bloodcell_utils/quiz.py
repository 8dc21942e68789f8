"""The quiz at the end of a chapter: it answers each choice at once, on the page and in the notebook, without Python.

Plain radio buttons in HTML: they work by keyboard and with a screen reader, offline, and even where scripts are not
allowed (then without the count of right answers). JupyterQuiz, whose file format the questions have, needs a script for
every answer and fetches its formulas from elsewhere.
"""

from html import escape

from . import course, questions
from .page import Page, asset


def show(chapter):
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
    title = course.chapter(chapter).title
    asked = questions.quiz(chapter)
    blocks = "".join(_question(question, f"quiz-{chapter}-{i}", i) for i, question in enumerate(asked, 1))
    html = (
        f'<div class="bc-quiz" role="group" aria-label="Quiz: {escape(title)}">'
        f"<style>{asset('quiz.css')}</style>{blocks}"
        f'<p class="bc-score" role="status"></p><script>{{{asset("quiz.js")}}}</script></div>'
    )
    return Page(html, f"{len(asked)} questions on the chapter {title!r}")


def _question(question, name, number):
    answers = "".join(
        f'<div class="bc-answer"><input type="radio" name="{name}" id="{name}-{letter}" value="{letter}"'
        f'{" data-right" if answer.correct else ""} aria-describedby="{name}-{letter}-says">'
        f'<label for="{name}-{letter}">{escape(answer.text)}</label>'
        f'<p class="bc-says" id="{name}-{letter}-says">{"✓" if answer.correct else "✗"} {escape(answer.feedback)}</p>'
        "</div>"
        for letter, answer in zip(questions.LETTERS, question.answers, strict=False)
    )
    return f"<fieldset><legend>{number}. {escape(question.text)}</legend>{answers}</fieldset>"
