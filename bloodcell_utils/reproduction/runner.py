"""Every experiment in order: kept where it has been measured, measured where not, reported where that fails."""

import json
import multiprocessing
import os
import threading
import time
import traceback
from dataclasses import dataclass
from functools import cache, partial
from inspect import signature
from multiprocessing import connection
from pathlib import Path

from .. import experiments
from ..config import SEED
from ..datasets import splits
from ..errors import BloodcellError
from ..experiments import provenance, records
from ..files import replace_file

AGAIN = ".again"  # which records were asked for again, and when: an interrupted run goes on from there


@dataclass(frozen=True)
class Task:
    """One experiment with one network.

    Attributes
    ----------
    experiment : str
        One of `experiments.EXPERIMENTS`.
    backbone : str or None
        None where the experiment takes none.
    """

    experiment: str
    backbone: str | None = None

    @property
    def name(self):
        """Of the record, without its profile."""
        return records.experiment_name(self.experiment, self.backbone or "vgg16")


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes
    ----------
    task : Task
    status : str
        ``"measured"``, ``"kept"`` or ``"failed"``.
    message : str
        Where the record is, or what went wrong.
    seconds : float
    """

    task: Task
    status: str
    message: str = ""
    seconds: float = 0.0


def tasks(profile, only=None):
    """What there is to measure on a profile.

    Parameters
    ----------
    profile : config.Profile
    only : sequence of str, optional
        Names of experiments; default: all.

    Returns
    -------
    list of Task
        In the order of `experiments.EXPERIMENTS`; with each of the profile's networks where the experiment takes one.

    Raises
    ------
    BloodcellError
        For an unknown experiment.
    """
    unknown = sorted(set(only or ()) - set(experiments.EXPERIMENTS))
    if unknown:
        raise BloodcellError(
            f"There is no experiment {unknown[0]!r}; choose one of {', '.join(experiments.EXPERIMENTS)}."
        )
    chosen = [name for name in experiments.EXPERIMENTS if not only or name in only]
    return [Task(name, backbone) for name in chosen for backbone in _backbones(name, profile)]


def reproduce(profile, folder, only=None, *, again=False, seed=SEED, measure=None, say=None):
    """Measure every experiment that has not been measured.

    Parameters
    ----------
    profile : config.Profile
    folder : path-like
        Of the records.
    only : sequence of str, optional
        Names of experiments; default: all.
    again : bool
        Measure also what has been measured. After an interruption, go on without it.
    seed : int
    measure : callable, optional
        ``measure(task, profile, seed, folder)`` writes a record; default: in a process of its own, so that one
        experiment's memory is not the next one's, and none can take the others down.
    say : callable, optional
        Gets a line at a time; default: print.

    Yields
    ------
    Outcome
        After each task.

    Raises
    ------
    BloodcellError
        If there are no images, or for an unknown experiment.
    """
    folder, measure = Path(folder), measure or _in_a_process
    say = say or partial(print, flush=True)  # in order with what the experiment's own process prints
    todo = tasks(profile, only)
    if again:
        _ask_again(folder, [f"{task.name}.{profile.name}" for task in todo])

    @cache
    def fingerprints():
        say("Looking at the images ...")
        table = splits.load_index(profile)
        return {records.fingerprint(t)["fingerprint"] for t in (table, splits.clean(table))}

    fingerprints()  # without images nothing can be measured: say so before anything else
    for number, task in enumerate(todo, 1):
        name = f"{task.name}.{profile.name}"
        reason, old = _why_measure(folder / f"{name}.json", fingerprints(), seed, profile)
        if not reason:
            say(f"[{number}/{len(todo)}] {name}: measured on {old.created[:10]}, kept ({old.device}).")
            yield Outcome(task, "kept", str(folder / f"{name}.json"))
            continue
        say(f"[{number}/{len(todo)}] {name}: {reason}{_expected(name)}")
        start = time.perf_counter()
        try:
            measure(task, profile, seed, folder)
            records.read(folder / f"{name}.json")
            status, message = "measured", str(folder / f"{name}.json")
        except Exception as err:  # whatever it is, the other experiments can still be measured
            status, message = "failed", _words(err)
        seconds = time.perf_counter() - start
        say(f"[{number}/{len(todo)}] {name}: {status} after {_duration(seconds)}. {message}")
        yield Outcome(task, status, message, seconds)


def _why_measure(path, fingerprints, seed, profile):
    """Why a record is not enough, or an empty text; and the record."""
    if not path.exists():
        return "measuring.", None
    try:
        record = records.read(path)
    except BloodcellError:
        return "measuring, the record that is there is damaged.", None
    if record.data["fingerprint"] not in fingerprints:
        return "measuring, the record that is there is of other images.", record
    if (record.seed, record.split["seed"]) != (seed, SEED):
        return f"measuring, the record has the seeds {record.seed} and, of its split, {record.split['seed']}.", record
    settings = records.settings_of(profile)
    if other := [field for field, value in settings.items() if record.settings.get(field) != value]:
        return f"measuring, the record has other settings, or does not tell them: {', '.join(other)}.", record
    if record.created > provenance.provenance()["created"]:
        return f"measuring, the record is dated in the future ({record.created[:10]}).", record
    if records.unfinished(record):
        return "measuring what an earlier run left for another time.", record
    if record.created < _asked_again(path.parent).get(path.stem, ""):
        return "measuring again.", record
    return "", record


def _ask_again(folder, names):
    now = provenance.provenance()["created"]
    replace_file(folder / AGAIN, json.dumps(_asked_again(folder) | dict.fromkeys(names, now)).encode())


def _asked_again(folder):
    try:
        return json.loads((folder / AGAIN).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _backbones(experiment, profile):
    takes = signature(experiments.module(experiment).run).parameters
    return profile.backbones if "backbone" in takes else (None,)


def _expected(name):
    """How long the course's own record took, where there is one."""
    record = records.find_record(*name.rsplit(".", 1))
    seconds = sum(model["wall_time_s"] or 0 for model in record.models.values()) if record else 0
    return f" (It took {_duration(seconds)} on {record.device}.)" if seconds else ""


