"""One page with everything: the paper's items in three columns, the figures, the runs. It loads nothing from anywhere.

The page is written with the records beside it and can be sent, printed or kept as it is.
"""

from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from ..experiments import records
from ..files import replace_file
from ..interactive.page import render
from .evidence import Evidence, describe
from .items import checklist
from .table import GROUPS, items_table, tally_list

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
    unreadable = []
    found = records.read_all(folder, unreadable)
    rehearsal = profile.data == "synthetic"
    rows = checklist(found, rehearsal)
    evidence = Evidence(found, rehearsal)
    failed = [(outcome.task.name, outcome.message) for outcome in outcomes if outcome.status == "failed"]
    page = render(
        __package__,
        "report.html",
        policy=POLICY,
        profile=profile,
        rehearsal=rehearsal,
        tally=tally_list(rows),
        tables={group: items_table(rows, group, _address) for group in GROUPS},
        figures=list(figures(evidence)),
        failed=failed + [("a file", problem) for problem in unreadable],
        shown=evidence.ranked,
        days=sorted({record.created[:10] for record in evidence.ranked if record.created}),
        describe=describe,
    )
    path = folder / FILE
    replace_file(path, f"{page}\n".encode())
    return path


def _address(chapter):
    """The chapter's notebook in the repository, wherever the page is read."""
    try:
        urls = dict(entry.split(", ", 1) for entry in metadata("bloodcell-utils").get_all("Project-URL") or ())
    except PackageNotFoundError:
        urls = {}
    return f"{urls.get('Repository', '')}/blob/HEAD/notebooks/{chapter.file}"
