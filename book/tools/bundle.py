"""The whole course in a folder, for a room without internet: packages, notebooks, pages, instructions, checksums.

usage: make bundle FOLDER=/media/stick/blood-cells [ARGS="--platform windows --python-version 3.12"]
"""

import argparse
import platform
import re
import sys
from itertools import product
from pathlib import Path

import host
import pooch
import wheels
from wheels import sha256

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.files import replace_file

ROOT = Path(__file__).resolve().parents[2]
SUMS = "SHA256SUMS"
TITLE = "Blood cells and neural networks: the course in a folder"
CHECK = (
    "python3 -c \"import hashlib, pathlib; print([name for line in open('SHA256SUMS', encoding='utf-8') "
    "for digest, name in [line.strip().split('  ', 1)] if not pathlib.Path(name).is_file() "
    'or not hashlib.sha256(pathlib.Path(name).read_bytes()).hexdigest() == digest])"'
)
EPILOG = """examples:
  make bundle FOLDER=/media/stick/blood-cells
      for computers like this one
  make bundle FOLDER=/media/stick/blood-cells ARGS="--python-version 3.12 --platform windows --platform macos"
      for others
  make bundle FOLDER=/media/stick/blood-cells ARGS=--check
      is a copy whole?

`make book` first, and the pages come along. Each system takes 600 to 900 MB. Interrupted, the same command goes on.
Put Python's own installers (https://www.python.org/downloads/) beside the folder: they are not in it.
"""

README = """{title}

This folder holds all that the course needs. No internet is used.
It was made for: {targets}.
Install one of these versions of Python first (https://www.python.org/downloads/).
Copy the folder from the stick to your computer, open a terminal in it, and type three commands.

Linux, macOS:

    python3 -m venv venv
    venv/bin/python -m pip install --no-index --find-links wheels bloodcell-utils
    venv/bin/jupyter lab notebooks

Windows:

    py -m venv venv
    venv\\Scripts\\python -m pip install --no-index --find-links wheels bloodcell-utils
    venv\\Scripts\\jupyter lab notebooks

Does it work? venv/bin/bloodcell doctor (Windows: venv\\Scripts\\bloodcell doctor) says what is wrong and what to do.
Is the copy whole? On Linux: sha256sum --check --quiet SHA256SUMS
On every system (Linux, macOS: python3; Windows: py), in this folder:

    {check}

It prints the names of the files that are damaged; [] means that all are well.

{book}There are no images here: the cells of the course are drawn by a program, in seconds, when they are first needed.
For teaching only, not for diagnosis.
"""


BOOK = """The book: open book/index.html in a browser. The lab and the game in it need a line more, in this folder:

    python3 serve.py

(Windows: py serve.py). It prints an address for this computer, and one for all others on the same network: with it, one
computer serves a room whose internet is bad. If the system asks, allow Python to receive connections.

"""


def make(folder, platforms=None, pythons=None, *, notebooks=None, progressbar=True):
    """Fill a folder; what is in it already, with the right checksum, is kept.

    Parameters
    ----------
    folder : path-like
        New, empty, or an earlier bundle, finished or not.
    platforms : sequence of str, optional
        uv's names, such as ``"windows"``; default: this computer's.
    pythons : sequence of str, optional
        Such as ``"3.12"``; default: the one that runs this.
    notebooks : path-like, optional
        A folder of notebooks; default: the checkout's.
    progressbar : bool

    Returns
    -------
    pathlib.Path
        The folder. `SUMS` is written last: where it lies, the bundle was finished.

    Raises
    ------
    BloodcellError
        If the folder holds something else, the disk is too small, or a package cannot be had.
    """
    folder = Path(folder)
    targets = [wheels.Target(*each) for each in product(platforms or [""], map(_python, pythons or [""]))]
    notebooks = Path(notebooks or ROOT / "notebooks")
    if not list(notebooks.glob("**/*.ipynb")):
        raise BloodcellError(f"There is no notebook in {notebooks}; name another folder with --notebooks.")
    pages = ROOT / "book" / "_build" / "html"
    book = BOOK if (pages / "index.html").exists() else ""
    try:
        _claim(folder, README.format(title=TITLE, targets=", ".join(map(str, targets)), book=book, check=CHECK))
        wheels.download(ROOT / "requirements.lock", folder / "wheels", targets, progressbar=progressbar)
        wheels.build(ROOT, folder / "wheels")
        _mirror(notebooks, folder / "notebooks")
        _mirror(pages, folder / "book")
        if book:
            replace_file(folder / "serve.py", Path(host.__file__).read_bytes())
        else:
            (folder / "serve.py").unlink(missing_ok=True)
        _mirror(ROOT, folder, ["LICENSE", "LICENSE-text"])
        sums = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in _inside(folder)]
        replace_file(folder / SUMS, "".join(sums).encode())
    except OSError as err:
        raise BloodcellError(f"{folder} cannot be filled: {err}. The same command goes on from there.") from err
    size = sum(path.stat().st_size for path in _inside(folder))
    print(f"{folder} is ready: {size / 1e6:,.0f} MB, {len(sums):,} files, for {', '.join(map(str, targets))}.")
    print("Copy it to the sticks as it is; README.txt in it tells the students what to do.")
    if not book:
        print("It holds no pages: `make book`, then this command again, adds them.")
    return folder


