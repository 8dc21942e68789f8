import re
from pathlib import Path

import nbformat
import pytest

from bloodcell_utils import course
from bloodcell_utils.course import chapters, syllabus
from bloodcell_utils.errors import BloodcellError

ROOT = Path(__file__).parents[2]
CHAPTERS = course.load().chapters


def test_every_notebook_is_a_chapter_and_every_chapter_a_notebook():
    assert [chapter.file for chapter in CHAPTERS] == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_names_are_unique_and_those_of_the_files():
    assert [chapter.name for chapter in CHAPTERS] == [re.sub(r"^\d\d_|\.ipynb$", "", c.file) for c in CHAPTERS]
    assert len({chapter.name for chapter in CHAPTERS}) == len(CHAPTERS)


def test_a_chapter_needs_only_earlier_ones():
    earlier = set()
    for chapter in CHAPTERS:
        assert set(chapter.needs) <= earlier, chapter.name
        earlier.add(chapter.name)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_what_a_chapter_promises(chapter):
    assert chapter.question.endswith("?")
    assert 3 <= len(chapter.objectives) <= 4
    assert all(objective[0].islower() and not objective.endswith(".") for objective in chapter.objectives)
    assert set(chapter.minutes) == {"reading", "sample", "laptop", "exercises"}
    assert all(minutes >= 1 for minutes in chapter.minutes.values())
    assert 3 <= len(chapter.exercises) <= 4
    assert [exercise.id for exercise in chapter.exercises] == [
        f"{chapter.name}.{i}" for i in range(1, len(chapter.exercises) + 1)
    ]
    assert {exercise.kind for exercise in chapter.exercises} == {"recall", "apply", "think"}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_the_notebook_keeps_the_promise(chapter):
    notebook = nbformat.read(ROOT / "notebooks" / chapter.file, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.startswith(f"# {chapter.title}\n")
    for exercise in chapter.exercises:
        assert f":label: {exercise.id}\n" in text, f"{chapter.file} has no exercise {exercise.id}"
        assert re.search(rf"{{solution}} {re.escape(exercise.id)}\n", text), f"{exercise.id} has no solution"
        assert f"## {exercise.section}\n" in f"{text}\n", (
            f"{exercise.id} sends the reader to a section that is not there"
        )
        assert exercise.section != "Exercises"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_every_objective_is_assessed(chapter):
    assert {exercise.objective for exercise in chapter.exercises} <= set(range(1, len(chapter.objectives) + 1))
    for objective, exercises, asked in syllabus.assessments(chapter):
        assert exercises or asked, f"nothing assesses {objective!r}"


@pytest.mark.parametrize("track", course.load().tracks, ids=lambda track: track.name)
def test_a_track_fills_its_hours_and_leaves_nothing_out(track):
    met = []
    for session in track.sessions:
        # at least a tenth of the time is for questions, and no session is nearly empty
        assert 0.3 * session.minutes <= syllabus.planned(session) <= 0.9 * session.minutes, session.title
        for name in (*session.chapters, *session.told):
            met.append(name)
            needed = set(course.chapter(name).needs)
            assert name in session.told or needed <= set(met) | set(session.told), f"{name} comes before what it needs"
    assert len(set(met)) == len(met)


def test_a_row_takes_the_minutes_of_its_chapter():
    dataset = course.chapter("dataset")
    assert chapters.Row(work="dataset").takes == dataset.total
    home = chapters.Row(work="dataset", without="exercises")
    assert home.takes == dataset.minutes["reading"] + dataset.minutes["sample"]


def test_two_tracks_work_through_everything():
    for name in ("four_days", "twelve_weeks"):
        worked = [chapter for session in course.track(name).sessions for chapter in session.chapters]
        assert worked == [chapter.name for chapter in CHAPTERS], "in the order of the course"


def test_a_track_that_does_not_exist():
    with pytest.raises(BloodcellError, match="no track 'fortnight'; choose one of taster"):
        course.track("fortnight")


def test_the_box_at_the_head_of_a_chapter():
    box = course.chapter("augmentation")._repr_markdown_()
    assert box.startswith("**How do we make 1,214 lymphocytes")
    assert "[The data set](01_dataset.ipynb)" in box
    assert "Fig. 2" in box


def test_a_chapter_that_does_not_exist():
    with pytest.raises(BloodcellError, match="no chapter 'histology'; choose one of first_look, dataset"):
        course.chapter("histology")


@pytest.mark.parametrize(
    "text", ["chapters: [", "title: a course", "title: t\nchapters: [{name: x}]", "title: t\nchapters: []"]
)
def test_a_course_that_cannot_be_read(text, tmp_path, monkeypatch):
    (tmp_path / "course.yml").write_text(text)
    monkeypatch.setattr(chapters, "_PACKAGE", tmp_path)
    with pytest.raises(BloodcellError, match="course.yml is not a list of chapters"):
        chapters.load.__wrapped__()


def test_a_course_that_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(chapters, "_PACKAGE", tmp_path / "nowhere" / "package")
    with pytest.raises(BloodcellError, match="install bloodcell-utils again"):
        chapters.load.__wrapped__()


def test_the_readme_has_the_same_map():
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[.*\]\(notebooks/.*$", readme, flags=re.M)
    assert rows == [f"| [{c.title}](notebooks/{c.file}) | {c.question} |" for c in CHAPTERS]
