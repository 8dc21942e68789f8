"""Fetching and unpacking the PBC archive, so that an interruption at any moment costs at most the step at hand."""

import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from filelock import FileLock

from ..errors import DataError, DownloadError

ARCHIVE = "PBC_dataset_normal_DIB.zip"
MIRRORS = (
    "https://data.mendeley.com/public-files/datasets/snkd93bnjr/files/2fc38728-2ae7-4a62-a857-032af82334c3/file_downloaded",
    "https://prod-dcd-datasets-cache-zipfiles.s3.eu-west-1.amazonaws.com/snkd93bnjr-1.zip",
)

# What zipfile and Pillow raise, depending on which byte of a file is wrong.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)

_BY_HAND = """To do it by hand:
  1. open https://data.mendeley.com/datasets/snkd93bnjr/1 in a browser and download {archive} (about 280 MB),
  2. move the zip, as it is, to {folder},
  3. run `bloodcell data verify`.
Or point BLOODCELL_DATA_DIR at a folder that already holds it."""


def fetch(folder, mirrors=MIRRORS, sha256=None, progressbar=True):
    """Download the archive into a folder, unless it is there already; a second process waits for the first.

    Parameters
    ----------
    folder : path-like
        Where `ARCHIVE` goes; made if missing.
    mirrors : sequence of str
        Addresses, tried in order.
    sha256 : str, optional
        Refuse a download with another checksum. The publisher gives none for the archive; `pbc.verify` checks every
        image in it instead.
    progressbar : bool
        Draw one.

    Returns
    -------
    pathlib.Path
        The zip. It is complete: its central directory was read and holds images.

    Raises
    ------
    DownloadError
        If no mirror delivered a zip. The message lists what each one said and the manual steps. What was there before
        is untouched; the partial download is removed.
    """
    target = Path(folder) / ARCHIVE
    if not target.exists():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(target.with_name(f".{ARCHIVE}.lock")):
                if not target.exists():
                    _download(target, mirrors, sha256, progressbar)
        except OSError as err:
            raise DownloadError(f"The folder {folder} cannot be written: {err}.") from err
    check_zip(target)
    return target


def _download(target, mirrors, sha256, progressbar):
    import pooch

    folder, answers = target.parent, []
    for url in mirrors:
        # pooch downloads to a temporary file beside the target and renames it; a fresh name of our own keeps a
        # mirror's error page from ever standing where the archive belongs.
        arriving = f".arriving-{ARCHIVE}"
        try:
            downloader = pooch.HTTPDownloader(progressbar=progressbar, timeout=60)
            path = Path(pooch.retrieve(url, known_hash=sha256, fname=arriving, path=folder, downloader=downloader))
            _unwrap(path)
            check_zip(path)
            path.replace(target)
            return
        except (DataError, *DAMAGED) as err:  # requests' errors are OSErrors, pooch's ValueErrors
            answers.append(f"  {url}\n    {_one_line(err)}")
        finally:
            (folder / arriving).unlink(missing_ok=True)
    raise DownloadError(
        "The data set could not be downloaded:\n"
        + "\n".join(answers)
        + "\n"
        + _BY_HAND.format(archive=ARCHIVE, folder=folder)
    )


def check_zip(path):
    """Make sure that a file is a readable zip with images in it.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    DataError
        If it is empty, a web page, cut short, or holds no image.
    """
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(512)
    if head.lstrip()[:1] == b"<":
        raise DataError(f"{path} is a web page, not a zip: a log-in or error page was saved in its place. Delete it.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGED as err:
        what = f"{path} ({path.stat().st_size:,} bytes) is cut short or not a zip ({err})"
        raise DataError(f"{what}. Delete it and fetch it again.") from err
    if not any(name.lower().endswith((".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")) for name in names):
        raise DataError(f"{path} is a zip without a single image.")


def extract(path, folder, progressbar=True):
    """Unpack a zip; no member can leave the folder, and the folder appears only when it is complete.

    Parameters
    ----------
    path : path-like
        The zip.
    folder : path-like
        Made by this call; if it exists, it is complete and returned as it is.
    progressbar : bool
        Draw one.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        If a member would land outside the folder, is damaged (checksum) or the disk is full. Nothing is left behind.
    """
    from tqdm import tqdm

    path, folder = Path(path), Path(folder)
    if folder.exists():
        return folder
    check_zip(path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    arriving = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            for member in members:
                _refuse_outside(member, path)
            need, free = sum(m.file_size for m in members), shutil.disk_usage(arriving).free
            if need > free:
                raise DataError(f"{folder} needs {need / 1e6:,.0f} MB and the disk has {free / 1e6:,.0f} MB free.")
            for member in tqdm(members, unit="file", desc="unpacking", disable=not progressbar):
                archive.extract(member, arriving)
        arriving.chmod(0o755)  # mkdtemp makes private folders
        try:
            arriving.rename(folder)
        except OSError:
            if not folder.exists():  # else another process was faster, with the same content
                raise
    except DAMAGED as err:
        raise DataError(f"{path} could not be unpacked to {folder}: {_one_line(err)}. Nothing was changed.") from err
    finally:
        shutil.rmtree(arriving, ignore_errors=True)
    return folder


def _unwrap(path):
    """Replace a zip that only wraps the archive (the publisher's "download all") by the archive inside."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as outer:
        inner = next((m for m in outer.infolist() if PurePosixPath(m.filename).name == ARCHIVE), None)
        if inner is None:
            return
        unwrapped = path.with_name(f"{path.name}-inner")
        try:
            with outer.open(inner) as source, unwrapped.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            unwrapped.replace(path)
        finally:
            unwrapped.unlink(missing_ok=True)


def _refuse_outside(member, archive):
    name = PurePosixPath(member.filename.replace("\\", "/"))
    link = stat.S_ISLNK(member.external_attr >> 16)
    if name.is_absolute() or ".." in name.parts or ":" in "".join(name.parts[:1]) or link:
        raise DataError(
            f"{archive} holds {member.filename!r}, which would land outside its folder. "
            "Nothing was unpacked; do not trust this file."
        )


def _one_line(err):
    return " ".join(f"{type(err).__name__}: {err}".split())[:300]
