"""What a reader moves: pictures behind sliders, on a published page (`frames`, `grid`) and live (`layer_walk`).

A page has no Python behind it, so `frames` takes every picture beforehand and lays them into one piece of HTML that
needs nothing else; `grid` does so for every combination of several sliders. `layer_walk` computes a picture when it is
asked for.
"""

import itertools
from collections.abc import Mapping
from functools import cache

import numpy as np

from . import explain, plots
from .errors import BloodcellError
from .player import Frames, as_image, fitting, img, sheet


def frames(pictures, labels, alt, title="picture", width=None, limit=250_000):
    """Put pictures behind a slider that works without Python: on a published page, offline, by keyboard.

    Parameters
    ----------
    pictures : sequence of matplotlib.figure.Figure or numpy.ndarray
        One a frame; arrays are images with levels 0-255, grey or RGB.
    labels : sequence of str
        The line below each picture; said aloud by a screen reader.
    alt : str or sequence of str
        What the pictures show, in words: one text a picture, or one for all, to which each label is added.
    title : str
        What the slider moves through, for example ``"layer"``.
    width : int, optional
        Of the pictures on the page, in pixels, if the page is as wide; default: their own, at least 320.
    limit : int
        Bytes that all pictures may take; they are compressed harder until they fit.

    Returns
    -------
    Frames

    Raises
    ------
    BloodcellError
        If there is no picture, a label or a text is missing, or the pictures do not fit into the limit.

    Examples
    --------
    >>> frames([np.zeros((8, 8)), np.full((8, 8), 255)], ["dark", "bright"], "A square")
    <2 pictures, one a picture: dark to bright>
    """
    labels = tuple(map(str, labels))
    alts = tuple(f"{alt}: {label}" for label in labels) if isinstance(alt, str) else tuple(alt)
    if not labels or not len(pictures) == len(labels) == len(alts):
        raise BloodcellError(f"{len(pictures)} picture(s) have {len(labels)} label(s) and {len(alts)} text(s) alt.")
    if not all(len(text.strip()) > 4 for text in alts):
        raise BloodcellError("Every picture needs a text alt that says what it shows.")
    images = [as_image(picture) for picture in pictures]
    return Frames(fitting(images, limit), labels, alts, title, width or max(320, images[0].width))


def grid(draw, axes, alt, start=None, title="pictures that follow the controls", over=None, width=None, limit=250_000):
    """Draw a picture for every combination of a few values, and put them behind controls that work without Python.

    Parameters
    ----------
    draw : callable
        From one value of each axis, in their order, to a picture as `frames` takes it, and the line below it. A figure
        may be changed and given again in the next call.
    axes : dict of str to sequence or dict
        Name of each control and its values: numbers make a slider; texts, or a dict of texts to values, a list to
        choose from.
    alt : str
        What the pictures show, in words; where the controls stand and each one's line are added.
    start : dict of str to object, optional
        Values to begin with, as texts or numbers, by name of a control; default: the first of each.
    title : str
        What the whole is called by a screen reader.
    over : matplotlib.figure.Figure, optional
        What all pictures have in common: laid over each of them, stretched to its size, and kept once.
    width : int, optional
        As for `frames`.
    limit : int
        As for `frames`.

    Returns
    -------
    Frames

    Raises
    ------
    BloodcellError
        If an axis is empty, there is nothing to start with, or the pictures do not fit into the limit.

    Examples
    --------
    >>> grid(lambda grey: (np.full((8, 8), grey), f"level {grey}"), {"grey": [0, 255]}, "A square")
    <2 pictures: 2 grey>
    """
    values = {name: dict(of) if isinstance(of, Mapping) else {_text(v): v for v in of} for name, of in axes.items()}
    if not values or not all(values.values()):
        raise BloodcellError("A grid needs at least one axis, and each axis at least one value.")
    at = dict.fromkeys(values, 0)
    for name, value in (start or {}).items():
        if _text(value) not in values.get(name, ()):
            known = "; ".join(f"{key}: {', '.join(of)}" for key, of in values.items())
            raise BloodcellError(f"The grid cannot start with {name} = {value}; it has {known}.")
        at[name] = list(values[name]).index(_text(value))
    images, labels, alts = [], [], []
    for chosen in itertools.product(*(of.items() for of in values.values())):
        picture, label = draw(*(value for _, value in chosen))
        images.append(as_image(picture))
        labels.append(str(label))
        where = ", ".join(f"{name} {text}" for name, (text, _) in zip(values, chosen, strict=True))
        alts.append(f"{alt}; {where}. {label}")
    controls = tuple((name, tuple(of), _slides(axes[name])) for name, of in values.items())
    first = int(np.ravel_multi_index(tuple(at.values()), [len(of) for of in values.values()]))
    width = width or max(320, images[0].width)
    above = sheet(over) if over else b""
    files = fitting(images, limit - len(above) * 4 / 3)
    return Frames(files, tuple(labels), tuple(alts), title, width, controls, first, above)


def layer_frames(model, image, layers=None, width=7.5, limit=250_000):
    """The maps of one layer after the other, for a published page.

    Parameters
    ----------
    model : keras.Model
        As `explain.feature_maps` takes it.
    image : numpy.ndarray, shape (height, width, 3)
    layers : sequence of str, optional
        Default: all of `explain.map_layers`.
    width : float
        Of each picture, in inches.
    limit : int
        As for `frames`.

    Returns
    -------
    Frames
    """
    layers = list(layers or explain.map_layers(model))
    drawn = [_draw(model, image, layer, width) for layer in layers]
    return frames([figure for figure, _ in drawn], layers, [alt for _, alt in drawn], "layer", limit=limit)


def layer_walk(model, image, layers=None, width=9.0):
    """A slider over the layers of a network, in a live notebook; each layer is computed when the slider reaches it.

    Parameters
    ----------
    model : keras.Model
        As `explain.feature_maps` takes it.
    image : numpy.ndarray, shape (height, width, 3)
    layers : sequence of str, optional
        Default: all of `explain.map_layers`.
    width : float
        Of the picture, in inches.

    Returns
    -------
    ipywidgets.VBox
        The slider, and under it the picture.
    """
    import ipywidgets

    layers = list(layers or explain.map_layers(model))
    slider = ipywidgets.SelectionSlider(options=layers, description="layer", continuous_update=False)
    picture = ipywidgets.HTML()

    @cache
    def drawn(layer):
        return img(*_draw(model, image, layer, width))

    def show(_=None):
        picture.value = drawn(slider.value)

    slider.observe(show, "value")
    show()
    return ipywidgets.VBox([slider, picture])


def _draw(model, image, layer, width):
    """The figure of one layer, and what it shows in words."""
    maps = explain.feature_maps(model, image[None], layer)[0]
    height, across, n = maps.shape
    title = f"{layer}: {n} maps of {height} x {across}"
    shown = min(n, 24)
    alt = f"A cell, and beside it {shown} of the {n} maps of the layer {layer}, each {height} by {across}"
    return plots.feature_maps(image, maps, title, width=width), alt


def _text(value):
    return value if isinstance(value, str) else f"{value:g}"


def _slides(values):
    return not isinstance(values, Mapping) and not any(isinstance(value, str) for value in values)
