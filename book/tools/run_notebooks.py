"""Run every notebook once, for two purposes: nbval checks it, and the book shows what its cells computed.

usage: python book/tools/run_notebooks.py [NOTEBOOK ...]

The notebooks run as `editions.solved` makes them: what the book shows, and after each exercise its solution and what
the check says of it. Outputs of a notebook that passed go into the cache where Jupyter Book looks before it runs one.
Without arguments all run; with some, those that changed. This file is also the plugin of pytest that keeps the outputs.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import editions
import kernels
import nbformat
import pytest
from nbval.plugin import IPyNbCell

ROOT, SOLVED = kernels.ROOT, kernels.BUILD / "solved"
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import reexecute  # noqa: E402

PROFILE, CELL_TIMEOUT, PROCESSES = "sample", 300, 2
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}  # as the kernel says of itself
KEPT = find_spec("jupyter_cache")  # where there are no tools for a book there is none to keep them for
OUTPUTS, SECONDS = pytest.StashKey[dict](), pytest.StashKey[float]()


def pytest_configure():
    """The way to this file is not one for the kernels."""
    os.environ.pop("PYTHONPATH", None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Remember what a cell put out that ran without an error and as it was marked."""
    report = yield
    if isinstance(item, IPyNbCell) and call.when == "call":
        stash = item.parent.stash
        stash[SECONDS] = stash.get(SECONDS, 0) + call.duration
        if report.passed:
            stash.setdefault(OUTPUTS, {})[item.cell.id] = item.test_outputs
    return report


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """After the last cell of a notebook, keep its outputs for the book, unless a cell failed."""
    if KEPT and isinstance(item, IPyNbCell) and (nextitem is None or nextitem.parent is not item.parent):
        source = ROOT / "notebooks" / item.path.name
        stash = item.parent.stash
        if (notebook := filled(nbformat.read(source, as_version=4), stash.get(OUTPUTS, {}))) is not None:
            keep(notebook, source, stash[SECONDS])


def filled(notebook, outputs):
    """A notebook with other outputs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place.
    outputs : dict of str to list of nbformat.NotebookNode
        By the id of the cell.

    Returns
    -------
    nbformat.NotebookNode or None
        None where a cell has no outputs.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if any(cell.id not in outputs for cell in cells):
        return None
    notebook.metadata.language_info = LANGUAGE
    for count, cell in enumerate(cells, 1):
        cell.outputs, cell.execution_count = outputs[cell.id], count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return notebook


def keep(notebook, source, seconds):
    """Put an executed notebook where Jupyter Book looks for it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    source : pathlib.Path
        Of the notebook that was executed.
    seconds : float
        What that took.
    """
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    bundle = CacheBundleIn(notebook, str(source), data={"execution_seconds": seconds})
    get_cache(folder()).cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def missing():
    """The notebooks whose outputs the book does not have yet.

    Returns
    -------
    list of pathlib.Path
    """
    from jupyter_cache import get_cache

    cache, found = get_cache(folder()), []
    for source in sorted((ROOT / "notebooks").glob("*.ipynb")):
        try:
            cache.match_cache_notebook(nbformat.read(source, as_version=4))
        except KeyError:
            found.append(source)
    return found


def folder():
    """Where the outputs are kept."""
    return reexecute.cache_folder(kernels.BUILD, PROFILE)


def main(names):
    """Run notebooks, and return pytest's exit status."""
    editions.write("solved", SOLVED)
    command = [sys.executable, "-m", "pytest", "-p", Path(__file__).stem, "-n", str(PROCESSES), "--dist", "loadfile"]
    command += ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", str(CELL_TIMEOUT)]
    command += [SOLVED / Path(name).name for name in names] or [SOLVED]
    variables = kernels.prepare(PROFILE, os.environ) | {"PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run(command, cwd=ROOT, env=variables).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
