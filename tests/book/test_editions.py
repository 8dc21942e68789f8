"""The editions for students and teachers, and the assignments: made from the notebooks, with nothing lost."""

import re
from functools import cache
from pathlib import Path

import editions
import nbformat
import pytest
from plain import plain

from bloodcell_utils import course
from bloodcell_utils.course import questions
from bloodcell_utils.course.checks import check, verdict
from bloodcell_utils.errors import BloodcellError

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

MARKS = re.compile(
    r"^\s*(?::{3,}|`{3,}\{)|\{[\w:.-]+\}`|^\([\w.-]+\)=|\[\^[\w-]+\]|\{\{", re.M
)  # of MyST, and of nothing else

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def read(path):
    return nbformat.read(path, as_version=4)


def sources(notebook, kind):
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


@each_notebook
def test_the_students_edition_runs_as_the_source_does_and_gives_nothing_away(path):
    notebook, edition = read(path), editions.student(read(path))
    nbformat.validate(edition)
    assert sources(edition, "code") == sources(notebook, "code"), "what is run and compared elsewhere is this code"
    text = "\n".join(sources(edition, "markdown"))
    assert "{solution" not in text and not any(cell.get("outputs") for cell in edition.cells)
    before = "\n".join(sources(notebook, "markdown"))
    kept = re.sub(r"^:::\{solution\}.*?^:::$", "", before, flags=re.M | re.S)
    wanted = plain(kept) + " " + editions.DONE
    assert text.split() == wanted.split(), "everything but the solutions is still there"


@each_notebook
def test_every_stub_says_kindly_that_it_waits(path):
    asked = [match["id"] for source in sources(read(path), "code") if (match := editions.CHECK.search(source))]
    assert asked == [exercise.id for exercise in course.chapter(path.stem[3:]).exercises]
    assert all("your turn" in check(name, ...) for name in asked)


@each_notebook
def test_the_teachers_edition_answers_every_check(path):
    edition = editions.instructor(read(path))
    nbformat.validate(edition)
    compared = [cell for cell in edition.cells if "nbval-check-output" in cell.metadata.get("tags", [])]
    marked = [cell for cell in compared if cell.source.startswith("check(")]
    said = [cell.outputs[-1].data["text/plain"] for cell in marked]
    for cell, output, exercise in zip(marked, said, course.chapter(path.stem[3:]).exercises, strict=True):
        assert output.startswith(f"✓ {exercise.id}")
        assert not questions.of_exercise(exercise.id) or eval(cell.source, {"check": check}) == output
    assert not [source for source in sources(edition, "code") if editions.CHECK.search(source)]
    assert sources(edition, "markdown") == [plain(source) for source in sources(read(path), "markdown")]


@each_notebook
def test_an_assignment_asks_grades_and_counts(path):
    edition = editions.assignment(read(path))
    nbformat.validate(edition)
    marked = [cell.metadata.nbgrader for cell in edition.cells if "nbgrader" in cell.metadata]
    exercises = course.chapter(path.stem[3:]).exercises
    assert len({mark.grade_id for mark in marked}) == len(marked) == 2 * len(exercises)
    assert all(re.fullmatch(r"[\w-]+", mark.grade_id) for mark in marked)
    points = [point for exercise in exercises for point in (0, 2 if exercise.kind == "apply" else 1)]
    assert [mark.get("points", 0) for mark in marked] == points
    n = len(exercises)
    assert [mark.solution for mark in marked] == [True, False] * n and [mark.locked for mark in marked] == [
        False,
        True,
    ] * n


@each_notebook
@pytest.mark.parametrize("make", [editions.student, editions.instructor, editions.assignment])
def test_no_edition_shows_raw_markup(path, make):
    assert MARKS.search("\n".join(sources(read(path), "markdown"))), "the source is in MyST"
    assert MARKS.findall("\n".join(cell.source for cell in make(read(path)).cells)) == []


