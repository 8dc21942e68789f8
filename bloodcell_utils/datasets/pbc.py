"""The PBC data set of Acevedo et al. 2020, or any set of images with a folder a class: where it is, what is in it.

An *index* is a pandas table with one row an image and the columns

``source``  folder or zip that the image is read from
``path``    ``class/file`` inside it, with forward slashes
``class``   the folder's name (`cells.FOLDERS` for PBC)
``subtype`` the file name's prefix, for example ``BNE``; empty where there is none
``width``, ``height``  pixels
``batch``   1 for the size that most images have, 2 for the rest
``sha256``  of the file's bytes

sorted by ``path``, so that a split of the official release and of a re-encoded copy are the same split.
Source: doi 10.17632/snkd93bnjr.1, CC BY 4.0.
"""

import hashlib
import warnings
import zipfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pandas as pd

from ..cells import FOLDERS
from ..config import data_dir
from ..errors import DataError
from . import archives, pictures

COLUMNS = ["source", "path", "class", "subtype", "width", "height", "batch", "sha256"]


def locate(source=None):
    """The folder or zip that holds class folders.

    Parameters
    ----------
    source : path-like, optional
        A zip, a folder of class folders, or a folder that contains either; default: `config.data_dir`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        If there is nothing, or more than one set; the message says what to do.
    """
    source = Path(source) if source is not None else data_dir()
    if source.is_file():
        archives.members(source)
        return source
    try:
        if source.is_dir():
            if sets := archives.folders_of_sets(source):
                return archives.one_of(sets, source)
            zips = [p for p in sorted(source.iterdir()) if p.suffix.lower() == ".zip" and not p.name.startswith(".")]
            if zips:
                return locate(archives.one_of([p for p in zips if p.name == archives.ARCHIVE] or zips, source))
    except OSError as err:
        raise DataError(f"{source} cannot be opened: {err}.") from err
    raise DataError(
        f"No images found in {source}. Fetch the data set with `bloodcell data fetch`, or set BLOODCELL_DATA_DIR to "
        "the folder or zip that holds it (one folder a class)."
    )


def index(source=None, classes=FOLDERS, on_error="raise"):
    """List every image of a set.

    Parameters
    ----------
    source : path-like, optional
        As for `locate`.
    classes : sequence of str or None
        Class folders that must be there, and the only ones that are read; None takes whatever folders there are (a
        set of the reader's own).
    on_error : {"raise", "skip"}
        What to do with a file that is named like an image and is none.

    Returns
    -------
    pandas.DataFrame
        One row an image; the columns are described at the top of this module.

    Raises
    ------
    DataError
        For a missing or empty class folder, or an unreadable image; each is named.
    """
    source = locate(source)
    rows, bad = [], []
    for path, data in read_files(source):
        folder, name = path.split("/")
        if classes is not None and folder not in classes:
            continue
        try:
            width, height = pictures.dimensions(data, path)
        except DataError as err:
            bad.append(str(err).rstrip("."))
            continue
        subtype = name.split("_")[0] if "_" in name else ""
        rows.append((str(source), path, folder, subtype, width, height, hashlib.sha256(data).hexdigest()))
    if bad:
        message = f"{len(bad)} file(s) in {source} are not readable images: {_some(bad)}."
        if on_error == "raise":
            raise DataError(f"{message} Remove them, or skip them with on_error='skip'.")
        warnings.warn(message, stacklevel=2)
    table = pd.DataFrame(rows, columns=[c for c in COLUMNS if c != "batch"]).sort_values("path", ignore_index=True)
    missing = [folder for folder in classes or () if folder not in set(table["class"])]
    if missing or table.empty:
        what = f"has no images in the class folder(s) {', '.join(missing)}" if missing else "holds no images"
        raise DataError(
            f"{source} {what}. It should have one folder a class; for a set of your own, index it with classes=None."
        )
    return _with_batch(table)[COLUMNS]


def read_files(source):
    """Yield ``(class/file, bytes)`` for every file of a set that is named like an image.

    Hidden files (the official archive has one, ``neutrophil/.DS_169665.jpg``) and ``__MACOSX`` are skipped.

    Parameters
    ----------
    source : path-like
        A folder of class folders, or a zip; see `locate`.

    Yields
    ------
    str, bytes
    """
    source = Path(source)
    if source.is_dir():
        for path in sorted(source.glob("*/*")):
            name = path.relative_to(source).as_posix()
            if archives.is_picture(name) and not path.is_dir():
                yield name, pictures.read(path)
        return
    inside = archives.members(source)
    with zipfile.ZipFile(source) as archive:
        for name, info in inside.items():
            yield name, archives.read_member(archive, info)


