"""One picture from bytes that nobody has checked, to an array.

A closed list of formats (Pillow would start Ghostscript for PostScript, whatever the file's name), and limits of size,
so that one bad file costs one answer and not the memory of the machine.
"""

import contextlib
import io
import math

import numpy as np

from ..errors import DataError
from ..files import read_file

FORMATS = {  # as Pillow calls them, and how their files are named
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"), "PNG": (".png",), "TIFF": (".tif", ".tiff"), "BMP": (".bmp",),
    "GIF": (".gif",), "WEBP": (".webp",), "JPEG2000": (".jp2",), "PPM": (".ppm", ".pgm"), "AVIF": (".avif",),
}  # fmt: skip
FOREIGN = (".heic", ".heif")  # pictures that Pillow does not read: named, never skipped
SUFFIXES = (*(suffix for suffixes in FORMATS.values() for suffix in suffixes), *FOREIGN)
MOST_BYTES, MOST_PIXELS = 250_000_000, 64_000_000  # of one picture: more than a microscope's camera gives
MOST_SIDE = 30_000  # pixels


def read(path):
    """The bytes of one picture.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        For what cannot be read, is no regular file, or has more than `MOST_BYTES`.
    """
    return read_file(path, most=MOST_BYTES)


def decode(data, size, crop=1.0, *, name="image", reduced=False, strict=True):
    """Bytes of an image file to an RGB array.

    Parameters
    ----------
    data : bytes
    size : int or None
        Side of the square result in pixels; None keeps the original.
    crop : float
        Central part of the shorter side that is kept, in (0, 1].
    name : str
        For error messages.
    reduced : bool
        Let a JPEG be decoded at a half, a quarter or an eighth where that is still as large as the result: faster, and
        not the same to the last level.
    strict : bool
        Refuse what would need a choice. False chooses: the first frame, the range that is used, Pillow's conversion.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size, 3)

    Raises
    ------
    DataError
        If the bytes are no image, are cut short, or (where strict) the image is CMYK, 16-bit or animated: these need
        a choice (a colour profile, a range, a frame) that only the owner of the image can make.
    """
    with _opened(data, name) as image:
        if strict:
            _refuse_choices(image, name)
        if reduced and size is not None:
            image.draft("RGB", (math.ceil(size / crop),) * 2)
        if image.format in ("JPEG", "MPO") and _breaks_off(image):
            raise DataError(f"{name} is damaged: its data break off, and the rest of the picture is grey.")
        image = _rgb(_upright(image))
        return np.asarray(image if size is None else _resized(image, size, crop))


def dimensions(data, name="image"):
    """Width and height, from the header alone.

    Parameters
    ----------
    data : bytes
    name : str

    Returns
    -------
    tuple of int

    Raises
    ------
    DataError
        As for `decode`.
    """
    with _opened(data, name) as image:
        return image.size


def levels(image):
    """Levels 0-255 of one picture that is in memory.

    Parameters
    ----------
    image : numpy.ndarray, tensor or PIL.Image.Image, shape (height, width) or (height, width, 3)

    Returns
    -------
    numpy.ndarray of uint8, shape (height, width, 3)

    Raises
    ------
    DataError
        For another shape, or levels outside 0-255, or that all lie between 0 and 1.
    """
    if hasattr(image, "getpalette"):  # Pillow's: as an array, one with a palette would be the numbers of its colours
        try:
            return np.asarray(_rgb(_upright(image)))
        except (OSError, ValueError) as err:
            raise DataError(f"This picture cannot be read: {err}.") from err
    needed = "An image is an array of levels 0-255, (height, width, 3) or (height, width)"
    if isinstance(image, (list, tuple)):  # one image, or several? a list of rows looks like a list of images
        raise DataError(f"{needed}, not a {type(image).__name__} of numbers: make it one with np.asarray.")
    try:
        image = np.asarray(image)
    except (TypeError, ValueError) as err:
        raise DataError(f"{needed}, not {type(image).__name__} ({err}).") from err
    if image.ndim == 2:
        image = np.stack([image] * 3, axis=-1)
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape or image.dtype.kind not in "uif":
        raise DataError(f"{needed}, not {image.dtype} {image.shape}.")
    low, high = float(image.min()), float(image.max())
    if not 0 <= low <= high <= 255 or low < high <= 1:
        raise DataError(f"Levels are from 0 to 255; these go from {low:g} to {high:g}: scale them first.")
    return image.astype(np.uint8)


