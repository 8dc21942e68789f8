"""Do two runs with one seed give the same record? As usual, and with deterministic operations; and what these cost."""

import time
from dataclasses import replace

import numpy as np

from .. import backbones, datasets, metrics, paper, records, training
from ..config import SEED
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..provenance import peak_rss_mb
from . import finetune

MODES = {"as usual": False, "deterministic": True}  # in this order: a process cannot leave the deterministic mode


def run(profile, backbone="vgg16", seed=SEED, progressbar=True):
    """Train the same network twice in each mode and compare curves, weights and answers bit by bit.

    Parameters
    ----------
    profile : config.Profile
        Its ``small`` tuning says how.
    backbone : str
    seed : int
    progressbar : bool

    Returns
    -------
    records.Record
        A model a mode, with ``identical`` (curves, weights and test answers of both runs) and the seconds of each run.
    """
    tuning, table = profile.small, splits.clean(datasets.index(profile), seed=seed)
    small = replace(profile, tuning=tuning)
    y, subset = labels(table), table["subset"].to_numpy()
    size = tuning.size or backbones.backbone(backbone).input_size
    images = load_images(table, size, tuning.crop, progressbar=progressbar)
    sources, (versions,) = finetune.training_rows(table, tuning.images_per_class, 1, seed)
    held, test = np.flatnonzero(subset == "validation"), np.flatnonzero(subset == "test")
    settings = finetune.settings(tuning, seed)
    models, predictions = {}, {}
    for mode, deterministic in MODES.items():
        runs = []
        for _ in range(2):
            model = finetune.untrained(small, backbone, seed=seed)
            end, given = finetune.road(model, backbone, tuning, images, progressbar)
            X, X_held, X_test = given(sources, versions), given(held), given(test)
            started = time.perf_counter()
            chosen = replace(settings, deterministic=deterministic)
            data = X, y[sources], X_held, y[held]
            history = finetune.fit(model, backbone, tuning, *data, chosen, progressbar=progressbar)
            seconds = round(time.perf_counter() - started, 1)
            runs.append((history, seconds, end.get_weights(), training.predict(end, X_test)))
        (first, _, weights, answers), (second, _, weights_again, answers_again) = runs
        predictions[mode] = answers.argmax(axis=1)
        models[mode] = records.measure(
            metrics.confusion_matrix(y[test], predictions[mode], len(paper.TABLE_1)),
            sum(seconds for _, seconds, *_ in runs),
            peak_rss_mb(),
            identical={
                "curves": first.curves() == second.curves(),
                "weights": all(np.array_equal(a, b) for a, b in zip(weights, weights_again, strict=True)),
                "answers": bool(np.array_equal(answers, answers_again)),
            },
            seconds=[seconds for _, seconds, *_ in runs],
            **first.details(),
        )
    notes = [finetune.describe(small, backbone)]
    name = records.experiment_name("determinism", backbone)
    return records.create(name, profile, table, y, models, predictions, seed, notes)
