"""The sheets that a class has in its hands: one page of HTML, printed by Chromium, a PDF for each.

usage: python book/tools/handouts.py [FOLDER]

`make handouts` calls it, and so does `make pdf`, for the page that lists them. ``book/handouts/`` has the words and the
look; the cells are drawn, the numbers come from a record, the shopping lists from the teachers' pages.
"""

import argparse
import io
import math
import re
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import printing
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from PIL import Image
from plain import plain

from bloodcell_utils import cells, course, datasets, paper
from bloodcell_utils.experiments import records
from bloodcell_utils.files import replace_file
from bloodcell_utils.interactive.page import data_uri

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "book" / "handouts"
TEACHING = ROOT / "book" / "instructor" / "chapters"
BUILD = ROOT / "book" / "_build"
STUDENTS = 24
RECORD, MODEL = ("finetune", "laptop"), "vgg16 fine-tuned"  # the first matrix of its chapter
KINDS = ("SNE", "EO", "BA", "LY", "MO", "MY", "ERB", "PLATELET")  # that are drawn, in the order of the classes
ORDER = (4, 1, 6, 2, 0, 7, 3, 5)  # on the sheet without names
VGG_16 = (2, 2, 3, 3, 3)  # convolutions of 3 × 3 in a block, and a pooling after it


@dataclass(frozen=True)
class Sheet:
    """A handout.

    Attributes
    ----------
    name, title : str
        Of its file and its section in the template; what it is.
    chapters : tuple of str
        Whose teacher's page asks for it; none: for any class.
    share : int
        Students to a copy; 0: one for the room.
    track : bloodcell_utils.course.chapters.Track or None
        Whose it is, if it is one track's own.
    per_track : bool
    """

    name: str
    title: str
    chapters: tuple[str, ...] = ()
    share: int = 0
    track: object = None
    per_track: bool = False

    @property
    def file(self):
        """Of the PDF."""
        return f"{self.name}-{self.track.name}.pdf" if self.track else f"{self.name}.pdf"

    @property
    def copies(self):
        """For a class of `STUDENTS`."""
        return math.ceil(STUDENTS / self.share) if self.share else 1


@cache
def sheets():
    """All handouts.

    Returns
    -------
    tuple of Sheet
    """
    read = [Sheet(**entry) for entry in _source()["sheets"]]
    return tuple(
        one
        for sheet in read
        for one in ([replace(sheet, track=track) for track in course.load().tracks] if sheet.per_track else [sheet])
    )


def before_class(chapter):
    """What a chapter's teacher's page asks to be done, printed or brought, in plain Markdown.

    Parameters
    ----------
    chapter : str

    Returns
    -------
    list of str
    """
    page = (TEACHING / f"{chapter}.md").read_text("utf-8")
    asked = re.search(r"^## Before class\n(.*?)^## ", page, re.M | re.S)[1]
    unlinked = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", plain(asked))
    return [" ".join(item.split()) for item in re.split(r"^- ", unlinked, flags=re.M)[1:]]


def shopping(track):
    """What to have ready for a track, what participants bring, and what to print.

    A track of which no chapter is worked through has lists of its own in ``handouts.yml``.

    Parameters
    ----------
    track : bloodcell_utils.course.chapters.Track

    Returns
    -------
    preparations : list of (course.Chapter or None, list of str)
        Of the chapters that are worked through; of those that are told, what they ask to be brought.
    brought : list of str
        What these chapters ask of participants.
    printed : list of Sheet
    """
    if own := _source()["own"].get(track.name):
        have, bring = ([item.format(home=printing.home()) for item in own[part]] for part in ("have", "bring"))
        return (
            [(None, have)],
            bring,
            [sheet for sheet in sheets() if sheet.name in own["print"] and sheet.track in (None, track)],
        )
    worked = [name for session in track.sessions for name in session.chapters]
    told = [name for session in track.sessions for name in session.told]
    asked = {name: before_class(name) for name in worked}
    asked |= {
        name: [x for x in before_class(name) if re.match("Print|Bring|Ask students to bring", x)] for name in told
    }
    names = {name for name, items in asked.items() if items}
    theirs, chapters = re.compile("Ask (students|everyone|each student|clinicians|for folders)"), []
    brought = [item for chapter in course.load().chapters for item in asked.get(chapter.name, ()) if theirs.match(item)]
    for chapter in course.load().chapters:
        if items := [item for item in asked.get(chapter.name, ()) if item not in brought]:
            chapters.append((chapter, items))
    wanted = [sheet for sheet in sheets() if sheet.track in (None, track) and sheet.name != "shopping"]
    return chapters, brought, [sheet for sheet in wanted if not sheet.chapters or names & set(sheet.chapters)]


