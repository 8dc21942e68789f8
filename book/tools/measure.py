"""Measure what each chapter takes on the sample profile: seconds, memory, cache; for teachers who size a server.

usage: python book/tools/measure.py [chapter ...]

Each chapter runs alone, with an empty cache. Memory is the largest resident size of its kernel, with what the kernel
starts, looked at twenty times a second; the notebook server is measured once, beside them. The numbers of this
machine go into book/memory.json; named chapters are measured again, the others keep their numbers.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

from bloodcell_utils import course
from bloodcell_utils.experiments import provenance
from bloodcell_utils.files import replace_file

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "book" / "memory.json"
PAUSE = 0.05  # seconds between two looks
SERVER_STARTS = 60  # seconds


class Watch(threading.Thread):
    """Follow the memory of a process and of those that it starts."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.process, self.peak, self.stopped = psutil.Process(pid), 0, threading.Event()

    def run(self):
        """Look until the process is gone, or nobody asks any more."""
        while not self.stopped.wait(PAUSE):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                self.peak = max(self.peak, sum(process.memory_info().rss for process in family))
            except psutil.Error:
                continue

    def finish(self):
        """The largest size, in MB."""
        self.stopped.set()
        self.join()
        return round(self.peak / 1e6)


def measure(chapter):
    """Run a chapter from top to bottom, and say what it took."""
    path = ROOT / "notebooks" / chapter.file
    client = NotebookClient(
        nbformat.read(path, as_version=4), timeout=600, resources={"metadata": {"path": path.parent}}
    )
    with tempfile.TemporaryDirectory() as cache:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("BLOODCELL_")}
        variables |= {"BLOODCELL_CACHE_DIR": cache, "BLOODCELL_PROGRESS_FILE": str(Path(cache, "progress.json"))}
        start = time.perf_counter()
        with client.setup_kernel(env=variables, stderr=subprocess.DEVNULL):
            watch = Watch(client.km.provisioner.pid)
            watch.start()
            for number, cell in enumerate(client.nb.cells):
                client.execute_cell(cell, number)
        seconds, peak = time.perf_counter() - start, watch.finish()
        kept = sum(file.stat().st_size for file in Path(cache).rglob("*") if file.is_file())
    return {"seconds": round(seconds, 1), "peak_rss_mb": peak, "cache_mb": round(kept / 1e6, 1), **circumstances()}


def circumstances():
    """When, on what and with what something was measured."""
    known = provenance.provenance()
    versions = {name: known["versions"].get(name) for name in ("python", "keras", "tensorflow", "numpy")}
    return {"device": known["device"], "created": known["created"], "versions": versions}


def server():
    """Memory of a JupyterLab that has answered, in MB."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lab = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.token="]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(lab, cwd=folder, **quiet) as process:
        try:
            watch = Watch(process.pid)
            watch.start()
            deadline = time.monotonic() + SERVER_STARTS
            while not _answers(f"http://127.0.0.1:{port}/lab"):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit(
                        f"JupyterLab did not answer within {SERVER_STARTS} s; start it by hand to see why."
                    )
                time.sleep(0.5)
            time.sleep(2)
            return watch.finish()
        finally:
            process.terminate()


def write(known):
    """Keep the measurements, chapters in the order of the course."""
    order = [chapter.name for chapter in course.load().chapters]
    known["chapters"] = {name: known["chapters"][name] for name in order if name in known["chapters"]}
    known["created"] = datetime.now(UTC).isoformat(timespec="seconds")
    replace_file(TARGET, (json.dumps(known, indent=1) + "\n").encode())


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return page.status == 200
    except OSError:
        return False


def main():
    """Measure and write, a chapter at a time: an interruption loses one."""
    chapters = {chapter.name: chapter for chapter in course.load().chapters}
    parser = argparse.ArgumentParser(description="Measure time and memory of the chapters on the sample profile.")
    parser.add_argument("chapter", nargs="*", help=f"of: {', '.join(chapters)} (default: all)")
    chosen = parser.parse_args().chapter or list(chapters)
    if unknown := set(chosen) - set(chapters):
        parser.error(f"there is no chapter {', '.join(sorted(unknown))}")
    known = json.loads(TARGET.read_text("utf-8")) if TARGET.exists() else {"profile": "sample", "chapters": {}}
    known["server_rss_mb"] = server()
    print(f"{'server':<20} {known['server_rss_mb']:>6,} MB")
    for name in chosen:
        known["chapters"][name] = took = measure(chapters[name])
        write(known)
        print(f"{name:<20} {took['peak_rss_mb']:>6,} MB {took['seconds']:>7.1f} s {took['cache_mb']:>7.1f} MB of cache")


if __name__ == "__main__":
    main()
