"""What loses marks without a word is found before grading, by student and file, and nothing is changed."""

import copy
import importlib.util
import json
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location(
    "check_submissions", Path(__file__).parents[1] / "classroom" / "check_submissions.py"
)
check_submissions = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_submissions)


def cell(source, name=None, *, points=0, kind="code"):
    mark = {
        "grade_id": name,
        "schema_version": 3,
        "grade": bool(points),
        "solution": not points,
        "locked": bool(points),
    }
    return {"cell_type": kind, "metadata": {"nbgrader": mark} if name else {}, "source": source}


RELEASED = [
    cell("# Exercises", kind="markdown"),
    cell("answer = ...", "answer-1"),
    cell("assert answer", "grade-1", points=1),
    cell(["answer = ", "..."], "answer-2"),
    cell("assert answer", "grade-2", points=2),
    cell("while True:\n    ours = 1", None),
]


@pytest.fixture
def course(tmp_path):
    write(tmp_path / "release" / "dataset" / "01_dataset.ipynb", RELEASED)
    return tmp_path


def write(path, cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))


def hand_in(course, student="ann", change=None, name="01_dataset.ipynb"):
    """A submission with right answers, and what happened to it on the way."""
    cells = copy.deepcopy(RELEASED)
    cells[1]["source"], cells[3]["source"] = "answer = 1", "i = 0\nwhile i < 5:\n    i += 1\nanswer = i"
    cells = (change or (lambda given: None))(cells) or cells
    write(course / "submitted" / student / "dataset" / name, cells)


def said(course, capsys, *students):
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    to_mend = check_submissions.check("dataset", list(students), course)
    assert before == {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}, "nothing is changed"
    return to_mend, capsys.readouterr().out


def test_good_submissions_are_let_through(course, capsys):
    hand_in(course)
    hand_in(course, "bob", lambda cells: mended_by_nbgrader(cells) or [*cells[:2], cell("my notes = 3 +"), *cells[2:]])
    assert said(course, capsys) == (
        False,
        "Students: 2. With something to mend before `nbgrader autograde dataset`: 0.\n",
    )


def copied(cells):
    cells.insert(2, copy.deepcopy(cells[1]))


def emptied(cells):
    cells[1]["metadata"]["nbgrader"] = {}


def renamed(cells):
    cells[3]["metadata"]["nbgrader"]["grade_id"] = "answer-two"


def stripped(cells):
    for each in cells:
        each["metadata"] = {}


def mended_by_nbgrader(cells):
    cells[1]["cell_type"] = "markdown"
    cells[4]["metadata"]["nbgrader"]["points"] = 100


def of_old(cells):
    cells[4]["metadata"]["nbgrader"]["schema_version"] = 1


def exchanged(cells):
    cells[1], cells[2] = cells[2], cells[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (copied, "cells 2 and 3 are both answer-1: delete"),
        (emptied, "cell 2 has an empty mark"),
        (renamed, "answer-2 missing; unknown instead: answer-two"),
        (stripped, "no cell is marked for nbgrader any more"),
        (lambda cells: cells[:3], "answer-2, grade-2 missing"),
        (of_old, "cell 5, grade-2, is of another version of nbgrader"),
        (exchanged, "its cells are in another order"),
        (lambda cells: [*cells, cell("x", "answer-9")], "unknown to nbgrader: answer-9"),
    ],
)
def test_what_costs_marks_is_named_with_student_and_file(course, capsys, change, words):
    hand_in(course, "ann", change)
    hand_in(course, "bob")
    to_mend, text = said(course, capsys)
    assert to_mend and f"ann: 01_dataset.ipynb: {words}" in text and "bob:" not in text
    assert text.count("autograde dataset`: 1.") == 1


def test_a_file_that_was_renamed(course, capsys):
    hand_in(course, name="01_dataset-Copy1.ipynb")
    assert (
        "ann: 01_dataset.ipynb is not there" in (text := said(course, capsys)[1]) and "Rename 01_dataset-Copy1" in text
    )
    hand_in(course)
    assert "ann: 01_dataset-Copy1.ipynb will not be graded" in said(course, capsys)[1]


NAMED = '{"cells": [{"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": ["a"]}}}]}'


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"worksheets": []}', '{"cells": [{}]}', '{"cells": [1]}', "[" * 100_000, NAMED]
)
def test_a_file_that_is_no_notebook(course, capsys, content):
    hand_in(course)
    (course / "submitted" / "ann" / "dataset" / "01_dataset.ipynb").write_text(content)
    to_mend, text = said(course, capsys)
    assert to_mend and "ann: 01_dataset.ipynb cannot be read as a notebook" in text


def test_who_has_handed_in_nothing_is_named_and_is_no_problem(course, capsys):
    (course / "submitted" / "ann").mkdir(parents=True)
    to_mend, text = said(course, capsys)
    assert not to_mend and "ann has handed in nothing" in text


def test_a_name_that_nobody_has(course, capsys):
    hand_in(course)
    assert said(course, capsys, "ann", "anne") == (True, "submitted/ has no folder anne. There are: ann.\n")


def test_before_anything_was_released(tmp_path, capsys):
    assert check_submissions.check("dataset", course=tmp_path) is True
    assert "nbgrader generate_assignment dataset" in capsys.readouterr().out
    write(tmp_path / "release" / "dataset" / "01_dataset.ipynb", RELEASED)
    assert check_submissions.check("dataset", course=tmp_path) is True
    assert "nbgrader collect" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("while True:\n    pass", [1]),
        ("x = 1\nwhile 1:\n    x += 1", [2]),
        ("i = 0\nwhile i < 5:\n    print(i)", [2]),
        ("while not done:\n    for x in y:\n        z = x", [1]),
        ("while True:\n    break", []),
        ("def f():\n    while True:\n        return 1", []),
        ("def f():\n    while True:\n        yield 1", []),
        ("async def f():\n    while True:\n        await g()", []),
        ("while todo:\n    todo.pop()", []),
        ("while i < 5:\n    i += 1", []),
        ("while more():\n    pass", []),
        ("while (x := f()):\n    pass", []),
        ("while 0:\n    pass", []),
        ("while (", []),
        ("x = " + "-" * 100_000 + "1", []),
        ("%matplotlib inline", []),
    ],
)
def test_loops_that_never_end(source, lines):
    assert list(check_submissions.endless(source)) == lines


def test_an_endless_loop_is_found_in_what_the_student_wrote(course, capsys):
    hand_in(course, "ann", lambda cells: cells.insert(3, cell("n = 1\nwhile n > 0:\n    m = n")))
    text = said(course, capsys)[1]
    assert (
        "ann: 01_dataset.ipynb: cell 4, line 2: this loop seems never to end" in text and text.count("this loop") == 1
    )
