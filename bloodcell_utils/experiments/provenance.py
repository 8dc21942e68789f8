"""Where a number comes from: device, library versions, commit, time and memory of this process."""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import __version__
from ..models import runtime

LIBRARIES = ("bloodcell-utils", "keras", "tensorflow", "jax", "torch", "scikit-learn", "numpy", "pandas", "pillow")


def provenance():
    """Device, library versions, commit and time of a run, as keyword arguments for `Record`."""
    return {
        "device": device(),
        "versions": {"python": platform.python_version()} | {name: v for name in LIBRARIES if (v := _version(name))},
        "commit": _commit(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def device():
    """Names of the graphics cards that Keras computes on, where it was loaded; processor, its instructions, cores."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        match = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())
        name = match[1] if match else name
    cards = runtime.accelerators() if "keras" in sys.modules else []
    return ", ".join(filter(None, [*cards, name, runtime.instructions(), f"{os.cpu_count()} cores"]))


def peak_rss_mb():
    """Largest resident memory of this process so far, in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if platform.system() == "Darwin" else 1e3)


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:  # ours may be used where it lies, without being installed
        return __version__ if name == "bloodcell-utils" else None


def _commit():
    def git(*args):
        here = Path(__file__).parent
        return subprocess.run(["git", *args], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    changed = (
        "status",
        "--porcelain",
        "--",
        ":/",
        ":(top,exclude)book/results",
    )  # a record does not change the code of the next
    try:
        return git("rev-parse", "--short", "HEAD") + ("+" if git(*changed) else "")
    except (OSError, subprocess.CalledProcessError):
        return None
