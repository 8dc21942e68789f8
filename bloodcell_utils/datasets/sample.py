"""The embedded sample: 8 x 60 drawn cells, laid out like PBC and with its blemishes, before anything is downloaded."""

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from ..cells import FOLDERS
from ..config import SEED
from ..errors import BloodcellError
from ..files import write_folder
from .specs import check, pick_subtype, random_spec
from .synthetic import draw

VERSION = 4  # rises when the same seed gives other pixels: part of the name of a cached folder

_README = "These cells are drawn, not photographed.\nversion {}, per_class {}, size {}, seed {}\n"
_COPIES = {("neutrophil", 0): ("eosinophil", 0), ("ig", 1): ("ig", 0), ("platelet", 1): ("platelet", 0)}
_PREFIXES = {("neutrophil", 0): "BNE", ("ig", 0): "MY", ("ig", 1): "MY"}
_SECOND_SLIDE = (228, 219, 228)  # empty slide of PBC's second batch: cooler and darker than the first


def sample(per_class=60, size=128, seed=SEED):
    """Draw cells of all eight classes.

    Parameters
    ----------
    per_class, size, seed : int

    Returns
    -------
    images : numpy.ndarray of uint8, shape (8 * per_class, size, size, 3)
    labels : numpy.ndarray of int64, shape (8 * per_class,)
        In class order (`cells.FOLDERS`).
    """
    check("per_class", per_class, 60, low=1, high=10_000)
    cells = [_cell(folder, i, seed) for folder in FOLDERS for i in range(per_class)]
    images = np.stack([draw(spec, size, drawing) for _, spec, drawing in cells])
    return images, np.repeat(np.arange(len(FOLDERS), dtype=np.int64), per_class)


def write(folder, per_class=60, size=128, *, seed=SEED, repair=False):
    """Write the sample as a folder laid out like PBC, with PBC's blemishes in miniature.

    Planted within `per_class`: pictures that are not square (`size` wide, ``size + 1`` high); three pairs of identical
    files, one of them an eosinophil and a band neutrophil at once; a second batch, the last four pictures of each class
    but platelets (``size + 2`` by ``size + 3`` pixels, on a cooler and darker slide). Besides: a file that is no
    picture.

    Parameters
    ----------
    folder : path-like
        A new or empty folder, or one that an earlier call with the same parameters has written.
    per_class, size, seed : int
        At least 8 pictures a class; a size from 32 to 1021 pixels.
    repair : bool
        As for `files.write_folder`.

    Returns
    -------
    pathlib.Path
        The folder. It appears at once and complete.

    Raises
    ------
    BloodcellError
        For parameters out of range, or a folder that holds something else or cannot be written.
    """
    check("per_class", per_class, 60, low=8, high=10_000)
    check("size", size, 128, low=32, high=1021)
    folder = Path(folder)
    write_folder(folder, _files(per_class, size, seed), _README.format(VERSION, per_class, size, seed), repair=repair)
    return folder


def spec_of(path, per_class=60, *, seed=SEED):
    """What a cell of the sample was drawn from.

    Parameters
    ----------
    path : str
        Of the picture, within the folder that `write` makes with the same parameters.
    per_class, seed : int

    Returns
    -------
    spec : specs.CellSpec
        Pictures of the second batch lie on another slide besides.
    drawing : int
        The seed to draw it with.

    Raises
    ------
    BloodcellError
        If the sample has no such picture.
    """
    if path not in (known := _places(per_class, seed)):
        raise BloodcellError(
            f'The sample has no picture {path!r}; its names are those in `load_index(profile)["path"]`.'
        )
    return _cell(*known[path], seed)[1:]


@cache
def _places(per_class, seed):
    """Class and number within the class of every picture, by path; kept, for a chapter asks for each in turn."""
    return {path: place for path, *place in _named(per_class, seed)}


def _named(per_class, seed):
    """Yield path, class and number within the class of every picture, copies last."""
    numbers = iter(np.random.default_rng(seed).permutation(999_000)[: 8 * per_class] + 1000)
    for folder, i in sorted(((f, i) for f in FOLDERS for i in range(per_class)), key=_COPIES.__contains__):
        yield f"{folder}/{_cell(folder, i, seed)[0]}_{next(numbers)}.jpg", folder, i


@cache
def _cell(folder, i, seed):
    """Sub-type, parameters and drawing seed of the i-th cell of a class; kept, for its name and its picture ask."""
    rng = np.random.default_rng([seed, FOLDERS.index(folder), i])
    subtype = _PREFIXES.get((folder, i)) or pick_subtype(folder, rng)
    return subtype, random_spec(subtype, rng), int(rng.integers(2**32))


def _files(per_class, size, seed):
    """Yield path and bytes of every file of the sample but the README."""
    pictures = {}
    for path, folder, i in _named(per_class, seed):
        _, spec, drawing = _cell(folder, i, seed)
        second = folder != "platelet" and i >= per_class - 4
        if second:
            spec = replace(spec, background_rgb=_SECOND_SLIDE)
        if (folder, i) not in _COPIES:
            width, stream = size + 2 * second, io.BytesIO()
            Image.fromarray(draw(spec, width + 1, drawing)[:, :width]).save(stream, "JPEG", quality=90)
            pictures[folder, i] = stream.getvalue()
        yield path, pictures[_COPIES.get((folder, i), (folder, i))]
    yield "neutrophil/.DS_169665.jpg", b"Not a picture: left behind by an operating system, as in the PBC archive.\n"
