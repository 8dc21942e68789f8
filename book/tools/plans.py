"""The plans of the tracks by the clock, from ``course.yml``: when each row begins, and which slides it shows."""

import re
from functools import cache
from itertools import islice

import outline

from bloodcell_utils import course

PACE = 1.5  # minutes that a told slide takes
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
    """The headings of the slides that a row shows."""
    return row.show or ((OPENING,) if row.without else (OPENING, QUIZ)) if row.work or row.tell else ()


def numbers(name, heading):
    """The numbers of the slides of a section, from 1, in the deck of a chapter.

    Parameters
    ----------
    name, heading : str
        Of the chapter, and of the section; ``"Question"`` is every ``"Question 1 of 5"``.

    Returns
    -------
    list of int
    """
    return [n for n, shown in enumerate(_headings(name), 1) if shown == heading or shown.startswith(f"{heading} ")]


def slides(row):
    """The numbers of all slides that a row shows."""
    return sorted({n for heading in sections(row) for n in numbers(row.work or row.tell, heading)})


@cache
def _headings(name):
    return [re.sub("#+ ", "", slide.words.split("\n")[0]) for slide in outline.slides(course.chapter(name))]


def _minutes(written):
    hours, minutes = written.split(":")
    return 60 * int(hours) + int(minutes)
