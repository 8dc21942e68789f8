"""The command line: `bloodcell --help`."""

import argparse
import json
import sys
from pathlib import Path

from . import __version__, config
from .errors import BloodcellError

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
Profile: BLOODCELL_PROFILE.
"""

MOODLE = (
    "In Moodle: open the question bank of your course, choose Import, the file format 'Moodle XML format', and under "
    "General leave 'Get category from file' ticked; choose the file, press Import. The questions arrive in one "
    "category a chapter."
)


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


def fetch(options):
    """Download the data set and say what arrived."""
    from .datasets import pbc

    print(f"The data set is in {pbc.fetch(options.folder)}.")
    return verify(options)


def verify(options):
    """Compare the data set with the official release and list its blemishes."""
    from .datasets import audit, pbc

    source = pbc.locate(options.folder)
    verification = pbc.verify(source)
    print(f"{source}\n{verification}")
    if verification.status in ("official", "re-encoded"):
        table = pbc.index(source, on_error="skip")
        print(
            f"{len(audit.identical_groups(table))} pairs of identical files, {len(audit.conflicts(table))} of them "
            f"with two labels; a second batch of {len(audit.second_batch(table))} images (another size)."
        )
        print(audit.clean(table)[1])
    return verification.status not in ("official", "re-encoded")


def info(options):
    """Images a class, sub-type and batch."""
    from .datasets import pbc

    table = pbc.index(options.folder, classes=None, on_error="skip")
    counts = table.groupby(["class", "subtype", "batch"]).size().rename("images").reset_index()
    sizes = table.groupby(["width", "height"]).size().sort_values(ascending=False)
    print(f"{table['source'].iloc[0]}: {len(table):,} images\n\n{counts.to_string(index=False)}\n")
    print("pixels: " + ", ".join(f"{w}x{h} ({n:,})" for (w, h), n in sizes.items()))


def run(options):
    """Run an experiment, write its record and print it."""
    from . import experiments, records

    changes = {"feature_size": options.size} if options.size else {}
    profile = config.profile(options.profile, **changes)
    chosen = {name: value for name in ("scheduler", "backbone", "ship") if (value := getattr(options, name))}
    record = experiments.run(options.experiment, profile, seed=options.seed, **chosen)
    path = record.write(options.output)
    print(f"\n{_table(records.rows([record]))}\n\nRecord: {path}")


def reproduce(options):
    """Measure what has not been measured, and write the report; it grows with every experiment."""
    from . import reproduction

    profile = config.profile(options.profile)
    folder = options.output or (Path("reproduction") / ("sample" if profile.data == "synthetic" else ""))
    outcomes = []
    if not options.report_only:
        for outcome in reproduction.reproduce(profile, folder, options.only, options.again, options.seed):
            outcomes.append(outcome)
            reproduction.write_report(folder, profile, outcomes)
    report = reproduction.write_report(folder, profile, outcomes)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failed:
        print(f"not measured: {outcome.task.name}: {outcome.message}", file=sys.stderr)
    print(f"\nThe report is ready: {report.resolve().as_uri()}")
    return bool(failed)


def predict(options):
    """Name the cell in each image, as a table; on request as csv, and with heat maps."""
    from . import reader

    table = reader.predict(options.image, options.crop, options.threshold, progressbar=sys.stderr.isatty())
    if options.csv:
        from .store import replace_file

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


def bench(options):
    """Time each heavy step of the course against the plain way."""
    from . import bench as benchmarks

    measured = benchmarks.run(config.profile(options.profile), options.only, sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps(measured, indent=1))


def learnt(options):
    """What is solved and what is left; on request as a page, or from the beginning."""
    from . import certificate, progress

    if options.reset:
        aside = progress.reset()
        print(f"You begin anew. What you had solved is kept in {aside}." if aside else "There was nothing to forget.")
    elif options.page:
        certificate.write(options.page, options.name)
        print(options.page.resolve().as_uri())
    else:
        print(certificate.text())


def results(options):
    """Print every record as a table or as json."""
    from . import records

    rows = records.rows(records.read_all(options.folder))
    if options.json:
        print(json.dumps(rows, indent=1))
    elif rows:
        print(_table(rows))
    else:
        print("Nothing has been measured yet: bloodcell run svm")


def questions(options):
    """Count the questions of each chapter, or write them in Moodle's format."""
    from . import course, moodle
    from . import questions as bank
    from .store import replace_file

    if options.moodle:
        exported = moodle.export(options.chapter)
        replace_file(options.moodle, exported)
        count = exported.count(b'type="multichoice"')
        print(f"{count} questions are in {options.moodle}. {MOODLE}")
        return
    known = {chapter.name for chapter in moodle.available()}
    chapters = [course.chapter(name) for name in options.chapter] if options.chapter else course.load().chapters
    for chapter in chapters:
        count = len(bank.load(chapter.name)) if chapter.name in known else 0
        print(f"{chapter.name:24} {count:3}  {chapter.title}")


