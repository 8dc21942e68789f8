"""Experiments and what they measured: run, reproduce, results."""

import json
import sys
import time
from inspect import signature
from pathlib import Path

from .. import config
from ..errors import BloodcellError
from ..files import writable
from .terminal import name, shown


def run(options):
    """Run an experiment, write its record and print it."""
    from .. import experiments
    from ..experiments import records

    folder = Path(options.output or config.results_dir())
    writable(folder / ".record")
    changes = {"feature_size": options.size} if options.size else {}
    profile = config.profile(options.profile, **changes)
    chosen = {name: value for name in ("scheduler", "backbone", "ship") if (value := getattr(options, name))}
    seeds = {"seed": options.seed, "split_seed": options.split_seed}
    known = _check_replaced(folder, profile, options)
    if options.add or options.minutes:
        if "known" not in signature(experiments.module(options.experiment).run).parameters:
            raise BloodcellError(f"{options.experiment} is one measurement: it takes neither --minutes nor --add.")
        chosen |= {"known": known} if known else {}
    if options.minutes:
        chosen["deadline"] = time.monotonic() + 60 * options.minutes
    record = experiments.run(options.experiment, profile, **seeds, **chosen)
    path = record.write(options.output)
    print(f"\n{_table(records.record_rows([record]))}\n\nRecord: {path}")


def _check_replaced(folder, profile, options):
    """The record that is there, if it is whole; that of another seed or setting is not replaced in silence."""
    from .. import experiments
    from ..experiments import records

    path = folder / f"{experiments.record_name(options.experiment, profile, options.backbone)}.{profile.name}.json"
    try:
        old = records.read(path) if path.exists() else None
    except BloodcellError:  # damaged: nothing is lost, but there is nothing to add to either
        if options.add or options.minutes:
            raise
        return None
    if old is None:
        return None
    seeds = (old.seed, old.split.get("seed")) == (options.seed, options.split_seed)
    if not seeds or old.settings not in ({}, records.settings_of(profile)):
        raise BloodcellError(
            f"{path} is of another seed or other settings and would be replaced. Name another folder with --output, "
            "or move it away."
        )
    return old


def reproduce(options):
    """Measure what has not been measured, and write the report; it grows with every experiment."""
    from .. import reproduction

    profile = config.profile(options.profile)
    folder = options.output or (Path("reproduction") / ("sample" if profile.data == "synthetic" else ""))
    outcomes = []
    writable(Path(folder) / ".report")
    if not options.report_only:
        for outcome in reproduction.reproduce(profile, folder, options.only, again=options.again, seed=options.seed):
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
    from ..experiments import records

    if options.folder and not Path(options.folder).is_dir():
        raise BloodcellError(f"There is no folder {options.folder}.")
    problems = []
    rows = records.record_rows(records.read_all(options.folder, problems))
    if options.json:
        print(json.dumps(rows, indent=1))
    elif rows:
        print(_table(rows))
    elif not problems:
        print("Nothing has been measured yet: bloodcell run svm")
    for problem in problems:
        print(f"bloodcell: {shown(problem)}", file=sys.stderr)
    return bool(problems)


def _table(rows):
    """Rows of `records.record_rows` for a terminal."""
    lines = [("experiment", "profile", "model", "test", "accuracy, 95 % interval", "paper", "seconds")]
    for r in rows:
        low, high = r["accuracy_ci95"]
        interval = f"{100 * r['accuracy']:.2f} % [{100 * low:.2f}, {100 * high:.2f}]"
        paper = "" if r["printed_percent"] is None else f"{r['printed_percent']:g} %"
        seconds = "" if r["wall_time_s"] is None else f"{r['wall_time_s']:.0f}"
        names = (name(r[which]) for which in ("experiment", "profile", "model"))
        lines.append((*names, f"{r['n_test']:,}", interval, paper, seconds))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
