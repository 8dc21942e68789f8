"""The round of an assignment through nbgrader: released, submitted three times, collected, graded, exported."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import editions
import nbformat
import pytest

from bloodcell_utils.course import questions

ROOT = Path(__file__).parents[2]
CHAPTER = "augmentation"
NOTEBOOK = "02_augmentation.ipynb"
MISTAKEN = ['"b"' if question.right == "a" else '"a"' for question in questions.of_exercises(CHAPTER).values()]
ANSWERS = {
    "good": None,
    "wrong": [MISTAKEN[0], "lambda y, n: np.arange(len(y))", MISTAKEN[1]],
    "broken": ["1 / 0", "answer = (", "..."],
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A teacher's course folder with one assignment: the exercises of a chapter that need nothing but NumPy."""
    place = tmp_path_factory.mktemp("nbgrader")
    notebook = nbformat.read(ROOT / "notebooks" / NOTEBOOK, as_version=4)
    start = next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith("## Exercises"))
    notebook.cells = [nbformat.v4.new_code_cell("import numpy as np"), *notebook.cells[start:]]
    source = place / "course" / "source" / CHAPTER / NOTEBOOK
    source.parent.mkdir(parents=True)
    nbformat.write(editions.assignment(notebook), source)
    (place / "course" / "nbgrader_config.py").write_text((ROOT / "classroom" / "nbgrader_config.py").read_text())
    (place / "exchange").mkdir()
    (place / "exchange").chmod(0o777)
    return place


def nbgrader(desk, folder, *command):
    """Run one command of nbgrader in a folder; it sees no settings of the caller's."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by its name
    home = {"HOME": str(desk / "home"), "IPYTHONDIR": str(desk / "ipython"), "PATH": tools}
    for place in (desk / "home", folder):
        place.mkdir(exist_ok=True)
    run = [sys.executable, "-m", "nbgrader", *command, f"--Exchange.root={desk / 'exchange'}"]
    result = subprocess.run(run, cwd=folder, env=keep | home, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stderr


def test_the_round(desk):
    course = desk / "course"
    nbgrader(desk, course, "generate_assignment", CHAPTER)
    released = nbformat.read(course / "release" / CHAPTER / NOTEBOOK, as_version=4)
    answers = [i for i, cell in enumerate(released.cells) if cell.metadata.get("nbgrader", {}).get("solution")]
    assert [released.cells[i].source.split("  #")[0] for i in answers] == ["answer = ..."] * 3
    assert "SOLUTION" not in json.dumps(released) and "{solution}" not in json.dumps(released)
    nbgrader(desk, course, "release_assignment", CHAPTER)

    solved = nbformat.read(course / "source" / CHAPTER / NOTEBOOK, as_version=4)
    nbgrader(desk, desk / "student", "fetch_assignment", CHAPTER, "--course=blood-cells")
    for student, given in ANSWERS.items():
        room = desk / student
        shutil.copytree(desk / "student", room)
        handed_in = nbformat.read(room / CHAPTER / NOTEBOOK, as_version=4)
        for number, i in enumerate(answers):
            handed_in.cells[i].source = solved.cells[i].source if given is None else f"answer = {given[number]}"
        nbformat.write(handed_in, room / CHAPTER / NOTEBOOK)
        nbgrader(desk, room, "submit", CHAPTER, "--course=blood-cells", f"--student={student}")
    nbgrader(desk, course, "collect", CHAPTER)
    nbgrader(desk, course, "autograde", CHAPTER, "--create")
    nbgrader(desk, course, "export")

    with (course / "grades.csv").open() as file:
        scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    assert scores == {"good": (4, 4), "wrong": (0, 4), "broken": (0, 4)}
    graded = (course / "autograded" / "wrong" / CHAPTER / NOTEBOOK).read_text("utf-8")
    assert "there are 16 rows of a class with 16 images" in graded, "the student reads the hint beside the points"