def resize(image, size, crop=1.0):
    """The central square of an image in another size, averaged where it shrinks.

    Parameters
    ----------
    image : numpy.ndarray of uint8, shape (height, width, 3)
    size : int
    crop : float
        As for `decode`.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size, 3)
    """
    from PIL import Image

    return np.asarray(_resized(Image.fromarray(image), size, crop))


@contextlib.contextmanager
def _opened(data, name):
    """A picture, for the time of a block; whatever its bytes do inside becomes one kind of error."""
    from PIL import Image, features

    formats = [known for known in FORMATS if known != "AVIF" or features.check("avif")]
    try:
        with Image.open(io.BytesIO(data), formats=formats) as image:
            if math.prod(image.size) > MOST_PIXELS or max(image.size) > MOST_SIDE:
                raise DataError(f"{name} is not read: {image.width} x {image.height} pixels are too many.")
            yield image
    except DataError:
        raise
    except Exception as err:
        raise DataError(f"{name} {_what_is_wrong(data, err)}.") from err


def _what_is_wrong(data, err):
    from PIL import UnidentifiedImageError

    if not data:
        return "is empty"
    if data[4:8] == b"ftyp" and data[8:11] in (b"hei", b"hev", b"mif"):
        return "is a HEIC picture, as telephones save them; export it as JPEG or PNG"
    if isinstance(err, MemoryError):
        return "needs more memory than there is"
    if not isinstance(err, UnidentifiedImageError):
        return f"is damaged or no image ({err})"
    text = data[:200].isascii() and b"\0" not in data[:200]
    return "is a text file" if text else f"is no image of a known format ({', '.join(FORMATS)}), or damaged"


def _resized(image, size, crop):
    from PIL import Image

    width, height = image.size
    side = crop * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return image.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + side, top + side))


def _breaks_off(image):
    """Whether a JPEG ends before its picture does: where no data are left, the decoder fills in one exact grey.

    It does so in silence if the end of the file is marked all the same.
    """
    if image.mode not in ("L", "RGB"):
        return False

    def levels(part):
        extrema = part.getextrema()
        return {level for pair in ([extrema] if image.mode == "L" else extrema) for level in pair}

    corner = image.crop((max(0, image.width - 4), max(0, image.height - 4), *image.size))
    return levels(corner) == {128} and levels(image) != {128}


def _refuse_choices(image, name):
    if getattr(image, "n_frames", 1) > 1:
        raise DataError(f"{name} is animated ({image.n_frames} frames). Save the frame that you mean as PNG.")
    mode = _deep(image) or image.mode
    if mode not in {"RGB", "RGBA", "L", "LA", "P", "PA", "1"}:
        raise DataError(f"{name} has colour mode {mode}; save it as 8-bit RGB (PNG or JPEG) first.")


def _upright(image):
    """A photograph turned as its camera says, where browsers turn it too."""
    from PIL import ImageOps

    image.load()
    if image.format != "WEBP":
        with contextlib.suppress(Exception):  # of tags that are damaged: the picture is not
            return ImageOps.exif_transpose(image)
    return image


def _deep(image):
    """The raw mode of a 16-bit image: Pillow calls 16-bit colour "RGB" too and keeps the upper byte."""
    tiles = getattr(image, "tile", ())
    return next((raw for tile in tiles for raw in str(tile[3]).split("'") if ";16" in raw), None)


def _rgb(image):
    from PIL import Image

    if image.mode in {"RGBA", "LA", "P", "PA"}:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    deep = _deep(image)
    if image.mode[0] in "IF" or deep:
        # A 12-bit camera leaves the upper bits of 16 empty: its picture would turn black.
        values = np.asarray(image, np.float32)
        values = np.where(np.isfinite(values), values, 0)
        top = values.max(initial=0) or 1
        image = Image.fromarray((values.clip(0, top) * (255 / top)).round().astype(np.uint8))
    return image.convert("RGB")
