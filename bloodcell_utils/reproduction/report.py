"""One page with everything: the paper's items in three columns, the figures, the runs. It loads nothing from anywhere.

The page is written with the records beside it and can be sent, printed or kept as it is.
"""

from html import escape
from importlib import resources
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from .. import records
from ..errors import BloodcellError
from ..store import replace_file
from .evidence import Evidence, describe
from .items import checklist
from .verdicts import KINDS, MARKS, tally

FILE = "reproduction.html"
GROUPS = {"Table": "Tables", "Fig.": "Figures", "Eq.": "Equations"}
WIDEST = 6  # percentage points that the little scale of a row shows at most; an arrow leads to what lies beyond
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_report(folder, profile, outcomes=()):
    """Write ``reproduction.html`` beside the records of a folder.

    Parameters
    ----------
    folder : path-like
    profile : config.Profile
        One of drawn cells makes the report a rehearsal.
    outcomes : sequence of Outcome
        Of the tasks that have just been run: failures are listed.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    BloodcellError
        If the page cannot be written.
    """
    from .figures import figures  # loads matplotlib, which the processes of the experiments can do without

    folder = Path(folder)
    found, unreadable = _records(folder)
    rehearsal = profile.data == "synthetic"
    rows = checklist(found, rehearsal)
    evidence = Evidence(found, rehearsal)
    shown = evidence.ranked
    page = "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>The paper, made again</title>",
            f"<style>\n{resources.files(__package__).joinpath('report.css').read_text('utf-8')}</style>",
            "</head>",
            "<body>",
            "<main>",
            *_head(profile, shown, rows, rehearsal),
            *_items(rows),
            *figures(evidence),
            *_runs(shown, outcomes, unreadable),
            *_foot(),
            "</main>",
            "</body>",
            "</html>\n",
        ]
    )
    path = folder / FILE
    replace_file(path, page.encode())
    return path


def _records(folder):
    found, unreadable = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(records.read(path))
        except BloodcellError as err:
            unreadable.append(str(err))
    return found, unreadable


def _head(profile, shown, rows, rehearsal):
    yield "<header>"
    yield '<p class="over">Blood cells and neural networks</p>'
    yield "<h1>The paper, made again</h1>"
    yield (
        '<p class="lead">Acevedo, Alférez, Merino, Puigví and Rodellar (2019), <i>Recognition of peripheral blood cell '
        'images using convolutional neural networks</i>, <a href="https://doi.org/10.1016/j.cmpb.2019.105020">'
        f"doi 10.1016/j.cmpb.2019.105020</a>, beside what was measured with the profile <b>{profile.name}</b>.</p>"
    )
    if rehearsal:
        yield (
            '<p class="drawn">A rehearsal: these cells are drawn by a program.<span>Nothing on this page was measured '
            "on blood, and no number here says how well the paper can be reproduced. It shows that everything runs."
            "</span></p>"
        )
    yield '<ul class="tally">'
    for kind, n in tally(line for row in rows for line in row.lines).items():
        yield f'<li class="{kind}"><b>{n}</b>{escape(KINDS[kind])}</li>'
    yield "</ul>"
    days = sorted({record.created[:10] for record in shown if record.created})
    if days:
        yield f'<p class="small">Measured {days[0]}{f" to {days[-1]}" if len(days) > 1 else ""}.</p>'
    yield "</header>"


def _items(rows):
    reach = [abs(bound) for row in rows for line in row.lines if line.offset for bound in line.offset]
    widest = min(max([1.0, *reach]), WIDEST)
    columns = ("Compared", "Paper", "Measured, 95 % interval", f"Measured − printed, ±{widest:.0f} points", "Verdict")
    for start, title in GROUPS.items():
        yield f"<h2>{title}</h2>"
        yield '<div class="scroll"><table class="items"><thead><tr>'
        yield "".join(f'<th scope="col">{name}</th>' for name in columns) + "</tr></thead>"
        for row in rows:
            if row.name.startswith(start):
                yield f'<tbody id="{_anchor(row.name)}">'
                yield from _row(row, widest)
                yield "</tbody>"
        yield "</table></div>"


