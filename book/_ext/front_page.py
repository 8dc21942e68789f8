"""The pictures of the first page, drawn when the book is built: no number and no name in them was typed.

``{assembling-matrix} EXPERIMENT.PROFILE`` draws a recorded confusion matrix, a dot a cell; ``{course-picture}`` the
chapters with arcs to those that build on them; ``{start-here}`` shows each kind of reader where to begin.
"""

import math
from datetime import datetime
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course
from bloodcell_utils.cells import by_folder
from bloodcell_utils.experiments import records

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "book" / "results"
SIDE, LEFT, TOP = 48, 52, 40  # of a place in the matrix, of the names beside it and above it
GOLDEN = math.pi * (3 - math.sqrt(5))


def sunflower(n, spacing):
    """Offsets of `n` seeds from the middle of a flower: evenly spread, and an area that grows with their number."""
    for i in range(n):
        r, angle = spacing * math.sqrt(i + 0.5), i * GOLDEN
        yield round(r * math.cos(angle), 1), round(r * math.sin(angle), 1)


def matrix(classes, confusion):
    """The finished matrix as SVG: rows are the given names, columns the network's.

    Parameters
    ----------
    classes : sequence of str
        Class folders.
    confusion : sequence of sequence of int

    Returns
    -------
    str
        One path a place, of strokes of no length with round ends: a dot a cell.
    """
    cells = [by_folder(folder) for folder in classes]
    size = SIDE * len(cells)
    close = (SIDE / 2 - 2) / math.sqrt(max(map(max, confusion)))
    width, height = LEFT + size + 64, TOP + size + 6
    label = escape(in_words(cells, confusion))
    out = [f'<svg class="matrix" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">']
    out += [f'<text class="axis" x="{LEFT + size / 2}" y="13" text-anchor="middle">the network’s name</text>']
    for i, cell in enumerate(cells):
        middle = (i + 0.5) * SIDE
        right, total = confusion[i][i], sum(confusion[i])
        out += [
            f'<text x="{LEFT + middle}" y="{TOP - 8}" text-anchor="middle">{cell.short}</text>',
            f'<text x="{LEFT - 8}" y="{TOP + middle + 4}" text-anchor="end">{cell.short}</text>',
            f'<text class="count" x="{LEFT + size + 8}" y="{TOP + middle + 4}">{right}<tspan> / {total}</tspan></text>',
        ]
        for j, n in enumerate(confusion[i]):
            x, y = LEFT + j * SIDE, TOP + i * SIDE
            out.append(f'<rect x="{x + 1}" y="{y + 1}" width="{SIDE - 2}" height="{SIDE - 2}" rx="6"/>')
            if n:
                spacing, kind = (close, "right") if i == j else (3.2, "wrong")
                dots = "".join(f"M{x + SIDE / 2 + dx:g} {y + SIDE / 2 + dy:g}h0" for dx, dy in sunflower(n, spacing))
                title = f"{n} × {cell.name}, named {'so' if i == j else cells[j].name}"
                out.append(f'<path class="{kind}" stroke="{cell.color}" d="{dots}"><title>{title}</title></path>')
    return "".join([*out, "</svg>"])


def in_words(cells, confusion):
    """What the matrix shows, for readers who cannot see it."""
    total, right = sum(map(sum, confusion)), sum(row[i] for i, row in enumerate(confusion))
    most = sorted(((n, i, j) for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j), reverse=True)
    n, i, j = most[0]
    return (
        f"Confusion matrix of {total:,} cells of {len(cells)} kinds, a dot a cell: {right:,} lie on its diagonal. "
        f"The most frequent mistake, {n} times: {cells[i].name} named {cells[j].name}."
    )


class AssemblingMatrix(SphinxDirective):
    """Take the record's name, its model as an option, and a caption with fields; leave a figure."""

    required_arguments = 1
    has_content = True
    option_spec = {"model": directives.unchanged_required}

    def run(self):
        experiment, profile = self.arguments[0].split(".")
        record = records.load_record(experiment, profile, folder=FOLDER)
        self.env.note_dependency(str(FOLDER / f"{self.arguments[0]}.json"))
        measured = record.models[self.options["model"]]
        low, high = (f"{100 * rate:.1f}" for rate in measured["accuracy_ci95"])
        right = sum(row[i] for i, row in enumerate(measured["confusion"]))
        created = datetime.fromisoformat(record.created)
        caption = "\n".join(self.content).format(
            n=measured["n_test"],
            right=right,
            wrong=measured["n_test"] - right,
            train=record.split["train"],
            accuracy=100 * measured["accuracy"],
            interval=f"{low} to {high} %",
            date=f"{created.day} {created:%B %Y}",
        )
        svg = matrix(record.classes, measured["confusion"])
        button = '<button type="button" hidden>Play again</button>'
        figure = nodes.figure("", nodes.raw("", f'<div class="assembling">{svg}{button}</div>', format="html"))
        figure["classes"].append("front")
        text = self.parse_text_to_nodes(caption)
        figure += nodes.caption("", "", *text[0].children)
        self.set_source_info(figure)
        return [figure]


