"""The program of the last chapter: the lines of its cells, and able to run where this package is not."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from bloodcell_utils.datasets import sample
from bloodcell_utils.models import write_base

FOLDER = Path(__file__).parents[1] / "notebooks"
PROGRAM = FOLDER / "on_your_own.py"


def cells():
    """The cells of the chapter that make up the program, as one text."""
    notebook = nbformat.read(FOLDER / "21_on_your_own.ipynb", as_version=4)
    return "\n\n".join(c.source for c in notebook.cells if "script" in c.metadata.get("tags", [])) + "\n"


def test_the_program_is_what_the_chapter_shows():
    assert PROGRAM.read_text("utf-8") == cells(), f"write it anew: python tests/{Path(__file__).name}"
    assert "bloodcell" not in cells() and len([line for line in cells().splitlines() if line]) < 80


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    sample.write(folder / "cells", per_class=24)  # with half as many, threads alone move 16 answers by two
    write_base(folder / "base.keras")
    alone = "import runpy, sys; sys.modules['bloodcell_utils'] = None; runpy.run_path(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", alone, str(PROGRAM)], cwd=folder, check=True, capture_output=True, text=True
    )
    assert (folder / "mine.keras").is_file()
    return done.stdout


@pytest.mark.parametrize("what", ["frozen features and a machine", "fine-tuned network"])
def test_it_learns_without_this_package(printed, what):
    right = float(printed.split(f"{what}: ")[1].split("%")[0])
    assert right > 75, printed
    assert "images of 8 kinds: basophil" in printed and "macro avg" in printed


if __name__ == "__main__":
    PROGRAM.write_text(cells(), "utf-8")
