"""The records that a verdict may rest on: the best that there is for each experiment, never one of drawn cells."""

import numpy as np

from ..config import PROFILES
from ..experiments.records import experiment_name, stopped
from ..models.backbones import BACKBONES
from .settings import differences, smaller

DATA = {"pbc": "PBC", "synthetic": "drawn cells"}


class Evidence:
    """Run records, and which of them speaks for an experiment.

    Parameters
    ----------
    records : list of Record
    rehearsal : bool
        Take the records of drawn cells, and those alone; every line then says so.
    """

    def __init__(self, records, rehearsal=False):
        self.rehearsal = rehearsal
        counted = [record for record in records if (record.data["name"] == "synthetic") == rehearsal]
        self.ranked = sorted(counted, key=_fullness, reverse=True)

    def records(self, experiment, network="vgg16"):
        """The records of an experiment with a network, that of the fullest profile first."""
        return [record for record in self.ranked if record.experiment == experiment_name(experiment, network)]

    def runs(self, experiment, network="vgg16", model=None, **details):
        """The runs of the best record that has any: of one model (all its seeds), or with these details; by name.

        A training that was stopped before its last epoch counts only where none is whole.

        Each is what the record says of the model, with ``confusion`` as an array, ``record``, and in words ``data``
        (what it was measured on), ``note`` (in what its setting differs from the paper's) and ``smaller`` (where it is
        too far from it for a verdict).
        """
        for record in self.records(experiment, network):
            found = {
                name: measured
                | {"confusion": record.confusion(name), "record": record, "data": describe(record, name)}
                | {
                    "note": f"{record.name}, in brackets the paper's: {'; '.join(differences(record, name))}.",
                    "smaller": smaller(record, name),
                }
                for name, measured in record.models.items()
                if (model is None or f"{name}, seed ".startswith(f"{model}, seed "))
                and all(measured.get(key) == value for key, value in details.items())
            }
            whole = {name: run for name, run in found.items() if not stopped(run)}
            if found:
                return whole or found
        return {}


def _fullness(record):
    """Which place a record's profile has among those of the package; one that is not known comes before them."""
    return list(PROFILES).index(record.profile) if record.profile in PROFILES else -1


def gain(first, second):
    """How much more accurate some runs are than others on the same images.

    The runs of each side (seeds) are averaged image by image; the interval is that of the mean difference over the
    images, so that images which both sides find easy do not widen it.

    Parameters
    ----------
    first, second : dict of str to dict
        From `Evidence.runs`, of one record.

    Returns
    -------
    tuple or None
        The mean difference and its 95 % interval, fractions; None where predictions were not kept.
    """
    table = next(iter(first.values()))["record"].predictions
    if table is None or not {*first, *second} <= set(table):
        return None
    right = [np.mean([table[name] == table["true"] for name in names], axis=0) for names in (first, second)]
    difference = right[0] - right[1]
    middle, half = difference.mean(), 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))
    return middle, (middle - half, middle + half)


def describe(record, model):
    """What a model was measured on.

    Parameters
    ----------
    record : Record
    model : str

    Returns
    -------
    str
        For example ``"PBC, 2,561 test images, laptop profile"``.
    """
    name = DATA.get(record.data["name"], record.data["name"])
    return f"{name}, {record.models[model]['n_test']:,} {record.subset} images, {record.profile} profile"


def how_to_measure(experiment, network, partly=False):
    """What to do about a number that has no record.

    Parameters
    ----------
    experiment, network : str
    partly : bool
        The laptop has measured what it can; the rest takes the workstation profile.

    Returns
    -------
    str
        The one command, and what it needs.
    """
    if network != "vgg16":
        command = f"bloodcell run {experiment} --backbone {network} --profile full"
        needs = f"a GPU, and internet for the weights of {BACKBONES[network].title}"
    elif partly:
        command, needs = f"bloodcell run {experiment} --profile workstation --add", "the real images and some hours"
    else:
        command, needs = f"bloodcell run {experiment} --profile laptop", "the real images"
    return f"not measured yet: `{command}`; needs {needs}"


def mean_rate(runs, true=None, predicted=None):
    """A share averaged over runs that were tested on the same images.

    Parameters
    ----------
    runs : dict of str to dict
        From `Evidence.runs`.
    true, predicted : int, optional
        Class numbers: of the images of one class, those that were given a name. Default: of all, those named correctly.

    Returns
    -------
    float
        The mean share.
    int
        Images that one run's share is of: more runs do not make more images.
    """
    counts = [run["confusion"] for run in runs.values()]
    if true is None:
        return float(np.mean([np.trace(c) / c.sum() for c in counts])), int(counts[0].sum())
    return float(np.mean([c[true, predicted] / c[true].sum() for c in counts])), int(counts[0][true].sum())
