"""The command line: `bloodcell --help`. A file a group of commands.

``reading``    predict, adapt; ``data``, fetch, verify and describe the images
``measuring``  run, reproduce, results
``teaching``   progress, questions; ``doctor``, would the course run here?
``terminal``   text for terminals of any kind
"""

import argparse
import sys
import warnings
from pathlib import Path

from .. import __version__
from ..cells import FOLDERS
from ..config import PROFILES, SEED
from ..errors import BloodcellError
from ..experiments import EXPERIMENTS
from . import data, doctor, measuring, reading, teaching, terminal

EPILOG = """examples:
  bloodcell predict cell.jpg                which of the eight kinds of cells is this?
  bloodcell adapt mine --output lab.npz     learn the colours of one's own laboratory, for predict --adapted lab.npz
  bloodcell doctor                          would the course run here? what is missing?
  bloodcell data fetch                      download the PBC data set (280 MB)
  bloodcell data fetch --set bccd           download a small set of another laboratory
  bloodcell data verify                     compare it with the official release, image by image
  bloodcell run svm --profile laptop        measure an experiment on the real data and keep its record
  bloodcell run ablation --scheduler local  the grid of Table 3, on several processes at once
  bloodcell reproduce --profile laptop      all experiments, and one page: paper, measured, verdict
  bloodcell results                         everything that has been measured, beside the paper
  bloodcell questions --moodle quiz.xml     the questions of the chapters, for a learning-management system
  bloodcell progress                        which exercises are solved, and which is next

Folders: BLOODCELL_DATA_DIR, BLOODCELL_LABS_DIR, BLOODCELL_WEIGHTS_DIR, BLOODCELL_CACHE_DIR, BLOODCELL_RESULTS_DIR.
Profile: BLOODCELL_PROFILE. Progress: BLOODCELL_PROGRESS_FILE.
"""


def main(arguments=None):
    """Run one command.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.

    Returns
    -------
    int
        Exit status: 0 done, 1 an error that the message explains, 130 interrupted.
    """
    terminal.prepare()
    options = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = terminal.warn
            status = options.command(options) or 0
        terminal.finish()
        return status
    except BrokenPipeError:  # the reader of a pipe, `head` for example, has seen enough
        sys.stderr.close()
        return 0
    except (BloodcellError, OSError) as err:
        print(f"bloodcell: {terminal.shown(str(err))}", file=sys.stderr)
        return 1
    except MemoryError:
        print("bloodcell: the memory is not enough for this; close other programs, or take less.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        resumed = "What was done is kept: the same command goes on from there."
        print(f"\nInterrupted. {resumed if options.resumable else 'No file is half written.'}", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="bloodcell",
        description="Data, experiments and results of the course on recognising blood cells.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bloodcell-utils {__version__}")
    parser.set_defaults(resumable=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_reading, _add_data, _add_measuring, _add_teaching):
        add(commands)
    return parser


def _add_reading(commands):
    cells = commands.add_parser(
        "predict",
        help="name the cell in each image with the networks that come with the package",
        description="Name the cell in the middle of each image. Two networks are asked, both trained on the eight "
        "kinds of normal cells of one laboratory, one of them on what these may look like elsewhere and on pictures "
        "that are no cells. They know fields that are two to three times as wide as a cell, in RGB; where they are not "
        "sure, they give no name. For teaching, not for diagnosis.",
        epilog="exit status: 0 all images were read, 1 some were not",
    )
    cells.add_argument("image", nargs="+", help="image files of any size, or folders of them")
    cells.add_argument("--csv", type=Path, metavar="FILE", help="write all probabilities there")
    heat = "write a heat map (Grad-CAM) of each image there"
    cells.add_argument("--explain", type=Path, metavar="FOLDER", help=heat)
    cells.add_argument("--crop", type=float, default=1.0, help="central part to look at, 0.01 to 1 (default: 1)")
    least = "least confidence for a name (default: the calibrated one; 0 names everything)"
    cells.add_argument("--threshold", type=float, help=least)
    theirs = "what `bloodcell adapt` learnt from cells of the same laboratory"
    cells.add_argument("--adapted", type=Path, metavar="FILE", help=theirs)
    cells.set_defaults(command=reading.predict)

    lab = commands.add_parser(
        "adapt",
        help="bring a network to the colours of another laboratory, and with a few names to its cells",
        description="Look at the cells of one laboratory, as its smears have them (some hundreds, at least 30), and "
        "write what brings their colours to those that the network knows; with --labelled a new last layer besides, "
        "from folders of named cells (at least two kinds, five cells of each). Nothing is written where it would harm. "
        "`bloodcell predict --adapted FILE` uses it. What it gave in three laboratories: `bloodcell run adapt`.",
    )
    lab.add_argument("folder", help="images, or with --labelled folders of them, one a class")
    lab.add_argument("--labelled", action="store_true", help=f"folders are classes: {', '.join(FOLDERS)}")
    lab.add_argument("--crop", type=float, default=1.0, help="as for predict (default: 1)")
    lab.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="what was learnt, a file such as lab.npz"
    )
    lab.set_defaults(command=reading.adapt)