def labels(table, classes=FOLDERS):
    """Class numbers of an index.

    Parameters
    ----------
    table : pandas.DataFrame
        An index, or any table with the column ``class``.
    classes : sequence of str
        Class folders in order.

    Returns
    -------
    numpy.ndarray of int64, shape (n,)
    """
    number = {folder: i for i, folder in enumerate(classes)}
    unknown = sorted(set(table["class"]) - set(number))
    if unknown:
        raise DataError(f"Unknown class {', '.join(unknown)}; the classes are {', '.join(classes)}.")
    return table["class"].map(number).to_numpy("int64")


@cache
def manifest():
    """The official release: path, bytes, width, height and SHA-256 of its 17,092 images.

    Returns
    -------
    pandas.DataFrame
    """
    return pd.read_csv(Path(__file__).with_name("pbc_manifest.csv.xz"))


def official():
    """The official release as an index: everything that can be said of it without an image at hand.

    Returns
    -------
    pandas.DataFrame
        The columns of `index`; ``source`` is empty.
    """
    rows = manifest()
    parts = rows["path"].str.split("/", expand=True)
    table = rows.assign(**{"source": "", "class": parts[0], "subtype": parts[1].str.split("_").str[0]})
    return _with_batch(table)[COLUMNS].sort_values("path", ignore_index=True)


@dataclass(frozen=True)
class Verification:
    """How a set of images compares with the official release.

    Attributes
    ----------
    status : {"official", "re-encoded", "incomplete", "foreign"}
    n_images : int
        Readable images found.
    changed, missing, extra, unreadable : list of str
        Paths: other bytes than the official ones, absent, not in the release, not an image.
    """

    status: str
    n_images: int
    changed: list = field(default_factory=list)
    missing: list = field(default_factory=list)
    extra: list = field(default_factory=list)
    unreadable: list = field(default_factory=list)

    def __str__(self):
        lines = {
            "official": "the official release, byte for byte",
            "re-encoded": "complete, but re-encoded: every image is there, not all with the official bytes",
            "incomplete": f"incomplete: {len(self.missing):,} official images are missing: {_some(self.missing)}",
            "foreign": "not the PBC data set: hardly any file name is known",
        }
        text, known = [f"{self.n_images:,} images: {lines[self.status]}."], self.status != "foreign"
        if self.changed and known:
            text.append(f"{len(self.changed):,} differ from the official bytes.")
        if self.unreadable:
            text.append(f"{len(self.unreadable):,} cannot be read as images: {_some(self.unreadable)}.")
        if self.extra and known:
            text.append(f"{len(self.extra):,} are not in the official release: {_some(self.extra)}.")
        return " ".join(text)


def verify(source=None):
    """Compare a set with the manifest of the official release.

    Parameters
    ----------
    source : path-like, optional
        As for `locate`.

    Returns
    -------
    Verification
    """
    found, unreadable = {}, []
    for path, data in read_files(locate(source)):
        try:
            pictures.dimensions(data, path)
            found[path] = hashlib.sha256(data).hexdigest()
        except DataError:
            unreadable.append(path)
    official = dict(zip(manifest()["path"], manifest()["sha256"], strict=True))
    missing = [path for path in official if path not in found]
    changed = [path for path, digest in found.items() if official.get(path, digest) != digest]
    extra = [path for path in found if path not in official]
    status = "incomplete" if missing else "re-encoded" if changed else "official"
    if len(extra) >= len(found) - len(extra):
        status = "foreign"
    return Verification(status, len(found), changed, missing, extra, unreadable)


def _with_batch(table):
    """Batch 1 is the size that most images have."""
    sizes = list(zip(table["width"], table["height"], strict=True))
    usual = pd.Series(sizes).mode()[0]
    return table.assign(batch=[1 if size == usual else 2 for size in sizes])


def _some(names, limit=5):
    shown = ", ".join(list(names)[:limit])
    return shown + (f" and {len(names) - limit:,} more" if len(names) > limit else "")
