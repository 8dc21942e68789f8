"""Where the class folders of a set begin, in a folder or in a zip; several sets in one place are named, never mixed."""

import math
import os
import struct
import zipfile
import zlib
from pathlib import Path

from ..cells import FOLDERS
from ..errors import DataError
from . import pictures

ARCHIVE = "PBC_dataset_normal_DIB.zip"
DEEPEST = 2  # folders between the one that is named and the class folders: PBC/PBC/neutrophil

# What zipfile and Pillow raise, depending on which byte of a file is wrong.
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, NotImplementedError, OSError,
           RuntimeError, SyntaxError, TypeError, ValueError)  # fmt: skip


def is_picture(name):
    """Whether a path inside a set, ``class/file``, is that of a picture; hidden files and ``__MACOSX`` are not.

    Parameters
    ----------
    name : str
        With forward slashes; the official archive has a hidden ``neutrophil/.DS_169665.jpg``.

    Returns
    -------
    bool
    """
    parts = name.split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return len(parts) > 1 and not hidden and name.lower().endswith(pictures.SUFFIXES)


def folders_of_sets(folder):
    """The folders, this one or up to `DEEPEST` below it, that hold class folders.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    list of pathlib.Path
        In the order of their names; one with folders named like PBC's classes counts even if these are empty.

    Raises
    ------
    DataError
        For a folder beside class folders that may not be opened.
    """
    return [Path(path) for path in _search(str(folder), DEEPEST)]


def _search(folder, deeper):
    """The folder, if it holds class folders, and those below that do."""
    children, closed, classes, below = sorted(_folders(folder)), [], [], []
    for child in children:
        try:
            with os.scandir(child) as entries:
                if any(not entry.is_dir() and is_picture(f"class/{entry.name}") for entry in entries):
                    classes.append(child)
            if deeper or child in classes:
                below += _search(child, math.inf if child in classes else deeper - 1)  # below a class, all the way
        except PermissionError as err:
            closed.append((child, err))
    classes = classes or [child for child in children if os.path.basename(child) in FOLDERS]
    if classes and closed:
        child, err = closed[0]
        raise DataError(f"{child} may not be opened ({err.strerror}): its images would be missing. Change its rights.")
    return [folder, *below] if classes else below


def _folders(folder):
    with os.scandir(folder) as entries:
        return [e.path for e in entries if e.is_dir() and not e.name.startswith((".", "__")) and e.name != "lost+found"]


def one_of(found, source):
    """The one set that there is.

    Parameters
    ----------
    found : sequence
        Names of sets.
    source : path-like
        For the message.

    Returns
    -------
    object

    Raises
    ------
    DataError
        If there are several: whether they may be mixed (a training and a test set?) only their owner knows.
    """
    if len(found) > 1:
        names = ", ".join(str(name) for name in found[:5]) + (" ..." if len(found) > 5 else "")
        raise DataError(
            f"{source} holds {len(found)} sets of class folders: {names}. Name one of them; or, if they belong "
            "together, put the images of each class into one folder."
        )
    return found[0]


def members(path):
    """The pictures in a zip.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to zipfile.ZipInfo
        By ``class/file``, sorted.

    Raises
    ------
    DataError
        If it is no zip, is encrypted, holds no picture in a class folder, or several sets.
    """
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(512)
    if head.lstrip()[:1] == b"<":
        raise DataError(f"{path} is a web page, not a zip: a log-in or error page was saved in its place.")
    if head[:2] == b"\x1f\x8b" or head[257:262] == b"ustar":
        raise DataError(f"{path} is a tar archive, not a zip: unpack it, and name the folder.")
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except DAMAGED as err:
        again = "`bloodcell data fetch` after moving it away" if path.name == ARCHIVE else "from where it came"
        what = f"{path} ({path.stat().st_size:,} bytes) is cut short or not a zip ({err})"
        raise DataError(f"{what}. Get it again {again}; nothing was changed.") from err
    found = {}
    for info in infos:
        parts = [part for part in info.filename.replace("\\", "/").split("/") if part not in ("", ".")]
        name = "/".join(parts)
        if not info.is_dir() and is_picture(name):
            if name in found:
                raise DataError(f"{path} holds {name} twice; which one counts? Pack it again.")
            found[name] = info
    if not found:
        inner = next((i.filename for i in infos if i.filename.lower().endswith((".zip", ".tar", ".gz", ".7z"))), None)
        what = f"; it wraps {inner}: unpack it, and name that" if inner else ". A set has a folder a class"
        raise DataError(f"{path} is a zip without a single image in a folder{what}.")
    one_of(sorted({name.rpartition("/")[0].rpartition("/")[0] or "the top" for name in found}), path)
    if any(info.flag_bits & 1 for info in found.values()):
        raise DataError(f"{path} is encrypted. Unpack it with its password, and name the folder.")
    return {"/".join(name.split("/")[-2:]): info for name, info in sorted(found.items())}


def read_member(archive, info):
    """The bytes of one picture in a zip.

    Parameters
    ----------
    archive : zipfile.ZipFile
    info : zipfile.ZipInfo

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        If they are damaged, or more than `pictures.MOST_BYTES`.
    """
    try:
        with archive.open(info) as file:
            data = file.read(pictures.MOST_BYTES + 1)
    except (MemoryError, *DAMAGED) as err:
        raise DataError(f"{info.filename} in {archive.filename} is damaged ({err}); get the archive again.") from err
    if len(data) > pictures.MOST_BYTES:
        raise DataError(f"{info.filename} in {archive.filename} is larger than {pictures.MOST_BYTES / 1e6:.0f} MB.")
    return data
