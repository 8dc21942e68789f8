"""The embedded sample: blood cells drawn on the spot from named morphological parameters.

Every reader sees cells before anything is downloaded, and a question such as "what if this nucleus had one lobe
fewer?" can be asked by changing one number. `random_spec` knows what each kind of cell looks like; `draw` is never
told the class, it only sees the numbers. Colours are means measured on the PBC images (Acevedo et al. 2020), sizes and
forms are those of the haematology atlases; the field of view is that of PBC, 36 µm across.
"""

import os
import shutil
import uuid
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from ..cells import FOLDERS, SUBTYPES
from ..config import SEED
from ..errors import BloodcellError, DataError

FIELD_UM = 36.0
NUCLEUS_SHAPES = ("round", "kidney", "band", "segmented")
VERSION = 1  # of the drawing: rises when the same seed gives other pixels, so that a cache can name its folder by it
MARKER = "README.txt"
BLEMISH = "neutrophil/.DS_169665.jpg"


def _range(default, low, high):
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class CellSpec:
    """What one cell and its surroundings look like. The lowest and highest value are in each field's ``metadata``.

    Attributes
    ----------
    cell_diameter_um : float
        Diameter of the circle from which the cell is deformed, in µm.
    irregularity : float
        Of the outline: 0 a circle, 1 an amoeba.
    nucleus_ratio : float
        Area of the nucleus / area of the cell, before the nucleus is cut at the membrane.
    lobes : int
        0 is a cell without nucleus; 2 to 5 are told apart only in a ``"segmented"`` nucleus.
    nucleus_shape : str
        One of `NUCLEUS_SHAPES`; the lobes of ``"segmented"`` are joined by thin filaments.
    eccentricity : float
        Position of the nucleus: 0 the middle of the cell, 1 at the membrane.
    chromatin : float
        0 fine and even, 1 coarse clumps.
    nucleoli, vacuoles : int
        How many.
    granule_density : float
        Granules per µm² of cell.
    granule_um : float
        Their mean diameter in µm.
    granules_over_nucleus : float
        Opacity of the granules that lie over the nucleus, 0 to 1.
    nucleus_rgb, cytoplasm_rgb, granule_rgb, background_rgb : tuple of three floats
        0 to 255, in a standard stain and exposure.
    stain_hue : float
        -1 bluer (azure), 1 redder (eosin) than standard.
    stain_strength, exposure : float
        Factors on optical density and on light; 1 is standard.
    focus_um : float
        Standard deviation of the blur in µm.
    red_cells, platelets : int
        How many are tried in the neighbourhood; those that find no room are left out.
    pallor : float
        Of the red cells' centres: 0 none, 1 clear as the background.

    Raises
    ------
    BloodcellError
        For a value out of its range; the message names the parameter and the range.
    """

    cell_diameter_um: float = _range(12.0, 1, 25)
    irregularity: float = _range(0.2, 0, 1)
    nucleus_ratio: float = _range(0.5, 0, 1)
    lobes: int = _range(1, 0, 5)
    nucleus_shape: str = "round"
    eccentricity: float = _range(0.2, 0, 1)
    chromatin: float = _range(0.5, 0, 1)
    nucleoli: int = _range(0, 0, 5)
    vacuoles: int = _range(0, 0, 20)
    granule_density: float = _range(0.0, 0, 8)
    granule_um: float = _range(0.3, 0.05, 2)
    granules_over_nucleus: float = _range(0.0, 0, 1)
    nucleus_rgb: tuple = _range((85, 42, 135), 0, 255)
    cytoplasm_rgb: tuple = _range((190, 165, 190), 0, 255)
    granule_rgb: tuple = _range((120, 60, 145), 0, 255)
    background_rgb: tuple = _range((253, 228, 202), 0, 255)
    stain_hue: float = _range(0.0, -1, 1)
    stain_strength: float = _range(1.0, 0.5, 1.5)
    exposure: float = _range(1.0, 0.5, 1.5)
    focus_um: float = _range(0.08, 0, 3)
    red_cells: int = _range(18, 0, 60)
    platelets: int = _range(0, 0, 10)
    pallor: float = _range(0.6, 0, 1)

    def __post_init__(self):
        if self.nucleus_shape not in NUCLEUS_SHAPES:
            raise BloodcellError(f"nucleus_shape is {self.nucleus_shape!r}; choose one of {', '.join(NUCLEUS_SHAPES)}.")
        for f in fields(self):
            if f.metadata:
                _check(f.name, getattr(self, f.name), f.default, f.metadata["low"], f.metadata["high"])


def random_spec(subtype, rng):
    """Draw the parameters of one cell.

    Parameters
    ----------
    subtype : str
        A prefix of the PBC file names (``"SNE"``, ``"BNE"``, ``"EO"``, ...), or a class folder (``"ig"``), which picks
        one of its sub-types at random.
    rng : numpy.random.Generator

    Returns
    -------
    CellSpec

    Raises
    ------
    BloodcellError
        For an unknown name; the message lists those that exist.
    """
    ranges = _STANDARD | _KINDS[_pick(subtype, rng)]
    return CellSpec(**{name: _between(value, rng) for name, value in ranges.items()})


def draw(spec, size=128, seed=0):
    """Draw the cell and its neighbours. The same seed gives the same cell at every size.

    Parameters
    ----------
    spec : CellSpec
    size : int
        Side in pixels, 32 to 1024.
    seed : int
        Of everything that the parameters leave open: where the lobes, granules and red cells lie.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size, 3)
        RGB.

    Raises
    ------
    BloodcellError
        For a size out of range.
    """
    _check("size", size, 128, 32, 1024)
    fine = -(-96 // size)  # small pictures are drawn larger and averaged, or their granules would flicker
    side, rng = int(size) * fine, np.random.default_rng(seed)
    stain = _stain(spec)
    home = complex(*(FIELD_UM / 2 + np.clip(rng.normal(0, 0.9, 2), -2, 2)))
    light = 1 + 0.006 * _noise(rng, 12, side)
    density = _red_cells(spec, home, side, rng)
    image = stain(spec.background_rgb) * np.exp(-density[..., None] * -np.log(stain(_RED_CELL) / stain(_WHITE)))
    for z in _places(rng, spec.platelets, [(home, spec.cell_diameter_um / 2 + 2)], 3.0):
        _paint(image, random_spec("PLATELET", rng), z, stain, rng)
    _paint(image, spec, home, stain, rng)
    image = image.reshape(size, fine, size, fine, 3).mean((1, 3)) if fine > 1 else image
    if spec.focus_um * size / FIELD_UM > 0.2:
        image = gaussian_filter(image, (*[spec.focus_um * size / FIELD_UM] * 2, 0), truncate=2.5)
    return image
