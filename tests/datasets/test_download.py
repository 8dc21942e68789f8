"""Fetching: whatever arrives, and whenever it stops, nothing half-made is left behind."""

import errno
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pooch
import pytest

from bloodcell_utils.datasets import download
from bloodcell_utils.datasets.archives import ARCHIVE, members
from bloodcell_utils.datasets.download import fetch
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


def test_a_damaged_archive_that_is_there_is_named_and_kept(tmp_path):
    (tmp_path / ARCHIVE).write_bytes(GOOD[:2000])
    with pytest.raises(DataError, match="cut short or not a zip.*fetch` after moving it away"):
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
        members(tmp_path / "x.zip")


def test_the_official_addresses():
    assert download.MIRRORS[0].startswith("https://data.mendeley.com/public-files/datasets/snkd93bnjr/")
    assert all(url.startswith("https://") for url in download.MIRRORS)
