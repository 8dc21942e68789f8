"""What a reader moves: pictures behind sliders, on a published page (`show_frames`, `grid`) and live (`layer_walk`).

A page has no Python behind it, so `show_frames` takes every picture beforehand and lays them into one piece of HTML
that needs nothing else; `grid` does so for every combination of several sliders. `layer_walk` computes a picture when
it is asked for.
"""

import io
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from .. import plots
from ..errors import BloodcellError
from ..evaluation import explain
from .page import data_uri, render, webp

SHARED = "What all of these pictures share"
QUALITIES = (85, 70, 50, 30)


def show_frames(pictures, labels, alt, *, title="picture", width=None, limit=250_000):
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
    >>> show_frames([np.zeros((8, 8)), np.full((8, 8), 255)], ["dark", "bright"], "A square")
    <2 pictures, one a picture: dark to bright>
    """
    labels = tuple(map(str, labels))
    alts = tuple(f"{alt}: {label}" for label in labels) if isinstance(alt, str) else tuple(alt)
    if not labels or not len(pictures) == len(labels) == len(alts):
        raise BloodcellError(f"{len(pictures)} picture(s) have {len(labels)} label(s) and {len(alts)} text(s) alt.")
    if not all(len(text.strip()) > 4 for text in alts):
        raise BloodcellError("Every picture needs a text alt that says what it shows.")
    images = [_as_image(picture) for picture in pictures]
    return Frames(_fitting(images, limit), labels, alts, title, width or max(320, images[0].width))


def grid(
    draw, axes, alt, *, start=None, title="pictures that follow the controls", over=None, width=None, limit=250_000
):
    """Draw a picture for every combination of a few values, and put them behind controls that work without Python.

    Parameters
    ----------
    draw : callable
        From one value of each axis, in their order, to a picture as `show_frames` takes it, and the line below it. A
        figure may be changed and given again in the next call.
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
    width, limit : int, optional
        As for `show_frames`.

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
        images.append(_as_image(picture))
        labels.append(str(label))
        where = ", ".join(f"{name} {text}" for name, (text, _) in zip(values, chosen, strict=True))
        alts.append(f"{alt}; {where}. {label}")
    controls = tuple((name, tuple(of), _slides(axes[name])) for name, of in values.items())
    first = int(np.ravel_multi_index(tuple(at.values()), [len(of) for of in values.values()]))
    width = width or max(320, images[0].width)
    above = _sheet(over) if over else b""
    files = _fitting(images, limit - len(above) * 4 / 3)
    return Frames(files, tuple(labels), tuple(alts), title, width, controls, first, above)


def layer_frames(model, image, layers=None, *, limit=250_000):
    """The maps of one layer after the other, for a published page.

    Parameters
    ----------
    model : keras.Model
        As `explain.feature_maps` takes it.
    image : numpy.ndarray, shape (height, width, 3)
    layers : sequence of str, optional
        Default: all of `explain.map_layers`.
    limit : int
        As for `show_frames`.

    Returns
    -------
    Frames
    """
    layers = list(layers or explain.map_layers(model))
    figures, alts = zip(*(_draw(model, image, layer, 7.5) for layer in layers), strict=True)
    return show_frames(figures, layers, alts, title="layer", limit=limit)


def layer_walk(model, image):
    """The same in a live notebook, for all layers; each is computed when the slider reaches it.

    Parameters
    ----------
    model, image
        As for `layer_frames`.

    Returns
    -------
    ipywidgets.VBox
        The slider, and under it the picture.
    """
    import ipywidgets

    slider = ipywidgets.SelectionSlider(options=explain.map_layers(model), description="layer", continuous_update=False)
    picture = ipywidgets.HTML()
    drawn = cache(lambda layer: img(*_draw(model, image, layer, 9)))

    def show(_=None):
        picture.value = drawn(slider.value)

    slider.observe(show, "value")
    show()
    return ipywidgets.VBox([slider, picture])


