"""Exercises with choices: a sentence first, then the right letter passes, each wrong one gets its mistake's hint."""

import pytest

from bloodcell_utils import course
from bloodcell_utils.course import progress, questions
from bloodcell_utils.course.checks import PATIENCE, Verdict, check, exercises, verdict
from bloodcell_utils.course.computed_checks import COMPUTED
from bloodcell_utils.errors import BloodcellError

LETTERED = {
    name: question
    for chapter in course.load().chapters
    for name, question in questions.of_exercises(chapter.name).items()
}
SENTENCE = "It is so because of that."
each_exercise = pytest.mark.parametrize("exercise", LETTERED)


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """A learner who begins."""
    monkeypatch.setenv("BLOODCELL_PROGRESS_FILE", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


def test_every_exercise_has_a_check():
    assert set(LETTERED) | set(COMPUTED) == set(exercises())


@each_exercise
def test_the_solution_passes_and_each_of_three_mistakes_gets_its_hint(exercise):
    question = LETTERED[exercise]
    wrong = [letter for letter in "abcd" if letter != question.right]
    for letter in wrong:
        hint = question.answers[questions.LETTERS.index(letter)].feedback
        assert check(exercise, SENTENCE, letter).startswith(f"{exercise}: {hint}")
    said = f"✓ {exercise}: {question.right_answer.feedback}"
    assert check(exercise, SENTENCE, question.right) == f"{said}\nYou wrote: {SENTENCE}"
    assert check(exercise, SENTENCE, f" {question.right.upper()}) ").right
    assert verdict(exercise, question.right) == said, "graded without a sentence"


@each_exercise
def test_choices_are_shown_to_who_has_written_a_sentence(exercise, file):
    question = LETTERED[exercise]
    for early in ((...,), (question.right,), ("", question.right), ("too short", question.right)):
        shown = check(exercise, *early)
        assert shown.right is None and "sentence" in shown
        assert not any(answer.text in shown for answer in question.answers)
    shown = check(exercise, SENTENCE)
    assert shown.right is None and all(f"{letter}) " in shown for letter in "abcd")
    assert f'check("{exercise}", "your sentence", "a")' in shown
    assert not file.exists(), "looking is no try"


@pytest.mark.parametrize("answer", ["e", "", "ab", 1, ["a"]])
def test_what_is_no_letter(answer):
    assert 'one letter of "abcd"' in check("dataset.1", SENTENCE, answer)


def test_hints_are_graded():
    right = LETTERED["dataset.1"].right
    wrong = "a" if right != "a" else "b"
    again = f'Read again: "{exercises()["dataset.1"].section}".'
    said = [again in check("dataset.1", SENTENCE, wrong) for _ in range(PATIENCE + 2)]
    assert said == [False] * PATIENCE + [True] * 2
    assert check("dataset.1", SENTENCE, right).right
    assert again not in check("dataset.1", SENTENCE, wrong), "who has solved it needs no sending back"


def test_a_verdict_is_shown_as_it_is():
    assert repr(Verdict("✓ dataset.1", True)) == "✓ dataset.1"


def test_progress_that_cannot_be_kept_does_not_stop_the_check(file):
    file.write_text("{")
    said = check("dataset.1", SENTENCE, LETTERED["dataset.1"].right)
    assert said.right and "cannot be read" in said and "--reset" in said
    assert file.read_text() == "{", "what cannot be read is not thrown away"


def test_unknown_exercise():
    with pytest.raises(BloodcellError, match="no check for 'first_look.9'; there is one for first_look.1"):
        check("first_look.9", 1)


def test_solved_once_is_solved():
    right = LETTERED["dataset.1"].right
    check("dataset.1", SENTENCE, right)
    check("dataset.1", SENTENCE, "a" if right != "a" else "b")
    assert "solved" in progress.load()["dataset.1"] and progress.load()["dataset.1"]["tries"] == 2
