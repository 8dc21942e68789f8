"""What a learner has solved: one small file in the user's data folder. Nothing leaves the machine."""

import json
from datetime import date

from filelock import FileLock, Timeout

from .. import config
from ..errors import BloodcellError, DataError
from ..files import read_file, replace_file, set_aside
from . import chapters


def load():
    """What is known of each exercise that was tried.

    Returns
    -------
    dict of str to dict
        By exercise: ``tries`` (int) and, if it is solved, ``solved`` (the day, ISO 8601).

    Raises
    ------
    BloodcellError
        If the file cannot be read, or is not what `record` writes.
    """
    path = config.progress_file()
    try:
        if not path.exists():
            return {}
        exercises = json.loads(read_file(path).decode())["exercises"]
        return {str(name): {"tries": int(known["tries"]), **_day(known)} for name, known in exercises.items()}
    except (ArithmeticError, AttributeError, DataError, LookupError, OSError, RecursionError, TypeError,
            ValueError) as err:  # fmt: skip
        raise BloodcellError(
            f"Your progress in {path} cannot be read ({err}). Put a copy of it back, or begin anew: "
            "`bloodcell progress --reset` sets the file aside."
        ) from err


def record(exercise, right):
    """Keep that an exercise was tried; once solved, it stays solved.

    Parameters
    ----------
    exercise : str
    right : bool

    Returns
    -------
    int
        How often it has been tried without success so far.

    Raises
    ------
    BloodcellError
        If the file cannot be read or written.
    """
    path = config.progress_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=10):
            known = load()
            entry = known.setdefault(exercise, {"tries": 0})
            entry["tries"] += 1
            if right:
                entry.setdefault("solved", date.today().isoformat())
            replace_file(path, json.dumps({"exercises": known}, indent=1).encode())
    except (OSError, Timeout) as err:
        raise BloodcellError(f"Your progress cannot be kept in {path}: {err}") from err
    return 0 if "solved" in entry else entry["tries"]


def reset():
    """Begin anew; what was there is set aside in a file beside it.

    Returns
    -------
    pathlib.Path or None
        Where it is now; None if there was nothing.
    """
    path = config.progress_file()
    return set_aside(path) if path.exists() else None


def overview():
    """The course with what is solved and what is left.

    Returns
    -------
    list of (Chapter, list of str, list of str)
        Each chapter, its exercises that are solved, and those that are left.
    """
    known, rows = load(), []
    for chapter in chapters.load().chapters:
        solved = [exercise.id for exercise in chapter.exercises if "solved" in known.get(exercise.id, ())]
        rows.append((chapter, solved, [e.id for e in chapter.exercises if e.id not in solved]))
    return rows


def _day(known):
    return {"solved": date.fromisoformat(known["solved"]).isoformat()} if known.get("solved") else {}
