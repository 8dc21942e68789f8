"""The paper's items as tables of HTML: for the report, and for the page of the book that says the same."""

from html import escape
from importlib import resources

from .verdicts import KINDS, MARKS, tally

GROUPS = {"Tables": "Table", "Figures": "Fig.", "Equations": "Eq."}
WIDEST = 6  # percentage points that the little scale of a row shows at most; an arrow leads to what lies beyond


def style(name):
    """A style sheet of this folder.

    Parameters
    ----------
    name : str
        ``"table.css"`` or ``"report.css"``.

    Returns
    -------
    str
    """
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def items_table(rows, group, address):
    """The paper's tables, figures or equations as lines of HTML.

    Each item is a group of rows; each comparison a row with a little scale: the measured interval around the printed
    number. `style` of ``"table.css"`` belongs to it.

    Parameters
    ----------
    rows : sequence of Row
        All items; the scale follows from them.
    group : str
        One of `GROUPS`.
    address : callable
        From a chapter to where its page is.

    Yields
    ------
    str
    """
    reach = [abs(bound) for row in rows for line in row.lines if line.offset for bound in line.offset]
    widest = min(max([1.0, *reach]), WIDEST)
    columns = ("Compared", "Paper", "Measured, 95 % interval", f"Measured − printed, ±{widest:.0f} points", "Verdict")
    label = f' role="region" aria-label="{group} of the paper" tabindex="0"'  # it scrolls: the keyboard must reach it
    yield f'<div class="scroll"{label}><table class="items"><thead><tr>'
    yield "".join(f'<th scope="col">{name}</th>' for name in columns) + "</tr></thead>"
    for row in rows:
        if row.name.startswith(GROUPS[group]):
            yield f'<tbody id="{anchor(row.name)}">'
            yield from _row(row, widest, address)
            yield "</tbody>"
    yield "</table></div>"


def _row(row, widest, address):
    chapters = ", ".join(f'<a href="{address(chapter)}">{escape(chapter.title)}</a>' for chapter in row.chapters)
    head = f"<b>{row.name}</b> {escape(row.what)}"
    made = f"made again in: {chapters}" if chapters else ""
    first, *more = row.lines
    if not more and not first.what:  # a picture or an equation: one line says it all
        made = " · ".join(filter(None, [made, escape(first.data)]))
        yield f'<tr class="item {first.kind}" data-count="{first.count}">'
        yield f'<th scope="rowgroup" colspan="4">{head}<span class="small">{made}</span></th>'
        yield f"<td {_verdict(first)}</td></tr>"
        return
    data = {line.data for line in row.lines if line.data}
    if len(data) == 1:  # said once
        made = " · ".join(filter(None, [made, escape(*data)]))
    notes = "".join(f'<span class="small">{escape(note)}</span>' for note in row.notes)
    yield f'<tr class="item"><th scope="rowgroup" colspan="5">{head}<span class="small">{made}</span>{notes}</th></tr>'
    for line in row.lines:
        yield f'<tr class="line {line.kind}" data-count="{line.count}">'
        yield f'<td>{escape(line.what)}</td><td class="number">{escape(line.printed)}</td>'
        if line.kind == "missing":
            yield f'<td colspan="3" {_verdict(line)}</td></tr>'
            continue
        on = f'<span class="small">{escape(line.data)}</span>' if len(data) > 1 else ""
        yield f'<td class="number">{escape(line.measured)}{on}</td>'
        yield f"<td>{_strip(line, widest)}</td><td {_verdict(line)}</td></tr>"


def _strip(line, widest):
    """The measured interval around the printed number, which is the dashed line in the middle."""
    if not line.offset:
        return ""
    middle, low, high = (100 + 92 * max(-1, min(1, value / widest)) for value in line.offset)
    if abs(line.offset[0]) <= widest:
        mark = f'<circle class="dot" cx="{middle:.1f}" cy="12" r="4.5"/>'
    else:
        tip, base = (199, 188) if line.offset[0] > 0 else (1, 12)
        mark = f'<path class="dot" d="M{tip} 12 L{base} 6 L{base} 18 Z"/>'
    return (
        f'<svg class="strip" viewBox="0 0 200 24" role="img" aria-label="{line.offset[0]:+.1f} points">'
        '<line class="zero" x1="100" x2="100" y1="1" y2="23"/>'
        f'<line class="reach" x1="{low:.1f}" x2="{high:.1f}" y1="12" y2="12"/>{mark}</svg>'
    )


def _verdict(line):
    """Mark and words, with what stands between backticks as code: the rest of a cell."""
    parts = escape(line.verdict).split("`")
    text = "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
    return f'class="verdict"><span class="sign" aria-hidden="true">{MARKS[line.kind]}</span>{text}'


def anchor(name):
    """Where an item is on its page.

    Parameters
    ----------
    name : str
        For example ``"Fig. 11"``.

    Returns
    -------
    str
        For example ``"fig-11"``.
    """
    return name.lower().replace(". ", "-").replace(" ", "-")


def tally_list(rows):
    """How many comparisons ended how, as a list of HTML.

    Parameters
    ----------
    rows : sequence of Row

    Returns
    -------
    str
    """
    counts = tally(line for row in rows for line in row.lines)
    entries = (f'<li class="{kind}"><b>{n}</b>{escape(KINDS[kind])}</li>' for kind, n in counts.items())
    return f'<ul class="tally">{"".join(entries)}</ul>'
