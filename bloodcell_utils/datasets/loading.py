"""Image files to arrays: decoded in parallel, cropped, resized, and kept in the cache as a memory map."""

import io
import math
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from ..errors import DataError
from .cache import key, stored_array
from .download import DAMAGED, check_zip


def load_images(table, size, crop=1.0, *, progressbar=True, reduced=False):
    """The images of an index as one array.

    Parameters
    ----------
    table : pandas.DataFrame
        An index (`pbc.index`), in any order.
    size : int
        Side of the square result in pixels.
    crop : float
        Central part of the shorter side that is kept, in (0, 1]; the cell of interest is in the centre.
    progressbar : bool
    reduced : bool
        As for `decode`.

    Returns
    -------
    numpy.ndarray of uint8, shape (n, size, size, 3)
        RGB, a read-only memory map in the order of the table.

    Raises
    ------
    DataError
        For an image that cannot be decoded, by name.
    """
    if not 0 < crop <= 1 or size < 1:
        raise DataError(f"crop={crop} must be in (0, 1] and size={size} at least 1.")
    name = f"images-{size}-{key('v1', size, crop, *['reduced'] * reduced, *table['sha256'])}"
    paths = table[["source", "path"]].to_numpy()
    with reader() as read, ThreadPoolExecutor(os.cpu_count()) as pool:

        def one(place):
            return decode(read(*place), size, crop, name=place[1], reduced=reduced)

        def compute(start, stop):
            return np.stack(list(pool.map(one, paths[start:stop])))

        shape, options = (len(table), size, size, 3), {"block": 512, "desc": "decoding", "progressbar": progressbar}
        return stored_array(name, shape, np.uint8, compute=compute, **options)


def load_image(row, size=None, crop=1.0):
    """One image of an index.

    Parameters
    ----------
    row : mapping
        With ``source`` and ``path``, for example ``table.iloc[0]``.
    size : int, optional
    crop : float
        As for `load_images`; a size of None keeps the original.

    Returns
    -------
    numpy.ndarray of uint8, shape (height, width, 3)
    """
    with reader() as read:
        return decode(read(row["source"], row["path"]), size, crop, name=row["path"])


def decode(data, size, crop=1.0, *, name="image", reduced=False, strict=True):
    """Bytes of an image file to an RGB array.

    Parameters
    ----------
    data : bytes
    size : int or None
    crop : float
        As for `load_image`.
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
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if strict:
                _refuse_choices(image, name)
            if reduced and size is not None:
                image.draft("RGB", (math.ceil(size / crop),) * 2)
            image = _rgb(image)
            return np.asarray(image if size is None else _resized(image, size, crop))
    except (Image.DecompressionBombError, *DAMAGED) as err:
        raise DataError(f"{name} is damaged or no image ({err}).") from err


def resize(image, size, crop=1.0):
    """The central square of an image in another size, averaged where it shrinks.

    Parameters
    ----------
    image : numpy.ndarray of uint8, shape (height, width, 3)
    size : int
    crop : float
        As for `load_images`.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size, 3)
    """
    from PIL import Image

    return np.asarray(_resized(Image.fromarray(image), size, crop))


def _resized(image, size, crop):
    from PIL import Image

    width, height = image.size
    side = crop * min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return image.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + side, top + side))


def _refuse_choices(image, name):
    if getattr(image, "n_frames", 1) > 1:
        raise DataError(f"{name} is animated ({image.n_frames} frames). Save the frame that you mean as PNG.")
    mode = _deep(image) or image.mode
    if mode not in {"RGB", "RGBA", "L", "LA", "P", "PA", "1"}:
        raise DataError(f"{name} has colour mode {mode}; save it as 8-bit RGB (PNG or JPEG) first.")


def _deep(image):
    """The raw mode of a 16-bit image: Pillow calls 16-bit colour "RGB" too and keeps the upper byte."""
    return next((raw for tile in image.tile for raw in str(tile[3]).split("'") if ";16" in raw), None)


def _rgb(image):
    from PIL import Image

    if image.mode in {"RGBA", "LA", "P", "PA"}:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    deep = _deep(image)
    if image.mode[0] in "IF" or deep:
        # A 12-bit camera leaves the upper bits of 16 empty: its picture would turn black.
        levels = np.asarray(image, np.float32)
        top = np.nanmax(levels, initial=0) or 1
        levels = np.nan_to_num(levels).clip(0, top) * (255 / top)
        image = Image.fromarray(levels.round().astype(np.uint8))
    return image.convert("RGB")


@contextmanager
def reader():
    """Yield ``read(source, path)``, which gives the bytes of a file of an index; zips stay open inside the block."""
    archives = {}
    with ExitStack() as stack:

        def read(source, path):
            if Path(source).is_dir():
                try:
                    return (Path(source) / path).read_bytes()
                except OSError as err:
                    raise DataError(f"{path} cannot be read from {source}: {err}.") from err
            if source not in archives:
                archives[source] = _open_zip(stack, source)
            archive, members = archives[source]
            try:
                return archive.read(members[path])
            except DAMAGED as err:
                raise DataError(f"{path} cannot be read from {source}: {err!r}.") from err

        yield read


def _open_zip(stack, source):
    """A zip, and its members by the last two parts of their names."""
    if not Path(source).is_file():
        raise DataError(f"{source} is gone; index the data again.")
    check_zip(source)
    archive = stack.enter_context(zipfile.ZipFile(source))
    return archive, {"/".join(n.split("/")[-2:]): n for n in archive.namelist() if "__MACOSX" not in n}
