"""What goes onto the slides of a chapter: chosen from its notebook, from the course and from its questions."""

import base64
import re
import struct
import textwrap
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from posixpath import normpath

import nbformat
from pybtex.database import parse_file

from bloodcell_utils import course
from bloodcell_utils.course import questions

ROOT = Path(__file__).resolve().parents[2]
MOST = 20  # slides in a deck
LINES = 17  # of print that a slide has room for, beside its words
WIDE = 100  # characters in a line of print
FEW = 12  # characters; less print than that says nothing without its code
BOXES = r"^(:::+)\{.*?^\1[^\S\n]*$|^\*\*Read next:\*\*.*?(?=\n\n|\Z)"  # of which slides are made elsewhere, or none
LEFT_OUT = ("Exercises", "Five questions")  # sections
PICTURE, TABLE, PRINT, WORDS = range(4)  # kinds of exhibits, the most important first


@dataclass
class Slide:
    """One slide.

    Attributes
    ----------
    words : str
        Markdown, its heading included.
    outputs : list
        Of the notebook's cells, to be shown under the words.
    code : str
        To be shown above the outputs; mostly none.
    notes : list of str
        Markdown for the speaker.
    later : str
        Markdown that appears with the next step.
    look : str
        The class of its words in the style sheet.
    kind : int
        Of what is shown.
    first : bool
        Whether it opens its section.
    lines : int
        How much of its room is taken.
    """

    words: str
    outputs: list = field(default_factory=list)
    code: str = ""
    notes: list = field(default_factory=list)
    later: str = ""
    look: str = "words"
    kind: int = WORDS
    first: bool = False
    lines: int = 0


