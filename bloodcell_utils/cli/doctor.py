"""Would the course run here? What a class checks in its first ten minutes, and what to do about each problem."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

from .. import config
from ..errors import BloodcellError

PACKAGE = "bloodcell-utils"
INSTALL = "run `make book`, or `pip install -e .` in the course's folder"
PORT = 8888  # Jupyter's first choice
CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")  # where Linux limits containers, and which one this is
PATIENCE = 120  # seconds for TensorFlow's first start; a virus scanner reads all of it
ALIASES = {"python", "python3", f"python3.{sys.version_info.minor}"}  # Jupyter puts its own Python in their place

_KERAS = """
import json
from bloodcell_utils.models import runtime
print(json.dumps([runtime.accelerators(), runtime.fastest_precision()]))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    Attributes
    ----------
    text : str
        What was found.
    advice : str
        What to do; empty where all is well.
    needed : bool
        Whether the sample profile does not run without it.
    """

    text: str
    advice: str = ""
    needed: bool = False

    def __str__(self):
        """Two lines at most."""
        if not self.advice:
            return f"  ok  {self.text}"
        return f"  {'!!' if self.needed else '--'}  {self.text}\n       {self.advice}"


def run():
    """Examine this machine, print each finding as it comes, and say at last whether the course can begin.

    Returns
    -------
    bool
        Whether something is missing that the sample profile needs: the exit status of `bloodcell doctor`.
    """
    profiles = f"{config.profile().name} (of {', '.join(config.PROFILES)})"
    print(f"{PACKAGE} {_version(PACKAGE) or '(not installed)'}; profile: {profiles}")
    first = None
    for finding in examine():
        print(finding, flush=True)
        if finding.needed and finding.advice:
            first = first or finding.advice
    print(f"Not ready yet. First: {first}" if first else "Ready for the course. It does without what is marked --.")
    return first is not None


def examine():
    """Everything that the course needs or would like to have.

    Yields
    ------
    Finding
    """
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # The two slow starts go on beside the rest; a processor that TensorFlow cannot use ends its process, not this one.
    with (
        subprocess.Popen([sys.executable, "-c", _KERAS], **quiet) as keras,
        subprocess.Popen([sys.executable, "-m", "jupyterlab", "--version"], **quiet) as lab,
    ):
        try:
            yield from _installation()
            yield from _machine()
            yield from _folders()
            yield _reading()
            yield from _server(lab)
            yield from _data()
            yield from _network(keras)
        finally:  # also when a caller stops half-way
            keras.kill()
            lab.kill()


def _installation():
    """Python, the virtual environment, the libraries."""
    found = ".".join(map(str, sys.version_info[:3]))
    try:
        from packaging.specifiers import SpecifierSet

        supported = metadata(PACKAGE)["Requires-Python"] or ""
        allowed = SpecifierSet(supported).contains(found, prereleases=True)
    except ImportError:  # then JupyterLab or the package itself is missing too, and is reported
        allowed = True
    advice = "" if allowed else f"the course needs Python {supported}: install it beside this one"
    yield Finding(f"Python {found}, {sys.executable}", advice, needed=True)
    own = sys.prefix != sys.base_prefix or "CONDA_PREFIX" in os.environ
    advice = "" if own else "other projects share these libraries; better: python -m venv .venv, then install there"
    yield Finding(f"{'a' if own else 'no'} virtual environment: {sys.prefix}", advice)
    for name in ("tensorflow", "keras", "scikit-learn", "matplotlib", "ipywidgets", "jupyterlab", "ipykernel"):
        known = _version(name)
        yield Finding(f"{name} {known}" if known else f"{name} is not installed", "" if known else INSTALL, needed=True)


def _machine():
    """Processors, memory and disk, beside what the chapters were measured to take."""
    from ..experiments.provenance import device

    yield Finding(f"processor: {device()}")
    took, cache = _demands(), config.cache_dir()
    try:
        import psutil

        memory = psutil.virtual_memory()
        free = shutil.disk_usage(next(place for place in (cache, *cache.absolute().parents) if place.exists())).free
    except (ImportError, OSError) as err:
        yield Finding(f"memory and disk could not be looked at: {err}", INSTALL)
        return
    total, available = _allowed(memory.total, memory.available)
    limited = total < memory.total
    text = f"memory: {total / 1e9:.1f} GB{' for this server' if limited else ''}, {available / 1e9:.1f} GB free"
    others = "shut down the kernels of other notebooks" if limited else "close other programs"
    advice = f"the heaviest chapter took {took['memory_mb'] / 1e3:.1f} GB with its server: {others}"
    enough = available >= took["memory_mb"] * 1e6
    yield Finding(text, "" if enough else advice, needed=total < took["memory_mb"] * 1e6)
    advice = f"the course keeps {took['cache_mb']:,.0f} MB: free some space, or point BLOODCELL_CACHE_DIR elsewhere"
    enough = free >= took["cache_mb"] * 1e6
    yield Finding(f"disk: {free / 1e9:.1f} GB free where the cache is", "" if enough else advice, needed=True)


def _allowed(total, available):
    """Memory of this machine and what is free of it, or of the container that this process may not leave, in bytes."""
    machine = total
    if (hub := os.environ.get("MEM_LIMIT", "")).isdigit():  # JupyterHub says what it gives
        total, available = min(total, int(hub)), min(available, int(hub))
    root, own = CGROUPS
    try:
        groups = [line.split(":", 2)[1:] for line in own.read_text("utf-8").splitlines()]
    except (OSError, ValueError):  # not Linux
        return total, available
    for controllers, path in groups:
        if controllers and "memory" not in controllers.split(","):
            continue
        old = bool(controllers)  # version 1 has a tree for each controller
        folder = root / "memory" if old else root
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if old else ("memory.max", "memory.current")
        here = folder / path.strip("/")
        for place in (here, *here.parents[: len(here.relative_to(folder).parts)]):  # the strictest of all above counts
            try:
                limit, used = (int((place / name).read_text("utf-8")) for name in names)
                stat = dict(line.split() for line in (place / "memory.stat").read_text("utf-8").splitlines())
            except (OSError, ValueError):  # none here, or "max"
                continue
            if limit <= machine:
                kept = int(stat.get("total_inactive_file" if old else "inactive_file", 0))  # files, dropped when asked
                total, available = min(total, limit), min(available, limit - used + kept)
    return total, max(available, 0)


def _folders():
    """Whether what is computed and what is solved can be kept."""
    for name, folder, variable in (
        ("cache", config.cache_dir(), "BLOODCELL_CACHE_DIR"),
        ("progress", config.progress_file().parent, "BLOODCELL_PROGRESS_FILE"),
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                yield Finding(f"{name}: {folder}{_shared(folder) if name == 'cache' else ''}")
        except OSError as err:
            advice = f"make it writable, or point {variable} to a place of your own"
            yield Finding(f"{name}: {folder} cannot be written: {err}", advice, needed=True)
    yield Finding(f"results: {config.results_dir()}")


def _shared(own):
    """What to say of a cache that a class shares, and that its members may only read."""
    folder = os.environ.get("BLOODCELL_CACHE_DIR")
    return f", for what is not in {folder}" if folder and Path(folder).expanduser().resolve() != own.resolve() else ""


def _reading():
    """Draw a cell and read it with the networks that came with the package: the shortest way through all of it."""
    try:
        from ..datasets import sample
        from ..evaluation import prediction
        from ..models import pretrained

        start = time.perf_counter()
        picture = sample.sample(per_class=1)[0][0]
        answer = prediction.predict(picture).iloc[0]
        seconds = time.perf_counter() - start
        right = f"{100 * pretrained.metadata(pretrained.TRAVELLED)['accuracy']:.1f} % of the test images right"
    except BloodcellError as err:
        return Finding("the network of `bloodcell predict` gives no answer", str(err), needed=True)
    except ImportError as err:
        return Finding(f"no cell can be drawn and read: {err}", INSTALL, needed=True)
    said = f"{answer['answer']}, {100 * answer['confidence']:.1f} %"
    return Finding(f"a drawn neutrophil was read in {seconds:.1f} s: {said} (the networks got {right})")


def _server(lab):
    """JupyterLab, the kernel behind `python3`, and the port."""
    _, problem = _finished(lab)
    yield Finding(f"JupyterLab {f'does not start: {problem}' if problem else 'starts'}", problem and INSTALL, True)
    yield _kernel()
    with socket.socket() as probe:
        if os.name != "nt":  # there, this option would allow a port that is taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
            yield Finding(f"port {PORT} is free")
        except OSError:
            advice = "Jupyter takes the next one: open the address that it prints, not one from memory"
            yield Finding(f"port {PORT} is taken", advice)


def _kernel():
    """Whether notebooks will run in this Python."""
    again = f'"{sys.executable}" -m ipykernel install --sys-prefix'
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

        spec = KernelSpecManager().get_kernel_spec("python3")
    except ImportError as err:
        return Finding(f"no notebook can run: {err}", INSTALL, needed=True)
    except (NoSuchKernel, OSError, ValueError) as err:
        return Finding(f"the kernel python3 cannot be read: {err}", again, needed=True)
    program = (spec.argv or ["nothing"])[0]
    # Not resolved: in a virtual environment, Python is a link to the one that all of them share.
    if program in ALIASES or os.path.normcase(program) == os.path.normcase(sys.executable):
        return Finding("the kernel python3 runs this Python")
    advice = f"delete the folder {spec.resource_dir}, then: {again}"
    return Finding(f"the kernel python3 runs another Python: {program}", advice, needed=True)


def _data():
    """The real images and the ImageNet weights, which the sample profile does without."""
    from ..datasets import pbc

    try:
        yield Finding(f"data: {pbc.locate()}")
    except BloodcellError:
        advice = "the sample profile needs none; to get them: bloodcell data fetch"
        yield Finding(f"no PBC data in {config.data_dir()}", advice)
    except ImportError as err:
        yield Finding(f"no data can be read: {err}", INSTALL, needed=True)


def _network(keras):
    """What Keras computes on, and the weights of the paper's networks."""
    answer, problem = _finished(keras)
    if problem:
        other = "another backend is chosen by KERAS_BACKEND or ~/.keras/keras.json: choose tensorflow there, or nothing"
        yield Finding(f"Keras does not load: {problem}", other if _other_backend() else INSTALL, needed=True)
        return
    from ..models import backbones

    for spec in backbones.BACKBONES.values():
        advice = f"the sample profile needs none; Keras downloads them on first use, or put {spec.weights_file()} into "
        advice = "" if backbones.has_weights(spec.name) else f"{advice}{config.weights_dir()}"
        yield Finding(f"ImageNet weights of {spec.title}", advice)
    gpus, precision = json.loads(answer.splitlines()[-1])
    yield Finding(f"device: {', '.join(gpus) or 'no graphics card'}; features are computed in {precision}")


