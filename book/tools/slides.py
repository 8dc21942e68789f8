"""A deck of slides for each chapter and each track, from the notebooks with their stored outputs: nothing runs.

usage: python book/tools/slides.py [FOLDER]

What reads and converts notebooks is imported where it works: mostly there is nothing to do, and that takes no time.
"""

import base64
import hashlib
import shutil
import sys
import time
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from bloodcell_utils import course
from bloodcell_utils.course import questions
from bloodcell_utils.files import replace_file

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "book" / "_deck"
REVEAL = ("dist/reveal.css", "dist/reveal.js", "dist/theme/white.css", "plugin/notes/notes.js", "LICENSE")
FONTS = "dist/theme/fonts/source-sans-pro"
PICTURES = "pictures"  # a folder beside the decks: a chapter and a track show the same ones


def page(title, slides):
    """Some slides as one page.

    Parameters
    ----------
    title : str
    slides : list of outline.Slide

    Returns
    -------
    str
        HTML; it wants reveal.js in the folder ``reveal`` beside it, and its pictures in `PICTURES`.
    dict of str to bytes
        The pictures, by their names.
    """
    import nbformat
    from outline import size

    cells, pictures, begun = [], {}, 0
    for slide in slides:
        cells.append(_cell(slide.words, "slide", kind=slide.look))
        for part in (slide, *slide.steps):
            if isinstance(part, str):
                cells.append(_cell(part, "fragment", kind="later"))
            elif part.outputs or part.code:
                for output in part.outputs:
                    if png := output.get("data", {}).get("image/png"):
                        image = base64.b64decode(png)
                        name = f"{hashlib.sha256(image).hexdigest()[:16]}.png"
                        pictures[name] = image
                        output.metadata.update(file=f"{PICTURES}/{name}", size=size(output))
                cells.append(_cell(part.code, "-" if part is slide else "fragment", outputs=part.outputs))
        begins, begun = begun, begun + slide.minutes
        time = f"**{_clock(slide.minutes)}** (from {_clock(begins)})"
        cells.append(_cell("\n\n".join(filter(None, [time, *slide.notes])), "notes"))
    formulas = any("$" in cell["source"] for cell in cells)
    language = {"name": "python", "pygments_lexer": "python"}
    metadata = {"title": title, "formulas": formulas, "language_info": language}
    notebook = nbformat.from_dict({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells})
    return _exporter().from_notebook_node(notebook)[0], pictures


def make(folder, decks=None):
    """Write the decks that are older than what they are made from.

    Parameters
    ----------
    folder : path-like
    decks : iterable of course.Chapter or course.chapters.Track, optional
        Default: all.

    Returns
    -------
    list of pathlib.Path
        All decks.
    """
    folder = Path(folder)
    with as_file(files("sphinx_revealjs") / "_static" / "revealjs") as source:
        for name in REVEAL:
            if not (folder / "reveal" / name).is_file():
                replace_file(folder / "reveal" / name, (source / name).read_bytes())
        shutil.copytree(source / FONTS, folder / "reveal" / FONTS, dirs_exist_ok=True)
    made = []
    for deck in [*course.load().chapters, *course.load().tracks] if decks is None else decks:
        path = folder / f"{deck.name}.html"
        if not path.is_file() or path.stat().st_mtime < max(source.stat().st_mtime for source in _sources(deck)):
            from outline import slides

            html, pictures = page(deck.title, slides(deck))
            for name, image in pictures.items():
                replace_file(folder / PICTURES / name, image)
            replace_file(path, html.encode())
        made.append(path)
    return made


def _sources(deck):
    """The files that a deck is made from; a track may show any chapter."""
    chapters = [deck] if isinstance(deck, course.Chapter) else course.load().chapters
    yield from (ROOT / "notebooks" / chapter.file for chapter in chapters)
    yield from (questions.FOLDER / f"{chapter.name}.json" for chapter in chapters)
    yield from (
        ROOT / "course.yml",
        ROOT / "book" / "references.bib",
        Path(__file__),
        Path(__file__).with_name("outline.py"),
    )
    yield from (path for path in TEMPLATES.rglob("*") if path.is_file())
    yield from (ROOT / "book" / "results").glob("*.json")


def _clock(minutes):
    return "{}:{:02}".format(*divmod(round(60 * minutes), 60))


def _cell(source, slide_type, kind="words", outputs=None):
    """A cell of a notebook, in words or with outputs."""
    code = {} if outputs is None else {"outputs": outputs, "execution_count": None}
    metadata = {"slideshow": {"slide_type": slide_type}, "kind": kind}
    return {"cell_type": "code" if code else "markdown", "metadata": metadata, "source": source, **code}


@cache
def _exporter():
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    config = Config()
    config.CSSHTMLHeaderPreprocessor.style = "default"
    return SlidesExporter(
        config=config,
        exclude_anchor_links=True,
        exclude_output_prompt=True,
        template_name="deck",
        extra_template_basedirs=[str(TEMPLATES)],
        reveal_url_prefix="reveal",
        reveal_theme="white",
    )


def main(arguments):
    """Write the decks and say where they are.

    Parameters
    ----------
    arguments : list of str
        The folder; default: where the book is built.
    """
    start = time.perf_counter()
    made = make(arguments[0] if arguments else ROOT / "book" / "_build" / "html" / "slides")
    print(f"{len(made)} decks of slides in {time.perf_counter() - start:.0f} s: {made[0].parent}")


if __name__ == "__main__":
    main(sys.argv[1:])
