"""Run records: what was measured, on what, with which seed and versions. Every number in the book comes from one.

A record is one json, ``<experiment>.<profile>.json``, with per-image predictions beside it in
``<experiment>.<profile>.predictions.csv.gz``, whose checksum it holds, so that neither is taken for another run's. It
holds counts; everything derived from them can be computed again.
"""

import gzip
import hashlib
import io
import json
import os
import re
import time
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from .. import paper
from ..config import SEED, results_dir
from ..datasets.cache import key
from ..errors import BloodcellError, DataError
from ..evaluation import metrics
from ..files import read_file, replace_files
from .provenance import peak_rss_mb, provenance

LEFT = "Left for another time"  # begins the note of a record that lacks models
_CHECKSUM = "predictions_sha256"  # in the json: of the file beside it


@dataclass(frozen=True)
class Record:
    """One run of one experiment.

    Attributes
    ----------
    experiment, profile : str
    models : dict of str to dict
        For each model what `measure` returns.
    classes : list of str
        Class folders in the order of the matrices.
    split : dict
        Name of the split, its seed, and images a subset.
    data : dict
        ``name``, and what `fingerprint` says of the images.
    seed : int
        Of the training; the split has its own, so that trainings with several seeds are tested on the same images.
    device : str
        Processor or accelerator.
    versions : dict of str to str
    commit : str or None
        Of this repository; ends in ``+`` when files were changed after it.
    created : str
        ISO 8601, UTC.
    notes : list of str
    subset : str
        The images that were predicted: ``"test"``, or ``"validation"`` where the experiment chooses by them.
    settings : dict
        The fields of the profile that it was run with (`config.Profile`); empty in records that are older.
    predictions : pandas.DataFrame or None
        ``path``, ``true`` and a column a model, class numbers; kept beside the json.
    """

    experiment: str
    profile: str
    models: dict
    classes: list
    split: dict
    data: dict
    seed: int = SEED
    device: str = ""
    versions: dict = field(default_factory=dict)
    commit: str | None = None
    created: str = ""
    notes: list = field(default_factory=list)
    subset: str = "test"
    settings: dict = field(default_factory=dict)
    predictions: pd.DataFrame | None = field(default=None, compare=False, repr=False)

    @property
    def name(self):
        """``experiment.profile``, the file's name."""
        return f"{self.experiment}.{self.profile}"

    def confusion(self, model):
        """Confusion matrix of one model, as an array of counts."""
        if model not in self.models:
            raise BloodcellError(f"{self.name} has no model {model!r}; it has {', '.join(self.models)}.")
        return np.array(self.models[model]["confusion"])

    def write(self, folder=None):
        """Write the record and the predictions beside it, both or neither; returns the json's path.

        `folder` is by default `config.results_dir`. If it cannot be written, a BloodcellError says so.
        """
        path = Path(folder or results_dir()) / f"{self.name}.json"
        content = {name: value for name, value in asdict(self).items() if name != "predictions"}
        files = {}
        if self.predictions is not None:
            table = gzip.compress(self.predictions.to_csv(index=False, lineterminator="\n").encode(), mtime=0)
            files[_predictions_path(path)] = table
            content[_CHECKSUM] = hashlib.sha256(table).hexdigest()
        text = json.dumps(content, indent=1, ensure_ascii=False)
        # A row of a matrix on one line keeps the file short enough to read and to compare.
        flat = re.sub(r"\[\n\s+([-\d.e,\s]+?)\n\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text)
        replace_files(files | {path: (flat + "\n").encode()})
        if self.predictions is None:
            _predictions_path(path).unlink(missing_ok=True)  # of an earlier run
        return path


def read(path):
    """Read one record.

    Parameters
    ----------
    path : path-like
        A json written by `Record.write`.

    Returns
    -------
    Record

    Raises
    ------
    BloodcellError
        If the file is no record, or the predictions beside it are another run's.
    """
    path = Path(path)
    try:
        content = _migrated(json.loads(read_file(path).decode()))
        checksum = content.pop(_CHECKSUM, None)
        record = Record(**content)
        _check(record)
        beside = _predictions_path(path)
        if checksum or beside.exists():
            table = read_file(beside)
            if checksum not in (None, hashlib.sha256(table).hexdigest()):  # older records have none
                raise DataError(f"{beside.name} is of another run")
            answers = pd.read_csv(io.BytesIO(gzip.decompress(table)))
            if not answers.drop(columns="path").isin(range(len(record.classes))).all(axis=None):
                raise ValueError(f"{beside.name} has answers that are no class")
            object.__setattr__(record, "predictions", answers)
    except (ArithmeticError, AttributeError, BloodcellError, EOFError, LookupError, OSError, RecursionError, TypeError,
            ValueError, zlib.error) as err:  # fmt: skip
        raise BloodcellError(f"{path} is not a run record, or not a whole one: {err}") from err
    return record


def _check(record):
    """What every reader of a record relies on; anything that is missing raises."""
    if not record.models:
        raise ValueError("it has no model")
    texts = record.experiment, record.profile, record.data["name"], record.created, record.device
    if not all(isinstance(text, str) for text in texts) or not isinstance(record.versions, dict):
        raise TypeError("its experiment, profile, data, date or device is not text")
    for name, model in record.models.items():
        confusion = np.array(model["confusion"])
        if confusion.shape != (len(record.classes),) * 2 or confusion.dtype.kind not in "iu" or confusion.min() < 0:
            raise ValueError(f"the counts of {name} are no square of {len(record.classes)} classes")
        if missing := [one for one in ROW if one not in model]:
            raise ValueError(f"{name} has no {missing[0]}")
        n, right = int(confusion.sum()), int(np.trace(confusion))
        if not n or model["n_test"] != n or abs(model["accuracy"] - right / n) > 1e-5:
            raise ValueError(f"accuracy and counts of {name} contradict each other")
        low, high = model["accuracy_ci95"]
        if not 0 <= low <= model["accuracy"] <= high <= 1:
            raise ValueError(f"the accuracy of {name} does not lie in its interval")
        for rate in ("balanced_accuracy", "macro_f1", "printed_percent", "wall_time_s", "peak_rss_mb"):
            if not isinstance(model[rate], (int, float, type(None))):
                raise TypeError(f"{rate} of {name} is no number")


def load_record(experiment, profile, folder=None):
    """The record of an experiment on a profile.

    Parameters
    ----------
    experiment, profile : str
    folder : path-like, optional
        Default: `config.results_dir`.

    Returns
    -------
    Record

    Raises
    ------
    BloodcellError
        If it has not been measured; the message has the command that does.
    """
    if record := find_record(experiment, profile, folder=folder):
        return record
    command = f"bloodcell run {experiment} --profile {profile}"
    raise BloodcellError(f"No record {experiment}.{profile}.json; measure it with: {command}")


def experiment_name(experiment, backbone="vgg16"):
    """What the record of an experiment with a network is called, before its profile.

    Parameters
    ----------
    experiment, backbone : str

    Returns
    -------
    str
        ``"svm"`` for VGG-16, the network of every profile; ``"svm-inception_v3"`` for another.
    """
    return experiment if backbone == "vgg16" else f"{experiment}-{backbone}"


def find_record(experiment, *profiles, folder=None):
    """The record of an experiment on the first of these profiles on which it has been measured.

    Parameters
    ----------
    experiment, *profiles : str
    folder : path-like, optional
        Default: `config.results_dir`.

    Returns
    -------
    Record or None
        None if it has been measured on none of them.
    """
    paths = [Path(folder or results_dir()) / f"{experiment}.{profile}.json" for profile in profiles]
    found = next((path for path in paths if path.exists()), None)
    record = found and read(found)
    if record and f"{record.name}.json" != found.name:
        raise BloodcellError(f"{found} holds the record {record.name}; it was renamed, or stands in for another.")
    return record


def read_all(folder=None, problems=None):
    """All records of a folder.

    Parameters
    ----------
    folder : path-like, optional
        Default: `config.results_dir`.
    problems : list, optional
        Gets a message for each file that is no record; without it, the first such file is an error.

    Returns
    -------
    list of Record
        Sorted by name; empty if there is no such folder.

    Raises
    ------
    BloodcellError
        If the folder may not be opened.
    """
    folder, found = Path(folder or results_dir()), []
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return []
    except OSError as err:
        raise BloodcellError(f"The records in {folder} cannot be read: {err.strerror}.") from err
    for name in names:
        try:
            found.append(read(folder / name))
        except BloodcellError as err:
            if problems is None:
                raise
            problems.append(str(err))
    return found


class Collector:
    """What an experiment measures, model by model; in the end, its record.

    Parameters
    ----------
    experiment : str
    profile : config.Profile
    split : datasets.Split
    backbone : str
    seed : int
        Of the training.
    subset : str
        The images that are predicted.
    known : Record, optional
        What an earlier run has measured with the same settings, seeds and images: `due` takes it over, and each model
        then tells as ``measured`` when and where that was.
    deadline : float, optional
        A moment of `time.monotonic`. A model that would end after it is not `due`, the first one excepted.
    progressbar : bool
        Print a line for each model.

    Raises
    ------
    BloodcellError
        If what is known is of other settings, seeds or images.
    """

    def __init__(
        self, experiment, profile, split, *, backbone="vgg16", seed=SEED, subset="test", known=None, deadline=None,
        progressbar=False,
    ):  # fmt: skip
        self.experiment, self.profile, self.split = experiment_name(experiment, backbone), profile, split
        self.seed, self.subset, self.rows = seed, subset, split.rows(subset)
        self.truth = split.y[self.rows]
        self.models, self.predictions = {}, {}
        self.known, self.deadline, self.longest = known, deadline, None
        self.left = []
        self.say = print if progressbar else lambda *_: None
        self.started = time.perf_counter()
        if known:
            asked = known.experiment, known.seed, known.split["seed"], known.settings, known.data["fingerprint"]
            ours = self.experiment, seed, split.seed, settings_of(profile), fingerprint(split.table)["fingerprint"]
            if asked != ours:
                raise BloodcellError(f"{known.name} is of other settings, seeds or images: nothing is added to it.")

    def due(self, model):
        """Whether a model is to be measured now; what is known of it is taken over, and then it is not."""
        found = self.known and self.known.models.get(model)
        if found and not stopped(found):
            where = {name: getattr(self.known, name) for name in ("created", "device", "commit")}
            self.models[model] = {"measured": where} | found  # what was taken over before keeps where it is from
            self.predictions[model] = self.known.predictions[model].to_numpy()
            return False
        in_time = None in (self.deadline, self.longest) or time.monotonic() + self.longest <= self.deadline
        if not in_time:
            self.left.append(model)
            self.say(f"{model}: {LEFT.lower()}.")
        return in_time

    def lap(self):
        """Seconds since the last lap; of the first, since the collector was made."""
        before, self.started = self.started, time.perf_counter()
        self.longest = max(self.longest or 0, self.started - before)
        return round(self.started - before, 1)

    def add(self, model, predicted, seconds=None, /, **details):
        """Keep the class numbers that a model gives to the subset's images; `details` and result: see `measure`."""
        memory = {} if seconds is None else {"peak_rss_mb": peak_rss_mb()}
        confusion = metrics.confusion_matrix(self.truth, predicted, len(paper.TABLE_1))
        details = json.loads(json.dumps(details))  # as it will be read: lists for tuples
        measured = measure(confusion, seconds, **memory | details)
        self.models[model], self.predictions[model] = measured, predicted
        right, sensitivity = (100 * measured[name] for name in ("accuracy", "balanced_accuracy"))
        took = "" if seconds is None else f" ({seconds:.0f} s)"
        self.say(f"{model}: {right:.2f} % right, mean sensitivity {sensitivity:.1f} %{took}")
        return measured

    def record(self, *notes):
        """The `Record`, with its provenance filled in; not written yet."""
        table, split = self.split.table, self.split
        if self.left:
            notes += (f"{LEFT}: {'; '.join(self.left)}.",)
        return Record(
            experiment=self.experiment,
            profile=self.profile.name,
            models=self.models,
            classes=list(paper.TABLE_1),
            split={"name": "clean", "seed": split.seed, **table["subset"].value_counts().to_dict()},
            data={"name": self.profile.data, **fingerprint(table)},
            seed=self.seed,
            notes=list(notes),
            subset=self.subset,
            settings=settings_of(self.profile),
            predictions=pd.DataFrame({"path": table["path"].iloc[self.rows], "true": self.truth, **self.predictions}),
            **provenance(),
        )


def unfinished(record):
    """Whether a run left models for another time (`Collector`).

    Parameters
    ----------
    record : Record

    Returns
    -------
    bool
    """
    return any(note.startswith(LEFT) for note in record.notes)


def stopped(model):
    """Whether a training ended before its last epoch because its time was over.

    Parameters
    ----------
    model : dict
        One of a record's.

    Returns
    -------
    bool
    """
    settings = model.get("settings", {})
    return not settings.get("patience") and len(model.get("history", ())) < settings.get("epochs", 0)


def measure(confusion, wall_time_s=None, peak_rss_mb=None, *, printed=None, **details):
    """What a record says of one model.

    Parameters
    ----------
    confusion : array-like of int, shape (k, k)
        Counts on the test set, rows true.
    wall_time_s : float, optional
        Seconds, features included when they were computed in this run.
    peak_rss_mb : float, optional
        Largest resident memory of the process so far, in MB.
    printed : float, optional
        The paper's accuracy for the same thing, in percent.
    **details
        Anything else worth keeping, for example ``cross_validation``.

    Returns
    -------
    dict
        ``n_test, confusion, accuracy, accuracy_ci95, balanced_accuracy, macro_f1, per_class, wall_time_s,
        peak_rss_mb, printed_percent`` and the details; rates are fractions.
    """
    confusion = np.asarray(confusion)
    n, right = int(confusion.sum()), int(np.trace(confusion))
    rates = metrics.per_class(confusion).round(6).astype(object)
    return {
        "n_test": n,
        "confusion": confusion.tolist(),
        "accuracy": round(metrics.accuracy(confusion), 6),
        "accuracy_ci95": metrics.wilson(right, n).round(6).tolist(),
        "balanced_accuracy": round(metrics.balanced_accuracy(confusion), 6),
        "macro_f1": round(metrics.macro_f1(confusion), 6),
        "per_class": rates.where(rates.notna(), None).to_dict("records"),
        "wall_time_s": None if wall_time_s is None else round(wall_time_s, 1),
        "peak_rss_mb": None if peak_rss_mb is None else round(peak_rss_mb),
        "printed_percent": printed,
        **details,
    }


ROW = ("n_test", "accuracy", "accuracy_ci95", "balanced_accuracy", "macro_f1", "printed_percent", "wall_time_s",
       "peak_rss_mb")  # fmt: skip


def record_rows(records):
    """One row a model, for tables.

    Parameters
    ----------
    records : list of Record

    Returns
    -------
    list of dict
        ``experiment, profile, data, model``, the fields `ROW` of `measure`, and ``created``.
    """
    return [
        {"experiment": record.experiment, "profile": record.profile, "data": record.data["name"], "model": model}
        | {name: measured[name] for name in ROW}
        | {"created": record.created}
        for record in records
        for model, measured in record.models.items()
    ]


def compare_with_paper(record, model, printed=None):
    """A recorded accuracy and the printed one, in words.

    Parameters
    ----------
    record : Record
    model : str
    printed : paper.Printed, optional
        Default: the value kept in the record.

    Returns
    -------
    str
        For example ``"90.1 % [88.9, 91.2] of 2,561; the paper prints 87.4 %"``.
    """
    m = record.models[model]
    low, high = (100 * bound for bound in m["accuracy_ci95"])
    text = f"{100 * m['accuracy']:.1f} % [{low:.1f}, {high:.1f}] of {m['n_test']:,}"
    value = printed.value if isinstance(printed, paper.Printed) else m["printed_percent"]
    return text if value is None else f"{text}; the paper prints {value:g} %"


def settings_of(profile):
    """The fields of a profile as a record keeps them.

    Parameters
    ----------
    profile : config.Profile

    Returns
    -------
    dict
        As it will be read again: lists, no tuples.
    """
    return json.loads(json.dumps(asdict(profile)))


def fingerprint(table):
    """What a run was measured on.

    Parameters
    ----------
    table : pandas.DataFrame
        An index.

    Returns
    -------
    dict
        ``n_images``, and ``fingerprint``: a hash that changes with any image.
    """
    return {"n_images": len(table), "fingerprint": key(*sorted(table["sha256"]))}


def _migrated(content):
    """A record's json with the names of today: what was written before is read as well."""
    # Before the split had a seed of its own, these experiments drew it with that of the training.
    with_it = content["experiment"].split("-")[0] in ("ablation", "balance", "determinism", "finetune", "svm")
    content["split"] = {"seed": content.get("seed", SEED) if with_it else SEED, **content["split"]}
    if settings := content.get("settings"):
        settings.setdefault("seeds", 1)
        if "equal_steps" in (grid := settings.get("grid", {})):
            grid["shown"] = max(grid["images_per_class"] or [4096]) if grid.pop("equal_steps") else None
            grid |= {"again": [grid["again"]], "seeds": 2}
    for model in content["models"].values():
        if "worse_days" in model:
            model["corruptions"] = model.pop("worse_days")
    return content


def _predictions_path(path):
    return path.with_name(f"{path.name.removesuffix('.json')}.predictions.csv.gz")
