"""The decks of slides: complete, short, and able to stand without a network and without the book."""

import re

import outline
import pytest
import slides
from bs4 import BeautifulSoup

from bloodcell_utils import course
from bloodcell_utils.course import questions

NAMES = ("dataset", "convolution", "confusion_matrix")
CHAPTERS = [course.chapter(name) for name in NAMES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Decks of three chapters."""
    folder = tmp_path_factory.mktemp("decks")
    slides.make(folder, CHAPTERS)
    return folder


@pytest.fixture(params=CHAPTERS, ids=NAMES)
def deck(request, folder):
    """A chapter, its page, and the slides on it."""
    page = BeautifulSoup((folder / f"{request.param.name}.html").read_text("utf-8"), "html.parser")
    return request.param, page, page.select(".slides > section > section")


def test_every_chapter_has_at_most_twenty_slides():
    for chapter in course.load().chapters:
        made = outline.slides(chapter)
        assert 10 <= len(made) <= 20, chapter.name
        assert not [slide for slide in made if re.search(r"\{[\w:-]+\}`|^:::", slide.words, re.M)], chapter.name


def test_a_deck_opens_with_question_and_objectives_and_closes_with_recap_and_quiz(deck):
    chapter, page, slides = deck
    assert page.html["lang"] == "en" and chapter.title in page.title.get_text()
    assert chapter.title == slides[0].h1.get_text() and chapter.question in slides[0].get_text()
    assert [item.get_text() for item in slides[1].find_all("li")] == list(chapter.objectives)
    headings = [slide.find(["h1", "h2"]).get_text() for slide in slides]
    asked = len(questions.quiz(chapter.name))
    quiz = [f"Question {i} of {asked}" for i in range(1, asked + 1)]
    assert headings[-2 - asked :] == ["Recap", *quiz, "Read next"]
    assert "Exercises" not in headings


def test_a_question_shows_its_answers_and_then_the_right_one(deck):
    chapter, _, slides = deck
    for question, slide in zip(questions.quiz(chapter.name), slides[-6:-1], strict=True):
        shown = [item.get_text() for item in slide.select("ol > li")]
        assert shown == [answer.text.replace("`", "") for answer in question.answers]
        assert slide.select_one(".fragment strong").get_text() == question.right


def test_figures_say_what_they_show(deck):
    pictures = deck[1].find_all("img")
    assert pictures and all(len(picture.get("alt", "")) > 5 for picture in pictures)
    assert all(picture["src"].startswith("data:") for picture in pictures)


def test_nothing_comes_from_another_host(deck, folder):
    _, page, _ = deck
    loaded = [tag.get("src") or tag.get("href") for tag in page.find_all(["script", "link", "img", "iframe", "source"])]
    assert not [url for url in loaded if url and re.match(r"(https?:)?//", url)]
    beside = [url for url in loaded if url and url.startswith("reveal/")]
    assert beside and all((folder / url).is_file() for url in beside)
    inline = " ".join(tag.get_text() for tag in page.find_all(["script", "style"]))
    assert not re.findall(r"(?:import|url|fetch|src\s*=)[\s(]*[\"']?(?:https?:)?//", inline)
    for css in (folder / "reveal").rglob("*.css"):
        assert not re.search(r"(?:@import\s+|url\()\s*[\"']?(?:https?:)?//", css.read_text("utf-8")), css


def test_no_markup_of_the_book_is_left(deck):
    text = deck[1].find("main").get_text()
    assert not re.findall(r"\{[\w:-]+\}`|:::|google\.colab|%pip|NBVAL", text)


def test_the_notes_hold_the_words_of_the_chapter(deck):
    notes = " ".join(note.get_text() for note in deck[1].select("aside.notes"))
    assert len(notes.split()) > 400
    if deck[0].name == "dataset":
        assert "A copy is not harmless." in notes


def test_a_deck_is_small_and_made_again_only_when_needed(folder):
    files = {path: path.stat().st_mtime_ns for path in folder.glob("*.html")}
    assert all(path.stat().st_size < 1_500_000 for path in files)
    slides.make(folder, CHAPTERS)
    assert files == {path: path.stat().st_mtime_ns for path in files}


def test_the_least_important_slides_go_first(monkeypatch):
    chapter = course.chapter("dataset")
    whole = outline.slides(chapter)
    monkeypatch.setattr(outline, "MOST", len(whole) - 3)
    fewer = outline.slides(chapter)
    assert len(fewer) == len(whole) - 3
    gone = [slide for slide in whole if slide.words not in [kept.words for kept in fewer]]
    kept = [slide for slide in fewer if slide.words.startswith("## ") and slide.outputs]

    def rank(slide):
        return not slide.first, slide.kind

    assert len(gone) == 3 and max(map(rank, kept)) <= min(map(rank, gone))
    said = "".join(note for slide in fewer for note in slide.notes)
    assert all(note in said for slide in gone for note in slide.notes)


def test_roles_become_words_and_links_lead_into_the_book():
    plain = outline.plain
    assert (
        plain("{term}`basophils <basophil>` and {term}`logit`, see {ref}`here <x>`") == "basophils and logit, see here"
    )
    assert plain("made in Spain {cite:p}`acevedo2020`.") == "made in Spain."
    assert plain("{cite:t}`acevedo2019` say") == "Acevedo et al. (2019) say"
    assert plain("[b](05_features_svm.ipynb#kernel)") == "[b](../notebooks/05_features_svm.html#kernel)"
    assert plain("[b](/book/glossary.md)") == plain("[b](../book/glossary.md)") == "[b](../book/glossary.html)"
    assert plain("[b](https://example.org/a.md)") == "[b](https://example.org/a.md)"


def test_sentences():
    text = 'As in Fig. 3 of\nLeCun et al. The end. "Why?" **Bold.** A last one'
    assert outline.sentences(text) == ["As in Fig. 3 of LeCun et al. The end.", '"Why?"', "**Bold.**", "A last one"]
