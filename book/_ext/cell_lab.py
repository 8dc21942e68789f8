"""The directive ``{cell-lab}``: the shipped networks in the reader's browser, with cells to show to it.

What the page loads goes into ``_static/lab``: ONNX Runtime from npm, the networks as an ONNX file, the drawn cells.
"""

import json
import shutil
import sys
from dataclasses import replace
from html import escape
from pathlib import Path

import npm
import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from bloodcell_utils.cells import CELLS
from bloodcell_utils.datasets.specs import random_spec
from bloodcell_utils.datasets.synthetic import draw
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import contract, prediction
from bloodcell_utils.files import replace_file
from bloodcell_utils.models import pretrained
from bloodcell_utils.models.compactnet_input import IMAGE, VIEW

LAB = Path(__file__).resolve().parents[1] / "lab"
OWN = ("lab.css", "lab.js", "worker.js", "picture.js")
SEED = 12
LOBES = range(1, 6)


def cells():
    """Name and parameters of the cells to choose from: one of each stage, and a neutrophil with one to five lobes.

    Returns
    -------
    dict of str to tuple of (str, CellSpec)
    """
    kinds = [(prefix, name) for cell in CELLS for prefix, name in cell.subtypes.items() if "not given" not in name]
    chosen = {prefix: (name, random_spec(prefix, np.random.default_rng(SEED))) for prefix, name in kinds}
    segmented = chosen["SNE"][1]
    for n in LOBES:
        chosen[f"lobes-{n}"] = f"neutrophil, {n} lobe{'s'[: n > 1]}", replace(segmented, lobes=n)
    return chosen


def panel(static):
    """The lab as HTML.

    Parameters
    ----------
    static : str
        The address of the lab's files, as seen from the page.

    Returns
    -------
    str
    """
    card = pretrained.metadata(pretrained.TRAVELLED)
    about = {
        "unsure": prediction.UNSURE,
        "threshold": card["threshold"],
        "nucleus": card["nucleus"],
        "room": contract.ROOM,
        "image": IMAGE,
        "view": VIEW,
        "classes": [{"name": cell.name, "color": cell.color} for cell in CELLS],
        "cells": {key: name for key, (name, _) in cells().items()},
        "lobes": [f"lobes-{n}" for n in LOBES],
    }
    html = (LAB / "panel.html").read_text("utf-8")
    return html.replace("{{static}}", static).replace("{{about}}", escape(json.dumps(about, ensure_ascii=False)))


class CellLab(SphinxDirective):
    """Take no argument; leave the lab, or a note where its engine could not be fetched."""

    def run(self):
        try:
            npm.fetch("onnxruntime-web")
        except BloodcellError as err:
            logging.getLogger(__name__).info("The cell lab is left out: %s", err)
            note = "```{note}\nThe lab is not in this copy of the book: it was built without a network.\n```"
            return self.parse_text_to_nodes(note)
        return [nodes.raw("", panel("../" * self.env.docname.count("/") + "_static/lab/"), format="html")]


def write(app, exception):
    """Write what the lab loads, the pictures and the networks only once."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "lab"
    try:
        engine = npm.fetch("onnxruntime-web")
    except BloodcellError:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for source in [*engine.values(), *(LAB / name for name in OWN)]:
        shutil.copy2(source, folder)
    if not (folder / "compactnet.onnx").is_file():
        from network import build

        replace_file(folder / "compactnet.onnx", build().SerializeToString())
    for key, (_, spec) in cells().items():
        path = folder / f"{key}.png"
        if not path.is_file():
            Image.fromarray(draw(spec, 2 * IMAGE, SEED)).save(path, optimize=True)


def setup(app):
    sys.path.append(str(LAB))
    app.add_directive("cell-lab", CellLab)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
