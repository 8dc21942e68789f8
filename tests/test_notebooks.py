"""What all notebooks have in common; what each computes is run by nbval and by the book."""

import re
import tomllib
from pathlib import Path

import nbformat
import pytest

from bloodcell_utils.course import check

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
COLAB = f"""\
import sys

if "google.colab" in sys.modules:
    %pip install --quiet git+{REPOSITORY}"""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@each_notebook
def test_the_first_cells(path):
    title, colab, box = nbformat.read(path, as_version=4).cells[:3]
    assert title.cell_type == "markdown" and title.source.startswith("# ")
    assert colab.source == COLAB
    assert "remove-cell" in colab.metadata.tags
    assert box.source.endswith(f'course.chapter("{path.stem[3:]}")')
    assert {"remove-input", "chapter"} <= set(box.metadata.tags)


@each_notebook
def test_it_is_a_valid_notebook_for_any_python_kernel(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"


@each_notebook
def test_stored_outputs_are_small_and_no_errors(path):
    outputs = [out for cell in nbformat.read(path, as_version=4).cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.output_type == "error"]
    assert sum(len(str(out)) for out in outputs) < 1_000_000


@each_notebook
def test_code_is_the_readers_and_a_check_that_waits_says_what_it_says_today(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert cell.cell_type != "code" or "NBVAL_" not in cell.source, "the tag nbval-check-output hides it"
        if cell.cell_type == "code" and (waiting := re.search(r'^check\("(\S+)", \.\.\.\)$', cell.source, re.M)):
            assert cell.outputs[-1].data["text/plain"].rstrip() == check(waiting[1], ...).rstrip()


@each_notebook
def test_what_is_compared_is_stored(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if "nbval-check-output" in cell.metadata.get("tags", []):
            assert cell.outputs, f"{path.name} marks a cell for comparison and stores nothing: {cell.source}"


@each_notebook
def test_a_figure_has_words_in_its_place_and_words_below_it(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            said = cell.metadata.get("mystnb", {})
            alt, caption = said.get("image", {}).get("alt", ""), said.get("figure", {}).get("caption", "")
            assert len(alt.split()) >= 5, f"no alternative text: {cell.source}"
            assert len(caption.split()) >= 8 and caption.endswith("."), f"no caption: {cell.source}"
            assert not re.search(r"\d\.\d", caption), f"a caption that quotes a number: {caption}"
