"""The plans of the tracks by the clock, from ``course.yml``: when each row begins, and which slides it shows."""

import re
from itertools import islice

import outline

OPENING, QUIZ = "You will be able to", "Question"  # shown of a chapter that is worked through


def meetings(track):
    """Each meeting of a track as a list of sessions with their rows and when these begin.

    Parameters
    ----------
    track : course.chapters.Track

    Yields
    ------
    list of (course.chapters.Session, list of (str, course.chapters.Row)), str
        And when the meeting ends.
    """
    sessions = iter(track.sessions)
    for size in track.meetings or [1] * len(track.sessions):
        now = _minutes(track.hours[0])
        meeting = []
        for session in islice(sessions, size):
            rows = []
            for row in session.rows:
                rows.append((clock(now, track), row))
                now += row.takes
            meeting.append((session, rows))
        yield meeting, clock(now, track)


def clock(minutes, track):
    """Minutes as the hours of a track are written: ``"09:05"``, or ``"0:05"`` where they begin at zero."""
    return f"{minutes // 60:0{track.hours[0].index(':')}}:{minutes % 60:02}"


def sections(row):
    """How the headings of the slides begin that a row shows of a chapter."""
    return row.show or ((OPENING,) if row.without else (OPENING, QUIZ)) if row.work or row.tell else ()


def slides(track, row):
    """The numbers of the slides that a row shows, from 1, in the deck of its track.

    Parameters
    ----------
    track : course.chapters.Track
    row : course.chapters.Row

    Returns
    -------
    list of int
    """
    before = 0
    for other, shown in outline.parts(track):
        if other is row:
            numbered = enumerate(shown, before + 1)
            return [n for n, slide in numbered if not row.work or slide.heading.startswith(sections(row))]
        before += len(shown)
    return []


def numbered(track, text):
    """Words with the slides that they name, ``{heading}``, by number in the deck of a track.

    Parameters
    ----------
    track : course.chapters.Track
    text : str

    Returns
    -------
    str
    """
    numbers = {heading: number for number, heading, _ in outline.numbered(track)} if "{" in text else {}
    return re.sub(r"\{(.+?)\}", lambda found: f"slide {numbers[found[1]]}", text)


def _minutes(written):
    hours, minutes = written.split(":")
    return 60 * int(hours) + int(minutes)
