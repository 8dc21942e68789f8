"""Fetching and unpacking: whatever arrives, and whenever it stops, nothing half-made is left behind."""

import errno
import hashlib
import io
import shutil
import stat
import zipfile
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pooch
import pytest

from bloodcell_utils.datasets import download
from bloodcell_utils.datasets.download import ARCHIVE, check_zip, extract, fetch
from bloodcell_utils.errors import DataError, DownloadError

PAGE = b"\n  <!DOCTYPE html><html><title>Please log in</title></html>" * 20
UNREACHABLE = "http://127.0.0.1:9/archive.zip"


def pack(members, compression=zipfile.ZIP_STORED):
    """Bytes of a zip of {name or ZipInfo: bytes}."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


MEMBERS = {f"PBC/{name}/{name[:2].upper()}_{i}.jpg": bytes([i]) * 999 for name in ("ig", "platelet") for i in range(3)}
GOOD = pack(MEMBERS)
WRAPPED = pack({"snkd93bnjr-1/readme.txt": b"all files", f"snkd93bnjr-1/{ARCHIVE}": GOOD})


@pytest.fixture(scope="module")
def server():
    """A local web server; `server.pages` is {path: (status, body)}, `server.asked` lists the requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            web.asked.append(self.path)
            status, body = web.pages[self.path]
            self.send_response(status)
            self.send_header("Content-Length", len(body) + (1000 if "cut" in self.path else 0))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        web.pages = {
            "/good": (200, GOOD),
            "/wrapped": (200, WRAPPED),
            "/wrapped-damaged": (200, WRAPPED.replace(bytes([2]) * 999, bytes([7]) * 999)),
            "/page": (200, PAGE),
            "/gone": (404, PAGE),
            "/broken": (500, b""),
            "/empty": (200, b""),
            "/short": (200, GOOD[:2000]),
            "/cut": (200, GOOD[:2000]),
            "/no-image": (200, pack({"readme.txt": b"no image here"})),
        }
        web.asked = []
        web.url = lambda page: f"http://127.0.0.1:{web.server_port}/{page}"
        Thread(target=web.serve_forever, daemon=True).start()
        yield web
        web.shutdown()


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "archive.zip"
    path.write_bytes(GOOD)
    return path


