"""Files and folders that are written whole or not at all."""

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
import sys
import warnings
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import BloodcellError, DataError

SUMS = "SHA256SUMS"


def read_file(path, most=None):
    """The bytes of a regular file; what would never end (a pipe, a device) is not even begun.

    Parameters
    ----------
    path : path-like
    most : int, optional
        Bytes that are read at most.

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        If it cannot be read, is no regular file, or is larger.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise DataError(f"{path} is no regular file (a folder, a pipe or a device).")
            if most is not None and status.st_size > most:
                raise DataError(f"{path} has {status.st_size / 1e6:,.0f} MB; more than {most / 1e6:,.0f} are not read.")
            return file.read()
    except (OSError, ValueError, MemoryError) as err:
        why = getattr(err, "strerror", None) or err or "more than the memory holds"
        raise DataError(f"{path} cannot be read: {why}.") from err


def writable(path, *, text=False, remedy=""):
    """Where a result will be written; to be asked before the work that makes it.

    Parameters
    ----------
    path : path-like
    text : bool
        What comes is text, and replaces nothing else: a slip must not cost a picture.
    remedy : str
        As for `replace_file`.

    Returns
    -------
    pathlib.Path
        The file itself, where `path` is a link; its folder exists.

    Raises
    ------
    BloodcellError
        If it is there and no regular file (or no text), or cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            raise BloodcellError(f"{path} is no regular file, so it is not written to; name a file.")
        if text and target.exists() and b"\0" in target.open("rb").read(4096):
            raise BloodcellError(f"{path} is there and is no text (a picture?); name another file.")
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = _beside(target)
        beside.touch(exist_ok=False)
        beside.unlink()
    except (OSError, ValueError) as err:
        raise BloodcellError(f"{path} cannot be written: {err}. {remedy}".rstrip()) from err
    return target


def replace_file(path, data, *, remedy=""):
    """Write a file whole or not at all; its folder is made when it is missing, its rights and links to it stay.

    Parameters
    ----------
    path : pathlib.Path
    data : bytes or callable
        Or a function that writes them: it is given a file, open for bytes, so that large content is never copied.
    remedy : str
        What a reader can do about a failure; ends the message.

    Raises
    ------
    BloodcellError
        If it cannot be written, or is there and no regular file. What was there is as it was.
    """
    replace_files({path: data}, remedy=remedy)


def replace_files(contents, *, remedy=""):
    """Write several files that belong together: all are on the disk before the first takes its name.

    Parameters
    ----------
    contents : dict of pathlib.Path to bytes or callable
        As for `replace_file`, whose errors it raises.
    remedy : str
    """
    arriving = {}
    try:
        for path, data in contents.items():
            target = writable(path, remedy=remedy)
            arriving[target] = _beside(target)
            with arriving[target].open("xb") as file:
                data(file) if callable(data) else file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileNotFoundError):
                arriving[target].chmod(stat.S_IMODE(target.stat().st_mode))
        for target, beside in arriving.items():
            beside.replace(target)
    except OSError as err:
        raise BloodcellError(f"{path} cannot be written: {err}. {remedy}".rstrip()) from err
    finally:
        for beside in arriving.values():
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


def write_folder(folder, files, about, *, repair=False):
    """Write a folder whole or not at all; one that an earlier call has written is left as it is.

    Beside the files it holds their checksums, as ``sha256sum --check SHA256SUMS`` reads them.

    Parameters
    ----------
    folder : pathlib.Path
        A new or empty folder, or the one of an earlier call.
    files : iterable of (str, bytes)
        Paths in the folder, and contents; they are not made when the folder is there.
    about : str
        Text of its ``README.txt``, by which it is known again.
    repair : bool
        Compare one that is there with its checksums, and write it again, with a warning, if it was damaged or changed.

    Raises
    ------
    DataError
        For a folder that holds something else, or cannot be written.
    """
    readme, beside, old = folder / "README.txt", _beside(folder), _beside(folder)

    def written():
        return readme.is_file() and readme.read_text("utf-8") == about

    changed = written() and repair and not _as_written(folder)
    if changed:
        warnings.warn(f"{folder} was damaged or changed since it was written; it is written again.", stacklevel=3)
    elif written():
        return
    elif folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise DataError(f"{folder} holds something else. Remove it, or choose another folder.")
    try:
        beside.mkdir(parents=True)
        sums = []
        for path, data in files:
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            (beside / path).write_bytes(data)
            sums.append(f"{hashlib.sha256(data).hexdigest()}  {path}\n")
        (beside / SUMS).write_text("".join(sums), "utf-8")
        (beside / readme.name).write_text(about, "utf-8")
        if changed:
            folder.rename(old)
        elif folder.is_dir():
            folder.rmdir()  # it is empty, but Windows renames onto nothing that exists
        beside.rename(folder)
    except OSError as err:
        if not written():  # else another process was faster, and wrote the same
            raise DataError(f"{folder} cannot be written: {err}. Nothing was left behind.") from err
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def locked(path, patience=10):
    """Keep other processes away from a file for the time of a block; a long wait is not a silent one.

    Parameters
    ----------
    path : pathlib.Path
        Its lock lies beside it.
    patience : float
        Seconds until it is said who is waited for.

    Yields
    ------
    None
    """
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        print(f"Waiting for {_holder(lock.lock_file)}, which works on {path}. End it if it hangs.", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _holder(path):
    """The process that holds a lock, in words; Linux tells its number."""
    with contextlib.suppress(OSError, ValueError):
        inode = os.stat(path).st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            parts = line.split()
            if parts[5].endswith(f":{inode}") and parts[1] != "->":
                return f"process {parts[4]}"
    return "another process"


def set_aside(path):
    """Rename a file to a name beside it that is free: `progress.json` to `progress.1.json`.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    pathlib.Path
        Where it is now.

    Raises
    ------
    BloodcellError
        If it is no regular file, or a thousand were set aside before.
    """
    if not path.is_file():
        raise BloodcellError(f"{path} is no regular file, so it is left alone.")
    for number in range(1, 1000):
        aside = path.with_name(f"{path.stem}.{number}{path.suffix}")
        if not aside.exists():
            return path.rename(aside)
    raise BloodcellError(f"{path.parent} is full of files like {path.name} that were set aside; delete some of them.")


def _as_written(folder):
    """Whether the files of a folder are those that `write_folder` wrote."""
    try:
        sums = dict(line.split("  ", 1)[::-1] for line in (folder / SUMS).read_text("utf-8").splitlines())
        inside = {path.relative_to(folder).as_posix() for path in folder.glob("*/**/*") if path.is_file()}
        same = (hashlib.sha256(read_file(folder / path)).hexdigest() == sums[path] for path in sums)
        return inside <= set(sums) and all(same)
    except (DataError, OSError, ValueError):
        return False


def _beside(path):
    """A hidden name in the same folder that nobody can foresee."""
    return path.with_name(f".{path.name[:60]}.{secrets.token_hex(8)}")
