"""The questions of quizzes and exercises: complete, fair, and with a word for every answer."""

import json
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
        right = texts[questions.LETTERS.index(question.right)].rstrip(".").lower()
        for answer in question.answers:
            assert answer.correct or right not in answer.feedback.lower(), question.text
            assert "all of the above" not in answer.text.lower()


def test_the_right_answer_has_no_favourite_place_and_no_telling_length():
    asked = [question for chapter in CHAPTERS for question in questions.load(chapter.name)]
    places = Counter(question.right for question in asked)
    assert set(places) >= set("abcd") and max(places.values()) < 0.4 * len(asked)
    longest = [max(question.answers, key=lambda answer: len(answer.text)).correct for question in asked]
    assert sum(longest) < 0.45 * len(asked), "who picks the longest answer should not pass"


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
