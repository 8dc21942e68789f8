"""Arrays that are computed once: written block by block, resumed after an interruption, read as a memory map.

Beside each array lie the checksums of its blocks. They are compared once a process, when it is first opened; from the
first block that is not as it was written, the array is computed again.
"""

import contextlib
import hashlib
import io
import os
import shutil
import warnings
import zlib

import numpy as np

from ..config import cache_dir, cached
from ..errors import BloodcellError
from ..files import locked

_compared = {}  # arrays whose checksums were compared by this process, and which file that was


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
        File name in the cache (`config.cached`) without its suffix; must identify the content (see `key`).
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
    path = cached(f"{name}.npy")
    try:
        if (array := _complete(path, shape, dtype, block)) is not None:
            return array
        path = cache_dir() / path.name  # never a folder that may only be read: what is damaged there is made here
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            if (array := _complete(path, shape, dtype, block)) is None:
                partial = path.with_suffix(".partial")
                if path.exists():
                    warnings.warn(f"{path} was damaged; what is wrong is computed again.", stacklevel=2)
                    path.replace(partial)
                _fill(partial, shape, dtype, compute, block, desc, progressbar)
                partial.replace(path)
                array = _complete(path, shape, dtype, block)
    except OSError as err:
        raise BloodcellError(
            f"The cache {path.parent} cannot be used: {err}. Free some space or point BLOODCELL_CACHE_DIR elsewhere, "
            "then run again: the work goes on where it stopped."
        ) from err
    return array


def _complete(path, shape, dtype, block):
    """The finished array, or None if it is absent, cut short, damaged or another one."""
    with contextlib.suppress(ValueError, EOFError, SyntaxError, FileNotFoundError):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.shape == tuple(shape) and array.dtype == dtype:
            status = path.stat()
            stamp = status.st_ino, status.st_size, status.st_mtime_ns
            if _compared.get(path) != stamp and not _as_written(array, path, block):
                return None
            _compared[path] = stamp
            return array
    return None


def _as_written(array, path, block):
    sums = np.frombuffer(_sums(path).read_bytes(), "<u4")
    starts = range(0, len(array), block)
    return len(sums) == len(starts) and all(
        zlib.crc32(array[start : start + block].tobytes()) == known for start, known in zip(starts, sums, strict=True)
    )


def _sums(path):
    return path.with_suffix(".crc32")


def _fill(partial, shape, dtype, compute, block, desc, progressbar):
    from tqdm import tqdm

    header, described = io.BytesIO(), {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
    np.lib.format.write_array_header_2_0(header, described | {"shape": tuple(shape)})
    header = header.getvalue()
    rows, row_bytes = shape[0], dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
    with partial.open("a+b") as file, _sums(partial).open("a+b") as sums:
        done = _good_blocks(file, sums, header, block * row_bytes)
        sums.truncate(4 * done)
        file.truncate(len(header) + done * block * row_bytes if done else 0)
        if not done:
            file.write(header)
        done = min(done * block, rows)
        need, free = (rows - done) * row_bytes, shutil.disk_usage(partial.parent).free
        if need > free:
            raise OSError(f"{need / 1e6:,.0f} MB are needed and {free / 1e6:,.0f} MB are free")
        with tqdm(total=rows, initial=done, desc=desc, unit="img", disable=not progressbar) as bar:
            for start in range(done, rows, block):
                stop = min(start + block, rows)
                values = np.ascontiguousarray(compute(start, stop), dtype=dtype)
                if values.shape != (stop - start, *shape[1:]):
                    raise ValueError(f"rows {start}:{stop} have shape {values.shape}, expected {shape[1:]} each")
                data = values.tobytes()
                for open_file, part in ((file, data), (sums, zlib.crc32(data).to_bytes(4, "little"))):
                    open_file.write(part)
                    open_file.flush()
                    os.fsync(open_file.fileno())
                bar.update(stop - start)


def _good_blocks(file, sums, header, block_bytes):
    """How many whole blocks at the beginning of a partial file are as they were written."""
    file.seek(0)
    sums.seek(0)
    known = sums.read()
    if file.read(len(header)) != header or not block_bytes:
        return 0
    known = np.frombuffer(known[: len(known) // 4 * 4], "<u4")
    for done, checksum in enumerate(known):
        data = file.read(block_bytes)
        if len(data) < block_bytes or zlib.crc32(data) != checksum:
            return done
    return len(known)
