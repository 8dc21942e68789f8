"""Do two runs with one seed give the same record? As usual, and with deterministic operations; and what these cost."""

import time
from dataclasses import replace

import numpy as np

from ..config import SEED
from ..training import fitting
from . import finetune, records

MODES = {"as usual": False, "deterministic": True}  # in this order: a process cannot leave the deterministic mode


def run(profile, backbone=None, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Train the same network twice in each mode and compare curves, weights and answers bit by bit.

    Parameters
    ----------
    profile : config.Profile
        Its ``small`` tuning says how.
    backbone, seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        A model for each mode, with ``identical`` (curves, weights and test answers of both runs) and the seconds of
        each run.
    """
    tuning, small = profile.small, replace(profile, tuning=profile.small)
    backbone = backbone or profile.borrowed
    split = finetune.tuning_split(small, backbone, seed=split_seed, progressbar=progressbar)
    y, held, test = split.y, split.rows("validation"), split.rows("test")
    sources, (versions,) = finetune.training_rows(split.table, tuning.images_per_class, seed=seed)
    how = {"head_epochs": tuning.head_epochs, "progressbar": progressbar}
    found = records.Collector("determinism", profile, split, backbone=backbone, seed=seed)
    for mode, deterministic in MODES.items():
        settings, runs = finetune.settings(tuning, seed, deterministic=deterministic), []
        for _ in range(2):
            network = finetune.untrained(small, split, backbone=backbone, seed=seed)
            X, X_held, X_test = (
                finetune.training_inputs(network, split.images, rows, versions=which, progressbar=progressbar)
                for rows, which in ((sources, versions), (held, 0), (test, 0))
            )
            started, validation = time.perf_counter(), (X_held, y[held])
            history = finetune.fit(network, X, y[sources], validation_data=validation, settings=settings, **how)
            seconds = round(time.perf_counter() - started, 1)
            runs.append((history, seconds, network.end.get_weights(), fitting.predict(network.end, X_test)))
        (first, _, weights, answers), (second, _, weights_again, answers_again) = runs
        seconds = [seconds for _, seconds, *_ in runs]
        same = {
            "curves": first.curves() == second.curves(),
            "weights": all(np.array_equal(a, b) for a, b in zip(weights, weights_again, strict=True)),
            "answers": bool(np.array_equal(answers, answers_again)),
        }
        details = {"identical": same, "seconds": seconds, **first.details()}
        found.add(mode, answers.argmax(axis=1), sum(seconds), **details)
    return found.record(finetune.describe(small, backbone))
