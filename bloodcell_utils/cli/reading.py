"""Reading cells: predict."""

import sys
from pathlib import Path


def predict(options):
    """Name the cell in each image, as a table; on request as csv, and with heat maps."""
    from .. import reader

    table = reader.predict(options.image, options.crop, options.threshold, progressbar=sys.stderr.isatty())
    if options.csv:
        from ..store import replace_file

        replace_file(
            options.csv, table.round(6).to_csv(index=False, lineterminator="\n").encode(errors="backslashreplace")
        )
    if options.explain:
        for path in reader.explain(table, options.explain, options.crop):
            print(path)
    answer = reader.summary(table) if options.csv else reader.text(table)
    print(answer.encode(errors="backslashreplace").decode())  # a file's name need not be text
    bad = table[table["problem"] != ""]
    for problem in bad["problem"]:
        print(f"bloodcell: {problem}", file=sys.stderr)
    return bool(len(bad))


def add_to(commands):
    """Describe these commands to the parser.

    Parameters
    ----------
    commands : argparse._SubParsersAction
    """
    reading = commands.add_parser(
        "predict",
        help="name the cell in each image with the network that comes with the package",
        description="Name the cell in the middle of each image. The network has seen the eight kinds of normal cells "
        "of one laboratory, in fields about twice as wide as the cell; where it is not sure, it gives no name. For "
        "teaching, not for diagnosis.",
        epilog="exit status: 0 all images were read, 1 some were not",
    )
    reading.add_argument("image", nargs="+", type=Path, help="image files of any size, or folders of them")
    reading.add_argument("--csv", type=Path, metavar="FILE", help="write all probabilities there")
    reading.add_argument(
        "--explain", type=Path, metavar="FOLDER", help="write a heat map (Grad-CAM) of each image there"
    )
    reading.add_argument("--crop", type=float, default=1.0, help="central part to look at, in (0, 1] (default: 1)")
    least = "least confidence for a name (default: the calibrated one; 0 names everything)"
    reading.add_argument("--threshold", type=float, help=least)
    reading.set_defaults(command=predict)