def _row(row, widest):
    chapters = ", ".join(f'<a href="{_address(chapter)}">{escape(chapter.title)}</a>' for chapter in row.chapters)
    head = f"<b>{row.name}</b> {escape(row.what)}"
    made = f"made again in: {chapters}" if chapters else ""
    first, *more = row.lines
    if not more and not first.what:  # a picture or an equation: one line says it all
        made = " · ".join(filter(None, [made, escape(first.data)]))
        yield f'<tr class="item {first.kind}">'
        yield f'<th scope="rowgroup" colspan="4">{head}<span class="small">{made}</span></th>'
        yield f"<td {_verdict(first)}</td></tr>"
        return
    data = {line.data for line in row.lines if line.data}
    if len(data) == 1:  # said once
        made = " · ".join(filter(None, [made, escape(*data)]))
    notes = "".join(f'<span class="small">{escape(note)}</span>' for note in row.notes)
    yield f'<tr class="item"><th scope="rowgroup" colspan="5">{head}<span class="small">{made}</span>{notes}</th></tr>'
    for line in row.lines:
        yield f'<tr class="line {line.kind}"><td>{escape(line.what)}</td><td class="number">{escape(line.printed)}</td>'
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


def _runs(shown, outcomes, unreadable):
    """Every record: where it was measured, on what, how long it took; and what failed just now."""
    yield "<h2>The runs</h2>"
    failed = [(outcome.task.name, outcome.message) for outcome in outcomes if outcome.status == "failed"]
    failed += [("a file", message) for message in unreadable]
    if failed:
        yield '<div class="scroll"><table><tbody>'
        for name, message in failed:
            yield f'<tr class="failed"><th scope="row"><b>{escape(name)}</b></th>'
            yield f"<td>failed: {escape(message)}</td></tr>"
        yield "</tbody></table></div>"
    if not shown:
        yield "<p>Nothing has been measured yet.</p>"
        return
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f'<th scope="col">{name}</th>' for name in ("Record", "On", "Time", "Device", "Versions, commit"))
    yield "</tr></thead><tbody>"
    for record in sorted(shown, key=lambda record: record.name):
        seconds = sum(measured["wall_time_s"] or 0 for measured in record.models.values())
        versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
        yield (
            f'<tr><th scope="row"><b>{escape(record.name)}</b>'
            f'<span class="small">{escape(" ".join(record.notes))}</span></th>'
            f"<td>{escape(describe(record, next(iter(record.models))))}<br>"
            f'<span class="small">{record.data["n_images"]:,} images, fingerprint '
            f"{escape(record.data['fingerprint'])}; seed {record.seed}</span></td>"
            f'<td class="number">{seconds / 60:,.1f} min<br>'
            f'<span class="small">{escape(record.created[:10])}</span></td>'
            f"<td>{escape(record.device)}</td>"
            f'<td class="small">{escape(versions)}; {escape(record.commit or "no commit")}</td></tr>'
        )
    yield "</tbody></table></div>"


def _foot():
    yield (
        '<footer><p class="small">How to read this. A measured share has Wilson\'s 95 % interval: it says how far '
        "chance in the choice of test images can move it. The printed number is taken as it stands, without an "
        "interval of its own; the paper's test images are not ours, and its rates are counts out of 256 a class. "
        "<i>Inside the interval</i> therefore means: these data do not tell the two apart; it does not prove them "
        "equal.</p>"
        '<p class="small">Text and figures: CC BY 4.0. For teaching only, not for diagnosis.</p></footer>'
    )


def _verdict(line):
    """Mark and words, with what stands between backticks as code: the rest of a cell."""
    parts = escape(line.verdict).split("`")
    text = "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
    return f'class="verdict"><span class="mark" aria-hidden="true">{MARKS[line.kind]}</span>{text}'


def _anchor(name):
    return name.lower().replace(". ", "-").replace(" ", "-")


def _address(chapter):
    """The chapter's notebook in the repository, wherever the page is read."""
    return f"{_repository()}/blob/HEAD/notebooks/{chapter.file}"


def _repository():
    try:
        urls = dict(entry.split(", ", 1) for entry in metadata("bloodcell-utils").get_all("Project-URL") or ())
    except PackageNotFoundError:
        urls = {}
    return urls.get("Repository", "")
