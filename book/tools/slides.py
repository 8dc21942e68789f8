"""A deck of slides for each chapter, from its notebook with the stored outputs and from the course: nothing runs.

usage: python book/tools/slides.py [FOLDER]

What converts notebooks is imported where it works: mostly there is nothing to do, and that takes no time.
"""

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


def deck(chapter):
    """The slides of a chapter as one page.

    Parameters
    ----------
    chapter : course.Chapter

    Returns
    -------
    str
        HTML; it wants reveal.js in the folder ``reveal`` beside it.
    """
    import nbformat
    from outline import slides

    cells = []
    for slide in slides(chapter):
        cells.append(_cell(slide.words, "slide", kind=slide.look))
        if slide.outputs or slide.code:
            cells.append(nbformat.v4.new_code_cell(slide.code, outputs=slide.outputs))
        if slide.later:
            cells.append(_cell(slide.later, "fragment"))
        if any(slide.notes):
            cells.append(_cell("\n\n".join(filter(None, slide.notes)), "notes"))
    formulas = any("$" in cell.source for cell in cells)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"title": chapter.title, "formulas": formulas})
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "python"}
    return _exporter().from_notebook_node(notebook)[0]


def make(folder, chapters=None):
    """Write the decks that are older than what they are made from.

    Parameters
    ----------
    folder : path-like
    chapters : iterable of course.Chapter, optional
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
    decks = []
    for chapter in course.load().chapters if chapters is None else chapters:
        path = folder / f"{chapter.name}.html"
        sources = [ROOT / "notebooks" / chapter.file, questions.FOLDER / f"{chapter.name}.json", ROOT / "course.yml"]
        sources += [
            Path(__file__),
            Path(__file__).with_name("outline.py"),
            ROOT / "book" / "references.bib",
            *(TEMPLATES / "deck").iterdir(),
        ]
        changed = max(source.stat().st_mtime for source in sources if source.is_file())
        if not path.is_file() or path.stat().st_mtime < changed:
            replace_file(path, deck(chapter).encode())
        decks.append(path)
    return decks


def _cell(source, slide_type, **metadata):
    import nbformat

    cell = nbformat.v4.new_markdown_cell(source, metadata=metadata)
    cell.metadata["slideshow"] = {"slide_type": slide_type}
    return cell


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
