"""One page with everything: the paper's items in three columns, the figures, the runs. It loads nothing from anywhere.

The page is written with the records beside it and can be sent, printed or kept as it is.
"""

from html import escape
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from .. import records
from ..errors import BloodcellError
from ..store import replace_file
from .evidence import Evidence, describe
from .items import checklist
from .table import GROUPS, items_table, style, tally_list

FILE = "reproduction.html"
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
            f"<style>\n{style('report.css')}{style('table.css')}</style>",
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
    yield tally_list(rows)
    days = sorted({record.created[:10] for record in shown if record.created})
    if days:
        yield f'<p class="small">Measured {days[0]}{f" to {days[-1]}" if len(days) > 1 else ""}.</p>'
    yield "</header>"


def _items(rows):
    for group in GROUPS:
        yield f"<h2>{group}</h2>"
        yield from items_table(rows, group, _address)


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


def _address(chapter):
    """The chapter's notebook in the repository, wherever the page is read."""
    return f"{_repository()}/blob/HEAD/notebooks/{chapter.file}"


def _repository():
    try:
        urls = dict(entry.split(", ", 1) for entry in metadata("bloodcell-utils").get_all("Project-URL") or ())
    except PackageNotFoundError:
        urls = {}
    return urls.get("Repository", "")
