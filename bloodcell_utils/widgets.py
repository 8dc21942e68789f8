"""What a reader moves: pictures behind a slider, on a published page (`frames`) and in a live notebook (`layer_walk`).

A page has no Python behind it, so `frames` draws every picture beforehand and lays them into one piece of HTML that
needs nothing else. `layer_walk` computes a picture when it is asked for.
"""

import base64
import html
import io
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from PIL import Image

from . import explain, plots
from .errors import BloodcellError

_QUALITIES = (85, 70, 50, 30)


@dataclass(frozen=True)
class Frames:
    """Pictures behind a slider, as HTML that stands alone; a notebook shows it as the value of a cell.

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
    """

    pictures: tuple[bytes, ...]
    labels: tuple[str, ...]
    alts: tuple[str, ...]
    title: str
    width: int

    def __repr__(self):
        return f"<{len(self.labels)} pictures, one a {self.title}: {self.labels[0]} to {self.labels[-1]}>"

    def _repr_html_(self):
        shown = "".join(
            f'<div class="frame"{" data-on" if i == 0 else ""}>{_img(file, alt)}<p>{html.escape(label)}</p></div>'
            for i, (file, label, alt) in enumerate(zip(self.pictures, self.labels, self.alts, strict=True))
        )
        words = {"last": str(len(self.labels) - 1), "title": html.escape(self.title), "width": str(self.width)}
        page = _template()
        for name, value in words.items():
            page = page.replace(f"{{{name}}}", value)
        return page.replace("{frames}", shown)


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
    images = [_image(picture) for picture in pictures]
    for quality in _QUALITIES:
        files = tuple(_webp(image, quality) for image in images)
        if sum(map(len, files)) * 4 / 3 <= limit:  # base64 writes three bytes as four
            return Frames(files, labels, alts, title, width or max(320, images[0].width))
    size = sum(map(len, files)) * 4 / 3
    raise BloodcellError(f"The pictures take {size / 1e3:.0f} kB of {limit / 1e3:.0f}; show fewer, or smaller ones.")


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


def img(picture, alt):
    """A picture as HTML that needs nothing else.

    Parameters
    ----------
    picture : matplotlib.figure.Figure or numpy.ndarray
        As for `frames`.
    alt : str
        What it shows, in words.

    Returns
    -------
    str
    """
    return _img(_webp(_image(picture), _QUALITIES[0]), alt)


def _draw(model, image, layer, width):
    """The figure of one layer, and what it shows in words."""
    maps = explain.feature_maps(model, image[None], layer)[0]
    height, across, n = maps.shape
    title = f"{layer}: {n} maps of {height} x {across}"
    shown = min(n, 24)
    alt = f"A cell, and beside it {shown} of the {n} maps of the layer {layer}, each {height} by {across}"
    return plots.feature_maps(image, maps, title, width=width), alt


def _image(picture):
    """A figure or an array as an RGB image."""
    if hasattr(picture, "savefig"):
        stream = io.BytesIO()
        picture.savefig(stream, format="png", facecolor="white")
        return Image.open(stream).convert("RGB")
    return Image.fromarray(np.asarray(picture).clip(0, 255).astype(np.uint8)).convert("RGB")


def _webp(image, quality):
    stream = io.BytesIO()
    image.save(stream, "WebP", quality=quality, method=6)
    return stream.getvalue()


def _img(file, alt):
    return f'<img alt="{html.escape(alt)}" src="data:image/webp;base64,{base64.b64encode(file).decode()}">'


@cache
def _template():
    return resources.files(__package__).joinpath("frames.html").read_text("utf-8")
