"""A small drawn set that stands in for the reader's own: twelve feverish children, three kinds of white cells.

Every child has a slide of its own, with a stain of its own; children with a virus have mostly reactive lymphocytes,
those with bacteria mostly bands. So a model can guess the cell from the slide, and only a split by child shows it.
"""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ..config import SEED
from ..files import write_folder
from .specs import WHITE, random_spec
from .synthetic import draw

VERSION = 1  # rises when other files are written: part of the name of a cached folder
CLASSES = ("band", "reactive_lymphocyte", "segmented")
PATIENTS = r"^(P\d+)_"  # how the file names begin
SIZE, LARGER = 128, 150  # pixels; the larger side is the reactive lymphocytes'

# Cells of each class that a child with a virus, and one with bacteria, gives to the set.
_CELLS = {"virus": (2, 10, 5), "bacteria": (9, 2, 5)}
_CHILDREN = ["virus", "bacteria"] * 6
_README = "These cells are drawn, not photographed.\nexample set, version {}, seed {}\n"
_LYMPHOCYTE_THAT_REACTS = {  # larger, with a wide, blue, ragged skirt of cytoplasm around a looser nucleus
    "cell_diameter_um": (13.5, 17.5), "irregularity": (0.5, 1), "nucleus_ratio": (0.4, 0.58), "chromatin": (0.35, 0.7),
}  # fmt: skip


def write(folder, seed=SEED):
    """Write the set: a folder a class, file names that begin with the child's pseudonym.

    Planted: two copies and a file that breaks off half-way; one picture that lies in two classes; and all reactive
    lymphocytes are larger pictures than the others, as if another instrument had exported them.

    Parameters
    ----------
    folder : path-like
        A new or empty folder, or one that an earlier call has written.
    seed : int

    Returns
    -------
    pathlib.Path
        The folder. It appears at once and complete.

    Raises
    ------
    DataError
        For a folder that holds something else, or cannot be written.
    """
    folder = Path(folder)
    write_folder(folder, _files(seed), _README.format(VERSION, seed))
    return folder


def _files(seed):
    """Yield path and bytes of every picture, blemishes included."""
    files, number = {}, 0
    for child, infection in enumerate(_CHILDREN, 1):
        rng = np.random.default_rng([seed, child])
        slide = _slide(rng)
        for name, count in zip(CLASSES, _CELLS[infection], strict=True):
            for _ in range(count):
                number += 1
                files[f"{name}/P{child:02}_{number:03}.jpg"] = _picture(name, slide, rng)
    first = {name: [path for path in files if path.startswith(f"{name}/")] for name in CLASSES}
    broken = first["segmented"][-1]
    files[broken] = files[broken][: len(files[broken]) // 2]
    for path in (first["segmented"][7], first["reactive_lymphocyte"][20]):
        files[path.replace(".jpg", " (copy).jpg")] = files[path]
    twice = first["band"][12]
    files[twice.replace("band/", "segmented/")] = files[twice]
    yield from files.items()


def _slide(rng):
    """What all cells of one child share."""
    return {
        "background_rgb": tuple(np.clip(np.add(WHITE, rng.normal(0, 9, 3)), 1, 250).round(1).tolist()),
        "stain_hue": float(rng.uniform(-0.8, 0.8)),
        "stain_strength": float(rng.uniform(0.8, 1.25)),
        "exposure": float(rng.uniform(0.93, 1.07)),
    }


def _picture(name, slide, rng):
    spec = random_spec({"band": "BNE", "segmented": "SNE"}.get(name, "LY"), rng)
    if name == "reactive_lymphocyte":
        spec = replace(spec, **{field: float(rng.uniform(*ends)) for field, ends in _LYMPHOCYTE_THAT_REACTS.items()})
    side, stream = LARGER if name == "reactive_lymphocyte" else SIZE, io.BytesIO()
    picture = draw(replace(spec, **slide), side, int(rng.integers(2**32)))
    Image.fromarray(picture).save(stream, "JPEG", quality=90)
    return stream.getvalue()
