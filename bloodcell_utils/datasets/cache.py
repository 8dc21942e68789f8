"""Arrays that are computed once: written block by block, resumed after an interruption, read as a memory map."""

import contextlib
import hashlib
import io
import os
import shutil

import numpy as np
from filelock import FileLock

from ..config import cache_dir
from ..errors import BloodcellError


def key(*parts):
    """A short name for content, sixteen hexadecimal digits: the same parts give the same key on every machine.

    Parameters
    ----------
    *parts : object
        Anything whose ``str`` says all that matters; bytes and arrays are taken by content.

    Returns
    -------
    str
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def stored_array(name, shape, dtype, *, compute, block=256, desc=None, progressbar=True):
    """The array called `name`, from the cache or computed now.

    Rows are appended to a partial file, so a run that is interrupted (Ctrl-C, a lost battery) continues where it was,
    and a full disk is an error and not a crash. A second process that wants the same array waits for the first.

    Parameters
    ----------
    name : str
        File name in `config.cache_dir` without its suffix; must identify the content (see `key`).
    shape : tuple of int
        Rows first.
    dtype : numpy dtype
    compute : callable
        ``compute(start, stop)`` returns rows ``start:stop`` as an array.
    block : int
        Rows computed, and saved, at a time.
    desc : str, optional
        Text before the progress bar.
    progressbar : bool

    Returns
    -------
    numpy.ndarray
        A read-only memory map.

    Raises
    ------
    BloodcellError
        If the disk is full or the cache folder cannot be written. What was computed so far is kept.
    """
    dtype = np.dtype(dtype)
    path = cache_dir() / f"{name}.npy"
    try:
        if (array := _complete(path, shape, dtype)) is not None:
            return array
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if (array := _complete(path, shape, dtype)) is None:
                partial = path.with_suffix(".partial")
                _fill(partial, shape, dtype, compute, block, desc, progressbar)
                partial.replace(path)
                array = _complete(path, shape, dtype)
    except OSError as err:
        raise BloodcellError(
            f"The cache {path.parent} cannot be used: {err}. Free some space or point BLOODCELL_CACHE_DIR elsewhere, "
            "then run again: the work goes on where it stopped."
        ) from err
    return array


def _complete(path, shape, dtype):
    """The finished array, or None if it is absent, cut short or another one (then the file is removed)."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.shape == tuple(shape) and array.dtype == dtype:
            return array
    except FileNotFoundError:
        return None
    except (ValueError, EOFError):
        pass
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    return None


def _fill(partial, shape, dtype, compute, block, desc, progressbar):
    from tqdm import tqdm

    header, described = io.BytesIO(), {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
    np.lib.format.write_array_header_2_0(header, described | {"shape": tuple(shape)})
    header = header.getvalue()
    rows, row_bytes = shape[0], dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
    with partial.open("a+b") as file:
        file.seek(0)
        done = 0
        if file.read(len(header)) == header:
            done = (partial.stat().st_size - len(header)) // (row_bytes * block) * block if row_bytes else 0
        file.truncate(len(header) + done * row_bytes if done else 0)
        if not done:
            file.write(header)
        need, free = (rows - done) * row_bytes, shutil.disk_usage(partial.parent).free
        if need > free:
            raise OSError(f"{need / 1e6:,.0f} MB are needed and {free / 1e6:,.0f} MB are free")
        with tqdm(total=rows, initial=done, desc=desc, unit="img", disable=not progressbar) as bar:
            for start in range(done, rows, block):
                stop = min(start + block, rows)
                values = np.ascontiguousarray(compute(start, stop), dtype=dtype)
                if values.shape != (stop - start, *shape[1:]):
                    raise ValueError(f"rows {start}:{stop} have shape {values.shape}, expected {shape[1:]} each")
                file.write(values.tobytes())
                file.flush()
                os.fsync(file.fileno())
                bar.update(stop - start)
