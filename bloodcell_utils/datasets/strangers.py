"""Pictures that are none of the eight kinds: what a network must learn to refuse, and be tested on.

Glass and red cells from the corners of smears, red and blue exchanged, too small, too large, out of focus, drawings,
text, photographs. Training images give strangers for training, test images those for the test; photographs come from
different files. After D. Hendrycks et al., "Deep anomaly detection with outlier exposure", ICLR 2019.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..config import SEED
from .loading import reader
from .pictures import decode

SIDE = 128  # pixels
FIELD = 360  # side in pixels of the fields that corners are cut from
NUCLEUS, GLASS = 0.004, 0.55  # a corner shows no nucleus if at most this share of it is darker than this, in green
PHOTOGRAPHS = {"train": ("china.jpg",), "test": ("flower.jpg",)}  # of scikit-learn
SHARES = {"corner": 0.21, "empty field": 0.21, "red and blue exchanged": 0.21,
          "far too small": 0.05, "low magnification": 0.05, "far too large": 0.05, "out of focus": 0.04,
          "drawing": 0.1, "photograph": 0.08}  # fmt: skip


def strangers(split, subset, n, *, seed=SEED):
    """Draw pictures that are none of the eight.

    Parameters
    ----------
    split : splits.Split
        With images of 128 px.
    subset : {"train", "validation", "test"}
        Whose images they are made from.
    n : int
        About how many.
    seed : int

    Returns
    -------
    images : numpy.ndarray of uint8, shape (m, 128, 128, 3)
    kinds : numpy.ndarray of str, shape (m,)
        Names from `SHARES`.
    """
    rng, rows = np.random.default_rng([seed, len(subset)]), split.rows(subset)
    counts = {kind: max(1, round(share * n)) for kind, share in SHARES.items()}

    def cells(count):
        return np.asarray(split.images[np.sort(rng.choice(rows, count, replace=count > len(rows)))])

    cut = corners(split.table, rng.permutation(rows), counts["corner"] + counts["empty field"])
    photographs = _photographs(subset)
    made = {
        "corner": [resize(patch) for patch in cut[: counts["corner"]]],
        "empty field": [empty_field(patch, rng) for patch in cut[counts["corner"] :]],
        "red and blue exchanged": cells(counts["red and blue exchanged"])[..., ::-1],
        "far too small": [resize(resize(x, rng.integers(8, 26))) for x in cells(counts["far too small"])],
        "low magnification": [_mosaic(cells(25), rng) for _ in range(counts["low magnification"])],
        "far too large": [_centre(x, rng.integers(12, 26)) for x in cells(counts["far too large"])],
        "out of focus": [_blurred(x, rng.uniform(4.5, 12)) for x in cells(counts["out of focus"])],
        "drawing": [drawing(rng) for _ in range(counts["drawing"])],
        "photograph": [_cut(photographs[i % len(photographs)], rng) for i in range(counts["photograph"])],
    }
    kinds = np.repeat(list(made), [len(pictures) for pictures in made.values()])
    return np.concatenate([np.stack(pictures) for pictures in made.values() if len(pictures)]), kinds


def corners(table, rows, n):
    """Corners of fields, without a nucleus in them: a quarter of the side, about as wide as a red cell.

    Parameters
    ----------
    table : pandas.DataFrame
        An index.
    rows : array-like of int
        Fields to cut from, in this order.
    n : int

    Returns
    -------
    list of numpy.ndarray of uint8, shape (side, side, 3)
        At most `n`; sides of 80 to 100 pixels where the field has 360.
    """
    found = []
    with reader() as read, ThreadPoolExecutor() as pool:

        def cut(row):
            place = table.iloc[row]
            field = decode(read(place["source"], place["path"]), FIELD, name=place["path"])
            side = 80 + 20 * (row % 2)
            pieces = [field[y, x] for y in _ends(side) for x in _ends(side)]
            return [p for p in pieces if (p[..., 1] < GLASS * np.percentile(p[..., 1], 99)).mean() <= NUCLEUS]

        for start in range(0, len(rows), 64):
            for pieces in pool.map(cut, rows[start : start + 64]):
                found += pieces
            if len(found) >= n:
                break
    return found[:n]


def resize(picture, side=SIDE):
    """A square picture at another size.

    Parameters
    ----------
    picture : numpy.ndarray of uint8, shape (height, width, 3)
    side : int

    Returns
    -------
    numpy.ndarray of uint8, shape (side, side, 3)
    """
    return np.asarray(Image.fromarray(picture).resize((int(side), int(side)), Image.Resampling.BILINEAR))


def empty_field(corner, rng):
    """A field at the usual magnification without a white cell: a corner, mirrored at its edges again and again.

    Parameters
    ----------
    corner : numpy.ndarray of uint8, shape (side, side, 3)
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of uint8, shape (128, 128, 3)
    """
    tile = resize(corner, round(len(corner) * SIDE / FIELD))
    down, across = rng.integers(0, 2 * len(tile), 2)
    return np.pad(tile, ((SIDE, SIDE), (SIDE, SIDE), (0, 0)), "symmetric")[down:, across:][:SIDE, :SIDE]


def drawing(rng):
    """Shapes, lines or text on a ground of one colour, a gradient or noise.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of uint8, shape (128, 128, 3)
    """
    side = 2 * SIDE

    def colour():
        return tuple(int(level) for level in rng.integers(0, 256, 3))

    image = Image.new("RGB", (side, side), colour() if rng.random() < 0.6 else "white")
    draw, kind = ImageDraw.Draw(image), rng.integers(6)
    for _ in range(rng.integers(1, 30)):
        (x, y), (width, height) = rng.integers(-40, side, 2).tolist(), rng.integers(4, 160, 2).tolist()
        if kind == 0:
            draw.rectangle((x, y, x + width, y + height), fill=colour())
        elif kind == 1:
            draw.ellipse((x, y, x + width, y + height), colour() if rng.random() < 0.7 else None, colour(), 3)
        elif kind == 2:
            draw.line((x, y, *rng.integers(0, side, 2).tolist()), colour(), width // 12 + 1)
        elif kind == 3:
            draw.polygon([tuple(rng.integers(0, side, 2).tolist()) for _ in range(4)], colour())
        else:  # a page: the letters of two alphabets, every seventh a blank
            letters = rng.choice(list("abcdefghijklmnoprstuvwABCDEFGHIKLMT0123456789" + 7 * " "), 40)
            draw.text((x, y), "".join(letters), colour(), ImageFont.load_default(int(rng.integers(9, 40))))
    levels = np.asarray(image, float)
    if rng.random() < 0.4:
        slope = np.add.outer(*np.outer(rng.normal(size=2), np.linspace(0, 1, side)))
        levels = levels + slope[..., None] * rng.normal(0, 60, 3)
    if rng.random() < 0.4:
        grain = rng.normal(0, 60, (side // (step := 2 ** int(rng.integers(0, 6))),) * 2 + (3,))
        levels = levels + grain.repeat(step, 0).repeat(step, 1)
    return resize(np.clip(levels, 0, 255).astype(np.uint8))


def _ends(side):
    return slice(0, side), slice(-side, None)


def _mosaic(cells, rng):
    """Many fields in one, as at a low magnification."""
    across = int(rng.integers(3, 6))
    small = [resize(cell, SIDE // across + 1) for cell in cells[: across**2]]
    whole = [np.concatenate(small[i : i + across], axis=1) for i in range(0, across**2, across)]
    return np.concatenate(whole)[:SIDE, :SIDE]


def _centre(picture, side):
    edge = (SIDE - side) // 2
    return resize(picture[edge : edge + side, edge : edge + side])


def _blurred(picture, sigma):
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(picture, (sigma, sigma, 0))


def _photographs(subset):
    from sklearn.datasets import load_sample_image

    return [load_sample_image(name) for name in PHOTOGRAPHS.get(subset, PHOTOGRAPHS["train"])]


def _cut(photograph, rng):
    """A square somewhere in a photograph, a tenth of its height or more."""
    side = int(len(photograph) * 10 ** rng.uniform(-1, 0))
    y, x = (int(rng.integers(0, length - side + 1)) for length in photograph.shape[:2])
    return resize(photograph[y : y + side, x : x + side])