def _add_data(commands):
    actions = commands.add_parser("data", help="the PBC data set, or one of another laboratory: fetch, verify, info")
    actions = actions.add_subparsers(required=True, metavar="ACTION")
    for name, function, text in (
        ("fetch", data.fetch, "download the archive, once, and verify it"),
        ("verify", data.verify, "compare a folder or zip with the official release"),
        ("info", data.info, "count images by class, sub-type and batch; any set with one folder a class"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("folder", nargs="?", help="folder or zip (default: BLOODCELL_DATA_DIR, else the cache)")
        other = "of another laboratory (default: pbc); its default folder is BLOODCELL_LABS_DIR"
        action.add_argument("--set", choices=("pbc", "bccd", "jiangxi", "cellavision"), default="pbc", help=other)
        action.set_defaults(command=function)


def _add_measuring(commands):
    experiment = commands.add_parser("run", help="measure an experiment and write its record")
    known = "; ".join(f"{name}: {text}" for name, text in EXPERIMENTS.items())
    experiment.add_argument("experiment", choices=EXPERIMENTS, help=known)
    experiment.add_argument("--profile", choices=PROFILES, help="default: BLOODCELL_PROFILE, else sample")
    experiment.add_argument(
        "--backbone", choices=("vgg16", "inception_v3", "compactnet"), help="default: the one that the profile borrows"
    )
    size = "of the network's input (default: the profile's; CompactNet keeps its own)"
    experiment.add_argument("--size", type=_positive, metavar="PX", help=size)
    for name, of in (("--seed", "all that is trained or drawn"), ("--split-seed", "the split into subsets")):
        experiment.add_argument(name, type=_seed, default=SEED, help=f"of {of} (default: {SEED})")
    experiment.add_argument(
        "--scheduler",
        metavar="WHERE",
        help="of the jobs of a grid (ablation): 'local' for processes on this machine, or the address of a Dask "
        "cluster (tcp://...); default: this process",
    )
    experiment.add_argument(
        "--minutes",
        type=_positive,
        metavar="N",
        help="begin no training (of finetune, no epoch) that would end later, the first excepted; as --add, it keeps "
        "what the record that is there has (finetune, ablation, balance)",
    )
    experiment.add_argument(
        "--add",
        action="store_true",
        help="keep what the record that is there has, and measure what it lacks (finetune, ablation, balance)",
    )
    experiment.add_argument(
        "--ship", action="store_true", help="put the weights into this package (compact_best, travelled)"
    )
    experiment.add_argument("--output", metavar="FOLDER", help="of the record (default: book/results)")
    experiment.set_defaults(command=measuring.run, resumable=True)

    again = commands.add_parser(
        "reproduce",
        help="run every experiment and write one report: paper, measured, verdict",
        description="Run every experiment, one after the other, and write reproduction.html: each table and figure of "
        "the paper beside what was measured. What has been measured on the same images with the same seed is kept, so "
        "after an interruption the same command goes on from there. An experiment that fails is reported, and the "
        "others are measured all the same.",
        epilog="`--profile sample` is a rehearsal on drawn cells, in a folder of its own: it takes minutes and shows "
        "that everything runs. `full` wants a graphics card, and internet for the weights.",
    )
    again.add_argument("--profile", choices=PROFILES, help="default: BLOODCELL_PROFILE, else sample")
    again.add_argument("--only", type=_names, metavar="NAMES", help=f"of: {','.join(EXPERIMENTS)} (default: all)")
    again.add_argument("--again", action="store_true", help="measure also what has been measured")
    again.add_argument("--report-only", action="store_true", help="measure nothing; write the report of what is there")
    again.add_argument("--seed", type=_seed, default=SEED, help=f"default: {SEED}")
    again.add_argument("--output", metavar="FOLDER", help="of records and report (default: reproduction, right here)")
    again.set_defaults(command=measuring.reproduce, resumable=True)

    table = commands.add_parser("results", help="everything measured so far, beside the paper")
    table.add_argument("folder", nargs="?", help="of the records (default: book/results)")
    table.add_argument("--json", action="store_true", help="a list of rows instead of a table")
    table.set_defaults(command=measuring.results)


def _add_teaching(commands):
    solved = commands.add_parser(
        "progress",
        help="which exercises are solved and which are left; when none is left, a certificate",
        description="List the chapters with a mark for each exercise that `check` found right. The list is one file on "
        "this machine (BLOODCELL_PROGRESS_FILE); nothing leaves it.",
    )
    page = "write it as a page; the certificate, if all is solved"
    solved.add_argument("--page", type=Path, metavar="FILE", help=page)
    solved.add_argument("--name", default="", help="to stand on the certificate")
    solved.add_argument("--reset", action="store_true", help="begin anew; the old list is set aside, not deleted")
    solved.set_defaults(command=teaching.learnt)

    asking = commands.add_parser(
        "questions",
        help="the questions of the chapters, also for a learning-management system",
        description="Without options: how many questions each chapter has.",
        epilog=teaching.MOODLE,
    )
    asking.add_argument("--moodle", type=Path, metavar="FILE", help="write the questions there, as Moodle XML")
    asking.add_argument("--chapter", nargs="+", metavar="NAME", help="only these chapters (default: all)")
    asking.set_defaults(command=teaching.questions)

    check = commands.add_parser(
        "doctor",
        help="would the course run here? what is missing, and what to do",
        description="Examine Python, memory, disk, folders, JupyterLab, Keras and the network that comes with it.",
        epilog="exit status: 0 the sample profile runs, 1 something that it needs is missing",
    )
    check.set_defaults(command=lambda _: doctor.run())


def _seed(text):
    """A seed that every random generator takes."""
    return _within(text, 0, 2**32 - 1)


def _positive(text):
    return _within(text, 1, 10_000)


def _within(text, low, high):
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high:,}")
    return value


def _names(text):
    """A list of names from one argument: ``svm,finetune``."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("no experiment is named")
    return names