def _other_backend():
    """Whether Keras was told to compute with something else than what the course installs."""
    chosen = os.environ.get("KERAS_BACKEND")
    if not chosen:
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
        try:
            chosen = json.loads((home / "keras.json").read_text("utf-8"))["backend"]
        except (OSError, LookupError, RuntimeError, TypeError, ValueError):
            return False
    return chosen != "tensorflow"


def _demands():
    """MB that the heaviest chapter took with its server, and that all caches take; 0 where nothing was measured."""
    package = Path(__file__).parents[1]
    for path in (package.parent / "book" / "memory.json", package / "memory.json"):
        try:
            measured = json.loads(path.read_text("utf-8"))
            chapters = measured["chapters"].values()
            peak = max(chapter["peak_rss_mb"] for chapter in chapters) + measured["server_rss_mb"]
            return {"memory_mb": peak, "cache_mb": sum(chapter["cache_mb"] for chapter in chapters)}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {"memory_mb": 0, "cache_mb": 0}


def _finished(process):
    """What a process printed, and in a line what went wrong with it."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return "", f"no answer after {PATIENCE} s; try once more"
    if process.returncode < 0:
        return out, f"stopped by signal {-process.returncode}; TensorFlow needs a processor with AVX"
    return out, "" if process.returncode == 0 else (err.strip().splitlines() or ["no message"])[-1]


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
