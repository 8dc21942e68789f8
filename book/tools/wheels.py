"""Wheels of all that a lock names, for this computer or for others: uv chooses them, their checksums are the lock's."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

import pooch
from tqdm import tqdm

from bloodcell_utils.errors import BloodcellError

PATCHES = (0, 99)  # some markers ask for the patch of a Python: a bundle holds what the first and the last one need


class Target(NamedTuple):
    """Computers that a bundle is for.

    Parameters
    ----------
    platform : str
        uv's name of it, for example ``"windows"``; empty for this computer's.
    python : str
        ``"3.12"``.
    """

    platform: str
    python: str

    def __str__(self):
        """For people."""
        return f"Python {self.python} on {self.platform or sys.platform}"


def download(lock, folder, targets, *, progressbar=True):
    """Download what is missing of the lock, for each target; remove wheels of other versions.

    Parameters
    ----------
    lock : pathlib.Path
        Requirements with one version, checksums and markers each.
    folder : pathlib.Path
        Of the wheels; made if missing.
    targets : sequence of Target
    progressbar : bool

    Raises
    ------
    BloodcellError
        If a package has no wheel for a target, the disk is too small, or a download fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock.read_text("utf-8")))
    for path in folder.iterdir():
        if sha256(path) not in known:  # another version's, or what an interruption left
            path.unlink()
    wanted = {name: wheel for target in targets for name, wheel in _choose(lock, known, target)}
    missing = {name: wheel for name, wheel in wanted.items() if not (folder / name).is_file()}
    free, need = shutil.disk_usage(folder).free, sum(wheel.get("size", 0) for wheel in missing.values())
    if need > free:
        raise BloodcellError(
            f"{folder} needs {need / 1e6:,.0f} MB and {free / 1e6:,.0f} MB are free. Choose another disk, or fewer "
            "systems (--platform) and versions of Python."
        )
    sums = {name: wheel["hashes"]["sha256"] for name, wheel in missing.items()}
    urls = {name: wheel["url"] for name, wheel in missing.items()}
    shelf = pooch.create(folder, base_url="", registry=sums, urls=urls, retry_if_failed=2)
    with tqdm(total=need, unit="B", unit_scale=True, disable=not progressbar) as bar:
        for name, wheel in missing.items():
            try:
                Path(shelf.fetch(name)).chmod(0o644)  # pooch lets only this user read
            except (OSError, ValueError) as err:  # requests' errors are OSErrors, pooch's ValueErrors
                raise BloodcellError(f"{name} did not arrive: {err}\nThe same command goes on from there.") from err
            bar.update(wheel.get("size", 0))


def build(source, folder):
    """Build the wheel of a project.

    Parameters
    ----------
    source, folder : pathlib.Path
        The project, and the folder that gets its wheel.
    """
    _uv("build", "--wheel", "--quiet", "--out-dir", str(folder), str(source), what="the wheel of this package")
    (folder / ".gitignore").unlink(missing_ok=True)  # uv's own


def sha256(path):
    """Checksum of a file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _choose(lock, known, target):
    """Name and description (`url`, `size`, `hashes`) of a wheel for each package that a target needs."""
    for patch in PATCHES:
        with tempfile.TemporaryDirectory() as beside:
            chosen = Path(beside, "pylock.toml")
            command = ["pip", "compile", "--quiet", "--no-deps", "--no-build", "--format", "pylock.toml"]
            command += ["--python", sys.executable]  # else uv would look for the one that is asked for
            command += ["--python-version", f"{target.python}.{patch}", "--output-file", str(chosen), str(lock)]
            command += ["--python-platform", target.platform] if target.platform else []
            _uv(*command, what=f"the packages for {target}")
            packages = tomllib.loads(chosen.read_text("utf-8"))["packages"]
        for package in packages:
            wheels = [wheel for wheel in package.get("wheels", ()) if wheel["hashes"]["sha256"] in known]
            if not wheels:
                raise BloodcellError(f"No wheel of {package['name']} for {target} has a checksum of {lock.name}.")
            largest = max(
                wheels, key=lambda wheel: wheel.get("size", 0)
            )  # of a compiled one and a plain one, the compiled
            yield largest["url"].rsplit("/", 1)[1], largest


def _uv(*arguments, what):
    done = subprocess.run([sys.executable, "-m", "uv", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise BloodcellError(f"uv could not find {what}:\n{done.stderr.strip()}\nThe same command goes on from there.")
