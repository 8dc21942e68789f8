"""What stands on the slides: tags in the notebooks choose it cell by cell; course and questions give the rest."""

import base64
import re
import struct
import textwrap
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from posixpath import normpath

import nbformat
import numpy as np
from jinja2 import StrictUndefined, Template
from plain import authors, bibliography

from bloodcell_utils import course
from bloodcell_utils.cells import CELLS
from bloodcell_utils.course import questions

ROOT = Path(__file__).resolve().parents[2]
TASTER = ROOT / "book" / "_deck" / "taster.md"
SHORT = 200  # characters; two sentences longer than that are one too many for a slide
WIDE = 90  # characters in a line of print
PACE, OPENING, ASKED, ANSWERED = 1.5, 0.5, 1, 1  # minutes of a slide
QUIZ = "Five questions"  # where the story of a chapter ends
BOXES = r"^(:::+)\{.*?^\1[^\S\n]*$|^\*\*Read next:\*\*.*?(?=\n\n|\Z)|^```.*?^```$"  # not for reading aloud
NEW = ("slide", "subslide")
SHOWN = re.compile(r"^!\[\]\((\w+)#([\w-]+)\)\n", re.M)  # what a cell of a chapter shows, in `TASTER`


@dataclass
class Slide:
    """One slide.

    Attributes
    ----------
    words : str
        Markdown, its heading included.
    minutes : float
        That it takes to tell.
    outputs : list
        Of the notebook's cells, to be shown under the words.
    code : str
        To be shown above the outputs; mostly none.
    steps : list
        What appears with the next steps: Markdown, or a slide whose outputs and code do.
    notes : list of str
        Markdown for the speaker.
    look : str
        The class of its words in the style sheet.
    """

    words: str
    minutes: float = PACE
    outputs: list = field(default_factory=list)
    code: str = ""
    steps: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    look: str = "words"

    @property
    def heading(self):
        """Its heading, without marks."""
        return re.search(r"^#+ (.*)", self.words, re.M)[1]


def slides(deck):
    """The slides of a deck.

    Parameters
    ----------
    deck : course.Chapter or course.chapters.Track
        Of a chapter: its story, then its quiz. Of a track: what its plan shows of the chapters, behind one another; the
        taster has a story of its own.

    Returns
    -------
    list of Slide
    """
    if isinstance(deck, course.Chapter):
        return [*told(deck.name), *quiz(deck)]
    return [slide for _, part in parts(deck) for slide in part]


def numbered(deck):
    """What a plan names slides by.

    Parameters
    ----------
    deck : course.Chapter or course.chapters.Track

    Returns
    -------
    list of (int, str, float)
        Number, heading and minutes of each slide.
    """
    return [(number, slide.heading, slide.minutes) for number, slide in enumerate(slides(deck), 1)]


@cache
def told(name):
    """The story of a chapter: its question, the cells that are tagged in its notebook, the recap.

    A code cell that is tagged ``slide`` makes a slide with what it shows (its code, if it shows nothing) under the
    first two sentences of the paragraph before it (or after it, where there is none, or it has been used). A Markdown
    cell that is tagged ``slide`` makes one of words. ``fragment`` adds to the slide before what a code cell shows, or
    the first two sentences of a Markdown cell, for the next step. All other words go into the notes, except those of
    cells that are tagged ``skip``.

    Parameters
    ----------
    name : str
        Of the chapter.

    Returns
    -------
    tuple of Slide
    """
    chapter = course.chapter(name)
    cells = _cells(name).values()
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    deck, heading, ahead, bare = _opening(chapter), chapter.title, [], None
    for cell in cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if cell.cell_type == "markdown" and kind != "skip":
            parts = _parts(cell.source, heading)
            if parts[-1][0] == QUIZ:
                break
            heading, last = parts[-1]
            deck[-1].notes += ahead + [block for _, blocks in parts[:-1] for block in blocks]
            if bare:
                bare.words, bare = _words(bare.heading, parts[0][1][:1], shown=True), None
            if kind == "fragment":
                deck[-1].steps.append(_first(parts[0][1][0]))
            if kind in NEW:
                deck.append(Slide(_words(heading, last), look="words large"))
            if kind in NEW or kind == "fragment" and len(parts) == 1:
                deck[-1].notes += last
                last = []
            ahead = last
        elif kind in NEW:
            deck.append(_exhibit(cell, Slide(_words(heading, ahead, shown=True), notes=ahead)))
            bare, ahead = None if ahead else deck[-1], []
        elif kind == "fragment":
            deck[-1].steps.append(_exhibit(cell, Slide("")))
            deck[-1].look = "words"
    deck[-1].notes += ahead
    for slide in deck:
        slide.look = "words beside" if _tall(slide) else slide.look
    return (*deck, _recap(text))


