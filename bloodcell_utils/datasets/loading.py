"""Image files to arrays: decoded in parallel, cropped, resized, and kept in the cache as a memory map."""

import hashlib
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from ..errors import DataError
from . import pictures
from .archives import members, read_member
from .cache import key, stored_array
from .pictures import decode

BLOCK = 512  # images


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
    paths = table[["source", "path", "sha256"]].to_numpy()
    with reader() as read, ThreadPoolExecutor(os.cpu_count()) as pool:

        def one(place):
            source, path, sha256 = place
            data = read(source, path)
            if hashlib.sha256(data).hexdigest() != sha256:  # its pixels would be kept under the name of others
                raise DataError(f"{path} has changed since {source} was indexed; index it again.")
            return decode(data, size, crop, name=path, reduced=reduced)

        ahead = {}  # the next block is decoded while this one is written

        def compute(start, stop):
            now = ahead.pop(start, None) or [pool.submit(one, place) for place in paths[start:stop]]
            ahead[stop] = [pool.submit(one, place) for place in paths[stop : stop + BLOCK]]
            return np.stack([decoded.result() for decoded in now])

        shape, options = (len(table), size, size, 3), {"block": BLOCK, "desc": "decoding", "progressbar": progressbar}
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


@contextmanager
def reader():
    """Yield ``read(source, path)``, which gives the bytes of a file of an index; zips stay open inside the block."""
    archives = {}
    with ExitStack() as stack:

        def read(source, path):
            if Path(source).is_dir():
                return pictures.read(Path(source) / path)
            if source not in archives:
                if not Path(source).is_file():
                    raise DataError(f"{source} is gone; index the data again.")
                inside = members(source)
                archives[source] = stack.enter_context(zipfile.ZipFile(source)), inside
            archive, inside = archives[source]
            if path not in inside:
                raise DataError(f"{path} is gone from {source}; index the data again.")
            return read_member(archive, inside[path])

        yield read
