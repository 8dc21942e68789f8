"""One page for the learner: what is solved, what is left, and, when nothing is left, a certificate to print."""

from datetime import date
from html import escape

from . import course, progress
from .page import asset
from .store import replace_file


def text(known=None):
    """The course as lines for a terminal: a mark an exercise, and what comes next.

    Parameters
    ----------
    known : dict, optional
        As `progress.load` gives it; default: what it gives now.

    Returns
    -------
    str
    """
    rows = progress.overview(known)
    width = max(len(chapter.title) for chapter, _, _ in rows)
    lines = [
        f"{chapter.title:{width}}  {''.join('✓' if e.id in solved else '·' for e in chapter.exercises)}"
        for chapter, solved, _ in rows
    ]
    done, total = _count(rows)
    ahead = next((left[0] for _, _, left in rows if left), None)
    last = (
        f"next: {ahead}"
        if ahead
        else "All solved: `bloodcell progress --page certificate.html` prints your certificate."
    )
    return "\n".join([*lines, "", f"{done} of {total} exercises solved; {last}"])


def page(name="", known=None):
    """What is left, or the certificate, as a page that stands alone.

    Parameters
    ----------
    name : str
        Of the learner, for the certificate; empty leaves a line to write on.
    known : dict, optional
        As `progress.load` gives it; default: what it gives now.

    Returns
    -------
    str
        HTML.
    """
    known = progress.load() if known is None else known
    rows = progress.overview(known)
    done, total = _count(rows)
    title = course.load().title
    if done == total:
        day = max(date.fromisoformat(entry["solved"]) for entry in known.values() if "solved" in entry)
        learned = "".join(f"<li>{escape(chapter.objectives[-1])}</li>" for chapter, _, _ in rows)
        body = (
            '<main class="certificate"><p class="small">Certificate of completion</p>'
            f'<p class="name">{escape(name)}</p>'
            f"<p>has solved all {total} exercises of</p><h1>{escape(title)}</h1><p>and can now, among other things,</p>"
            f'<ul>{learned}</ul><p class="small">{day:%d %B %Y}. Made on the learner\'s own machine; nobody watched. '
            "For teaching only: it is no licence to diagnose.</p></main>"
        )
    else:
        lines = "".join(
            f'<tr><th scope="row">{escape(chapter.title)}</th><td>{len(solved)} of {len(chapter.exercises)}</td>'
            f"<td>{escape(', '.join(left)) or '✓'}</td></tr>"
            for chapter, solved, left in rows
        )
        body = (
            f'<main><h1>{escape(title)}</h1><p><progress max="{total}" value="{done}" aria-label="exercises solved">'
            f"</progress> {done} of {total} exercises solved. When none is left, this page is your certificate.</p>"
            '<table><thead><tr><th scope="col">Chapter</th><th scope="col">Solved</th><th scope="col">Left</th></tr>'
            "</thead>"
            f"<tbody>{lines}</tbody></table></main>"
        )
    style = asset("certificate.css")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}: progress</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head><body>{body}</body></html>\n'
    )


def write(path, name=""):
    """Write `page` to a file.

    Parameters
    ----------
    path : pathlib.Path
    name : str
        As for `page`.

    Raises
    ------
    BloodcellError
        If the progress cannot be read or the file not written.
    """
    replace_file(path, page(name).encode())


def _count(rows):
    done, ahead = (sum(len(row[column]) for row in rows) for column in (1, 2))
    return done, done + ahead
