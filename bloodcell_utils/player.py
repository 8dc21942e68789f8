"""Pictures behind controls, as a piece of HTML that needs nothing else: no Python, no network, no second file."""

import base64
import html
import io
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from PIL import Image

from .errors import BloodcellError

SHARED = "What all of these pictures share"
_QUALITIES = (85, 70, 50, 30)


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
        on = " data-on"
        shown = "".join(
            f'<div class="frame"{on * (i == self.start)}>{_tag(file, alt)}<p>{html.escape(label)}</p></div>'
            for i, (file, label, alt) in enumerate(zip(self.pictures, self.labels, self.alts, strict=True))
        )
        title = html.escape(self.title)
        places = np.unravel_index(self.start, [len(values) for _, values, _ in self.axes]) if self.axes else ()
        words = {
            "name": f"One picture a {title}" if not self.axes else title,
            "kind": "row" if not self.axes else "grid",
            "width": str(self.width),
            "frames": shown,
            "over": f'<div class="over" aria-hidden="true">{_tag(self.over, SHARED)}</div>' if self.over else "",
            "controls": "".join(_control(*axis, int(at)) for axis, at in zip(self.axes, places, strict=True))
            or _player(title, len(self.labels) - 1),
        }
        return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), _template())


def fitting(images, limit):
    """Pictures as files that take no more than so many bytes in a page: compressed harder until they fit.

    Parameters
    ----------
    images : list of PIL.Image.Image
    limit : int
        Bytes.

    Returns
    -------
    tuple of bytes
        WebP files.

    Raises
    ------
    BloodcellError
        If they do not fit.
    """
    for quality in _QUALITIES:
        # A drawing of few colours is smaller, and sharp, when nothing of it is given away.
        files = tuple(_webp(image, quality, quality > 50 and bool(image.getcolors(256))) for image in images)
        if (size := sum(map(len, files)) * 4 / 3) <= limit:  # base64 writes three bytes as four
            return files
    raise BloodcellError(f"The pictures take {size / 1e3:.0f} kB of {limit / 1e3:.0f}; show fewer, or smaller ones.")


def as_image(picture):
    """A figure or an array as an RGB image.

    Parameters
    ----------
    picture : matplotlib.figure.Figure or numpy.ndarray
        An array has levels 0-255, grey or RGB.

    Returns
    -------
    PIL.Image.Image
    """
    if hasattr(picture, "savefig"):
        stream = io.BytesIO()
        picture.savefig(stream, format="png", facecolor="white")
        return Image.open(stream).convert("RGB")
    return Image.fromarray(np.asarray(picture).clip(0, 255).astype(np.uint8)).convert("RGB")


def sheet(figure):
    """A figure on glass, to lie over others of the same shape.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    bytes
        A WebP file, transparent where nothing is drawn.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format="png", transparent=True)
    return _webp(Image.open(stream), 85, lossless=True)


def img(picture, alt):
    """A picture as HTML that needs nothing else.

    Parameters
    ----------
    picture : matplotlib.figure.Figure or numpy.ndarray
        As for `as_image`.
    alt : str
        What it shows, in words.

    Returns
    -------
    str
    """
    return _tag(_webp(as_image(picture), _QUALITIES[0]), alt)


def _player(title, last):
    """Buttons and a slider over pictures in one row."""
    return (
        f'<button type="button" data-step="-1" aria-label="previous {title}">&#8249;</button>'
        '<button type="button" data-play aria-label="play" aria-pressed="false">&#9654;&#xFE0E;</button>'
        f'<button type="button" data-step="1" aria-label="next {title}">&#8250;</button>'
        f'<input type="range" data-axis min="0" max="{last}" value="0" step="1" aria-label="{title}"><output></output>'
    )


def _control(name, values, slides, at):
    """A slider or a list, with its name before it and, where it slides, its value after it."""
    name = html.escape(name)
    if slides:
        texts = html.escape(json.dumps(values, ensure_ascii=False))
        control = (
            f'<input type="range" data-axis data-values="{texts}" min="0" max="{len(values) - 1}" value="{at}" '
            f'step="1" aria-label="{name}" aria-valuetext="{html.escape(values[at])}">'
            f'<output aria-hidden="true">{html.escape(values[at])}</output>'
        )
    else:
        options = (
            f"<option{' selected' if i == at else ''}>{html.escape(text)}</option>" for i, text in enumerate(values)
        )
        control = f'<select data-axis aria-label="{name}">{"".join(options)}</select>'
    return f"<label><span>{name}</span>{control}</label>"


def _webp(image, quality, lossless=False):
    stream = io.BytesIO()
    image.save(stream, "WebP", quality=quality, method=6, lossless=lossless)
    return stream.getvalue()


def _tag(file, alt):
    return f'<img alt="{html.escape(alt)}" src="data:image/webp;base64,{base64.b64encode(file).decode()}">'


@cache
def _template():
    return resources.files(__package__).joinpath("frames.html").read_text("utf-8")
