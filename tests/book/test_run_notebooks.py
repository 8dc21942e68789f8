"""What the tests of the notebooks compute is what the book shows."""

from pathlib import Path

import editions
import kernels
import nbformat
import pytest
import reexecute
import run_notebooks

ROOT = Path(__file__).parents[2]


def read(name="01_dataset"):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def test_what_the_book_shows_runs_as_it_stands_and_is_then_solved():
    notebook = read()
    edition = editions.solved(notebook)
    ours = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}
    run = [cell for cell in edition.cells if cell.cell_type == "code"]
    assert [cell.source for cell in run if cell.id in ours] == list(ours.values())
    added = [cell.source for cell in run if cell.id not in ours]
    assert sum(source.startswith("check(") for source in added) == 3 and "..." not in "".join(added)


def test_the_book_finds_the_outputs_and_none_of_a_notebook_that_failed(tmp_path, monkeypatch):
    get_cache = pytest.importorskip("jupyter_cache", reason="the book's tools are not installed").get_cache
    monkeypatch.setattr(kernels, "BUILD", tmp_path)
    name = "01_dataset"
    assert len(run_notebooks.missing()) == len([*(ROOT / "notebooks").glob("*.ipynb")])
    outputs = {
        cell.id: [nbformat.v4.new_output("stream", text=f"of {cell.id}")] for cell in editions.solved(read()).cells
    }
    executed = run_notebooks.filled(read(), outputs)
    run_notebooks.keep(executed, ROOT / "notebooks" / f"{name}.ipynb", 1.5)
    assert f"{name}.ipynb" not in [path.name for path in run_notebooks.missing()]
    cache = get_cache(reexecute.cache_folder(tmp_path, "sample"))
    _, shown = cache.merge_match_into_notebook(read())
    cells = [cell for cell in shown.cells if cell.cell_type == "code"]
    assert shown.metadata.language_info.pygments_lexer == "ipython3", "magic words are coloured, too"
    assert [cell.outputs[0].text for cell in cells] == [f"of {cell.id}" for cell in cells]
    del outputs[cells[3].id]
    assert run_notebooks.filled(read(), outputs) is None
