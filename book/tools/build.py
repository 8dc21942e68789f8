"""Build the book: write its table of contents from the course, hand over to Jupyter Book, say where the page is.

usage: python book/tools/build.py [--profile sample|laptop|full] [--print]
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import kernels
import printing
import run_notebooks
import yaml

from bloodcell_utils import config, course

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "book" / "_build"
PLANS = ("taster", "evening", "day", "two_days", "six_weeks")
TEACHERS = ("slides", "handouts", "quizzes", "grading", "classroom", "capstone", "rubric")


def toc():
    """The table of contents, in the form that Jupyter Book reads."""
    chapters = [{"file": f"notebooks/{Path(chapter.file).stem}"} for chapter in course.load().chapters]
    teaching = [{"file": f"book/instructor/chapters/{chapter.name}"} for chapter in course.load().chapters]
    return {
        "format": "jb-book",
        "root": "book/intro",
        "parts": [
            {"caption": "Before you start", "chapters": _pages("setup", "when_it_fails", "tracks")},
            {"caption": "The course", "chapters": chapters},
            {"caption": "To play with", "chapters": _pages("lab/index", "lab/game")},
            {
                "caption": "To look things up",
                "chapters": _pages("reproduction", "results", "model_card", "performance")
                + _pages("glossary", "bibliography", "changes"),
            },
            {
                "caption": "For teachers",
                "chapters": [
                    *_pages("instructor/index"),
                    {"file": "book/instructor/syllabus", "sections": _pages(*(f"instructor/plan_{p}" for p in PLANS))},
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


def main():
    """Build, and return Jupyter Book's exit status."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--profile", choices=config.PROFILES, default="sample")
    parser.add_argument("--print", action="store_true", help="also on paper: a PDF of each page, and of all")
    options = parser.parse_args()
    variables = kernels.prepare(options.profile, os.environ)
    if options.print and printing.chromium() is None:
        print(
            "There is no Chromium here, so nothing will be printed. On Debian or Ubuntu: sudo apt-get install chromium"
        )
    elif options.print:
        variables["BLOODCELL_PRINT"] = "yes"
    if options.profile == run_notebooks.PROFILE and (waiting := run_notebooks.missing()):
        print(f"{len(waiting)} notebooks run first, {run_notebooks.PROCESSES} at a time.", flush=True)
        run_notebooks.main(waiting)  # one that fails is run again by Jupyter Book, which says what is wrong
    contents = BUILD / "_toc.yml"
    write_toc(contents)
    command = [sys.executable, "book/tools/fast_build.py", "build", "."]
    command += ["--config", "book/_config.yml", "--toc", str(contents), "--path-output", "book"]
    command += ["-W", "-n", "--keep-going"]
    status = subprocess.run(command, cwd=ROOT, env=variables).returncode
    if status != 0:
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)  # Sphinx warns of a page once; ask again
    after = [["book/tools/slides.py"]]
    if "BLOODCELL_PRINT" in variables:
        after += [["book/tools/printing.py"], ["book/tools/handouts.py", "book/_build/html/handouts"]]
    for command in after:
        status = status or subprocess.run([sys.executable, *command], cwd=ROOT).returncode
    if status == 0:
        print(f"The book is ready: {(BUILD / 'html' / 'index.html').as_uri()}")
    return status


if __name__ == "__main__":
    sys.exit(main())
