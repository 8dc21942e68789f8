"""A bundle for a room without internet: what is in it, for whom, and what happens when something goes wrong.

uv and the downloads are real; what they ask is an index of packages that this file invents.
"""

import gzip
import hashlib
import io
import json
import mimetypes
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import bundle
import host
import pooch
import pytest
import wheels

from bloodcell_utils.errors import BloodcellError

ROOT = Path(__file__).parents[2]
NATIVE = {
    "windows": "cp312-cp312-win_amd64",
    "macos": "cp312-abi3-macosx_11_0_arm64",
    "linux": "cp312-cp312-manylinux1_x86_64",
}
PACKAGES = {  # name: (version, marker, tags of its wheels)
    "everywhere": ("1.0", "", ["py3-none-any"]),
    "on-windows": ("2.0", " ; sys_platform == 'win32'", ["py3-none-any"]),
    "not-on-windows": ("2.0", " ; os_name == 'posix' and platform_machine != 'AMD64'", ["py3-none-any"]),
    "early-patch": ("1", " ; python_full_version < '3.12.5'", ["py3-none-any"]),
    "late-patch": ("2", " ; python_full_version >= '3.12.5'", ["py3-none-any"]),
    "older-python": ("1", " ; python_version < '3.12'", ["py3-none-any"]),
    "compiled": (
        "1.0.post1",
        " ; python_full_version >= '3.12'",
        ["py3-none-any", *NATIVE.values(), "cp313-cp313-win_amd64", "cp311-cp311-win_amd64", "cp312-cp312-win32"]
        + ["cp312-cp312-macosx_99_0_arm64"],
    ),
}
FILES = {
    f"{name.replace('-', '_')}-{version}-{tag}.whl": (name, tag)
    for name, (version, _, tags) in PACKAGES.items()
    for tag in tags
}
SIZE = 400_000  # bytes, as the index says, of a compiled wheel


@cache
def content(file):
    """A wheel that can be read, as bytes."""
    name, version, *_ = file.split("-")
    about = f"{name}-{version}.dist-info"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for entry, text in {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            "WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {file.split('-', 2)[2][:-4]}\n",
            "RECORD": "",
        }.items():
            archive.writestr(zipfile.ZipInfo(f"{about}/{entry}"), text)
    return stream.getvalue()


def digest(file):
    return hashlib.sha256(content(file)).hexdigest()


def lock():
    lines = ["# made by a machine"]
    for name, (version, marker, _) in PACKAGES.items():
        digests = [digest(file) for file, (owner, _) in FILES.items() if owner == name]
        lines += [" \\\n    --hash=sha256:".join([f"{name}=={version}{marker}", *digests])]
    return "\n".join(lines) + "\n"


