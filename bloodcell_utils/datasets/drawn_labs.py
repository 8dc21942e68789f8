"""Two drawn laboratories: cells as another stain, camera and microscope would show them; no download.

The cells are drawn like those of the sample. What makes them foreign is done to the finished picture, in optical
density, where a stain acts: density is mixed between the channels, light comes from another lamp, and the field of view
is narrower or wider.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from ..cells import FOLDERS
from ..config import SEED
from .cache import key
from .specs import WHITE, random_spec
from .synthetic import draw

SIZE = 128


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One laboratory.

    Attributes
    ----------
    cells : dict of str to int
        How many of each class.
    stain : tuple of tuples
        Optical density of each channel here (columns), from those at home (rows).
    glass : tuple of int
        Colour of the empty slide.
    zoom : float
        Width of a cell here, in widths at home.
    """

    cells: dict[str, int]
    stain: tuple
    glass: tuple[int, int, int]
    zoom: float


LABS = {
    "drawn, pale": Lab(
        cells=dict.fromkeys(FOLDERS, 20),
        stain=((0.5, 0.05, 0.0), (0.05, 0.6, 0.1), (0.0, 0.05, 0.4)),
        glass=(236, 230, 205),
        zoom=1.15,
    ),
    "drawn, blue": Lab(
        cells={"neutrophil": 80, "eosinophil": 20, "lymphocyte": 40, "monocyte": 20},
        stain=((1.35, 0.1, 0.0), (0.25, 1.0, 0.0), (0.0, 0.1, 0.6)),
        glass=(224, 228, 240),
        zoom=1.5,
    ),
}


def draw_lab(name, seed=SEED):
    """Draw the cells of a laboratory.

    Parameters
    ----------
    name : str
        One of `LABS`.
    seed : int

    Returns
    -------
    table : pandas.DataFrame
        ``path``, ``class`` and ``sha256`` (of the levels), a row a cell.
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    """
    lab, rng = LABS[name], np.random.default_rng([seed, list(LABS).index(name)])
    classes = [folder for folder, count in lab.cells.items() for _ in range(count)]
    drawn = (draw(random_spec(folder, rng), SIZE, int(rng.integers(2**32))) for folder in classes)
    images = np.stack([photograph(picture, lab) for picture in drawn])
    paths = [f"{folder}/{i}" for i, folder in enumerate(classes)]
    return pd.DataFrame({"path": paths, "class": classes, "sha256": [key(image) for image in images]}), images


def photograph(picture, lab):
    """A picture as another laboratory would have taken it.

    Parameters
    ----------
    picture : numpy.ndarray of uint8, shape (side, side, 3)
    lab : Lab

    Returns
    -------
    numpy.ndarray of uint8, same shape
    """
    density = -np.log(np.maximum(picture, 1) / np.array(WHITE, float))
    light = np.clip(lab.glass * np.exp(-density @ np.array(lab.stain)), 0, 255).round().astype(np.uint8)
    side, edge = len(picture), len(picture) * (1 - 1 / lab.zoom) / 2
    box = (edge, edge, side - edge, side - edge)
    return np.asarray(Image.fromarray(light).resize((side, side), Image.Resampling.BILINEAR, box))