def img(picture, alt):
    """A picture as HTML that needs nothing else.

    Parameters
    ----------
    picture : matplotlib.figure.Figure or numpy.ndarray
        As for `show_frames`.
    alt : str
        What it shows, in words.

    Returns
    -------
    str
    """
    return render(__package__, "img.html", alt=alt, source=data_uri(webp(_as_image(picture), QUALITIES[0])))


@dataclass(frozen=True)
class Frames:
    """Pictures behind one slider or several, as HTML that stands alone; a notebook shows it as the value of a cell.

    Attributes
    ----------
    pictures : tuple of bytes
        WebP files.
    labels, alts : tuple of str
        For each picture, the line below it and what it shows in words.
    title : str
        What is moved through, for example ``"layer"``.
    width : int
        Of the pictures on a page that has room for them, in pixels.
    axes : tuple of (str, tuple of str, bool)
        Of a grid: name of a control, its values, and whether it is a slider; the last one moves fastest through the
        pictures. Empty for pictures in one row, which can be played.
    start : int
        The picture to begin with.
    over : bytes
        A WebP file with holes that lies over every picture, for what they have in common; may be empty.
    """

    pictures: tuple[bytes, ...]
    labels: tuple[str, ...]
    alts: tuple[str, ...]
    title: str
    width: int
    axes: tuple[tuple[str, tuple[str, ...], bool], ...] = ()
    start: int = 0
    over: bytes = b""

    def __repr__(self):
        if self.axes:
            return f"<{len(self.labels)} pictures: {' x '.join(f'{len(of)} {name}' for name, of, _ in self.axes)}>"
        return f"<{len(self.labels)} pictures, one a {self.title}: {self.labels[0]} to {self.labels[-1]}>"

    def _repr_html_(self):
        places = np.unravel_index(self.start, [len(values) for _, values, _ in self.axes]) if self.axes else ()
        return render(
            __package__,
            "frames.html",
            frames=self,
            shown=list(zip(self.pictures, self.labels, self.alts, strict=True)),
            controls=[(*axis, int(at)) for axis, at in zip(self.axes, places, strict=True)],
            shared=SHARED,
        )


def _fitting(images, limit):
    """Pictures as WebP files that take no more than so many bytes in a page: compressed harder until they fit."""
    for quality in QUALITIES:
        # A drawing of few colours is smaller, and sharp, when nothing of it is given away.
        files = tuple(webp(image, quality, quality > 50 and bool(image.getcolors(256))) for image in images)
        if (size := sum(map(len, files)) * 4 / 3) <= limit:  # base64 writes three bytes as four
            return files
    raise BloodcellError(f"The pictures take {size / 1e3:.0f} kB of {limit / 1e3:.0f}; show fewer, or smaller ones.")


def _as_image(picture):
    """A figure or an array as an RGB image."""
    if hasattr(picture, "savefig"):
        stream = io.BytesIO()
        picture.savefig(stream, format="png", facecolor="white")
        return Image.open(stream).convert("RGB")
    return Image.fromarray(np.asarray(picture).clip(0, 255).astype(np.uint8)).convert("RGB")


def _sheet(figure):
    """A figure as a WebP file that is transparent where nothing is drawn, to lie over others of the same shape."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", transparent=True)
    return webp(Image.open(stream), 85, lossless=True)


def _draw(model, image, layer, width):
    """The figure of one layer, so many inches wide, and what it shows in words."""
    maps = explain.feature_maps(model, image[None], layer)[0]
    height, across, n = maps.shape
    alt = f"A cell, and beside it {min(n, 24)} of the {n} maps of the layer {layer}, each {height} by {across}"
    return plots.feature_maps(image, maps, f"{layer}: {n} maps of {height} x {across}", width=width), alt


def _text(value):
    return value if isinstance(value, str) else f"{value:g}"


def _slides(values):
    return not isinstance(values, Mapping) and not any(isinstance(value, str) for value in values)