def _duration(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _in_a_process(task, profile, seed, folder):
    context = multiprocessing.get_context("spawn")
    hears, says = context.Pipe(duplex=False)
    child = context.Process(target=_told, args=(says, _measure, task, profile, seed, folder))
    child.start()
    says.close()
    try:
        problem = hears.recv()
    except EOFError:
        problem = "It ended without a word; most often that means that the memory was not enough."
    finally:  # Ctrl-C reaches both, and the child tidies up; whatever else happens, no experiment goes on alone
        child.join(timeout=5)
        child.terminate()
    if problem:
        raise BloodcellError(problem)


def _told(says, measure, *asked):
    """Measure in a process of its own, and say what went wrong: words, or None."""
    _watch_parent()
    try:
        measure(*asked)
    except BloodcellError as err:
        says.send(str(err))
    except KeyboardInterrupt:
        pass
    else:
        says.send(None)


def _measure(task, profile, seed, folder):
    options = {"backbone": task.backbone} if task.backbone else {}
    if there := _unfinished(folder / f"{task.name}.{profile.name}.json", seed, profile):
        options["known"] = there
    try:
        experiments.run(task.experiment, profile, seed=seed, **options).write(folder)
    except BloodcellError:
        raise
    except Exception as err:  # no weights, no internet, no memory: words for the report, all of it for the reader
        traceback.print_exc()
        raise BloodcellError(_words(err)) from None


def _unfinished(path, seed, profile):
    """The record that an earlier run had no time to finish, if it may be added to."""
    try:
        record = records.read(path)
    except BloodcellError:  # there is none, or it is damaged
        return None
    same = (record.seed, record.settings) == (seed, records.settings_of(profile))
    return record if same and records.unfinished(record) else None


def _words(err):
    return str(err) if isinstance(err, BloodcellError) else f"{type(err).__name__}: {err}"


def _watch_parent():
    """A reproduction that was killed leaves nothing running, or the next one would meet it at the cache."""

    def end_with_it():
        connection.wait([multiprocessing.parent_process().sentinel])
        os._exit(1)

    threading.Thread(target=end_with_it, daemon=True).start()