@pytest.mark.parametrize(
    "myst, markdown",
    [
        (
            ":::{exercise} The rarest\n:label: dataset.1\n*Recall.* Which {term}`class`?\n:::\n\n"
            ":::{exercise} B\n:label: a_b.2\nC\n:::",
            "### Exercise 1: The rarest\n\n*Recall.* Which class?\n\n### Exercise 2: B\n\nC",
        ),
        (
            ':::{solution} dataset.1\n:class: dropdown\n```python\nf"{x}`a`"\n```\n:::',
            '<details>\n<summary>Solution 1</summary>\n\n```python\nf"{x}`a`"\n```\n\n</details>',
        ),
        (":::{margin} Blue\nOne.\n\nTwo.\n:::\n\nMore.", "> **Blue**\n>\n> One.\n>\n> Two.\n\nMore."),
        ("{term}`Confident\nlearning <confident learning>`", "Confident\nlearning"),
        ("{cite:t}`cohen1960`", "[Cohen (1960)](https://doi.org/10.1177/001316446002000104)"),
        (
            "{cite:p}`ivdr2017`",
            "([European Parliament and Council, 2017](https://eur-lex.europa.eu/eli/reg/2017/746/oj))",
        ),
        (
            "{cite:alp}`cohen1960,koch2024`",
            "[Cohen, 1960](https://doi.org/10.1177/001316446002000104); [Koch et al., 2024](https://arxiv.org/abs/2404.05022)",
        ),
        ("{download}`on_your_own.py`", "[on_your_own.py](on_your_own.py)"),
        ("$\\frac{1}{n}$ and `{x}` stay", "$\\frac{1}{n}$ and `{x}` stay"),
        ("`{x}` and `{y}` stay", "`{x}` and `{y}` stay"),
    ],
)
def test_myst_becomes_markdown(myst, markdown):
    assert plain(myst) == markdown


@pytest.mark.parametrize("unknown", [":::{figure} a.png\n:::", "{sub}`2`"])
def test_myst_of_which_nothing_is_known_is_not_passed_on(unknown):
    with pytest.raises(BloodcellError, match="No plain Markdown"):
        plain(unknown)


def test_the_code_of_a_solution_becomes_an_answer():
    assert editions.answer('check("dataset.2", 1 + 1)') == "answer = 1 + 1"
    assert editions.answer('check("dataset.1", "So it is.", "b")') == 'answer = "b"'
    code = 'def f(x):\n    return (\n        x\n    )\n\n\ncheck("feature_maps.2", f)'
    assert editions.answer(code) == "def f(x):\n    return (\n        x\n    )\nanswer = f"


def test_a_solution_without_code():
    text = ":::{solution} dataset.2\n:class: dropdown\nCount them.\n:::"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    with pytest.raises(BloodcellError, match="solution of dataset.2 has no code"):
        editions.solutions(notebook)


def test_grading_others_does_not_count_as_ones_own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOODCELL_PROGRESS_FILE", str(tmp_path / "progress.json"))
    assert verdict("compact_network.2", 1).right is False
    assert not (tmp_path / "progress.json").exists()
    assert check("compact_network.2", 1).right is False
    assert (tmp_path / "progress.json").exists()


def test_editions_are_the_same_every_time(tmp_path):
    first = [path.read_bytes() for path in editions.write("student", tmp_path / "a")]
    again = [path.read_bytes() for path in editions.write("student", tmp_path / "a")]
    assert first == again and len(first) == len(NOTEBOOKS)


def test_a_file_to_download_lies_beside_its_chapter(tmp_path):
    chapter = next(path for path in editions.write("student", tmp_path) if path.stem == "21_on_your_own")
    assert "](on_your_own.py)" in chapter.read_text("utf-8") and chapter.with_name("on_your_own.py").is_file()


def test_what_a_teacher_set_stays_and_what_is_equal_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(editions, "assignment", editions.student)
    editions.write("assignments", tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("# mine")
    (tmp_path / "check_submissions.py").write_text("# of an older course")
    monkeypatch.setattr(editions, "replace_file", lambda path, content: written.append(path.name))
    written = []
    editions.write("assignments", tmp_path)
    assert written == ["check_submissions.py"] and (tmp_path / "nbgrader_config.py").read_text() == "# mine"
