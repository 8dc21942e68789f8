"""The questions of the course for a learning-management system, in the XML format in which Moodle exchanges questions.

The format is described at https://docs.moodle.org/en/Moodle_XML_format and, where that page is silent, defined by
``question/format/xml/format.php`` of Moodle's source.
"""

import re
from html import escape
from xml.etree import ElementTree

from . import chapters, questions


def export(names=None):
    """Questions as Moodle XML: a category for each chapter, one right answer, feedback on every answer.

    Parameters
    ----------
    names : iterable of str, optional
        Of chapters; default: all.

    Returns
    -------
    bytes
        An XML document in UTF-8.

    Raises
    ------
    BloodcellError
        If there is no such chapter.
    """
    chosen = chapters.load().chapters if names is None else [chapters.chapter(name) for name in names]
    quiz = ElementTree.Element("quiz")
    for chapter in chosen:
        quiz.extend([_category(chapter), *_entries(chapter)])
    ElementTree.indent(quiz)
    return ElementTree.tostring(quiz, encoding="utf-8", xml_declaration=True) + b"\n"


def _category(chapter):
    """What Moodle calls a dummy question: what follows goes into this folder of the question bank."""
    names = ("$course$", "top", chapters.load().title, chapter.title)
    category = ElementTree.Element("question", type="category")
    # A slash separates the names; one that belongs to a name is written twice.
    _text(ElementTree.SubElement(category, "category"), "/".join(name.replace("/", "//") for name in names))
    _text(ElementTree.SubElement(category, "info", format="html"), _html(chapter.question))
    return category


def _entries(chapter):
    numbered = enumerate(questions.quiz(chapter.name), 1)
    for number, question in numbered:
        yield _entry(chapter, question, f"question {number}", f"{chapter.name}.quiz.{number}", question.objective)
    objectives = {exercise.id: exercise.objective for exercise in chapter.exercises}
    for exercise, question in questions.of_exercises(chapter.name).items():
        yield _entry(chapter, question, f"exercise {exercise}", exercise, objectives.get(exercise, question.objective))


def _entry(chapter, question, name, idnumber, objective):
    """One question; its elements in the order in which Moodle itself writes them."""
    entry = ElementTree.Element("question", type="multichoice")
    _text(ElementTree.SubElement(entry, "name"), f"{chapter.title}, {name}")
    _text(ElementTree.SubElement(entry, "questiontext", format="html"), _html(question.text))
    aim = f"This question asks whether you can {chapter.objectives[objective - 1]}." if objective else ""
    _text(ElementTree.SubElement(entry, "generalfeedback", format="html"), _html(aim))
    settings = {
        "defaultgrade": "1",
        "penalty": "0.3333333",  # Moodle's default, for quizzes in which one may try again
        "hidden": "0",
        "idnumber": idnumber,
        "single": "true",
        "shuffleanswers": "true",
        "answernumbering": "abc",
    }
    for key, value in settings.items():
        ElementTree.SubElement(entry, key).text = value
    for answer in question.answers:
        choice = ElementTree.SubElement(entry, "answer", fraction="100" if answer.correct else "0", format="html")
        _text(choice, _html(answer.text))
        _text(ElementTree.SubElement(choice, "feedback", format="html"), _html(answer.feedback))
    tags = ElementTree.SubElement(entry, "tags")
    for tag in filter(None, (chapter.name, f"{chapter.name} objective {objective}" if objective else "")):
        _text(ElementTree.SubElement(tags, "tag"), tag)
    return entry


def _text(parent, text):
    ElementTree.SubElement(parent, "text").text = text


def _html(text):
    """Plain text as a paragraph; what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", f"<p>{escape(text, quote=False)}</p>") if text else ""