def quiz(chapter):
    """The quiz of a chapter: each question on a slide, its answer on the next.

    Parameters
    ----------
    chapter : course.Chapter

    Yields
    ------
    Slide
    """
    asked = questions.quiz(chapter.name)
    for number, question in enumerate(asked, 1):
        answers = [answer.text for answer in question.answers]
        marked = [f"**{answer.text}**" if answer.correct else answer.text for answer in question.answers]
        listed, solved = ("\n".join(f"1. {text}" for text in texts) for texts in (answers, marked))
        why = [f"**{letter}** {a.feedback}" for letter, a in zip(questions.LETTERS, question.answers, strict=False)]
        of = f"{number} of {len(asked)}"
        yield Slide(f"## Question {of}\n\n{question.text}\n\n{listed}", ASKED, look="words quiz")
        words = f"## Question {of}: the answer\n\n{question.text}\n\n{solved}\n\n> {question.right_answer.feedback}"
        yield Slide(words, ANSWERED, notes=why, look="words quiz answer")


def parts(track):
    """The slides of a track by the rows of its plan; an agenda, which is no row's, comes before each session.

    Parameters
    ----------
    track : course.chapters.Track

    Returns
    -------
    list of (course.chapters.Row or None, list of Slide)
    """
    if track.name == TASTER.stem:
        return _by_the_clock([row for session in track.sessions for row in session.rows], taster())
    sessions = "\n".join(f"1. {session.title}" for session in track.sessions)
    title = Slide(f"# {track.title}\n\n**{course.load().title}**\n\n{sessions}", OPENING, look="words title")
    title.notes = [f"Afterwards, they can say: {track.outcome}."]
    made = [(None, [title])]
    for number, session in enumerate(track.sessions, 1):
        chapters = [course.chapter(row.work or row.tell) for row in session.rows if row.work or row.tell]
        listed = "\n".join(f"- **{chapter.title}**: {chapter.question}" for chapter in chapters)
        words = f"## {number} {session.title}\n\n{listed}"
        made.append((None, [Slide(words, OPENING, look="words large")]))
        made += [(row, _of_row(row)) for row in session.rows]
    return made


def _of_row(row):
    """All slides of a chapter that is worked through; of one that is told, those of some sections, in its time."""
    if row.tell:
        shown = [slide for slide in told(row.tell) if slide.heading in row.show]
        return [replace(slide, minutes=row.takes / len(shown)) for slide in shown]
    return slides(course.chapter(row.work)) if row.work else []


def _by_the_clock(rows, slides):
    """Slides whose minutes fill those of rows, each with its own."""
    waiting, made = list(slides), []
    for row in rows:
        shown = []
        while waiting and sum(slide.minutes for slide in shown) < row.takes:
            shown.append(waiting.pop(0))
        made.append((row, shown))
    assert not waiting, f"{len(waiting)} slides are longer than their plan, from {waiting[0].words!r} on"
    return made


