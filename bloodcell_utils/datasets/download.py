"""Fetching PBC's archive and the files of other sets, so that an interruption costs at most the step at hand."""

import hashlib
import io
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ..config import data_dir, labs_dir
from ..errors import BloodcellError, DataError, DownloadError
from ..files import locked, read_file, replace_file
from . import other_labs
from .archives import ARCHIVE, DAMAGED, members

GITHUB = "https://raw.githubusercontent.com"

MIRRORS = (
    "https://data.mendeley.com/public-files/datasets/snkd93bnjr/files/2fc38728-2ae7-4a62-a857-032af82334c3/file_downloaded",
    "https://prod-dcd-datasets-cache-zipfiles.s3.eu-west-1.amazonaws.com/snkd93bnjr-1.zip",
)

_BY_HAND = """To do it by hand:
  1. open https://data.mendeley.com/datasets/snkd93bnjr/1 in a browser and download {archive} (about 280 MB),
  2. move the zip, as it is, to {folder},
  3. run `bloodcell data verify`.
Or point BLOODCELL_DATA_DIR at a folder that already holds it."""


def fetch(folder=None, mirrors=MIRRORS, *, progressbar=True):
    """Download the archive (280 MB) into a folder, unless it is there already; a second process waits for the first.

    The publisher gives no checksum for the archive; `pbc.verify` checks every image in it instead.

    Parameters
    ----------
    folder : path-like, optional
        Where `ARCHIVE` goes; made if missing. Default: `config.data_dir`.
    mirrors : sequence of str
        Addresses, tried in order.
    progressbar : bool

    Returns
    -------
    pathlib.Path
        The zip; `pbc.index` reads it as it is. It is complete: its central directory was read and holds images.

    Raises
    ------
    DownloadError
        If no mirror delivered a zip. The message lists what each one said and the manual steps. What was there before
        is untouched; the partial download is removed.
    """
    folder = Path(folder or data_dir())
    target = folder / ARCHIVE
    if not target.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder / f".{ARCHIVE}"):
                if not target.exists():
                    _download(target, mirrors, progressbar)
        except OSError as err:
            raise DownloadError(f"The folder {folder} cannot be written: {err}.") from err
    members(target)
    return target


def fetch_set(name, folder=None, *, base=GITHUB, progressbar=True):
    """Download a set of another laboratory, file by file; what is there with the right content is kept.

    Parameters
    ----------
    name : str
        One of `other_labs.LABS`.
    folder : path-like, optional
        The set becomes ``folder/name``; default: `config.labs_dir`.
    base : str
        Where GitHub's files are, or a copy of them.
    progressbar : bool

    Returns
    -------
    pathlib.Path
        The set's folder; every file in it is the published one, by its SHA-256.

    Raises
    ------
    DownloadError
        If a file did not arrive, arrived as another, or cannot be written. Those that had arrived are kept.
    """
    from tqdm import tqdm

    lab, target = other_labs.known(name), Path(folder or labs_dir()) / name
    rows = other_labs.manifest()
    rows = rows[rows["set"] == name]
    address = f"{base}/{lab.repository}/{lab.commit}"

    def one(row):
        path = target / row.path
        if not (path.is_file() and hashlib.sha256(read_file(path)).hexdigest() == row.sha256):
            replace_file(path, _file(f"{address}/{quote(row.path)}", row.sha256))

    pool = ThreadPoolExecutor(6)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with locked(target.parent / f".{name}"):
            done = pool.map(one, rows.itertuples())
            for _ in tqdm(done, total=len(rows), desc=name, unit="file", disable=not progressbar):
                pass
    except (BloodcellError, OSError) as err:
        again = "What has arrived is kept: the same command goes on from there."
        raise DownloadError(f"The set {name} could not be fetched into {target}: {err} {again}") from err
    finally:
        pool.shutdown(cancel_futures=True)
    return target


def _file(url, sha256, tries=2):
    """The bytes at an address, if they are the right ones."""
    import pooch

    for _ in range(tries):
        stream = io.BytesIO()
        try:
            pooch.HTTPDownloader(timeout=60)(url, stream, None)
            if hashlib.sha256(stream.getvalue()).hexdigest() == sha256:
                return stream.getvalue()
            why = f"what arrived ({len(stream.getvalue()):,} bytes) is another file: its SHA-256 differs"
        except (OSError, ValueError) as err:  # requests' errors are OSErrors
            why = " ".join(f"{type(err).__name__}: {err}".split())[:300]
    raise DownloadError(f"{url}: {why}.")


def _download(target, mirrors, progressbar):
    import pooch

    answers = []
    for url in mirrors:
        try:
            # In a folder of its own, so that no error page of a mirror ever stands where the archive belongs.
            with tempfile.TemporaryDirectory(prefix=".arriving-", dir=target.parent) as beside:
                downloader = pooch.HTTPDownloader(progressbar=progressbar, timeout=60)
                path = _unwrapped(Path(pooch.retrieve(url, None, "download", beside, downloader=downloader)))
                members(path)
                path.replace(target)
            return
        except (DataError, *DAMAGED) as err:  # requests' errors are OSErrors
            answers.append(f"  {url}\n    {' '.join(f'{type(err).__name__}: {err}'.split())[:300]}")
    by_hand = _BY_HAND.format(archive=ARCHIVE, folder=target.parent)
    raise DownloadError("\n".join(["The data set could not be downloaded:", *answers, by_hand]))


def _unwrapped(path):
    """The archive inside a zip that only wraps it (the publisher's "download all"), else the zip itself."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as outer:
            for member in outer.infolist():
                if PurePosixPath(member.filename).name == ARCHIVE:
                    member.filename = ARCHIVE  # without its folders
                    return Path(outer.extract(member, path.parent))
    return path
