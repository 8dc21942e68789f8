"""Experiments and what they measured: run, reproduce, results, bench."""

import json
import sys
from pathlib import Path

from .. import config


def run(options):
    """Run an experiment, write its record and print it."""
    from .. import experiments, records

    changes = {"feature_size": options.size} if options.size else {}
    profile = config.profile(options.profile, **changes)
    chosen = {name: value for name in ("scheduler", "backbone", "ship") if (value := getattr(options, name))}
    record = experiments.run(options.experiment, profile, seed=options.seed, **chosen)
    path = record.write(options.output)
    print(f"\n{_table(records.rows([record]))}\n\nRecord: {path}")


def reproduce(options):
    """Measure what has not been measured, and write the report; it grows with every experiment."""
    from .. import reproduction

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


def results(options):
    """Print every record as a table or as json."""
    from .. import records

    rows = records.rows(records.read_all(options.folder))
    if options.json:
        print(json.dumps(rows, indent=1))
    elif rows:
        print(_table(rows))
    else:
        print("Nothing has been measured yet: bloodcell run svm")


def bench(options):
    """Time each heavy step of the course against the plain way."""
    from .. import bench as benchmarks

    measured = benchmarks.run(config.profile(options.profile), options.only, sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps(measured, indent=1))


def add_to(commands):
    """Describe these commands to the parser.

    Parameters
    ----------
    commands : argparse._SubParsersAction
    """
    from ..experiments import EXPERIMENTS

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
