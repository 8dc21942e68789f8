"""The command line: `bloodcell --help`."""

import argparse
import sys

from .. import __version__
from ..errors import BloodcellError
from . import data, measuring, reading, teaching

EPILOG = """examples:
  bloodcell predict cell.jpg                which of the eight kinds of cells is this?
  bloodcell doctor                          would the course run here? what is missing?
  bloodcell data fetch                      download the PBC data set (280 MB)
  bloodcell data verify                     compare it with the official release, image by image
  bloodcell run svm --profile laptop        measure an experiment on the real data and keep its record
  bloodcell run ablation --scheduler local  the grid of Table 3, on several processes at once
  bloodcell reproduce --profile laptop      all experiments, and one page: paper, measured, verdict
  bloodcell results                         everything that has been measured, beside the paper
  bloodcell questions --moodle quiz.xml     the questions of the chapters, for a learning-management system
  bloodcell progress                        which exercises are solved, and which is next

Folders: BLOODCELL_DATA_DIR, BLOODCELL_WEIGHTS_DIR, BLOODCELL_CACHE_DIR, BLOODCELL_RESULTS_DIR.
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
    options = _parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except BloodcellError as err:
        print(f"bloodcell: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. What was done is kept: the same command goes on from there.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe, `head` for example, has seen enough
        sys.stderr.close()
        return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="bloodcell",
        description="Data, experiments and results of the course on recognising blood cells.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bloodcell-utils {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for part in (reading, data, measuring, teaching):
        part.add_to(commands)
    return parser
