"""One page for the learner: what is solved, what is left, and, when nothing is left, a certificate to print."""

from datetime import date

from ..interactive.page import render
from . import chapters, progress


def text():
    """The course as lines for a terminal: a mark an exercise, and what comes next.

    Returns
    -------
    str
    """
    rows = progress.overview()
    width = max(len(chapter.title) for chapter, _, _ in rows)
    lines = [
        f"{chapter.title:{width}}  {''.join('✓' if e.id in solved else '·' for e in chapter.exercises)}"
        for chapter, solved, _ in rows
    ]
    done, total = _count(rows)
    ahead = next((left[0] for _, _, left in rows if left), None)
    last = "All solved: `bloodcell progress --page certificate.html` prints your certificate."
    last = f"next: {ahead}" if ahead else last
    return "\n".join([*lines, "", f"{done} of {total} exercises solved; {last}"])


def page(name=""):
    """What is left, or the certificate, as a page that stands alone.

    Parameters
    ----------
    name : str
        Of the learner, for the certificate; empty leaves a line to write on.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    BloodcellError
        If the progress cannot be read.
    """
    rows = progress.overview()
    done, total = _count(rows)
    days = [date.fromisoformat(entry["solved"]) for entry in progress.load().values() if "solved" in entry]
    html = render(
        __package__,
        "certificate.html",
        title=chapters.load().title,
        name=name,
        rows=rows,
        done=done,
        total=total,
        day=max(days, default=None),
    )
    return f"{html}\n"


def _count(rows):
    done, ahead = (sum(len(row[column]) for row in rows) for column in (1, 2))
    return done, done + ahead
