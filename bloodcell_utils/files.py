"""Files and folders that are written whole or not at all."""

import contextlib
import secrets
import shutil

from .errors import BloodcellError, DataError


def replace_file(path, data, *, remedy=""):
    """Write a file whole or not at all; its folder is made when it is missing.

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
        If it cannot be written. What was there is as it was.
    """
    arriving = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with arriving.open("xb") as file:
            data(file) if callable(data) else file.write(data)
        arriving.replace(path)
    except OSError as err:
        raise BloodcellError(f"{path} cannot be written: {err}. {remedy}".rstrip()) from err
    finally:
        with contextlib.suppress(OSError):
            arriving.unlink(missing_ok=True)


def write_folder(folder, files, about):
    """Write a folder whole or not at all; one that an earlier call has written is left as it is.

    Parameters
    ----------
    folder : pathlib.Path
        A new or empty folder, or the one of an earlier call.
    files : iterable of (str, bytes)
        Paths in the folder, and contents; they are not made when the folder is there.
    about : str
        Text of its ``README.txt``, by which it is known again.

    Raises
    ------
    DataError
        For a folder that holds something else, or cannot be written.
    """
    readme, beside = folder / "README.txt", _beside(folder)

    def written():
        return readme.is_file() and readme.read_text("utf-8") == about

    if written():
        return
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise DataError(f"{folder} holds something else. Remove it, or choose another folder.")
    try:
        beside.mkdir(parents=True)
        for path, data in files:
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            (beside / path).write_bytes(data)
        (beside / readme.name).write_text(about, "utf-8")
        if folder.is_dir():
            folder.rmdir()  # it is empty, but Windows renames onto nothing that exists
        beside.rename(folder)
    except OSError as err:
        if not written():  # else another process was faster, and wrote the same
            raise DataError(f"{folder} cannot be written: {err}. Nothing was left behind.") from err
    finally:
        shutil.rmtree(beside, ignore_errors=True)


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
        If a thousand were set aside before.
    """
    for number in range(1, 1000):
        aside = path.with_name(f"{path.stem}.{number}{path.suffix}")
        if not aside.exists():
            return path.rename(aside)
    raise BloodcellError(f"{path.parent} is full of files like {path.name} that were set aside; delete some of them.")


def _beside(path):
    """A hidden name in the same folder that nobody can foresee."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")
