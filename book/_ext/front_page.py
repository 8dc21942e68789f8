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


ROW, HEAD, AXIS = 52, 40, 124  # heights of a chapter and of a part's title; where the dots stand; as in front.css


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
    """The chapters in order, each a link with its question; arcs lead from a chapter to those that build on it."""
    at, y, order = {}, 0, [chapter.name for chapter in course.load().chapters]
    out = ['<div class="course-picture">']
    for title, chapters in parts():
        y += HEAD
        out.append(f'<p class="part">{escape(title)}</p><ol start="{order.index(chapters[0].name)}">')
        for chapter in chapters:
            at[chapter.name] = y + ROW / 2
            y += ROW
            out.append(row(chapter, order.index(chapter.name), at))
        out.append("</ol>")
    return "".join([*out, "</div>"])


def row(chapter, number, at):
    """A chapter as an entry of the list, with the arcs that lead to it from above; `at` says where those stand."""
    minutes = chapter.minutes["reading"] + chapter.minutes["exercises"]
    arcs = "".join(arc(at[name] - at[chapter.name]) for name in chapter.needs)
    needs = ", ".join(course.chapter(name).title for name in chapter.needs) or "nothing"
    return (
        f'<li><a href="../notebooks/{chapter.file.removesuffix(".ipynb")}.html" title="Builds on: {escape(needs)}">'
        f'<svg viewBox="0 0 {AXIS + 20} {ROW}" aria-hidden="true"><g transform="translate({AXIS} {ROW / 2:g})">'
        f'{arcs}<circle r="{1.1 * math.sqrt(minutes):.1f}"/></g></svg>'
        f'<span class="number">{number}</span><span><strong>{escape(chapter.title)}</strong> '
        f'<span class="question">{escape(chapter.question)}</span></span>'
        f'<span class="minutes">{minutes} min</span></a></li>'
    )


def arc(above):
    """Half an ellipse to the left, from a dot so far above to the own one; wider where it spans more."""
    ry = -above / 2
    rx = min(0.5 * ry + 6, AXIS - 14)
    return f'<path d="M0 {above:g}A{rx:.0f} {ry:g} 0 0 0 0 0"/>'


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