def check(folder):
    """Compare a bundle with its checksums, and print what differs.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    bool
        Whether something does: the exit status.

    Raises
    ------
    BloodcellError
        If there are no checksums to compare with.
    """
    folder = Path(folder)
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise BloodcellError(f"{folder} is no finished bundle ({err}). Make it: make bundle FOLDER={folder}") from err
    known = {name: digest for digest, name in (line.split("  ", 1) for line in lines if "  " in line)}
    problems = []
    for name, digest in known.items():
        path = folder / name
        try:
            if sha256(path) != digest:
                problems.append(f"changed: {name}")
        except OSError:
            problems.append(f"missing: {name}")
    there = (path.relative_to(folder).as_posix() for path in (folder / "wheels").glob("*.whl"))
    problems += [f"not of this bundle: {name}" for name in sorted(there) if name not in known]
    print("\n".join(problems) or f"{folder} is whole: {len(known):,} files.")
    if problems:
        print(f"Copy these files again, or run `make bundle FOLDER={folder}` again.")
    return bool(problems)


def main(arguments=None):
    """Make a bundle or verify one, and return the exit status.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.

    Returns
    -------
    int
        0 done, 1 an error or a copy that is not whole.
    """
    parser = argparse.ArgumentParser(
        prog="make bundle",
        usage='make bundle FOLDER=... [ARGS="options"]',
        description="Put wheels of all locked packages, the notebooks, the built book and instructions into a folder, "
        "for a USB stick. What is there already, with the right checksum, is kept.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="new, empty, or an earlier bundle")
    systems = "windows, macos, linux, or another that `uv pip compile --help` lists; again for more (default: this)"
    parser.add_argument("--platform", action="append", metavar="NAME", help=systems)
    pythons = "of the students' computers; again for more (default: the one that runs this)"
    parser.add_argument("--python-version", action="append", metavar="3.X", help=pythons)
    editions = "another edition, such as book/_build/student (default: notebooks)"
    parser.add_argument("--notebooks", type=Path, metavar="DIR", help=editions)
    parser.add_argument("--check", action="store_true", help="write nothing: verify the checksums")
    options = parser.parse_args(arguments)
    pooch.get_logger().setLevel("ERROR")  # there is a progress bar
    try:
        if options.check:
            return int(check(options.folder))
        make(options.folder, options.platform, options.python_version, notebooks=options.notebooks)
    except BloodcellError as err:
        print(f"bundle: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. What arrived is kept: the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


def _python(text):
    """A version that was asked for; this Python's, where none was."""
    if text and not re.fullmatch(r"3\.\d+", text):
        raise BloodcellError(f"{text!r} names no Python: write 3.12, for example.")
    return text or ".".join(platform.python_version_tuple()[:2])


def _claim(folder, readme):
    """Make the folder ours, or refuse one that holds something else; from here on it is unfinished."""
    page = folder / "README.txt"
    if folder.exists() and any(folder.iterdir()):
        if not page.is_file() or not page.read_text("utf-8", errors="replace").startswith(TITLE):
            raise BloodcellError(f"{folder} holds something else than a bundle. Choose a new folder.")
    replace_file(page, readme.encode())
    (folder / SUMS).unlink(missing_ok=True)


def _mirror(source, target, names=None):
    """Make a folder equal to another one, file by file; what is equal already is kept."""
    wanted = [source / name for name in names] if names else list(_inside(source)) if source.is_dir() else []
    for path in wanted:
        there = target / path.relative_to(source)
        if not there.is_file() or sha256(there) != sha256(path):
            replace_file(there, path.read_bytes())
    if not names and target.is_dir():
        kept = {target / path.relative_to(source) for path in wanted}
        for path in set(_inside(target)) - kept:
            path.unlink()


def _inside(folder):
    """Files of a folder and below, in order, without hidden ones and the checksums."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path.name != SUMS:
            yield path


if __name__ == "__main__":
    sys.exit(main())
