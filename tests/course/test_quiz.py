"""The quiz on a page: every question a group of radio buttons, every answer with its word, nothing from elsewhere."""

import re

import pytest
from bs4 import BeautifulSoup

from bloodcell_utils import course
from bloodcell_utils.course import questions, quiz
from bloodcell_utils.errors import BloodcellError


@pytest.mark.parametrize("chapter", [chapter.name for chapter in course.load().chapters])
def test_every_answer_can_be_chosen_and_says_something(chapter):
    page = BeautifulSoup(quiz.show_quiz(chapter)._repr_html_(), "html.parser")
    groups = page.find_all("fieldset")
    assert len(groups) == 5
    assert len({tag["id"] for tag in page.find_all(id=True)}) == len(page.find_all(id=True))
    for group, question in zip(groups, questions.quiz(chapter), strict=True):
        assert group.legend.get_text().endswith(question.text)
        buttons = group.find_all("input", type="radio")
        assert len({button["name"] for button in buttons}) == 1
        assert [button.has_attr("data-right") for button in buttons] == [answer.correct for answer in question.answers]
        for button, answer in zip(buttons, question.answers, strict=True):
            assert group.find("label", attrs={"for": button["id"]}).get_text() == answer.text
            assert answer.feedback in group.find(id=button["aria-describedby"]).get_text()


def test_nothing_comes_from_elsewhere_and_quizzes_do_not_disturb_each_other():
    one, two = (quiz.show_quiz(name)._repr_html_() for name in ("dataset", "convolution"))
    assert not re.search(r"https?://", one)
    names = [set(re.findall(r'name="([^"]+)"', html)) for html in (one, two)]
    assert not names[0] & names[1]
    assert quiz.show_quiz("dataset")._repr_html_() == one


def test_an_unknown_chapter():
    with pytest.raises(BloodcellError, match="no chapter"):
        quiz.show_quiz("histology")


def test_what_a_quiz_asks_is_text_and_nothing_else(holds_names, monkeypatch):
    def make(name):
        answers = (questions.Answer(name, True, name), questions.Answer("no", False, "no"))
        monkeypatch.setattr(questions, "quiz", lambda chapter: (questions.Question(name, answers),))
        return quiz.show_quiz("dataset")._repr_html_()

    holds_names(make)
