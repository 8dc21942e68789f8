"""Build the book: write its table of contents from the course, hand over to Jupyter Book, say where the page is.

usage: python book/build.py [--profile sample|laptop|full]
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from bloodcell_utils import config, course
from bloodcell_utils.store import replace_file

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "book" / "_build"
KERNELS = """
c.IPKernelApp.log_level = "ERROR"
c.InlineBackend.figure_formats = {"svg"}  # book/_ext/figures.py makes them ready for dark pages
# The resolution is that of photographs: twice a screen's 96. Without dates the same figure is the same file.
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "dpi": 192, "metadata": {"Date": None}}
"""
MATPLOTLIB = "svg.hashsalt: the same names in every build\n"
TEACHERS = ("slides", "quizzes", "grading", "classroom", "capstone", "rubric")


def toc():
    """The table of contents, in the form that Jupyter Book reads."""
    chapters = [{"file": f"notebooks/{Path(chapter.file).stem}"} for chapter in course.load().chapters]
    teaching = [{"file": f"book/instructor/chapters/{chapter.name}"} for chapter in course.load().chapters]
    return {
        "format": "jb-book",
        "root": "book/intro",
        "parts": [
            {"caption": "Before you start", "chapters": _pages("setup", "tracks")},
            {"caption": "The course", "chapters": chapters},
            {"caption": "To play with", "chapters": _pages("lab/index", "lab/game")},
            {
                "caption": "To look things up",
                "chapters": _pages("reproduction", "results", "performance", "glossary", "bibliography", "changes"),
            },
            {
                "caption": "For teachers",
                "chapters": [
                    *_pages("instructor/index", "instructor/syllabus"),
                    {"file": "book/instructor/teaching", "sections": teaching},
                    *_pages(*(f"instructor/{page}" for page in TEACHERS)),
                ],
            },
        ],
    }


def _pages(*names):
    return [{"file": f"book/{name}"} for name in names]


def write_toc(path):
    """Write the table of contents; when it changed, drop the pages, so that none outlives its chapter."""
    text = yaml.safe_dump(toc(), sort_keys=False)
    if not path.exists() or path.read_text("utf-8") != text:
        shutil.rmtree(BUILD / "html", ignore_errors=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def write_settings(folder):
    """Tell the kernels how to draw. They keep files of their own beside the settings, so the folder is no source."""
    replace_file(folder / "profile_default" / "ipython_kernel_config.py", KERNELS.encode())
    replace_file(folder / "matplotlibrc", MATPLOTLIB.encode())


def environment(profile, caller):
    """The variables that the notebooks see: the caller's, except those that would change what the pages show."""
    nobody = {"BLOODCELL_PROGRESS_FILE": str(BUILD / "nobody" / "progress.json")}  # the pages show no one's answers
    drawn = {"IPYTHONDIR": str(BUILD / "ipython"), "MATPLOTLIBRC": str(BUILD / "ipython" / "matplotlibrc")}
    variables = {"TF_CPP_MIN_LOG_LEVEL": "2", **caller, "BLOODCELL_PROFILE": profile, **nobody, **drawn}
    if profile == "sample":
        for name in ("BLOODCELL_DATA_DIR", "BLOODCELL_WEIGHTS_DIR"):
            variables.pop(name, None)
    return variables


def main():
    """Build, and return Jupyter Book's exit status."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--profile", choices=config.PROFILES, default="sample")
    profile = parser.parse_args().profile
    contents = BUILD / "_toc.yml"
    write_toc(contents)
    write_settings(BUILD / "ipython")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "."]
    command += ["--config", "book/_config.yml", "--toc", str(contents), "--path-output", "book"]
    command += ["-W", "-n", "--keep-going"]
    status = subprocess.run(command, cwd=ROOT, env=environment(profile, os.environ)).returncode
    if status != 0:
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)  # Sphinx warns of a page once; ask again
    else:
        status = subprocess.run([sys.executable, "book/slides.py"], cwd=ROOT).returncode
    if status == 0:
        print(f"The book is ready: {(BUILD / 'html' / 'index.html').as_uri()}")
    return status


if __name__ == "__main__":
    sys.exit(main())
