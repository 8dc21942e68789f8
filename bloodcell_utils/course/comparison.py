"""The table that grows from chapter to chapter: every way to name a cell, on drawn cells and on real ones."""

import pandas as pd

from .. import config
from ..experiments import records
from . import chapters

PROFILES = {"drawn": "sample", "real": "laptop"}
_ROWS = (  # chapter, title, experiment, model
    ("first_look", "always the most frequent kind", "svm", None),
    ("first_look", "borrowed network, all blocks", "svm", "{} all blocks"),
    ("features_svm", "borrowed network, last block", "svm", "{} last block"),
    ("features_svm", "random network, all blocks, 64 px", "control", "random vgg16 all blocks"),
    ("features_svm", "colour histogram", "svm", "colour histogram"),
    ("fine_tuning", "borrowed network, new head", "finetune", "{} head"),
    ("fine_tuning", "borrowed network, last blocks tuned", "finetune", "{} fine-tuned"),
    ("compact_network", "CompactNet, trained from nothing", "compact", "long, seed 2019"),
)


def standings(chapter):
    """Accuracy on the test images, model by model, as recorded.

    Parameters
    ----------
    chapter : str
        What has been met up to this chapter is shown.

    Returns
    -------
    pandas.DataFrame
        A row a model, in the order of the course; a column for drawn and one for real cells (`PROFILES`): fractions,
        NaN where nothing was measured.
    """
    order = [one.name for one in chapters.load().chapters]
    met = order[: order.index(chapters.chapter(chapter).name) + 1]
    rows = {
        title: {data: _accuracy(experiment, model, profile) for data, profile in PROFILES.items()}
        for first, title, experiment, model in _ROWS
        if first in met
    }
    return pd.DataFrame(rows).T


def _accuracy(experiment, model, profile):
    borrowed = config.PROFILES[profile].borrowed
    names = dict.fromkeys((records.experiment_name(experiment, borrowed), experiment))
    record = next(filter(None, (records.find_record(name, profile) for name in names)), None)
    if record is None:
        return float("nan")
    if model is None:
        counts = next(iter(record.models.values()))["confusion"]
        return max(map(sum, counts)) / sum(map(sum, counts))
    return record.models.get(model.format(borrowed), {}).get("accuracy", float("nan"))
