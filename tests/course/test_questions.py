"""The questions of quizzes and exercises: complete, fair, and with a word for every answer."""

import json
import re
from collections import Counter

import pytest

from bloodcell_utils import course
from bloodcell_utils.course import questions
from bloodcell_utils.course.computed_checks import COMPUTED
from bloodcell_utils.errors import BloodcellError

CHAPTERS = course.load().chapters
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)


@each_chapter
def test_five_questions_and_one_for_each_exercise_without_a_computed_check(chapter):
    quiz = questions.quiz(chapter.name)
    assert len(quiz) == 5
    assert all(1 <= question.objective <= len(chapter.objectives) for question in quiz)
    lettered = [exercise.id for exercise in chapter.exercises if exercise.id not in COMPUTED]
    assert sorted(questions.of_exercises(chapter.name)) == lettered


@each_chapter
def test_every_answer_has_its_word_and_no_wrong_one_gives_the_right_one_away(chapter):
    for question in questions.load(chapter.name):
        texts = [answer.text for answer in question.answers]
        assert 3 <= len(texts) <= 4 and len(set(texts)) == len(texts), question.text
        assert not question.exercise or len(texts) == 4, "one right answer and three typical mistakes"
        feedback = [answer.feedback for answer in question.answers]
        assert all(len(text) > 15 for text in feedback) and len(set(feedback)) == len(feedback), question.text
        right = question.right_answer.text.rstrip(".").lower()
        for answer in question.answers:
            assert answer.correct or right not in answer.feedback.lower(), question.text
            assert "all of the above" not in answer.text.lower()


def test_each_question_stands_alone():
    asked = [question.text for chapter in CHAPTERS for question in questions.load(chapter.name)]
    assert [text for text, times in Counter(asked).items() if times > 1] == []
    assert [text for text in asked if len(text.split()) < 10 or "?" not in text] == []
    elsewhere = (
        r"this chapter|the chapter|the record\b|your (answer|line|conclusion|three)|on the profile|comes? nearest"
    )
    assert [text for text in asked if re.search(elsewhere, text)] == []


def test_the_right_answer_has_no_favourite_place():
    keys = {chapter.name: "".join(question.right for question in questions.load(chapter.name)) for chapter in CHAPTERS}
    places = Counter("".join(keys.values()))
    assert len(set(keys.values())) == len(keys), "two chapters have the same key"
    assert all(0.75 <= 4 * places[letter] / places.total() <= 1.25 for letter in "abcd"), places
    assert all(max(Counter(key).values()) <= len(key) / 3 for key in keys.values())


def test_who_edits_a_question_leaves_the_others(tmp_path, monkeypatch):
    before, entries = questions.load("dataset"), json.loads((questions.FOLDER / "dataset.json").read_text("utf-8"))
    entries[1]["question"] = "Is this new?"
    entries[1]["answers"] = [
        {"answer": text, "correct": text == "yes", "feedback": text} for text in ("no", "yes", "never", "nowhere")
    ]
    (tmp_path / "dataset.json").write_text(json.dumps(entries))
    monkeypatch.setattr(questions, "FOLDER", tmp_path)
    after = questions.load.__wrapped__("dataset")
    assert (after[0], *after[2:]) == (before[0], *before[2:]) and after[1] != before[1]
    entries[1]["answers"].reverse()
    (tmp_path / "dataset.json").write_text(json.dumps(entries))
    assert questions.load.__wrapped__("dataset") == after, "the order in the file means nothing"


def test_the_right_answer_has_no_telling_length():
    longest, shortest, outside = 0, 0, []
    asked = [question for chapter in CHAPTERS for question in questions.load(chapter.name)]
    for question in asked:
        right, wrong = len(question.right_answer.text), [len(a.text) for a in question.answers if not a.correct]
        longest, shortest = longest + (right > max(wrong)), shortest + (right < min(wrong))
        if not min(wrong) / 1.15 <= right <= 1.15 * max(wrong):
            outside.append(question.text)
    assert 0.15 <= longest / len(asked) <= 0.4, "who picks the longest answer, or never does, should not pass"
    assert 0.15 <= shortest / len(asked) <= 0.4
    assert not outside


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[{}]",
        '[{"question": "?", "type": "numeric", "answers": []}]',
        '[{"question": "?", "type": "multiple_choice", '
        '"answers": [{"answer": "a", "correct": false, "feedback": "no"}]}]',
    ],
)
def test_a_file_that_is_no_list_of_questions(text, tmp_path, monkeypatch):
    (tmp_path / "dataset.json").write_text(text)
    monkeypatch.setattr(questions, "FOLDER", tmp_path)
    with pytest.raises(BloodcellError, match="dataset.json is not a list of multiple-choice questions"):
        questions.load.__wrapped__("dataset")


def test_a_chapter_without_questions():
    with pytest.raises(BloodcellError, match="no questions for 'histology'"):
        questions.load("histology")


@each_chapter
def test_the_files_are_as_jupyterquiz_reads_them(chapter):
    for entry in json.loads((questions.FOLDER / f"{chapter.name}.json").read_text("utf-8")):
        assert set(entry) <= {"question", "type", "answers", "objective", "exercise"}
        assert all(set(answer) == {"answer", "correct", "feedback"} for answer in entry["answers"])