def doctor(options):
    """Say whether the course would run here, and what to do about what is missing."""
    from . import doctor as examination

    return examination.run()


def bundle(options):
    """Put the whole course into a folder for a room without internet, or verify such a folder."""
    from . import bundle as stick

    if options.check:
        return stick.check(options.folder)
    stick.make(options.folder, options.platform, options.python_version, options.notebooks)


def _table(rows):
    """Rows of `records.rows` for a terminal."""
    lines = [("experiment", "profile", "model", "test", "accuracy, 95 % interval", "paper", "seconds")]
    for r in rows:
        low, high = r["accuracy_ci95"]
        interval = f"{100 * r['accuracy']:.2f} % [{100 * low:.2f}, {100 * high:.2f}]"
        paper = "" if r["printed_percent"] is None else f"{r['printed_percent']:g} %"
        seconds = "" if r["wall_time_s"] is None else f"{r['wall_time_s']:.0f}"
        lines.append((r["experiment"], r["profile"], r["model"], f"{r['n_test']:,}", interval, paper, seconds))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def _names(text):
    """A list of names from one argument: ``svm,finetune``."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _parser():
    parser = argparse.ArgumentParser(
        prog="bloodcell",
        description="Data, experiments and results of the course on recognising blood cells.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bloodcell-utils {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    data = commands.add_parser("data", help="the PBC data set: fetch, verify, info").add_subparsers(
        required=True, metavar="ACTION"
    )
    for name, function, text in (
        ("fetch", fetch, "download the archive, once, and verify it"),
        ("verify", verify, "compare a folder or zip with the official release"),
        ("info", info, "count images by class, sub-type and batch; any set with one folder a class"),
    ):
        action = data.add_parser(name, help=text, description=text)
        action.add_argument("folder", nargs="?", help="folder or zip (default: BLOODCELL_DATA_DIR, else the cache)")
        action.set_defaults(command=function)

    from .experiments import EXPERIMENTS

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

    experiment = commands.add_parser("run", help="measure an experiment and write its record")
    known = "; ".join(f"{name}: {text}" for name, text in EXPERIMENTS.items())
    experiment.add_argument("experiment", choices=EXPERIMENTS, help=known)
    experiment.add_argument("--profile", choices=config.PROFILES, help="default: BLOODCELL_PROFILE, else sample")
    experiment.add_argument("--backbone", choices=("vgg16", "inception_v3"), help="default: vgg16")
    experiment.add_argument("--size", type=int, metavar="PX", help="of the network's input (default: the profile's)")
    experiment.add_argument("--seed", type=int, default=config.SEED, help=f"default: {config.SEED}")
    experiment.add_argument(
        "--scheduler",
        metavar="WHERE",
        help="of the cells of a grid (ablation): 'local' for processes on this machine, or the address of a Dask "
        "cluster (tcp://...); default: this process",
    )
    experiment.add_argument("--ship", action="store_true", help="compact_best: put the weights into this package")
    experiment.add_argument("--output", metavar="FOLDER", help="of the record (default: book/results)")
    experiment.set_defaults(command=run)

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
    again.add_argument("--profile", choices=config.PROFILES, help="default: BLOODCELL_PROFILE, else sample")
    again.add_argument("--only", type=_names, metavar="NAMES", help=f"of: {','.join(EXPERIMENTS)} (default: all)")
    again.add_argument("--again", action="store_true", help="measure also what has been measured")
    again.add_argument("--report-only", action="store_true", help="measure nothing; write the report of what is there")
    again.add_argument("--seed", type=int, default=config.SEED, help=f"default: {config.SEED}")
    again.add_argument("--output", metavar="FOLDER", help="of records and report (default: reproduction, right here)")
    again.set_defaults(command=reproduce)

    table = commands.add_parser("results", help="everything measured so far, beside the paper")
    table.add_argument("folder", nargs="?", help="of the records (default: book/results)")
    table.add_argument("--json", action="store_true", help="a list of rows instead of a table")
    table.set_defaults(command=results)

    solved = commands.add_parser(
        "progress",
        help="which exercises are solved and which are left; when none is left, a certificate",
        description="List the chapters with a mark for each exercise that `check` found right. The list is one file on "
        "this machine (BLOODCELL_PROGRESS_FILE); nothing leaves it.",
    )
    solved.add_argument(
        "--page", type=Path, metavar="FILE", help="write it as a page; the certificate, if all is solved"
    )
    solved.add_argument("--name", default="", help="to stand on the certificate")
    solved.add_argument("--reset", action="store_true", help="begin anew; the old list is set aside, not deleted")
    solved.set_defaults(command=learnt)

    clocks = commands.add_parser(
        "bench",
        help="how much faster than the plain way each heavy step is, on this machine",
        description="Time the heavy steps of the course both ways in one run: the plain way and the package's.",
    )
    clocks.add_argument("--only", type=_names, metavar="NAMES", help="of: features,decode,svm,train,predict,start")
    clocks.add_argument(
        "--profile", choices=config.PROFILES, help="whose images; default: BLOODCELL_PROFILE, else sample"
    )
    clocks.add_argument("--json", action="store_true", help="print the measurements as json")
    clocks.set_defaults(command=bench)

    asking = commands.add_parser(
        "questions",
        help="the questions of the chapters, also for a learning-management system",
        description="Without options: how many questions each chapter has.",
        epilog=MOODLE,
    )
    asking.add_argument("--moodle", type=Path, metavar="FILE", help="write the questions there, as Moodle XML")
    asking.add_argument("--chapter", nargs="+", metavar="NAME", help="only these chapters (default: all)")
    asking.set_defaults(command=questions)

    check = commands.add_parser(
        "doctor",
        help="would the course run here? what is missing, and what to do",
        description="Examine Python, memory, disk, folders, JupyterLab, Keras and the network that comes with it.",
        epilog="exit status: 0 the sample profile runs, 1 something that it needs is missing",
    )
    check.set_defaults(command=doctor)

    offline = commands.add_parser(
        "classroom-bundle",
        help="the whole course in a folder, for a room without internet",
        description="Put wheels of all locked packages, the notebooks, the built book and instructions into a folder, "
        "for a USB stick. What is there already, with the right checksum, is kept.",
    )
    offline.add_argument("folder", type=Path, help="new, empty, or an earlier bundle")
    tags = (
        "pip's name of a platform: win_amd64, macosx_14_0_arm64, manylinux_2_28_x86_64; again for more (default: this)"
    )
    offline.add_argument("--platform", action="append", metavar="TAG", help=tags)
    pythons = "of the students' computers; again for more (default: the one that runs this)"
    offline.add_argument("--python-version", action="append", metavar="3.X", help=pythons)
    offline.add_argument("--notebooks", type=Path, metavar="DIR", help="another edition (default: notebooks)")
    offline.add_argument("--check", action="store_true", help="write nothing: verify the checksums")
    offline.set_defaults(command=bundle)
    return parser