class Index(BaseHTTPRequestHandler):
    """Packages as an index of the Python world lists and sends them; the wheels that were asked for are kept."""

    asked = []

    def do_GET(self):
        file = self.path.rsplit("/", 1)[1]
        if file in FILES:
            self.asked.append(file)
            return self.answer(content(file), "application/octet-stream")
        name = self.path.strip("/").split("/")[-1]
        files = [
            {"filename": file, "url": f"/files/{file}", "hashes": {"sha256": digest(file)}}
            | {"size": len(content(file)) if tag == "py3-none-any" else SIZE}
            for file, (owner, tag) in FILES.items()
            if owner == name
        ]
        listed = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
        return self.answer(json.dumps(listed).encode(), "application/vnd.pypi.simple.v1+json")

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def index():
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def checkout(index, tmp_path, monkeypatch):
    """A small checkout, and an index that sends what is asked for."""
    root = tmp_path / "checkout"
    for path, text in {
        "pyproject.toml": "",
        "requirements.lock": lock(),
        "LICENSE": "code",
        "LICENSE-text": "text",
        "notebooks/00_first.ipynb": "{}",
        "book/_build/html/index.html": "<p>the book",
        "book/_build/html/_static/a.css": "",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    settings = {"UV_DEFAULT_INDEX": f"{index}/simple", "UV_NO_CONFIG": "1", "UV_CACHE_DIR": str(tmp_path / "uv")}
    for name, value in (settings | {"NO_PROXY": "127.0.0.1", "UV_PYTHON_DOWNLOADS": "never"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Index, "asked", [])
    monkeypatch.setattr(bundle, "ROOT", root)
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    built = "bloodcell_utils-0.1.0-py3-none-any.whl"
    monkeypatch.setattr(wheels, "build", lambda source, folder: (folder / built).write_bytes(b"this package"))
    return SimpleNamespace(root=root, folder=tmp_path / "stick" / "course")


def make(checkout, platforms=("windows",), pythons=("3.12",), **options):
    return bundle.make(checkout.folder, list(platforms), list(pythons), progressbar=False, **options)


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_in_it(checkout, capsys):
    folder = make(checkout)
    assert names(folder) == {
        "README.txt", "SHA256SUMS", "LICENSE", "LICENSE-text", "serve.py", "notebooks/00_first.ipynb",
        "book/index.html", "book/_static/a.css",
        "wheels/bloodcell_utils-0.1.0-py3-none-any.whl", "wheels/everywhere-1.0-py3-none-any.whl",
        "wheels/on_windows-2.0-py3-none-any.whl", "wheels/early_patch-1-py3-none-any.whl",
        "wheels/late_patch-2-py3-none-any.whl", "wheels/compiled-1.0.post1-cp312-cp312-win_amd64.whl",
    }  # fmt: skip
    readme = (folder / "README.txt").read_text()
    assert "--no-index --find-links wheels" in readme and "py -m venv" in readme and "Python 3.12 on windows" in readme
    assert "is ready" in capsys.readouterr().out


def test_one_computer_serves_the_room(checkout):
    lab = checkout.root / "book" / "_build" / "html" / "_static" / "lab"
    lab.mkdir()
    kinds = {"ort.min.mjs": "text/javascript", "ort.wasm": "application/wasm", "lab.js": "text/javascript"}
    for name in kinds:
        (lab / name).write_bytes(b"123")
    (lab / "index.html").write_text("the lab")
    folder = make(checkout)
    serve = [sys.executable, "-I", "-S", "serve.py", "--port", "99999"]  # with nothing installed; there is no such port
    with subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        (patience := threading.Timer(30, server.kill)).start()
        try:
            lines = iter(server.stdout.readline, "")
            said = "".join(takewhile(lambda line: "Ctrl-C" not in line, lines))
            port = re.search(r"localhost:(\d+)/", said)[1]
            here = f"http://127.0.0.1:{port}"
            ask = partial(urllib.request.urlopen, timeout=10)
            for name, kind in kinds.items():
                with ask(f"{here}/_static/lab/{name}") as answer:
                    assert answer.headers["Content-Type"] == kind and "max-age" in answer.headers["Cache-Control"]
                    assert answer.headers["Content-Encoding"] in (None, "gzip")
            with ask(f"{here}/?a=b") as answer:
                assert b"the book" in gzip.decompress(answer.read())
            with ask(f"{here}/_static/lab") as answer:
                assert answer.url == f"{here}/_static/lab/", "else its files are looked for in another folder"
            with pytest.raises(urllib.error.HTTPError) as missing:
                ask(f"{here}/none.html")
            assert missing.value.code == 404 and "Cache-Control" not in missing.value.headers, "it may come"
            board = re.findall(r"^    (http://\S+)$", said, flags=re.M)
            assert board or "(no network" in said
            assert all(re.fullmatch(rf"http://(?!127\.)[\d.]+:{port}/", address) for address in board)
        finally:
            patience.cancel()
            server.terminate()


def test_which_addresses_are_written_on_the_board(monkeypatch):
    asked = []

    def getaddrinfo(*args):
        asked.append(args)
        return [(None, None, None, "", (address, 0)) for address in ("127.0.1.1", "192.168.1.5", "192.168.1.5")]

    class Probe(socket.socket):
        def getsockname(self):
            return ("10.0.0.7", 1)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(Probe, "connect", lambda self, address: None)
    monkeypatch.setattr(socket, "socket", Probe)
    assert host.addresses() == ["10.0.0.7"] and not asked, "without internet a name is waited for"
    monkeypatch.setattr(Probe, "getsockname", Mock(side_effect=OSError))
    assert host.addresses() == ["192.168.1.5"]


def test_what_windows_knows_of_files_does_not_count(monkeypatch):
    monkeypatch.setattr(mimetypes, "guess_type", lambda *args, **options: ("text/plain", None))
    kinds = {host.Host.guess_type(host.Host, f"a{ending}") for ending in (".js", ".css", ".json", ".svg", ".wasm")}
    assert len(kinds) == 5 and "text/plain" not in kinds


@pytest.mark.parametrize(("error", "told"), [(ConnectionResetError, False), (ValueError, True)])
def test_a_closed_tab_is_no_error(error, told, capsys):
    try:
        raise error
    except error:
        host.Room.handle_error(object.__new__(host.Room), None, ("10.0.0.7", 1))
    assert bool(capsys.readouterr().err) is told


def test_checksums_are_those_of_sha256sum(checkout):
    folder = make(checkout)
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ")[1] for line in lines} == names(folder) - {"SHA256SUMS"}
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_students_check_a_copy_without_the_course(checkout):
    folder = make(checkout)
    readme = (folder / "README.txt").read_text()
    _, *command = shlex.split(re.search(r"^ +(python3 -c .*)$", readme, flags=re.M)[1])

    def said():
        return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True).stdout.strip()

    assert said() == "[]"
    (folder / "LICENSE").unlink()
    (folder / "wheels" / "on_windows-2.0-py3-none-any.whl").write_bytes(b"cut sho")
    assert said() == "['LICENSE', 'wheels/on_windows-2.0-py3-none-any.whl']"


def test_each_system_gets_its_own(checkout):
    folder = make(checkout, NATIVE)

    def compiled():
        return {path.name.split("-", 2)[2] for path in (folder / "wheels").glob("compiled*")}

    assert compiled() == {f"{tag}.whl" for tag in NATIVE.values()}
    both = {"wheels/on_windows-2.0-py3-none-any.whl", "wheels/not_on_windows-2.0-py3-none-any.whl"}
    assert both <= names(folder)
    make(checkout, ("macos",))
    assert compiled() == {f"{tag}.whl" for tag in NATIVE.values()}, "more systems may be added one by one"


def test_each_python_gets_its_own(checkout):
    folder = make(checkout, pythons=("3.12", "3.13"))
    assert {"cp312-cp312-win_amd64", "cp313-cp313-win_amd64"} == {
        path.stem.split("-", 2)[2] for path in (folder / "wheels").glob("compiled*")
    }
    make(checkout, pythons=("3.11",))
    assert "wheels/older_python-1-py3-none-any.whl" in names(folder)


def test_this_computer_can_install_what_is_made_for_it(checkout):
    folder = bundle.make(checkout.folder, progressbar=False)
    wheel = folder / "wheels" / "everywhere-1.0-py3-none-any.whl"
    target = checkout.folder / "installed"
    command = [sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-index", "--no-deps"]
    subprocess.run([*command, "--target", str(target), str(wheel)], check=True, capture_output=True)
    assert (target / "everywhere-1.0.dist-info").is_dir()


def test_what_is_there_is_kept(checkout):
    folder = make(checkout)
    before = len(Index.asked)
    make(checkout)
    assert len(Index.asked) == before, "nothing is asked for twice"
    wheel = folder / "wheels" / "everywhere-1.0-py3-none-any.whl"
    wheel.write_bytes(b"cut sho")
    make(checkout)
    assert Index.asked[before:] == [wheel.name] and wheel.read_bytes() == content(wheel.name)


def test_an_interruption_costs_one_wheel(checkout, monkeypatch):
    fetch = pooch.Pooch.fetch

    def stop(self, name, **options):
        if len(Index.asked) == 2:
            raise KeyboardInterrupt
        return fetch(self, name, **options)

    monkeypatch.setattr(pooch.Pooch, "fetch", stop)
    with pytest.raises(KeyboardInterrupt):
        make(checkout)
    assert not (checkout.folder / "SHA256SUMS").exists(), "an unfinished bundle has no checksums"
    (checkout.folder / "wheels" / "tmp8cs2").write_bytes(b"half a wheel")
    monkeypatch.setattr(pooch.Pooch, "fetch", fetch)
    folder = make(checkout)
    assert len(Index.asked) == len(set(Index.asked)) == 5 and "wheels/tmp8cs2" not in names(folder)


def test_a_wheel_that_is_not_the_locks_is_refused(checkout, monkeypatch):
    monkeypatch.setitem(FILES, "everywhere-1.0-py3-none-any.whl", ("everywhere", "py3-none-any"))
    path = checkout.root / "requirements.lock"
    path.write_text(path.read_text().replace(digest("everywhere-1.0-py3-none-any.whl"), "0" * 64))
    with pytest.raises(BloodcellError, match="everywhere.*Python 3.12 on windows.*checksum"):
        make(checkout)


def test_a_damaged_download_does_not_stay(checkout, monkeypatch):
    answer = Index.answer
    monkeypatch.setattr(
        Index, "answer", lambda self, body, kind: answer(self, body.replace(b"RECORD", b"REC0RD"), kind)
    )
    with pytest.raises(BloodcellError, match="(?s)did not arrive.*goes on"):
        make(checkout)
    assert not list((checkout.folder / "wheels").iterdir())


def test_a_system_without_wheels_is_named(checkout):
    path = checkout.root / "requirements.lock"
    path.write_text(path.read_text() + f"absent==1 \\\n    --hash=sha256:{'0' * 64}\n")
    with pytest.raises(BloodcellError, match="(?s)Python 3.12 on windows.*absent.*goes on"):
        make(checkout)


def test_old_versions_and_old_notebooks_go(checkout):
    folder = make(checkout)
    (folder / "wheels" / "everywhere-0.9-py3-none-any.whl").write_bytes(b"an older lock's")
    (folder / "notebooks" / "99_old.ipynb").write_text("{}")
    make(checkout)
    assert not {"wheels/everywhere-0.9-py3-none-any.whl", "notebooks/99_old.ipynb"} & names(folder)


def test_another_edition(checkout, tmp_path):
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "00_first.ipynb").write_text('{"without": "solutions"}')
    folder = make(checkout, notebooks=tmp_path / "student")
    assert "without" in (folder / "notebooks" / "00_first.ipynb").read_text()
    with pytest.raises(BloodcellError, match="--notebooks"):
        make(checkout, notebooks=tmp_path / "nowhere")


def test_without_pages_it_says_how_to_get_them(checkout, capsys):
    make(checkout)
    (checkout.root / "book" / "_build" / "html" / "index.html").unlink()
    (checkout.root / "book" / "_build" / "html" / "_static" / "a.css").unlink()
    assert not {"serve.py", "book/index.html"} & names(make(checkout)), "what served the pages goes with them"
    assert "make book" in capsys.readouterr().out


def test_check_finds_what_is_changed_missing_or_strange(checkout, capsys):
    folder = make(checkout)
    assert bundle.check(folder) is False and "is whole" in capsys.readouterr().out
    (folder / "notebooks" / "00_first.ipynb").write_text("{ }")
    (folder / "LICENSE").unlink()
    (folder / "wheels" / "other-1-py3-none-any.whl").write_bytes(b"?")
    assert bundle.main([str(folder), "--check"]) == 1
    out = capsys.readouterr().out
    assert "changed: notebooks/00_first.ipynb" in out and "missing: LICENSE" in out
    assert "not of this bundle: wheels/other-1-py3-none-any.whl" in out


def test_check_of_an_unfinished_one(tmp_path):
    with pytest.raises(BloodcellError, match="no finished bundle"):
        bundle.check(tmp_path)


def test_a_folder_with_something_else_is_refused(checkout):
    (checkout.folder / "notebooks").mkdir(parents=True)
    (checkout.folder / "notebooks" / "mine.ipynb").write_text("years of work")
    with pytest.raises(BloodcellError, match="something else"):
        make(checkout)
    assert (checkout.folder / "notebooks" / "mine.ipynb").exists()


def test_a_small_disk(checkout, monkeypatch):
    monkeypatch.setattr(wheels.shutil, "disk_usage", lambda _: SimpleNamespace(free=1e5))
    with pytest.raises(BloodcellError, match="0 MB are free"):
        make(checkout)


def test_without_a_network(checkout, monkeypatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(BloodcellError, match="(?s)Python 3.12 on windows.*network.*goes on"):
        make(checkout)


def test_a_system_that_is_none(checkout):
    with pytest.raises(BloodcellError, match="(?s)'solaris'.*possible values: windows"):
        make(checkout, ("solaris",))


def test_a_python_that_is_none(checkout):
    with pytest.raises(BloodcellError, match="write 3.12"):
        bundle.make(checkout.folder, None, ["312"])


def test_the_command_says_what_is_wrong_and_has_a_help(checkout, capsys):
    assert bundle.main([str(checkout.folder), "--python-version", "312"]) == 1
    assert "write 3.12" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        bundle.main(["--help"])
    out = capsys.readouterr().out
    assert "--python-version" in out and "make bundle FOLDER=" in out


def test_make_asks_for_the_folder():
    asked = subprocess.run(["make", "bundle"], cwd=ROOT, capture_output=True, text=True)
    assert asked.returncode and "make bundle FOLDER=/media" in asked.stderr
