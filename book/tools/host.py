"""The built pages as a host of static pages sends them: compressed, and nothing else."""

import gzip
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"
WASM = "application/wasm"
COMPRESSED = ("text/", "application/javascript", "application/json", "application/xml", "image/svg", WASM)


class Host(SimpleHTTPRequestHandler):
    """Files of the book, compressed once each."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": WASM}
    protocol_version = "HTTP/1.1"  # one connection for several files
    packed = {}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, directory=HTML, **kwargs)

    def do_GET(self):
        """Send a file, compressed; where there is none, what the parent class answers."""
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
        """Log nothing: the browser reports what is wrong."""


@contextmanager
def serve(host=Host):
    """Send the pages for a while, to this machine alone.

    Parameters
    ----------
    host : type
        `Host`, or a class that derives from it.

    Yields
    ------
    str
        Their address, without a slash at its end.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
