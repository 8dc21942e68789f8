"""An assignment through nbgrader, command by command as the page on grading has them, in fresh folders."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import editions
import nbformat
import pytest

from bloodcell_utils.course import questions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "instructor" / "grading.md").read_text("utf-8")
TABLE = re.findall(r"^\| (you|student) \| (.+?) \|.*?`((?:nbgrader|python) [^`]+)`.*\|$", PAGE, flags=re.M)
MISTAKEN = ['"b"' if question.right == "a" else '"a"' for question in questions.of_exercises("dataset").values()]
ANSWERS = {
    "good": None,
    "wrong": [MISTAKEN[0], "lambda y, patients: (np.arange(48), np.arange(48, 60))", MISTAKEN[1]],
    "broken": ["1 / 0", "answer = (", "..."],
}
# nbgrader takes seconds to load, so it is loaded once; each command then is a process of its own. Where nbgrader would
# load itself once more, to ask for the version of a new database, it is told; and see tests/conftest.py on addresses.
COMMANDS = """
import json, os, sys
sys.modules["rfc3987_syntax"] = None
import nbgrader.api, nbgrader.apps, nbgrader.converters, nbgrader.exchange, nbgrader.plugins
from alembic.script import ScriptDirectory
from nbgrader.apps.nbgraderapp import main
from nbgrader.dbutil import ALEMBIC_DIR
nbgrader.api.get_alembic_version = ScriptDirectory(ALEMBIC_DIR).get_current_head
for line in sys.stdin:
    folder, arguments, said = json.loads(line)
    if not (child := os.fork()):
        os.chdir(folder)
        for stream in (1, 2):
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        sys.argv = ["nbgrader", *arguments]
        sys.exit(main())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nbgrader is loaded once, and forked")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The course folder as `make assignments` writes it, an exchange, and the settings where students find them.

    Of the notebook there are the exercises only: they need nothing of what comes before but its imports.
    """
    place = tmp_path_factory.mktemp("nbgrader")
    editions.write("assignments", place / "course")
    source = place / "course" / "source" / "dataset" / "01_dataset.ipynb"
    notebook = nbformat.read(source, as_version=4)
    start = next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith("## Exercises"))
    imports = "import numpy as np\nfrom sklearn.model_selection import StratifiedGroupKFold"
    notebook.cells = [nbformat.v4.new_code_cell(imports), *notebook.cells[start:]]
    nbformat.write(notebook, source)
    settings = place / "course" / "nbgrader_config.py"
    settings.write_text(settings.read_text().replace("/srv/nbgrader/exchange", str(place / "exchange")))
    (place / "exchange").mkdir()
    (place / "exchange").chmod(0o777)
    (place / "home" / ".jupyter").mkdir(parents=True)
    shutil.copy(settings, place / "home" / ".jupyter")
    return place


@pytest.fixture(scope="module")
def run(place):
    """Run one command in a folder; it sees no settings of the caller's."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by its name
    home = {"HOME": str(place / "home"), "IPYTHONDIR": str(place / "ipython"), "PATH": tools}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": keep | home}
    with subprocess.Popen([sys.executable, "-c", COMMANDS], **pipes) as nbgrader:

        def run(folder, command):
            program, *arguments = command.split()
            if program == "python":
                subprocess.run([sys.executable, *arguments], cwd=folder, check=True, env=keep | home)
                return
            said = place / "said.txt"
            said.write_text("")
            nbgrader.stdin.write(json.dumps([str(folder), arguments, str(said)]) + "\n")
            nbgrader.stdin.flush()
            assert nbgrader.stdout.readline() == "0\n", f"{command}: {said.read_text()[-3000:]}"

        yield run
        nbgrader.stdin.close()


def test_every_command_of_the_page_in_its_order(place, run):
    course, room = place / "course", place / "good"
    room.mkdir()
    assert len(TABLE) == 11 and [command for _, _, command in TABLE][-1] == "nbgrader export"
    for who, _, command in TABLE:
        if "submit" in command:
            hand_in(place, run, command)
        else:
            run(course if who == "you" else room, command)
    assert list((room / "dataset" / "feedback").rglob("01_dataset.html")), "what the student is told at last"
    with (course / "grades.csv").open() as file:
        scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    assert scores == {"good": (4, 4), "wrong": (0, 4), "broken": (0, 4)}
    told = (course / "feedback" / "wrong" / "dataset" / "01_dataset.html").read_text("utf-8")
    hints = re.findall(r": dataset\.(\d): \w+", told)  # of the checks, each after its error's name
    assert hints == ["1", "2", "3"], "they stand beside the points"


def hand_in(place, run, command):
    """What three students make of the same assignment."""
    released = nbformat.read(place / "course" / "release" / "dataset" / "01_dataset.ipynb", as_version=4)
    solved = nbformat.read(place / "course" / "source" / "dataset" / "01_dataset.ipynb", as_version=4)
    answers = [i for i, cell in enumerate(released.cells) if cell.metadata.get("nbgrader", {}).get("solution")]
    assert [released.cells[i].source.split("  #")[0] for i in answers] == ["answer = ..."] * 3
    assert "SOLUTION" not in json.dumps(released) and "{solution}" not in json.dumps(released)
    for student, given in ANSWERS.items():
        room = place / student
        if student != "good":
            shutil.copytree(place / "good", room)
        path = room / "dataset" / "01_dataset.ipynb"
        handed_in = nbformat.read(path, as_version=4)
        for number, i in enumerate(answers):
            handed_in.cells[i].source = solved.cells[i].source if given is None else f"answer = {given[number]}"
        nbformat.write(handed_in, path)
        run(room, f"{command} --student={student}")