def slides(chapter):
    """The slides of a chapter, at most twenty.

    Title, objectives, recap, the questions of the quiz and what to read next always stay. Of the sections' slides those
    are left out that matter least: first what does not open a section, and there words before print, print before
    tables, tables before pictures; among equals the later ones. What their notes say moves to the slide before.

    Parameters
    ----------
    chapter : course.Chapter

    Returns
    -------
    list of Slide
    """
    cells = nbformat.read(ROOT / "notebooks" / chapter.file, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    opening = _opening(chapter)
    middle = [slide for heading, part in _sections(chapter, cells) for slide in _section(heading, part, opening[0])]
    closing = [*_recap(text), *_quiz(chapter), *_read_next(text)]
    room = MOST - len(opening) - len(closing)
    ranked = sorted(range(len(middle)), key=lambda i: (not middle[i].first, middle[i].kind, i))
    kept = set(ranked[:room])
    shown = list(opening)
    for i, slide in enumerate(middle):
        if i in kept:
            shown.append(slide)
        else:
            shown[-1].notes += slide.notes
    return shown + closing


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
    title = f"# {chapter.title}\n\n**{chapter.question}**\n\n{course.load().title}"
    page = f"[The chapter](../notebooks/{Path(chapter.file).stem}.html)"
    aims = "\n".join(f"- {objective}" for objective in chapter.objectives)
    needed = ", ".join(course.chapter(name).title for name in chapter.needs)
    notes = [f"To read first: {needed}."] if needed else []
    able = Slide(f"## You will be able to\n\n{aims}", notes=notes, look="words large")
    return [Slide(f"{title}\n\n{page}", look="words title"), able]


def _recap(text):
    found = re.search(r":::\{admonition\} Recap\n(?::class:[^\n]*\n)?(.*?)\n:::", text, re.S)
    items = "\n".join(f"- {sentence}" for sentence in sentences(plain(found[1]))) if found else ""
    return [Slide(f"## Recap\n\n{items}", look="words large")] if found else []


def _read_next(text):
    found = re.search(r"^\*\*Read next:\*\*(.*?)(?:\n\n|\Z)", text, re.S | re.M)
    if not found:
        return []
    words = plain(found[1]).strip()
    return [Slide(f"## Read next\n\n{words[:1].upper()}{words[1:]}", look="words large")]


def _quiz(chapter):
    quiz = questions.quiz(chapter.name)
    for number, question in enumerate(quiz, 1):
        answers = "\n".join(f"1. {answer.text}" for answer in question.answers)
        right = next(answer for answer in question.answers if answer.correct)
        notes = [f"**{letter}** {a.feedback}" for letter, a in zip(questions.LETTERS, question.answers, strict=False)]
        yield Slide(
            f"## Question {number} of {len(quiz)}\n\n{question.text}\n\n{answers}",
            later=f"**{question.right}** {right.feedback}",
            notes=notes,
            look="words quiz",
        )


def _sections(chapter, cells):
    """Heading and pieces of each section: paragraphs of Markdown, and code cells."""
    heading, pieces = chapter.title, []
    for cell in cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and not tags & {"remove-cell", "chapter", "quiz"} and "check(" not in cell.source:
            pieces.append(cell)
        if cell.cell_type == "markdown":
            text = re.sub(BOXES, "", cell.source, flags=re.S | re.M)
            for block in re.split(r"\n\s*\n", text):
                if found := re.match(r"##? (.*)\n?", block):
                    yield heading, pieces
                    heading, pieces = (chapter.title if block[1] == " " else found[1]), []
                    block = block[found.end() :]
                if block.strip():
                    pieces.append(plain(block))
    yield heading, pieces


def _section(heading, pieces, before):
    """The slides of a section; one without a slide of its own leaves its words to the notes of the title."""
    if heading in LEFT_OUT or not pieces:
        return []
    made, waiting, said = [], [], set()
    for place, piece in enumerate(pieces):
        if isinstance(piece, str):
            waiting.append(piece)
            continue
        new = _exhibit(piece)
        if new is None:
            continue
        ahead = [text for text in pieces[place + 1 :] if isinstance(text, str)] if not waiting else []
        _say(new, heading, waiting or ahead[:1], said)
        new.notes, waiting = waiting, []
        if made and _together(made[-1], new):
            _merge(made[-1], new)
        else:
            made.append(new)
    if not made and before.words.startswith(f"# {heading}\n"):
        before.notes += waiting
        return []
    if not made:
        made = [Slide("")]
        _say(made[0], heading, waiting, said)
    for slide in made:
        slide.look = "words beside" if _tall(slide) else "words" if slide.outputs else "words large"
    made[-1].notes = made[-1].notes + waiting
    made[0].first = True
    return made


def _exhibit(cell):
    """A slide with what a cell shows, or None. Code is shown where it is short and what it prints is short too."""
    outputs = [output for output in cell.outputs if _says_something(output)]
    if not outputs:
        return None
    kinds, taken = zip(*map(_kind, outputs), strict=True)
    kind, lines = min(kinds), sum(taken)
    for output in outputs:
        if "image/png" in output.get("data", {}):
            output.metadata["alt"] = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        elif "text" in output:
            output.text = _wrapped(output.text)
        elif "text/plain" in output.data:
            output.data["text/plain"] = _wrapped(output.data["text/plain"])
    code = [line for line in cell.source.splitlines() if line.strip() and not re.match(r"#|from |import ", line)]
    short = "print(" in cell.source and kind == PRINT and len(code) <= 6 and lines <= 8 and max(map(len, code)) <= 100
    lines += len(code) if short else 0
    return Slide("", outputs, "\n".join(code) if short else "", kind=kind, lines=lines)


def _says_something(output):
    """Not what goes to the log, hardly any print, or only the name of an object."""
    nameless = _kind(output)[0] == PRINT and _printed(output).startswith("<")
    return output.get("name") != "stderr" and len(_printed(output)) >= FEW and not nameless


def _kind(output):
    """Of an output: what it is, and how many lines of print would be as tall."""
    data = output.get("data", {})
    if "image/png" in data:
        return PICTURE, LINES - 5
    html = data.get("text/html", "")
    if html and "dataframe" not in html:
        return PICTURE, LINES
    if html:
        return TABLE, html.count("<tr")
    if "text/markdown" in data:
        return TABLE, data["text/markdown"].count("\n") + 1
    return PRINT, _printed(output).count("\n") + 1


def _printed(output):
    return (output.get("text") or output.get("data", {}).get("text/plain", "")).strip()


def _wrapped(text):
    """Without lines too long to be read from the last row."""
    return "\n".join("\n".join(textwrap.wrap(line, WIDE)) if len(line) > WIDE else line for line in text.split("\n"))


def _tall(slide):
    """Whether a picture, with what stands above and below it, is too tall for a place under the words."""
    sizes = [_size(output.data["image/png"]) for output in slide.outputs if "image/png" in output.get("data", {})]
    if not sizes:
        return False
    beside = 0.2 * ("$$" in slide.words) + 0.1 * (len(slide.outputs) > len(sizes))
    return sum(height for _, height in sizes) / max(width for width, _ in sizes) + beside > 0.7


def _size(png):
    """Width and height of a PNG file in base64."""
    return struct.unpack(">II", base64.b64decode(png[:32])[16:24])


def _together(slide, new):
    """Two exhibits of one section share a slide if there is room and one of them is no picture."""
    return slide.lines + new.lines <= LINES and not slide.kind == new.kind == PICTURE


def _merge(slide, new):
    """Take over what another slide shows and says; code gives way to it."""
    slide.outputs, slide.code = slide.outputs + new.outputs, ""
    slide.notes += new.notes
    slide.kind, slide.lines = min(slide.kind, new.kind), slide.lines + new.lines


def _say(slide, heading, paragraphs, said):
    """Give a slide its heading, the first one or two sentences that have not been said, and the formula."""
    blocks = [block for block in paragraphs if block.startswith(("$$", "|"))][:1]
    spoken = [s for block in paragraphs if not block.startswith(("$$", "|", "-", "```")) for s in sentences(block)]
    new = [sentence for sentence in spoken if sentence not in said and sentence.count(" ") > 2][:2]
    if len(" ".join(new)) > 230:
        new = new[:1]
    said.update(new)
    slide.words = "\n\n".join(filter(None, [f"## {heading}", " ".join(new), *blocks]))


@cache
def _bibliography():
    return parse_file(str(ROOT / "book" / "references.bib")).entries


def _author(key):
    """Author and year, as the book cites them."""
    entry = _bibliography()[key.strip()]
    names = [" ".join(person.prelast_names + person.last_names).strip("{}") for person in entry.persons["author"]]
    who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return f"{who} ({entry.fields['year']})"


def _page(target):
    return normpath(target.lstrip("/") if target.startswith("/") else f"notebooks/{target}")
