"""A printed number beside a measured interval, and the verdict that follows from the two, never from a sentence."""

from collections import Counter
from dataclasses import dataclass

from ..evaluation import metrics

# Each kind of verdict, and what it is called where several are counted.
KINDS = {
    "inside": "inside the interval",
    "higher": "higher than printed",
    "lower": "lower than printed",
    "equal": "equal",
    "different": "different",
    "smaller": "measured in a smaller setting",
    "made": "re-made, nothing to compare",
    "rehearsal": "rehearsed on drawn cells",
    "missing": "not measured yet",
}
MARKS = dict(zip(KINDS, "✓▲▼=≠◇○✎·", strict=True))


@dataclass(frozen=True)
class Line:
    """One comparison.

    Attributes
    ----------
    what : str
        What is compared, for example ``"VGG-16, accuracy"``.
    kind : str
        One of `KINDS`.
    verdict : str
        In words.
    printed, measured : str
        As shown; empty where there is none.
    data : str
        What was measured on.
    note : str
        What the record says of itself.
    offset : tuple of float or None
        Measured minus printed, and the interval's bounds minus printed, in percentage points.
    count : int
        Numbers that the line stands for; more than one only where they have not been measured.
    """

    what: str
    kind: str
    verdict: str
    printed: str = ""
    measured: str = ""
    data: str = ""
    note: str = ""
    offset: tuple[float, float, float] | None = None
    count: int = 1


def compare(printed, measured, *, low, high):
    """The verdict on one number.

    Parameters
    ----------
    printed, measured : float
        Percent.
    low, high : float
        Bounds of the measured interval, percent; ``low <= measured <= high``.

    Returns
    -------
    str
        ``"inside"``, ``"higher"`` or ``"lower"``.
    str
        In words, for example ``"higher by 3.3 points [2.1, 4.3]"``.

    Examples
    --------
    >>> compare(87.4, 90.7, low=89.5, high=91.7)
    ('higher', 'higher by 3.3 points [2.1, 4.3]')
    """
    if low <= printed <= high:
        return "inside", "inside the interval"
    kind, sign = ("higher", 1) if measured > printed else ("lower", -1)
    nearest, middle, farthest = sorted(sign * (bound - printed) for bound in (low, measured, high))
    # As many decimals as show that the interval ends before the printed number does.
    decimals = next((d for d in (1, 2, 3) if round(nearest, d) > 0), 4)
    text = f"{kind} by {middle:.{decimals}f} points [{nearest:.{decimals}f},\N{NO-BREAK SPACE}{farthest:.{decimals}f}]"
    return kind, text


def rate_line(what, printed, share, *, n, **details):
    """A comparison of a printed percentage with a measured share: `interval_line` with Wilson's interval.

    Parameters
    ----------
    what, printed, share, **details
        As for `interval_line`.
    n : int
        Images that it is a share of.

    Returns
    -------
    Line
    """
    return interval_line(what, printed, share, interval=metrics.wilson(share * n, n), **details)


def interval_line(what, printed, share, *, interval, data, rehearsal=False, smaller="", remark="", note="", unit="%"):
    """A comparison of a printed percentage with a measured one whose interval is known.

    Parameters
    ----------
    what : str
    printed : float or None
        Percent, or points; None where nothing was printed.
    share : float
        A fraction, or a difference of two.
    interval : tuple of float
        Its bounds.
    data : str
    rehearsal : bool
        The images are drawn: show the numbers, and judge nothing.
    smaller : str
        In what the setting is too far from the paper's for a verdict (`settings.smaller`); empty where it is not.
    remark, note : str
        Added to what was measured, and to what was printed.
    unit : str
        ``"%"`` or ``"points"``.

    Returns
    -------
    Line
    """
    value, low, high = (100 * number for number in (share, *interval))
    shown = f"{value:.1f}\N{NO-BREAK SPACE}{unit} [{low:.1f},\N{NO-BREAK SPACE}{high:.1f}] {remark}".rstrip()
    said = "" if printed is None else percent(printed, note, unit)
    if rehearsal:
        return Line(what, "rehearsal", "a rehearsal on drawn cells, compares nothing", said, shown, data)
    if printed is None:
        return Line(what, "made", KINDS["made"], said, shown, data)
    if smaller:
        return Line(what, "smaller", f"smaller setting: {smaller}", said, shown, data)
    kind, verdict = compare(printed, value, low=low, high=high)
    return Line(what, kind, verdict, said, shown, data, offset=(value - printed, low - printed, high - printed))


def percent(value, note="", unit="%"):
    """A printed number as the paper has it, with what a careful reader should know.

    Parameters
    ----------
    value : float
    note, unit : str

    Returns
    -------
    str
        For example ``"87.4 % (the abstract says 86)"``.
    """
    return f"{value:g}\N{NO-BREAK SPACE}{unit}" + (f" ({note})" if note else "")


def fact_line(what, printed, found, *, data, shown=str):
    """A comparison of two facts that have no interval.

    Parameters
    ----------
    what : str
    printed, found : object
        Compared with ``==``.
    data : str
    shown : callable
        From a fact to text.

    Returns
    -------
    Line
    """
    same = printed == found
    verdict = "equal" if same else "different"
    return Line(what, verdict, verdict, shown(printed), shown(found), data)


def tally(lines):
    """How many comparisons ended how.

    Parameters
    ----------
    lines : iterable of Line

    Returns
    -------
    dict of str to int
        In the order of `KINDS`, those that occur.
    """
    counts = Counter()
    for line in lines:
        counts[line.kind] += line.count
    return {kind: counts[kind] for kind in KINDS if counts[kind]}
