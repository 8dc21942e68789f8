"""A kernel on a cell begins where it answers most, with the numbers that numpy finds."""

import numpy as np
from bs4 import BeautifulSoup

from bloodcell_utils.interactive import explore_kernel

TO_THE_RIGHT = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def test_it_begins_at_the_edge_that_it_finds():
    levels = np.full((16, 16), 255, np.uint8)
    levels[:, 7:] = 0  # dark from here on
    shown = BeautifulSoup(
        explore_kernel(levels, {"to the right": TO_THE_RIGHT, "below": TO_THE_RIGHT.T})._repr_html_(), "lxml"
    )
    window = shown.select_one(".bc-cell rect")
    assert int(window["x"]) + 2 in (7, 8) and shown.select_one(".bc-says").text == "Sum: +4.00"
    pixels, products = shown.select(".bc-squares")
    dark = np.array([float(text.text) for text in pixels.select("text")]).reshape(3, 3)
    product = np.array([float(text.text) for text in products.select(".bc-product")]).reshape(3, 3)
    assert (product == dark * TO_THE_RIGHT).all() and product.sum() == 4