def taster():
    """The taster's own story, from `_deck/taster.md`.

    Returns
    -------
    list of Slide
    """
    made = []
    for part in TASTER.read_text("utf-8").split("\n---\n"):
        words, _, note = Template(part, undefined=StrictUndefined).render(_facts()).partition("\nNote: ")
        if asked := re.fullmatch(r"!\[\]\((\w+)\?(\d)\)\s*", words):
            number = 2 * int(asked[2])
            for slide in list(quiz(course.chapter(asked[1])))[number - 2 : number]:
                made.append(replace(slide, words=re.sub(r"^(## )Question \d of \d", r"\1Hands up", slide.words)))
            continue
        minutes, _, said = note.partition(" min. ")
        slide = Slide(SHOWN.sub("", words).strip(), float(minutes), look="words large", notes=[said.strip()])
        if shown := SHOWN.search(words):
            _exhibit(_cells(shown[1])[shown[2]], slide)
            slide.look = "words beside" if _tall(slide) else "words"
        made.append(slide)
    made[0].look = "words title"
    return made


@cache
def _facts():
    """What `taster.md` may quote: the course, and records."""
    from bloodcell_utils.datasets.other_labs import LABS  # these take long
    from bloodcell_utils.experiments import records

    folder = ROOT / "book" / "results"
    models = {name: records.load_record(name, "laptop", folder).models for name in ("shift", "strangers", "svm")}
    places = {}
    for name, counts in models["shift"]["stayed at home"]["groups"].items():
        wrong = np.array(counts["confusion"]) * (1 - np.eye(len(CELLS), dtype=int))
        kind = CELLS[wrong.sum(axis=0).argmax()].name
        more = {"share": counts["right"] / counts["n"], "kind": kind, "times": wrong.sum(axis=0).max()}
        places[name] = counts | more | {"title": LABS[name].title.partition(":")[0] if name in LABS else name}
    return {
        "course": course.load(),
        "colours": models["svm"]["colour histogram"],
        "places": places,
        "worst": min(places.values(), key=lambda place: place["share"]),
        "strangers": models["strangers"]["shipped network"]["groups"],
        "percent": lambda share: f"{100 * share:.1f} %",
    }


@cache
def _cells(chapter):
    """The cells of a chapter by their names."""
    notebook = nbformat.read(ROOT / "notebooks" / course.chapter(chapter).file, as_version=4)
    return {cell.id: cell for cell in notebook.cells}


