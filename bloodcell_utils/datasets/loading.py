"""Image files to arrays: decoded in parallel, cropped, resized, and kept in the cache as a memory map."""

import io
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


def load_images(table, size, crop=1.0, workers=None, progressbar=True):
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
    name = f"images-{size}-{key('v1', size, crop, *table['sha256'])}"
    paths = table[["source", "path"]].to_numpy()
    workers = workers or os.cpu_count() or 1

    with ExitStack() as stack, ThreadPoolExecutor(workers) as pool:
        read = _reader(stack)

        def compute(start, stop):
            return np.stack(list(pool.map(lambda p: decode(read(*p), size, crop, p[1]), paths[start:stop])))

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
        return decode(_reader(stack)(row["source"], row["path"]), size, crop, row["path"])


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
        read = _reader(stack)
        for source, path in table[["source", "path"]].to_numpy():
            try:
                decode(read(source, path), 8, 1.0, path)
            except DataError as err:
                bad[path] = str(err)
    if bad:
        warnings.warn(f"{len(bad)} image(s) left out: " + " ".join(bad.values()), stacklevel=2)
    return table[~table["path"].isin(bad)].reset_index(drop=True)


def decode(data, size, crop=1.0, name="image"):
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

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size, 3)

    Raises
    ------
    DataError
        If the bytes are no image, are cut short, or the image is CMYK, 16-bit or animated: these would need a choice
        (a colour profile, a range, a frame) that only the owner of the image can make.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise DataError(f"{name} is animated ({image.n_frames} frames). Save the frame that you mean as PNG.")
            # Pillow calls 16-bit colour "RGB" too and keeps the upper byte: a 12-bit camera's picture would turn black.
            deep = next((raw for tile in image.tile for raw in str(tile[3]).split("'") if ";16" in raw), None)
            mode = deep or image.mode
            if mode not in {"RGB", "RGBA", "L", "LA", "P", "PA", "1"}:
                raise DataError(f"{name} has colour mode {mode}; save it as 8-bit RGB (PNG or JPEG) first.")
            if image.mode in {"RGBA", "LA", "P", "PA"}:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            image = image.convert("RGB")
            if size is not None:
                width, height = image.size
                side = crop * min(width, height)
                left, top = (width - side) / 2, (height - side) / 2
                image = image.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
            return np.asarray(image)
    except (Image.DecompressionBombError, *DAMAGED) as err:
        raise DataError(f"{name} is damaged or no image ({err}).") from err


def _reader(stack):
    """A function (source, path) -> bytes that keeps zips open while the stack is."""
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
