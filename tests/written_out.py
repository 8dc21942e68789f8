"""The functions that a chapter writes out, for tests of what it says about them."""

import ast
from pathlib import Path

import nbformat
import numpy as np

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def functions(chapter):
    """The functions that a chapter writes out, as a reader has them after its cells."""
    cells = nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4).cells
    code = "\n".join(c.source for c in cells if c.cell_type == "code" and not c.source.startswith("import sys"))
    found = {"np": np}
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef):
            exec(compile(ast.Module([node], []), chapter, "exec"), found)
    return found