def left(folder):
    """Names in a folder, locks aside."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


@pytest.mark.parametrize("page", ["good", "wrapped"])
def test_a_download_arrives_whole(server, tmp_path, page):
    path = fetch(tmp_path / "new" / "data", [server.url(page)], progressbar=False)
    assert path == tmp_path / "new" / "data" / ARCHIVE
    assert path.read_bytes() == GOOD and left(path.parent) == [ARCHIVE]


def test_the_second_call_asks_nobody(server, tmp_path):
    fetch(tmp_path, [server.url("good")], progressbar=False)
    before = list(server.asked)
    assert fetch(tmp_path, [server.url("good"), UNREACHABLE], progressbar=False) == tmp_path / ARCHIVE
    assert server.asked == before


@pytest.mark.parametrize(
    "page", ["page", "gone", "broken", "empty", "short", "cut", "no-image", "wrapped-damaged", "unreachable"]
)
def test_the_next_mirror_is_tried(server, tmp_path, page):
    first = UNREACHABLE if page == "unreachable" else server.url(page)
    assert fetch(tmp_path, [first, server.url("good")], progressbar=False).read_bytes() == GOOD
    assert left(tmp_path) == [ARCHIVE]


@pytest.mark.parametrize("page", ["page", "gone", "short", "cut", "unreachable"])
def test_without_a_mirror_that_works_the_manual_steps_are_listed(server, tmp_path, page):
    url = UNREACHABLE if page == "unreachable" else server.url(page)
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(DownloadError) as caught:
        fetch(tmp_path, [url], progressbar=False)
    message = str(caught.value)
    assert url in message and "data.mendeley.com/datasets/snkd93bnjr" in message and str(tmp_path) in message
    assert ARCHIVE in message and "BLOODCELL_DATA_DIR" in message and "bloodcell data verify" in message
    assert left(tmp_path) == ["mine.txt"]


def test_a_wrong_checksum_is_refused(server, tmp_path):
    with pytest.raises(DownloadError, match="(?i)hash"):
        fetch(tmp_path, [server.url("good")], sha256="0" * 64, progressbar=False)
    assert left(tmp_path) == []
    right = hashlib.sha256(GOOD).hexdigest()
    assert fetch(tmp_path, [server.url("good")], sha256=right, progressbar=False).exists()


def test_a_damaged_archive_that_is_there_is_named_and_kept(tmp_path):
    (tmp_path / ARCHIVE).write_bytes(GOOD[:2000])
    with pytest.raises(DataError, match="cut short or not a zip.*Delete it and fetch it again"):
        fetch(tmp_path, [UNREACHABLE], progressbar=False)
    assert left(tmp_path) == [ARCHIVE]


def test_ctrl_c_while_fetching_leaves_nothing_and_a_rerun_works(server, tmp_path, monkeypatch):
    def interrupted(self, url, output_file, *_, **__):
        with open(output_file, "wb") as file:
            file.write(GOOD[:1500])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pooch.HTTPDownloader, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path, [server.url("good")], progressbar=False)
    assert left(tmp_path) == []
    assert fetch(tmp_path, [server.url("good")], progressbar=False).read_bytes() == GOOD


def test_a_full_disk_while_fetching(server, tmp_path, monkeypatch):
    def full(self, url, output_file, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    with pytest.raises(DownloadError, match="No space left"):
        fetch(tmp_path, [server.url("good")], progressbar=False)
    assert left(tmp_path) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DownloadError, match="cannot be written"):
        fetch(tmp_path / "file" / "data", [UNREACHABLE], progressbar=False)


def test_three_at_once_download_once(server, tmp_path):
    server.asked.clear()
    with ThreadPoolExecutor(3) as pool:
        paths = list(pool.map(lambda _: fetch(tmp_path, [server.url("wrapped")], progressbar=False), range(3)))
    assert set(paths) == {tmp_path / ARCHIVE} and paths[0].read_bytes() == GOOD
    assert server.asked == ["/wrapped"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "0 bytes.*cut short"), (GOOD[:2000], "cut short or not a zip"), (PAGE, "web page"), (b"text", "not a zip"),
     (pack({"a.txt": b""}), "without a single image"), (GOOD[:-30] + b"\xff" * 30, "cut short or not a zip")],
    ids=["empty", "cut short", "html", "text", "no image", "overwritten end"],
)  # fmt: skip
def test_what_is_no_archive_is_said(tmp_path, content, message):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(DataError, match=f"x.zip.*{message}"):
        check_zip(tmp_path / "x.zip")
    with pytest.raises(DataError, match=message):
        extract(tmp_path / "x.zip", tmp_path / "out", progressbar=False)
    assert left(tmp_path) == ["x.zip"]


def test_unpacking(archive, tmp_path):
    folder = extract(archive, tmp_path / "new" / "out", progressbar=False)
    unpacked = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert unpacked == MEMBERS and left(tmp_path / "new") == ["out"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    archive.unlink()
    assert extract(archive, folder, progressbar=False) == folder, "a folder that is there is complete"


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "evil",
    [
        "../evil.jpg",
        "PBC/../../evil.jpg",
        "/tmp/evil.jpg",
        "..\\evil.jpg",
        "C:\\evil.jpg",
        "C:evil.jpg",
        link("PBC/ig"),
    ],
    ids=["parent", "deep parent", "absolute", "backslash", "drive", "drive relative", "link"],
)
def test_no_member_leaves_the_folder(tmp_path, evil):
    (tmp_path / "evil.zip").write_bytes(pack({**MEMBERS, evil: b"../../elsewhere"}))
    with pytest.raises(DataError, match="outside its folder.*Nothing was unpacked"):
        extract(tmp_path / "evil.zip", tmp_path / "inside" / "out", progressbar=False)
    assert left(tmp_path) == ["evil.zip", "inside"] and left(tmp_path / "inside") == []


def damage(data, name):
    """Change a byte in the middle of a member's data."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(name)
    at = info.header_offset + 30 + len(name) + info.compress_size // 2
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_a_damaged_member_stops_the_unpacking(tmp_path, compression):
    name = list(MEMBERS)[3]
    (tmp_path / "x.zip").write_bytes(damage(pack(MEMBERS, compression), name))
    with pytest.raises(DataError, match="could not be unpacked.*Nothing was changed"):
        extract(tmp_path / "x.zip", tmp_path / "out", progressbar=False)
    assert left(tmp_path) == ["x.zip"]


def test_a_full_disk_is_foreseen_before_unpacking(archive, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, 5000))
        with pytest.raises(DataError, match="needs 0 MB and the disk has 0 MB free"):
            extract(archive, tmp_path / "out", progressbar=False)
    assert left(tmp_path) == ["archive.zip"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")], ids=repr)
def test_stopped_while_unpacking_leaves_nothing_and_a_rerun_works(archive, tmp_path, monkeypatch, error):
    unpack, done = zipfile.ZipFile.extract, []

    def stop(self, *args, **options):
        done.append(args)
        if len(done) == 4:
            raise error
        return unpack(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extract", stop)
        with pytest.raises((KeyboardInterrupt, DataError)):
            extract(archive, tmp_path / "out", progressbar=False)
    assert len(done) == 4 and left(tmp_path) == ["archive.zip"]
    assert len(list(extract(archive, tmp_path / "out", progressbar=False).rglob("*.jpg"))) == 6


def test_two_at_once_unpack_to_one_folder(archive, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: extract(archive, tmp_path / "out", progressbar=False), range(4)))
    assert set(folders) == {tmp_path / "out"} and left(tmp_path) == ["archive.zip", "out"]
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 6


def test_the_official_addresses():
    assert download.MIRRORS[0].startswith("https://data.mendeley.com/public-files/datasets/snkd93bnjr/")
    assert all(url.startswith("https://") for url in download.MIRRORS)
