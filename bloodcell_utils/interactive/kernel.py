"""A kernel to lay over a cell: the pixels under it, and what they become when each is multiplied by its weight."""

import numpy as np
from matplotlib.colors import to_hex
from PIL import Image

from ..plots.filters import ANSWERS
from .page import Page, data_uri, render, webp


def explore_kernel(levels, kernels):
    """A small window to move over a cell by sliders or by mouse, with the nine products and their sum.

    It begins where the first kernel answers most.

    Parameters
    ----------
    levels : numpy.ndarray of uint8, shape (side, side)
        One channel of a picture. A kernel is laid over its darkness, ``1 - levels / 255``.
    kernels : dict of str to numpy.ndarray of int, shape (k, k)
        What each asks for, and its weights.

    Returns
    -------
    page.Page
    """
    name, kernel = next(iter(kernels.items()))
    side, k = len(levels), len(kernel)
    windows = np.lib.stride_tricks.sliding_window_view(1 - levels / 255, (k, k))
    sums = (windows * kernel).sum(axis=(-2, -1))
    row, column = map(int, np.unravel_index(sums.argmax(), sums.shape))
    most = int(max(np.abs(weights).max() for weights in kernels.values()))
    shades = [to_hex(ANSWERS(i)) for i in range(ANSWERS.N)]  # from -most to most
    data = {
        "levels": levels.tobytes().hex(),
        "kernels": [np.asarray(weights).ravel().tolist() for weights in kernels.values()],
        "shades": shades,
        "most": most,
    }
    html = render(
        __package__,
        "kernel.html",
        picture=data_uri(webp(Image.fromarray(levels), 90, lossless=True)),
        names=list(kernels),
        squares=[(20 * j, 20 * i, dark, int(kernel[i, j])) for (i, j), dark in np.ndenumerate(windows[row, column])],
        shades=shades,
        most=most,
        side=side,
        k=k,
        sliders=[("down", row), ("across", column)],
        sum=sums[row, column],
        data=data,
    )
    return Page(html, f"A kernel ({name}) on a cell of {side} x {side} pixels, to move")
