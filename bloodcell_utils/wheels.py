"""Wheels of all that a lock names, for this computer or for others: asked of pip, checked by their checksums.

pip reads the markers of requirements (``; sys_platform == 'win32'``) for the computer that it runs on, also where it
downloads for another. So they are read here, and pip is given plain names.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import BloodcellError

TARGET_MB = 1500  # free space asked for each system and Python; 880 on Linux, and pip holds the largest wheel twice
BATCH = 8  # packages that one call of pip brings: so much is asked for again after an interruption


@dataclass(frozen=True)
class Target:
    """Computers that a bundle is for.

    Parameters
    ----------
    platform : str
        pip's name of it, for example ``"win_amd64"``; empty for this computer's.
    python : tuple of int
        ``(3, 12)``.
    """

    platform: str
    python: tuple[int, int]

    def __str__(self):
        """For people."""
        like = f"{platform.system()} ({platform.machine()})"  # this computer's
        return f"Python {'.'.join(map(str, self.python))} on {self.platform or like}"

    def platforms(self):
        """All names under which a wheel for this platform may be published.

        Returns
        -------
        list of str
        """
        from packaging import tags

        if not self.platform:
            return list(tags.platform_tags())
        if mac := re.fullmatch(r"macosx_(\d+)_(\d+)_(\w+)", self.platform):
            return list(tags.mac_platforms((int(mac[1]), int(mac[2])), mac[3]))
        if linux := re.fullmatch(r"manylinux_2_(\d+)_(\w+)", self.platform):
            older = [f"manylinux_2_{minor}_{linux[2]}" for minor in range(int(linux[1]), 4, -1)]
            return [*older, *(f"manylinux{year}_{linux[2]}" for year in ("2014", "2010", "1")), f"linux_{linux[2]}"]
        return [self.platform]

    def tags(self):
        """Tags of the wheels that can be installed there.

        Returns
        -------
        set of packaging.tags.Tag
        """
        from packaging import tags

        interpreter, platforms = f"cp{self.python[0]}{self.python[1]}", self.platforms()
        native = tags.cpython_tags(self.python, abis=[interpreter], platforms=platforms)
        return {*native, *tags.compatible_tags(self.python, interpreter, platforms)}

    def environments(self):
        """What markers of requirements are compared with there: the first and the last patch of the Python.

        Returns
        -------
        list of dict of str to str
        """
        from packaging.markers import default_environment

        minor = ".".join(map(str, self.python))
        here = default_environment() | {"python_version": minor, "implementation_version": minor}
        for start, system, short, name in (
            ("win", "Windows", "win32", "nt"),
            ("macosx", "Darwin", "darwin", "posix"),
            ("manylinux", "Linux", "linux", "posix"),
        ):
            if self.platform.startswith(start):
                machine = self.platform.split("_", 1 if start == "win" else 3)[-1]
                machine = "AMD64" if self.platform == "win_amd64" else machine
                here |= {"platform_system": system, "sys_platform": short, "os_name": name}
                here |= {"platform_machine": machine}
        return [here | {"python_full_version": f"{minor}.{patch}"} for patch in (0, 99)]


def bring(lock, wheels, targets, progressbar=True):
    """Download what is missing of the lock, for each target; remove wheels of other versions.

    Parameters
    ----------
    lock : str
        Requirements with one version, checksums and markers each.
    wheels : pathlib.Path
        The folder; made if missing.
    targets : sequence of Target
    progressbar : bool

    Raises
    ------
    BloodcellError
        If the disk is too small, or pip brings something not.
    """
    from tqdm import tqdm

    wheels.mkdir(parents=True, exist_ok=True)
    allowed = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock))
    for path in wheels.iterdir():
        if path.suffix == ".whl" and sha256(path) not in allowed:
            path.unlink()  # else pip might choose it
    jobs = []
    for target in targets:
        have, done = _have(wheels, target), set()
        for environment in target.environments():
            wanted = [each for each in _requirements(lock, environment) if each[:2] not in have | done]
            done |= {each[:2] for each in wanted}
            batches = [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]
            jobs += [(target, environment["python_full_version"], batch) for batch in batches]
    free, need = shutil.disk_usage(wheels).free, TARGET_MB * 1e6 * len({target for target, _, _ in jobs})
    if need > free:
        raise BloodcellError(
            f"{wheels} wants about {need / 1e6:,.0f} MB and {free / 1e6:,.0f} MB are free. Choose another disk, or "
            "fewer systems (--platform) and versions of Python."
        )
    with tqdm(total=sum(len(batch) for _, _, batch in jobs), unit="package", disable=not progressbar) as bar:
        for target, python, batch in jobs:
            _download(wheels, target, python, batch)
            bar.update(len(batch))


def build(source, wheels):
    """Build the wheel of a project.

    Parameters
    ----------
    source, wheels : pathlib.Path
        Its folder, and the one that gets the wheel.
    """
    with tempfile.TemporaryDirectory(prefix=".arriving-", dir=wheels.parent) as beside:
        _pip(["wheel", "--quiet", "--no-deps", "--wheel-dir", beside, str(source)], beside, "the wheel of this package")
        (path,) = Path(beside).glob("*.whl")
        path.replace(wheels / path.name)


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


def _requirements(lock, environment):
    """Name, version and checksums of all that the lock asks for in an environment."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock):
        lines = [line.strip(" \\") for line in entry.splitlines() if not line.startswith("#")]
        if not lines or "==" not in lines[0]:
            continue
        requirement = Requirement(lines[0])
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (pinned,) = requirement.specifier
            digests = [line.removeprefix("--hash=sha256:") for line in lines[1:]]
            yield canonicalize_name(requirement.name), str(Version(pinned.version)), frozenset(digests)


def _have(wheels, target):
    """Names and versions of the wheels that are there for a target."""
    from packaging.utils import parse_wheel_filename

    fitting, found = target.tags(), set()
    for path in wheels.glob("*.whl"):
        name, version, _, tags = parse_wheel_filename(path.name)
        if tags & fitting:
            found.add((name, str(version)))
    return found


def _download(wheels, target, python, batch):
    """Have pip bring some wheels: into a folder beside, then each to its place at once."""
    with tempfile.TemporaryDirectory(prefix=".arriving-", dir=wheels.parent) as beside:
        asked = Path(beside, "requirements.txt")
        lines = (
            f"{name}=={version} " + " ".join(f"--hash=sha256:{d}" for d in sorted(digests))
            for name, version, digests in batch
        )
        asked.write_text("\n".join(lines) + "\n", "utf-8")
        command = ["download", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", beside]
        command += ["--implementation", "cp", "--python-version", python, "--requirement", str(asked)]
        _pip(command + [part for name in target.platforms() for part in ("--platform", name)], beside, target)
        for path in Path(beside).glob("*.whl"):
            path.replace(wheels / path.name)


def _pip(arguments, beside, what):
    """Run pip, with its scratch files on the bundle's disk."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env={**os.environ, "TMPDIR": beside}, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise BloodcellError(f"pip could not bring {what}:\n{said}\nThe same command goes on from there.")