ROW, HEAD, AXIS, WIDE = 30, 28, 190, 700  # of a chapter, of a part's title; where the dots stand; the whole picture


def parts():
    """Title and chapters of each part: the sessions of the track that leaves nothing out and has the fewest."""
    everything = {chapter.name for chapter in course.load().chapters}
    whole = [
        track.sessions
        for track in course.load().tracks
        if everything == {name for session in track.sessions for name in session.chapters}
    ]
    order = [chapter.name for chapter in course.load().chapters]
    for session in min(whole, key=len):
        yield session.title, [course.chapter(name) for name in sorted(session.chapters, key=order.index)]


def picture():
    """The chapters in order as SVG, each a link; arcs lead from a chapter to those that build on it."""
    at, y, out = {}, 0, []
    for title, chapters in parts():
        y += HEAD
        out.append(f'<text class="part" x="{AXIS + 22}" y="{y - 6}">{escape(title)}</text>')
        for chapter in chapters:
            at[chapter.name] = y + ROW / 2
            y += ROW
    order = [chapter.name for chapter in course.load().chapters]
    for chapter in course.load().chapters:
        below = at[chapter.name]
        arcs = "".join(arc(at[name], below) for name in chapter.needs)
        minutes = chapter.minutes["reading"] + chapter.minutes["exercises"]
        radius = round(1.1 * math.sqrt(minutes), 1)
        page = f"../notebooks/{chapter.file.removesuffix('.ipynb')}.html"
        needs = ", ".join(course.chapter(name).title for name in chapter.needs) or "nothing"
        out.append(
            f'<a href="{page}"><title>{escape(chapter.question)} {minutes} minutes; builds on: {escape(needs)}</title>'
            f'<rect x="{AXIS + 12}" y="{below - ROW / 2 + 1}" width="{WIDE - AXIS - 12}" height="{ROW - 2}" rx="4"/>'
            f'{arcs}<circle cx="{AXIS}" cy="{below}" r="{radius}"/>'
            f'<text class="number" x="{AXIS + 42}" y="{below + 5}">{order.index(chapter.name)}</text>'
            f'<text x="{AXIS + 56}" y="{below + 5}">{escape(chapter.title)}</text>'
            f'<text class="minutes" x="{WIDE - 10}" y="{below + 5}">{minutes} min</text></a>'
        )
    label = f"{len(at)} chapters in order, with arcs from each to those that build on it; the table below lists them"
    head = f'<svg class="course-picture" viewBox="0 0 {WIDE} {y + 4}" role="group" aria-label="{label}">'
    return f"{head}{''.join(out)}</svg>"


def arc(above, below):
    """Half an ellipse to the left of the axis, wider where it spans more."""
    ry = (below - above) / 2
    rx = min(0.7 * ry + 6, AXIS - 16)
    return f'<path d="M{AXIS} {above}A{rx:.0f} {ry:g} 0 0 0 {AXIS} {below}"/>'


class CoursePicture(SphinxDirective):
    """Take no argument; leave the picture."""

    def run(self):
        self.env.note_dependency(str(ROOT / "course.yml"))
        return [nodes.raw("", picture(), format="html")]


def start_here():
    """A card a kind of reader."""
    first, taster = course.load().chapters[0], course.track("taster")
    minutes = first.minutes["reading"] + first.minutes["exercises"]
    yield "::::{grid} 1 1 3 3\n:gutter: 3\n"
    yield ":::{grid-item-card} I want to learn it"
    yield f":link: /notebooks/{first.file}\n:link-type: doc\n".replace(".ipynb", "")
    yield f"{len(course.load().chapters)} chapters, each with a quiz and exercises that answer at once."
    yield f"\n**{first.title}**, {minutes} minutes\n:::\n"
    yield ":::{grid-item-card} I want to teach it"
    yield ":link: /book/instructor/index\n:link-type: doc\n"
    ways = [track.title.lower() for track in course.load().tracks]
    yield f"Slides, plans and graded assignments, for {', '.join(ways[:-1])} or {ways[-1]}."
    yield "\n**The teachers’ pages**\n:::\n"
    yield ":::{grid-item-card} I only want to see"
    yield ":link: /book/tracks\n:link-type: doc\n"
    yield f"{taster.title}, no programming: {taster.outcome}."
    yield f"\n**{taster.title}**\n:::\n::::"


class StartHere(SphinxDirective):
    """Take no argument; leave cards."""

    def run(self):
        self.env.note_dependency(str(ROOT / "course.yml"))
        return self.parse_text_to_nodes("\n".join(start_here()))


def style(app, pagename, templatename, context, doctree):
    if pagename == "book/intro":
        app.add_css_file("front.css")
        app.add_js_file("front.js")


def setup(app):
    app.add_directive("assembling-matrix", AssemblingMatrix)
    app.add_directive("course-picture", CoursePicture)
    app.add_directive("start-here", StartHere)
    app.connect("html-page-context", style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
