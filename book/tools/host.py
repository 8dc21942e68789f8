"""The built pages as a host of static pages sends them, compressed: to tests, or to a room without internet.

usage: make serve, or in a bundle python3 serve.py [FOLDER] [--port 8000]

Standard library alone: `bundle.py` puts this file into every bundle as serve.py.
"""

import argparse
import gzip
import os
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

HERE = Path(__file__).resolve()
HTML = HERE.with_name("book") if HERE.name == "serve.py" else HERE.parents[1] / "_build" / "html"
WASM = "application/wasm"
KINDS = {".mjs": "text/javascript", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
KINDS |= {".json": "application/json", ".wasm": WASM}  # Windows may know others, or none
COMPRESSED = ("text/", "application/javascript", "application/json", "application/xml", "image/svg", WASM)


class Host(SimpleHTTPRequestHandler):
    """Files of the book, compressed once each."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | KINDS
    protocol_version = "HTTP/1.1"  # one connection for several files
    packed = {}

    def __init__(self, *args, directory=HTML, **kwargs):
        super().__init__(*args, directory=directory, **kwargs)

    def do_GET(self):
        """Send a file, compressed; where there is none, what the parent class answers."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if self.path.partition("?")[0].endswith("/") else path  # else it is sent there
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


class Room(ThreadingHTTPServer):
    """For a class that opens the same page in the same second."""

    allow_reuse_address = os.name != "nt"  # Windows would let two servers have one port
    request_queue_size = 128
    server_bind = (
        TCPServer.server_bind
    )  # the parent asks for a name of this computer, which takes long without internet

    def handle_error(self, request, client_address):
        """A tab that was closed is none."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Pages(Host):
    """The browser keeps what it has: the air of a room is for all."""

    def send_response(self, code, message=None):
        """Say so with every file."""
        super().send_response(code, message)
        if code == 200:
            self.send_header("Cache-Control", "max-age=3600")


def addresses():
    """Where other computers find this one, the likeliest first; without a network none."""
    found = []
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nobody's; nothing is sent, the system only chooses a way
        found.append(probe.getsockname()[0])
    with suppress(OSError):  # without internet this may take long
        found = found or [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    return [each for each in dict.fromkeys(found) if not each.startswith("127.")]


def main():
    """Serve the pages to a room until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Serve the book, with lab and game, to all computers on this network.")
    parser.add_argument("folder", nargs="?", type=Path, default=HTML, help="of the built pages (default: the book's)")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    if not (options.folder / "index.html").is_file():
        print(f"There are no pages in {options.folder}. Build them first: make book", file=sys.stderr)
        return 1
    host = partial(Pages, directory=options.folder)
    try:
        server = Room(("", options.port), host)
    except (OSError, OverflowError) as err:
        print(f"Port {options.port} cannot be used ({err}); another is taken.", file=sys.stderr)
        server = Room(("", 0), host)
    with server:
        port = server.server_address[1]
        found = [f"http://{address}:{port}/" for address in addresses()]
        print("The book is open to every computer on this network. Write on the board:\n")
        print("\n".join(f"    {url}" for url in found or ["(no network: join one, or open a hotspot; then once more)"]))
        print(f"\nOn this computer: http://localhost:{port}/. The lab and the game are in the menu.")
        print("Ctrl-C ends it.", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
