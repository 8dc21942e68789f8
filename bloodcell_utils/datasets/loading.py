"""Image files to arrays: decoded in parallel, cropped, resized, and kept in the cache as a memory map."""

import io
import math
import os
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..store import key, stored_array
from .download import DAMAGED, check_zip


def load_images(table, size, crop=1.0, workers=None, progressbar=True, reduced=False):
    """The images of an index as one array.

    Parameters
    ----------
    table : pandas.DataFrame
        An index (`pbc.index`), in any order.
    size : int
        Side of the square result in pixels.
    crop : float
        Central part of the shorter side that is kept, in (0, 1]; the cell of interest is in the centre.
    workers : int, optional
        Threads; default: one for each processor.
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
        For an image that cannot be decoded, by name; `readable` drops such images.
    """
    if not 0 < crop <= 1 or size < 1:
        raise DataError(f"crop={crop} must be in (0, 1] and size={size} at least 1.")
    name = f"images-{size}-{key('v1', size, crop, *['reduced'] * reduced, *table['sha256'])}"
    paths = table[["source", "path"]].to_numpy()
    workers = workers or os.cpu_count() or 1

    with ExitStack() as stack, ThreadPoolExecutor(workers) as pool:
        read = reader(stack)

        def compute(start, stop):
            return np.stack(list(pool.map(lambda p: decode(read(*p), size, crop, p[1], reduced), paths[start:stop])))

        return stored_array(name, (len(table), size, size, 3), np.uint8, compute, 512, "decoding", progressbar)


def load_image(row, size=None, crop=1.0):
    """One image of an index.

    Parameters
    ----------
    row : mapping
        With ``source`` and ``path``, for example ``table.iloc[0]``.
    size : int, optional
        As for `load_images`; None keeps the original size.
    crop : float

    Returns
    -------
    numpy.ndarray of uint8, shape (height, width, 3)
    """
    with ExitStack() as stack:
        return decode(reader(stack)(row["source"], row["path"]), size, crop, row["path"])


def readable(table):
    """Drop the images that cannot be decoded to the end, and warn with their names.

    Parameters
    ----------
    table : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        With a fresh row index.
    """
    bad = {}
    with ExitStack() as stack:
        read = reader(stack)
        for source, path in table[["source", "path"]].to_numpy():
            try:
                decode(read(source, path), 8, 1.0, path)
            except DataError as err:
                bad[path] = str(err)
    if bad:
        warnings.warn(f"{len(bad)} image(s) left out: " + " ".join(bad.values()), stacklevel=2)
    return table[~table["path"].isin(bad)].reset_index(drop=True)


def decode(data, size, crop=1.0, name="image", reduced=False, strict=True):
    """Bytes of an image file to an RGB array.

    Parameters
    ----------
    data : bytes
    size : int or None
        Side of the result in pixels; None keeps the original size.
    crop : float
        Central part of the shorter side, in (0, 1].
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
        Side of the result in pixels.
    crop : float
        Central part of the shorter side that is kept, in (0, 1].

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


def reader(stack):
    """What reads the files of an index, from folders and zips.

    Parameters
    ----------
    stack : contextlib.ExitStack
        Zips stay open as long as it is.

    Returns
    -------
    callable
        ``read(source, path)``: the bytes of a file.
    """
    archives = {}

    def open_zip(source):
        if not Path(source).is_file():
            raise DataError(f"{source} is gone; index the data again.")
        check_zip(source)
        archive = stack.enter_context(zipfile.ZipFile(source))
        members = {"/".join(n.split("/")[-2:]): n for n in archive.namelist() if "__MACOSX" not in n}
        return archive, members

    def read(source, path):
        if Path(source).is_dir():
            try:
                return (Path(source) / path).read_bytes()
            except OSError as err:
                raise DataError(f"{path} cannot be read from {source}: {err}.") from err
        if source not in archives:
            archives[source] = open_zip(source)
        archive, members = archives[source]
        try:
            return archive.read(members[path])
        except DAMAGED as err:
            raise DataError(f"{path} cannot be read from {source}: {err!r}.") from err

    return read
