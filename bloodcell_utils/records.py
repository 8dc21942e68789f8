"""Run records: what was measured, on what, with which seed and versions. Every number in the book comes from one.

A record is one json, ``<experiment>.<profile>.json``, with per-image predictions beside it in
``<experiment>.<profile>.predictions.csv.gz``. It holds counts; everything derived from them can be computed again.
"""

import gzip
import io
import json
import re
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from . import metrics, paper
from .config import SEED, results_dir
from .errors import BloodcellError
from .provenance import provenance
from .store import key, replace_file


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
        Name of the split and images a subset.
    data : dict
        ``name``, ``n_images`` and ``fingerprint`` (a hash of every image's SHA-256).
    seed : int
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
        """Write the record, and the predictions beside it, atomically.

        Parameters
        ----------
        folder : path-like, optional
            Default: `config.results_dir`.

        Returns
        -------
        pathlib.Path
            The json.

        Raises
        ------
        BloodcellError
            If the folder cannot be written. A record that was there is as it was.
        """
        folder = Path(folder or results_dir())
        content = {name: value for name, value in asdict(self).items() if name != "predictions"}
        path = folder / f"{self.name}.json"
        if self.predictions is not None:
            table = self.predictions.to_csv(index=False, lineterminator="\n").encode()
            packed = io.BytesIO()
            with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
                file.write(table)
            replace_file(_predictions_path(path), packed.getvalue())
        else:
            _predictions_path(path).unlink(missing_ok=True)  # of an earlier run
        text = json.dumps(content, indent=1, ensure_ascii=False)
        # A row of a matrix on one line keeps the file short enough to read and to compare.
        flat = re.sub(r"\[\n\s+([-\d.e,\s]+?)\n\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text)
        replace_file(path, (flat + "\n").encode())
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
        If the file is no record.
    """
    path = Path(path)
    try:
        record = Record(**json.loads(path.read_text("utf-8")))
        if _predictions_path(path).exists():
            object.__setattr__(record, "predictions", pd.read_csv(_predictions_path(path)))
    except (EOFError, OSError, TypeError, ValueError, zlib.error) as err:
        raise BloodcellError(f"{path} is not a run record, or not a whole one: {err}") from err
    return record


def load(experiment, profile, folder=None):
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
    path = Path(folder or results_dir()) / f"{experiment}.{profile}.json"
    if not path.exists():
        raise BloodcellError(f"No record {path.name}; measure it with: bloodcell run {experiment} --profile {profile}")
    return read(path)


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


def find(experiment, *profiles, folder=None):
    """The record of an experiment on the first of these profiles on which it has been measured.

    Parameters
    ----------
    experiment : str
    *profiles : str
    folder : path-like, optional
        Default: `config.results_dir`.

    Returns
    -------
    Record or None
        None if it has been measured on none of them.
    """
    paths = [Path(folder or results_dir()) / f"{experiment}.{profile}.json" for profile in profiles]
    return next((read(path) for path in paths if path.exists()), None)


def read_all(folder=None):
    """All records of a folder, sorted by name.

    Parameters
    ----------
    folder : path-like, optional
        Default: `config.results_dir`.

    Returns
    -------
    list of Record
    """
    return [read(path) for path in sorted(Path(folder or results_dir()).glob("*.json"))]


def measure(confusion, wall_time_s=None, peak_rss_mb=None, printed=None, **details):
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


def rows(records):
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


def compare(record, model, printed=None):
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


def create(experiment, profile, table, y, models, predictions, seed=SEED, notes=(), subset="test"):
    """A record of what has just been measured, with its provenance filled in.

    Parameters
    ----------
    experiment : str
    profile : config.Profile
    table : pandas.DataFrame
        The split that was used.
    y : numpy.ndarray of int, shape (len(table),)
        True class numbers.
    models : dict of str to dict
        From `measure`.
    predictions : dict of str to numpy.ndarray of int
        For the test images, in the order of the table.
    seed : int
    notes : sequence of str
    subset : str
        The images that were predicted.

    Returns
    -------
    Record
    """
    test = (table["subset"] == subset).to_numpy()
    return Record(
        experiment=experiment,
        profile=profile.name,
        models=models,
        classes=list(paper.TABLE_1),
        split={"name": "clean", **table["subset"].value_counts().to_dict()},
        data={"name": profile.data, **fingerprint(table)},
        seed=seed,
        notes=list(notes),
        subset=subset,
        predictions=pd.DataFrame({"path": table.loc[test, "path"], "true": y[test], **predictions}),
        **provenance(),
    )


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


def _predictions_path(path):
    return path.with_name(f"{path.name.removesuffix('.json')}.predictions.csv.gz")
