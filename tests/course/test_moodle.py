"""The questions as Moodle XML: valid, complete, read back as they were."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from lxml import etree

from bloodcell_utils import cli, course
from bloodcell_utils.course import chapters, moodle, questions
from bloodcell_utils.errors import BloodcellError

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("moodle_quiz.xsd")))


def entry(question, right="b", **keys):
    answers = [
        {"answer": f"{question} {letter} < & > ]]>", "correct": letter == right, "feedback": f'"{letter}", `x < 1`, µ'}
        for letter in "abcd"
    ]
    return {"question": question, "type": "multiple_choice", "answers": answers, **keys}


@pytest.fixture
def two_chapters(tmp_path, monkeypatch):
    """Questions of two chapters, full of characters that mean something to XML."""
    monkeypatch.setattr(questions, "FOLDER", tmp_path)
    for name in ("dataset", "first_look"):
        five = [entry(f"Is {i} < 6 & `i > 0`?", "abcd"[i % 4], objective=1 + i % 3) for i in range(5)]
        exercise = entry("Which class?", exercise=f"{name}.1")
        (tmp_path / f"{name}.json").write_text(json.dumps([*five, exercise]), "utf-8")
    questions.load.cache_clear()
    yield
    questions.load.cache_clear()


def plain(text):
    """What `moodle` made HTML, as it was."""
    text = re.sub(r"^<p>|</p>$", "", text or "")
    return unescape(re.sub(r"</?code>", "`", text))


def read(document):
    """The questions of an export, by the name of their category."""
    found = {}
    for element in document.getroot():
        if element.get("type") == "category":
            inside = found.setdefault(element.findtext("category/text"), [])
            continue
        answers = tuple(
            questions.Answer(
                plain(answer.findtext("text")), answer.get("fraction") == "100", plain(answer.findtext("feedback/text"))
            )
            for answer in element.iterfind("answer")
        )
        inside.append((plain(element.findtext("questiontext/text")), answers))
    return found


def problems(document):
    """What a schema cannot say, in words."""
    for element in document.getroot():
        if (element.find("category") is not None) != (element.get("type") == "category"):
            yield "a category is of the type category, and nothing else is"
        elif (
            element.get("type") == "multichoice"
            and [a.get("fraction") for a in element.iterfind("answer")].count("100") != 1
        ):
            yield "one answer is right"


def parse(data):
    return etree.ElementTree(etree.fromstring(data))


def check(document):
    SCHEMA.assertValid(document)
    assert list(problems(document)) == []


def expected(name):
    return [(question.text, question.answers) for question in questions.load(name)]


def path(name):
    return f"$course$/top/{course.load().title}/{course.chapter(name).title}"


def test_the_export_is_valid_and_is_read_back_as_it_was(two_chapters):
    document = parse(moodle.export(["first_look", "dataset"]))
    check(document)
    assert read(document) == {path(name): expected(name) for name in ("first_look", "dataset")}


def test_every_chapter_of_the_course():
    document = parse(moodle.export())
    check(document)
    assert read(document) == {path(chapter.name): expected(chapter.name) for chapter in course.load().chapters}


def test_a_question_names_its_objective_and_keeps_its_number(two_chapters):
    document = parse(moodle.export(["dataset"]))
    numbers = document.xpath("//idnumber/text()")
    assert numbers == [*(f"dataset.quiz.{i}" for i in range(1, 6)), "dataset.1"]
    first = document.xpath("//question[@type='multichoice']")[0]
    assert course.chapter("dataset").objectives[0] in plain(first.findtext("generalfeedback/text"))
    assert first.xpath("tags/tag/text/text()") == ["dataset", "dataset objective 1"]
    assert first.findtext("shuffleanswers") == "true" and first.findtext("answernumbering") == "abc"


def test_a_slash_in_a_title_does_not_split_the_category(two_chapters, monkeypatch):
    from dataclasses import replace

    found = chapters.chapter
    monkeypatch.setattr(chapters, "chapter", lambda name: replace(found(name), title="N/C ratio"))
    document = parse(moodle.export(["dataset"]))
    assert document.findtext("question/category/text").endswith("/N//C ratio")


def without(xpath):
    return lambda document: [element.getparent().remove(element) for element in document.xpath(xpath)]


def with_attribute(xpath, name, value=None):
    def change(document):
        for element in document.xpath(xpath):
            element.attrib.pop(name) if value is None else element.set(name, value)

    return change


def with_text(xpath, text):
    return lambda document: [setattr(element, "text", text) for element in document.xpath(xpath)]


BROKEN = {
    "an answer without its share": with_attribute("//answer[1]", "fraction"),
    "a share of 200 %": with_attribute("//answer[1]", "fraction", "200"),
    "a share in words": with_attribute("//answer[1]", "fraction", "all"),
    "two right answers": with_attribute("//answer[position() < 3]", "fraction", "100"),
    "no right answer": with_attribute("//answer", "fraction", "0"),
    "a type that Moodle does not know": with_attribute("//question[2]", "type", "multiplechoice"),
    "no type": with_attribute("//question[2]", "type"),
    "a category that says it is a question": with_attribute("//question[1]", "type", "multichoice"),
    "no name": without("//name"),
    "an empty name": with_text("//name/text", ""),
    "no text": without("//questiontext"),
    "no answers": without("//answer"),
    "one answer": without("//answer[position() > 1]"),
    "no feedback": without("//answer/feedback"),
    "a format that Moodle does not know": with_attribute("//questiontext", "format", "latex"),
    "a numbering that Moodle does not know": with_text("//answernumbering", "ABC"),
    "neither true nor false": with_text("//single", "maybe"),
    "a grade in words": with_text("//defaultgrade", "one"),
    "the same number twice": with_text("//idnumber", "dataset.1"),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_found(two_chapters, change):
    document = parse(moodle.export(["dataset"]))
    change(document)
    assert not SCHEMA.validate(document) or list(problems(document))


def test_the_order_of_elements_is_moodles(two_chapters):
    document = parse(moodle.export(["dataset"]))
    question = document.xpath("//question[2]")[0]
    question.append(question.find("name"))
    assert not SCHEMA.validate(document)


def test_a_chapter_that_is_not_there(two_chapters):
    with pytest.raises(BloodcellError, match="no chapter 'magic'"):
        moodle.export(["magic"])
    with pytest.raises(BloodcellError, match="no questions for 'convolution'"):
        moodle.export(["convolution"])


def test_the_command(two_chapters, tmp_path, capsys):
    assert cli.main(["questions", "--chapter", "dataset"]) == 0
    assert re.search(r"^dataset +6 +The data set$", capsys.readouterr().out, re.M)
    file = tmp_path / "quiz.xml"
    assert cli.main(["questions", "--moodle", str(file), "--chapter", "dataset"]) == 0
    assert "6 questions" in capsys.readouterr().out
    assert file.read_bytes() == moodle.export(["dataset"])
    assert cli.main(["questions", "--moodle", str(file), "--chapter", "magic"]) == 1
    assert "no chapter 'magic'" in capsys.readouterr().err


def test_help_says_how_to_import(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["questions", "--help"])
    assert "Moodle XML format" in capsys.readouterr().out