def plain(markdown):
    """Markdown without MyST: roles as the words they stand for, links into the book from where the decks lie.

    Parameters
    ----------
    markdown : str

    Returns
    -------
    str
    """
    text = re.sub(r"^\([\w.-]+\)=\n", "", markdown, flags=re.M)
    text = re.sub(r"\s*\{cite:p\}`[^`]*`", "", text)
    text = re.sub(r"\{cite:t\}`([^`]*)`", lambda m: " and ".join(map(_author, m[1].split(","))), text)
    text = re.sub(r"\{[\w:-]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    inside = r"\]\((?!\w+:)([^)\s#]+)\.(?:ipynb|md)(#[^)\s]*)?\)"
    return re.sub(inside, lambda m: f"](../{_page(m[1])}.html{m[2] or ''})", text)


def sentences(paragraph):
    """The sentences of a paragraph.

    Parameters
    ----------
    paragraph : str

    Returns
    -------
    list of str
    """
    text = re.sub(r"\s+", " ", paragraph).strip()
    ends = r"(?:(?<=[.!?])|(?<=[.!?][\"”*)])|(?<=[.!?]\*\*))(?<!Fig\.)(?<!al\.)(?<!e\.g\.)(?<!i\.e\.) (?=[\"“*(]*[A-Z])"
    return [sentence for sentence in re.split(ends, text) if sentence]


def _opening(chapter):
    page = f"[The chapter](../notebooks/{Path(chapter.file).stem}.html)"
    title = f"# {chapter.title}\n\n**{chapter.question}**\n\n{course.load().title}\n\n{page}"
    aims = "\n".join(f"- {objective}" for objective in chapter.objectives)
    needed = ", ".join(course.chapter(name).title for name in chapter.needs)
    notes = [f"To read first: {needed}."] if needed else []
    able = Slide(f"## You will be able to\n\n{aims}", OPENING, notes=notes, look="words large")
    return [Slide(title, OPENING, look="words title"), able]


def _recap(text):
    found = re.search(r":::\{admonition\} Recap\n(?::class:[^\n]*\n)?(.*?)\n:::", text, re.S)
    items = "\n".join(f"- {sentence}" for sentence in sentences(plain(found[1])))
    further = re.search(r"^\*\*Read next:\*\*(.*?)(?:\n\n|\Z)", text, re.S | re.M)
    notes = [f"To read next: {plain(further[1]).strip()}"] if further else []
    return Slide(f"## Recap\n\n{items}", notes=notes, look="words large")


def _parts(source, heading):
    """Heading and blocks of each part of a Markdown cell; the first, perhaps empty, has the heading before it."""
    parts = [(heading, [])]
    for block in re.split(r"\n\s*\n", re.sub(BOXES, "", source, flags=re.S | re.M)):
        if found := re.match(r"(#+) (.*)\n?", block):
            parts.append((parts[0][0] if found[1] == "#" else found[2], []))
            block = block[found.end() :]
        if block.strip():
            parts[-1][1].append(plain(block))
    return parts


def _words(heading, blocks, shown=False):
    """A heading, the opening of the first paragraph (the last, over what is shown), the first formula or table."""
    marks = ("$$",) if shown else ("$$", "|")
    spoken = [block for block in blocks if not re.match(r"[a-z]|\$\$|[|-]|1\.", block)]
    beside = [block for block in blocks if block.startswith(marks)][:1]
    return "\n\n".join([f"## {heading}", *map(_first, spoken[-1:] if shown else spoken[:1]), *beside])


def _first(paragraph):
    """The first two sentences of a paragraph, or one if two are long."""
    two = sentences(paragraph)[:2]
    return " ".join(two if len(" ".join(two)) <= SHORT else two[:1])


def _exhibit(cell, slide):
    """Put onto a slide what a cell shows, or its code if it shows nothing; beside a picture, print becomes a note."""
    outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    shown = [output for output in outputs if {"image/png", "text/html"} & output.get("data", {}).keys()] or outputs
    said = cell.metadata.get("mystnb", {})
    for output in outputs:
        if output not in shown:
            slide.notes = [*slide.notes, f"```\n{_printed(output)}\n```"]
        elif "image/png" in output.get("data", {}):
            output.metadata["alt"] = said.get("image", {}).get("alt", "")
            slide.notes = [*slide.notes, plain(said.get("figure", {}).get("caption", ""))]
        elif "text" in output:
            output.text = _printed(output)
        elif "text/plain" in output.data:
            output.data["text/plain"] = _printed(output)
    slide.outputs, slide.code = shown, "" if shown else cell.source
    return slide


def _printed(output):
    """What an output prints, without lines too long to be read from the last row."""
    text = (output.get("text") or output.get("data", {}).get("text/plain", "")).rstrip()
    return "\n".join("\n".join(textwrap.wrap(line, WIDE)) if len(line) > WIDE else line for line in text.split("\n"))


def _tall(slide):
    """Whether a picture is too tall for a place under the words."""
    sizes = [size(output) for output in slide.outputs if "image/png" in output.get("data", {})]
    below = 0.2 * ("$$" in slide.words) + 0.1 * bool(slide.steps)
    return bool(sizes) and sum(h for _, h in sizes) / max(w for w, _ in sizes) + below > 0.7


def size(output):
    """Width and height of an output's picture.

    Parameters
    ----------
    output : nbformat.NotebookNode
        It has a PNG file in base64.

    Returns
    -------
    tuple of int
    """
    return struct.unpack(">II", base64.b64decode(output.data["image/png"][:32])[16:24])


def _author(key):
    """Author and year, as the book cites them."""
    return f"{authors(key.strip())} ({bibliography()[key.strip()].fields['year']})"


def _page(target):
    return normpath(target.lstrip("/") if target.startswith("/") else f"notebooks/{target}")
