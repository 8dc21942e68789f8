"""The plans by the clock end when they say, give chapters their minutes, and name slides that are there."""

import re
from pathlib import Path

import build
import outline
import plans
import pytest

from bloodcell_utils import course

TEACHERS = Path(__file__).parents[2] / "book" / "instructor"
PLANNED = [track for track in course.load().tracks if track.hours]


@pytest.mark.parametrize("track", PLANNED, ids=lambda track: track.name)
def test_meetings_end_when_they_should(track):
    meetings = list(plans.meetings(track))
    assert [session for meeting, _ in meetings for session, _ in meeting] == list(track.sessions)
    for meeting, end in meetings:
        assert meeting[0][1][0][0] == track.hours[0]
        assert end in track.hours[1:] or len(track.hours) == 1
        rows = [row for _, rows in meeting for _, row in rows]
        without_pause = run = 0
        for row in rows:
            run = 0 if row.pause else run + row.takes
            without_pause = max(run, without_pause)
        assert without_pause <= 130, "nobody sits longer"


@pytest.mark.parametrize("track", PLANNED, ids=lambda track: track.name)
def test_a_row_is_one_thing_and_has_the_time_for_it(track):
    for row in (row for session in track.sessions for row in session.rows):
        assert [
            bool(row.work),
            bool(row.tell),
            bool(row.pause),
            not (row.work or row.tell) and bool(row.minutes),
        ].count(True) == 1, row
        assert not row.work or not row.minutes, "its minutes are the chapter's"
        assert bool(row.late) == bool(row.saves) and row.saves <= row.takes, row
        headings = (
            [slide.heading for slide in outline.slides(course.chapter(row.work or row.tell))]
            if row.work or row.tell
            else []
        )
        named = re.findall(r"{(.+?)}", row.late)
        skipped = [minutes for _, heading, minutes in outline.numbered(track) if heading in named] if named else []
        assert not named or len(skipped) == len(named) and row.saves <= sum(skipped), row
        assert "{" not in plans.numbered(track, row.late)
        for section in plans.sections(row):
            assert any(heading.startswith(section) for heading in headings), f"{row} has no slide {section!r}"


@pytest.mark.parametrize("track", PLANNED, ids=lambda track: track.name)
def test_what_is_told_takes_the_minutes_of_its_slides(track):
    for row, shown in outline.parts(track):
        minutes = [slide.minutes for slide in shown]
        if row and (row.tell or track.name == "taster"):
            assert sum(minutes) == pytest.approx(row.takes), row
            assert len(plans.slides(track, row)) == len(shown) > 0
        if row and row.tell and track.name != "taster":
            assert 1.5 <= minutes[0] <= 4, "time to look at it"
        if row and row.work:
            assert sum(minutes) < row.takes, "the rest is the learners'"


def test_a_taster_needs_no_code():
    track = course.track("taster")
    assert not any(session.chapters for session in track.sessions)
    assert len(outline.slides(track)) <= 40


@pytest.mark.parametrize("chapter", course.load().chapters, ids=lambda chapter: chapter.name)
def test_a_teachers_page_plans_the_minutes_of_its_chapter(chapter):
    page = (TEACHERS / "chapters" / f"{chapter.name}.md").read_text("utf-8")
    plan = re.search(r"^## A plan\n(.*?)^## ", page, re.S | re.M)[1]
    rows = [int(minutes) for minutes in re.findall(r"^\| (\d+) \|", plan, re.M)]
    assert sum(rows) == chapter.total
    assert rows[-1] == chapter.minutes["exercises"], "what a late room leaves out comes last"


def test_every_plan_has_its_page():
    pages = "\n".join((TEACHERS / f"plan_{name}.md").read_text("utf-8") for name in build.PLANS)
    assert re.findall(r"^```{clock-plan} (\w+)$", pages, re.M) == [track.name for track in PLANNED]


def test_the_third_of_four_days_is_the_longest():
    sessions = course.track("four_days").sessions
    takes = [sum(row.takes for session in sessions[i : i + 3] for row in session.rows) for i in range(0, 12, 3)]
    assert takes.index(max(takes)) == 2 and takes.index(min(takes)) == 3, "the page says where to cut"
    assert max(takes) + 60 + 15 > 9 * 60
    moved = sum(row.takes for session in sessions for row in session.rows if row.work == "differential")
    assert max(takes) - moved + 60 + 15 < 8.75 * 60 > takes[3] + moved + 60 + 15
