"""What the shipped network must be given, and what a picture looks like that it was not given as it should be.

RGB, one cell in the middle, at about the magnification that it knows. What breaks this is named in words.
"""

import numpy as np

from ..models import pretrained
from ..models.compactnet_input import IMAGE

DARK = 0.5  # share of the glass's green light that a nucleus lets through, at most
LEAST = 40  # pixels of a nucleus
ROOM = 1.4  # how far outside the usual a nucleus's width may lie
EXCHANGED = "red and blue look exchanged (OpenCV's order): give RGB, image[..., ::-1]"


def nucleus_width(pictures):
    """How wide the nucleus in the middle of each picture is: the diameter of a disc of its area.

    The dark patch nearest to the middle; dark is what lets less than half of the glass's green light through. The cell
    lab of the book measures it in the same way.

    Parameters
    ----------
    pictures : numpy.ndarray of uint8, shape (n, 128, 128, 3)

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        Pixels; 0 where nothing dark lies in the middle.
    """
    from scipy.ndimage import label

    widths = np.zeros(len(pictures))
    for i, green in enumerate(np.asarray(pictures)[..., 1]):
        dark = green < DARK * np.percentile(green, 98)
        if not dark.any():
            continue
        places = np.argwhere(dark)
        y, x = places[np.square(places - IMAGE // 2).sum(axis=1).argmin()]
        patches, _ = label(dark)
        area = (patches == patches[y, x]).sum()
        if area >= LEAST and np.hypot(y - IMAGE / 2, x - IMAGE / 2) < IMAGE / 5:
            widths[i] = np.sqrt(4 * area / np.pi)
    return widths


def remarks(pictures, strange, answer, *, crop=1.0):
    """What is odd about each picture, in words; empty where nothing is.

    Parameters
    ----------
    pictures : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    strange : numpy.ndarray of bool, shape (n,)
        Which pictures were refused.
    answer : callable
        ``answer(pictures)`` says which of them would get a name.
    crop : float
        The part of the field that the pictures show.

    Returns
    -------
    list of str
    """
    found, rows = [""] * len(pictures), np.flatnonzero(strange)
    if not len(rows):
        return found
    low, usual, high = pretrained.metadata(pretrained.TRAVELLED)["nucleus"]
    exchanged = answer(pictures[rows][..., ::-1])
    for row, turned, width in zip(rows, exchanged, nucleus_width(pictures[rows]), strict=True):
        share = width / usual
        odd = f"its nucleus is {share:.1f} times as wide as usual: "
        if turned:
            found[row] = EXCHANGED
        elif width > ROOM * high:
            found[row] = odd + "give it a wider field"
        elif 0 < width < low / ROOM:
            found[row] = odd + f"crop={max(crop * share, 0.01):.2f}?"
    return found
