"""The decks of slides: complete, short, and able to stand without a network and without the book."""

import re

import nbformat
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
        assert 16 <= len(made) <= 20, chapter.name
        first, last = outline.numbered(chapter)[0], outline.numbered(chapter)[-1]
        assert first == (1, chapter.title, outline.OPENING) and last[:2] == (len(made), "Question 5 of 5: the answer")
        text = "\n".join("\n".join((slide.words, *filter(lambda s: isinstance(s, str), slide.steps))) for slide in made)
        assert not re.search(r"\{[\w:-]+\}`|^:::|###|\.\.\. ", text, re.M), chapter.name


def test_a_deck_opens_with_question_and_objectives_and_closes_with_recap_and_quiz(deck):
    chapter, page, slides = deck
    assert page.html["lang"] == "en" and chapter.title in page.title.get_text()
    assert chapter.title == slides[0].h1.get_text() and chapter.question in slides[0].get_text()
    assert [item.get_text() for item in slides[1].find_all("li")] == list(chapter.objectives)
    headings = [slide.find(["h1", "h2"]).get_text() for slide in slides]
    asked = len(questions.quiz(chapter.name))
    quiz = [f"Question {i} of {asked}{after}" for i in range(1, asked + 1) for after in ("", ": the answer")]
    assert headings[-1 - 2 * asked :] == ["Recap", *quiz]
    assert "Exercises" not in headings


def test_a_question_stands_on_one_slide_and_its_answer_on_the_next(deck):
    chapter, _, slides = deck
    for question, asks, tells in zip(questions.quiz(chapter.name), slides[-10::2], slides[-9::2], strict=True):
        choices = [answer.text.replace("`", "") for answer in question.answers]
        assert [item.get_text() for item in asks.select("ol > li")] == choices
        assert not asks.select(".quiz strong, blockquote")
        assert [item.get_text() for item in tells.select("ol > li")] == choices
        assert tells.select_one("li strong").get_text() == question.right_answer.text.replace("`", "")


def test_the_notes_say_when_each_slide_is_due(deck):
    chapter, _, slides = deck
    assert slides[0].select_one(".notes strong").get_text() == "0:30"
    assert "(from 0:30)" in slides[1].select_one(".notes").get_text()
    takes, _, begins = slides[-1].select_one(".notes p").get_text().partition(" (from ")
    spent = sum(int(m) + int(s) / 60 for m, s in (text.rstrip(")").split(":") for text in (takes, begins)))
    assert spent == pytest.approx(sum(minutes for _, _, minutes in outline.numbered(chapter)))


def test_a_minute_has_sixty_seconds():
    assert [slides._clock(minutes) for minutes in (0.5, 47.999, 48 - 1e-9, 59.5)] == ["0:30", "48:00", "48:00", "59:30"]


def test_the_taster_is_a_story_of_its_own():
    taster = course.track("taster")
    text = outline.TASTER.read_text("utf-8")
    assert not re.search(r"\d ?%", re.sub(r"\b5 % dimmer", "", text)), "rates come from records"
    shown = outline.numbered(taster)
    assert len(shown) <= 40 and sum(minutes for _, _, minutes in shown) == 90
    rates = [re.search(r"^## .*?([\d.]+) %$|names ([\d.]+) %", slide.words, re.M) for slide in outline.slides(taster)]
    home, _, _, away = (float(rate[1] or rate[2]) for rate in rates if rate)
    assert away < 20 < 95 < home


def test_a_tracks_deck_is_its_chapters_behind_one_another():
    shown = outline.slides(course.track("day"))
    headings = [slide.heading for slide in shown]
    told = headings.index("2 Borrowed features")
    assert headings[told + 1 : told + 5] == [
        "Balancing the classes",
        "The wrong order, caught",
        "Which order was the paper's?",
        course.chapter("features_svm").title,
    ]
    assert sum(slide.minutes for slide in shown[told + 1 : told + 4]) == pytest.approx(6)


def test_figures_say_what_they_show(deck, folder):
    pictures = deck[1].find_all("img")
    assert pictures and all(len(picture.get("alt", "")) > 5 for picture in pictures)
    assert all((folder / picture["data-src"]).is_file() for picture in pictures)


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


def test_tags_choose_cell_by_cell(monkeypatch):
    def tagged(make, source, kind=None, **more):
        return make(source, metadata={"slideshow": {"slide_type": kind}} if kind else {}, **more)

    words, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    says = [nbformat.v4.new_output("stream", text="7 cells\n")]
    cells = [
        tagged(words, "# A\n\nHello."),
        tagged(words, "Before.\n\n## Look\n\nFar. A third.\n\nNear. It is `x`. More."),
        tagged(code, "a = 1", outputs=says),
        tagged(code, "print(7)", "slide", outputs=says),
        tagged(words, "So it is seven. Not six. Not five.", "fragment"),
        tagged(words, "Never.", "skip"),
        tagged(code, "b = 2", "slide"),
        tagged(words, "After. And on.\n\n### Words\n\nOne. Two. Three.\n\n| a |\n| - |", "slide"),
        tagged(words, ":::{admonition} Recap\nEnd.\n:::"),
    ]
    for i, cell in enumerate(cells):
        cell.id = f"c{i}"
    monkeypatch.setattr(outline, "_cells", lambda chapter: {cell.id: cell for cell in cells})
    _, aims, look, bare, alone, recap = outline.told.__wrapped__("dataset")
    assert "Hello." in aims.notes
    assert look.words == "## Look\n\nNear. It is `x`." and not look.code and look.outputs[0].text == "7 cells"
    assert look.steps == ["So it is seven. Not six."] and look.notes[:2] == ["Far. A third.", "Near. It is `x`. More."]
    assert bare.words == "## Look\n\nAfter. And on." and bare.code == "b = 2"
    assert alone.words == "## Words\n\nOne. Two.\n\n| a |\n| - |"
    assert recap.words == "## Recap\n\n- End."
    assert not any("Never" in note for slide in (look, bare, alone) for note in slide.notes)


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