def html():
    """All handouts as one page.

    Returns
    -------
    str
    """
    environment = Environment(
        loader=FileSystemLoader(SOURCES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["thousands"] = "{:,}".format
    environment.filters["inline"] = lambda text: Markup(MarkdownIt().renderInline(text))
    record = records.load_record(*RECORD, folder=ROOT / "book" / "results")
    rng = np.random.default_rng(0)
    eosinophil = _drawn("EO", 224)
    return environment.get_template("handouts.html").render(
        course=course.load(),
        home=printing.home(),
        sheets=sheets(),
        students=STUDENTS,
        cells=cells.CELLS,
        order=ORDER,
        pictures=[_picture(_middle(_drawn(kind, 640))) for kind in KINDS],
        confusion=record.confusion(MODEL).tolist(),
        record=record,
        model=MODEL,
        patch=_patch(),
        large=_picture(_drawn("EO", 1024)),
        frames=list(_reach()),
        eosinophil=_picture(eosinophil),
        shuffled=_picture(rng.permutation(eosinophil.reshape(-1, 3)).reshape(eosinophil.shape)),
        table3=paper.TABLE_3,
        log=lambda p: -math.log(p),
        between=[_picture(_middle(image)) for image in _between()],
        numbers=rng.permutation(np.arange(10, 100))[:STUDENTS].tolist(),
        glossary={half: [(word, _explained()[word]) for word in words] for half, words in _source()["words"].items()},
        statements=_source()["statements"],
        shopping=shopping,
    )


@cache
def _source():
    return yaml.safe_load((SOURCES / "handouts.yml").read_text("utf-8"))


def _drawn(kind, size, seed=3):
    return datasets.draw(datasets.random_spec(kind, np.random.default_rng(seed)), size, seed)


def _middle(image):
    """The middle two thirds: the cell, and enough red cells to measure it by."""
    edge = len(image) // 6
    return image[edge:-edge, edge:-edge]


def _picture(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=92)
    return data_uri(stream.getvalue(), "jpeg")


def _patch():
    """Round the place where the chapter on convolution computes its one number, the darkness of its smooth cell."""
    smooth = datasets.CellSpec(
        cell_diameter_um=15, nucleus_ratio=0.32, nucleus_shape="segmented", lobes=2, eccentricity=0.3, red_cells=12,
        cytoplasm_rgb=(220, 188, 195), granule_um=0.75, granule_rgb=(190, 100, 120),
    )  # fmt: skip
    image = 1 - datasets.draw(smooth, 256, seed=3)[64:192, 64:192, 1] / 255
    return image[32:41, 28:37].tolist()


def _reach():
    """How far each block of VGG-16 sees, as a share of the picture's width: of its last map before the pooling."""
    reach, step = 1, 1
    for number, convolutions in enumerate(VGG_16, 1):
        reach += 2 * convolutions * step
        yield number, reach / 224
        reach, step = reach + step, 2 * step


def _between():
    """Ten cells on the way from a metamyelocyte to a band, in no order."""
    young, old = (datasets.random_spec(kind, np.random.default_rng(5)) for kind in ("MMY", "BNE"))
    numbers = [name for name, field in young.__dataclass_fields__.items() if field.metadata]
    for place in np.random.default_rng(1).permutation(10):
        share, mixed = place / 9, {}
        for name in numbers:
            start, end = np.array(getattr(young, name)), np.array(getattr(old, name))
            value = start + share * (end - start)
            mixed[name] = tuple(value.tolist()) if value.ndim else type(getattr(young, name))(value.round(3))
        shape = "kidney" if share < 0.5 else "band"
        yield datasets.draw(replace(young, nucleus_shape=shape, **mixed), 400, seed=int(place))


@cache
def _explained():
    """The glossary: word -> what it means, in plain Markdown."""
    page = (ROOT / "book" / "glossary.md").read_text("utf-8")
    page = re.sub(r"\s*\{cite:p\}`[^`]*`", "", page)
    entries = re.findall(r"^(\S[^\n]*)\n((?:  [^\n]+\n)+)", page, re.M)
    return {word: " ".join(plain(meaning).split()) for word, meaning in entries}


def print_all(folder):
    """Print every handout.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    list of pathlib.Path
    """
    from playwright.sync_api import sync_playwright

    show = """([name, title]) => {
        document.title = title;
        for (const section of document.querySelectorAll("section")) section.hidden = section.id !== name;
    }"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=printing.chromium(), args=["--no-sandbox"])
        tab = browser.new_page()
        tab.set_content(html())
        for sheet in sheets():
            tab.evaluate(show, [Path(sheet.file).stem, sheet.title])
            pdf = tab.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
            replace_file(folder / sheet.file, pdf)
        browser.close()
    return [folder / sheet.file for sheet in sheets()]


def main():
    """Print the handouts and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=BUILD / "handouts", metavar="FOLDER")
    folder = parser.parse_args().folder
    if printing.chromium() is None:
        print(
            "There is no Chromium here to print with. On Debian or Ubuntu: sudo apt-get install chromium",
            file=sys.stderr,
        )
        return 1
    written = print_all(folder)
    print(f"{len(written)} handouts: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
