"""The built book as a reader meets it: served, compressed as a host does, and opened in Chromium."""

import gzip
import mimetypes
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

HTML = Path(__file__).parents[2] / "book" / "_build" / "html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WASM = "application/wasm"
COMPRESSED = ("text/", "application/javascript", "application/json", "application/xml", "image/svg", WASM)


class Host(SimpleHTTPRequestHandler):
    """Files of the book, compressed like a host of static pages sends them."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": WASM}
    packed = {}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, directory=HTML, **kwargs)

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        kind = self.guess_type(path)
        if not path.is_file() or not kind.startswith(COMPRESSED):
            return super().do_GET()
        if path not in self.packed:
            self.packed[path] = gzip.compress(path.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(self.packed[path])))
        self.end_headers()
        self.wfile.write(self.packed[path])

    def log_message(self, *args):
        """The tests say what is wrong."""


@pytest.fixture(scope="session")
def site():
    """The address of the book, without a slash at its end."""
    if not (HTML / "index.html").is_file():
        pytest.skip("there is no book yet: run `make book`")
    mimetypes.init()
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    """Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: `sudo apt-get install chromium`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium):
    """A reader's first visit: nothing stored. What fails on the way is in `context.trouble`."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.trouble = []

    def stay_home(route):
        context.trouble.append(f"asked {route.request.url}")
        route.abort()

    def told(message):
        if message.type == "error":
            context.trouble.append(f"{message.text} ({message.location.get('url', '')})")

    context.route(lambda url: not url.startswith(("http://127.0.0.1:", "data:", "blob:")), stay_home)
    context.on("console", told)
    context.on("weberror", lambda error: context.trouble.append(str(error.error)))
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A page whose reader sees no error, of the console or of the network."""
    yield context.new_page()
    assert not context.trouble
