"""Measure what each chapter takes: seconds, processor seconds, memory, cache; for teachers who size a server.

usage: python book/tools/measure.py [--profile laptop] [--busy] [chapter ...]

On the sample profile each chapter runs alone, with an empty cache; on the laptop profile with the folders that the
caller's variables name, and a cache that earlier runs have filled, as a class finds it. Memory is the largest resident
size of its kernel, with what the kernel starts, looked at twenty times a second, and of it what belongs to no file: the
rest, such as features that are read from the cache, a container can drop and read again. The notebook server is
measured once, beside them. The numbers of this machine go into book/memory.json; named chapters are measured again, the
others keep their numbers.
"""

import argparse
import json
import os
import secrets
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
    """Follow the memory and the processor time of a process and of those that it starts."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.process, self.stopped = psutil.Process(pid), threading.Event()
        self.peak, self.own, self.busy = 0, 0, {}

    def run(self):
        """Look until the process is gone, or nobody asks any more."""
        while not self.stopped.wait(PAUSE):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                sizes = [process.memory_info() for process in family]
                for process in family:
                    times = process.cpu_times()
                    self.busy[process.pid] = times.user + times.system
            except psutil.Error:
                continue
            self.peak = max(self.peak, sum(size.rss for size in sizes))
            self.own = max(self.own, sum(size.rss - getattr(size, "shared", 0) for size in sizes))  # Linux tells it

    def finish(self):
        """The largest sizes, in MB, and the processor seconds."""
        self.stopped.set()
        self.join()
        sizes = {"peak_rss_mb": round(self.peak / 1e6), "peak_own_mb": round(self.own / 1e6)}
        return sizes | {"processor_seconds": round(sum(self.busy.values()), 1)}


def measure(chapter, profile):
    """Run a chapter from top to bottom on a profile, and say what it took."""
    path = ROOT / "notebooks" / chapter.file
    client = NotebookClient(
        nbformat.read(path, as_version=4), timeout=600, resources={"metadata": {"path": path.parent}}
    )
    alone = profile == "sample"
    with tempfile.TemporaryDirectory() as cache:
        variables = {name: value for name, value in os.environ.items() if not (alone and name.startswith("BLOODCELL_"))}
        variables |= {"BLOODCELL_PROFILE": profile, "BLOODCELL_PROGRESS_FILE": str(Path(cache, "progress.json"))}
        variables |= {"BLOODCELL_CACHE_DIR": cache} if alone else {}
        start = time.perf_counter()
        with client.setup_kernel(env=variables, stderr=subprocess.DEVNULL):
            watch = Watch(client.km.provisioner.pid)
            watch.start()
            for number, cell in enumerate(client.nb.cells):
                client.execute_cell(cell, number)
            seconds, took = time.perf_counter() - start, watch.finish()
        kept = sum(file.stat().st_size for file in Path(cache).rglob("*") if file.is_file())
    took |= {"cache_mb": round(kept / 1e6, 1)} if alone else {}
    return {"seconds": round(seconds, 1), **took, **circumstances()}


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
    lab = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    token = secrets.token_hex()  # in the environment, which other users of this machine cannot read
    quiet |= {"env": os.environ | {"JUPYTER_TOKEN": token}}
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(lab, cwd=folder, **quiet) as process:
        try:
            watch = Watch(process.pid)
            watch.start()
            deadline = time.monotonic() + SERVER_STARTS
            while not _answers(f"http://127.0.0.1:{port}/lab?token={token}"):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit(
                        f"JupyterLab did not answer within {SERVER_STARTS} s; start it by hand to see why."
                    )
                time.sleep(0.5)
            time.sleep(2)
            return watch.finish()["peak_rss_mb"]
        finally:
            process.terminate()


def write(known):
    """Keep the measurements, chapters in the order of the course."""
    for part in ("chapters", "laptop"):
        measured = known.get(part, {})
        known[part] = {each.name: measured[each.name] for each in course.load().chapters if each.name in measured}
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
    parser = argparse.ArgumentParser(description="Measure time and memory of the chapters.")
    parser.add_argument("--profile", choices=("sample", "laptop"), default="sample")
    busy = "this machine does other things, too: keep the seconds that are known, which it would spoil"
    parser.add_argument("--busy", action="store_true", help=busy)
    parser.add_argument("chapter", nargs="*", help=f"of: {', '.join(chapters)} (default: all)")
    options = parser.parse_args()
    chosen = options.chapter or list(chapters)
    if unknown := set(chosen) - set(chapters):
        parser.error(f"there is no chapter {', '.join(sorted(unknown))}")
    known = json.loads(TARGET.read_text("utf-8")) if TARGET.exists() else {"profile": "sample", "chapters": {}}
    known["server_rss_mb"] = server()
    print(f"{'server':<20} {known['server_rss_mb']:>6,} MB")
    part = "chapters" if options.profile == "sample" else options.profile
    for name in chosen:
        before, took = known.setdefault(part, {}).get(name, {}), measure(chapters[name], options.profile)
        if options.busy and "seconds" in before:
            since = before.get("seconds_of") or {key: before[key] for key in ("device", "created")}
            took |= {"seconds": before["seconds"], "seconds_of": since}
        known[part][name] = took
        write(known)
        print(
            f"{name:<20} {took['peak_rss_mb']:>6,} MB ({took['peak_own_mb']:,} of no file) {took['seconds']:>7.1f} s "
            f"({took['processor_seconds']:.1f} of processors)",
            flush=True,
        )


if __name__ == "__main__":
    main()
