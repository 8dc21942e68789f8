"""The directive ``{cell-game}``: forty drawn cells a round, named by the reader and by the shipped network.

Pictures and the network's answers are made when the book is built; the page needs neither a kernel nor the network.
"""

import json
import shutil
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.util.docutils import SphinxDirective

from bloodcell_utils.cells import CELLS
from bloodcell_utils.datasets.specs import random_spec
from bloodcell_utils.datasets.synthetic import draw
from bloodcell_utils.evaluation import prediction
from bloodcell_utils.files import replace_file
from bloodcell_utils.models.compactnet_input import IMAGE

LAB = Path(__file__).resolve().parents[1] / "lab"
OWN = ("game.css", "game.js")
ROUNDS, PER_CLASS, SEED = 3, 5, 40
ACROSS = len(CELLS)  # cells in a row of the sheet


@cache
def rounds():
    """Pictures in the order in which they are asked, and for each its class and the network's.

    Returns
    -------
    pictures : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    y_true, y_model : numpy.ndarray of int, shape (n,)
    """
    rng = np.random.default_rng(SEED)
    y_true = np.concatenate([rng.permutation(np.repeat(np.arange(len(CELLS)), PER_CLASS)) for _ in range(ROUNDS)])
    specs = [random_spec(CELLS[k].folder, np.random.default_rng([SEED, i])) for i, k in enumerate(y_true)]
    pictures = np.stack([draw(spec, IMAGE, SEED + i) for i, spec in enumerate(specs)])
    return pictures, y_true, prediction.predict_proba(pictures)[0].argmax(axis=1)


def sheet():
    """All pictures on one sheet, row by row, as the bytes of a WebP file."""
    pictures = rounds()[0]
    rows = pictures.reshape(-1, ACROSS, IMAGE, IMAGE, 3).transpose(0, 2, 1, 3, 4)
    stream = BytesIO()
    Image.fromarray(rows.reshape(-1, ACROSS * IMAGE, 3)).save(stream, "WebP", quality=88, method=6)
    return stream.getvalue()


def panel(static):
    """The game as HTML.

    Parameters
    ----------
    static : str
        The address of the lab's files, as seen from the page.

    Returns
    -------
    str
    """
    _, y_true, y_model = rounds()
    kinds = [{key: getattr(c, key) for key in ("name", "short", "color", "nucleus", "cytoplasm")} for c in CELLS]
    about = {"classes": kinds, "across": ACROSS, "side": IMAGE, "cells": PER_CLASS * len(CELLS)}
    about |= {"truth": y_true.tolist(), "model": y_model.tolist()}
    html = (LAB / "game.html").read_text("utf-8")
    return html.replace("{{static}}", static).replace("{{about}}", escape(json.dumps(about, ensure_ascii=False)))


class CellGame(SphinxDirective):
    """Take no argument; leave the game."""

    def run(self):
        return [nodes.raw("", panel("../" * self.env.docname.count("/") + "_static/lab/"), format="html")]


def write(app, exception):
    """Write what the game loads."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "lab"
    folder.mkdir(parents=True, exist_ok=True)
    for name in OWN:
        shutil.copy2(LAB / name, folder)
    if not (folder / "forty.webp").is_file():
        replace_file(folder / "forty.webp", sheet())


def setup(app):
    app.add_directive("cell-game", CellGame)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
