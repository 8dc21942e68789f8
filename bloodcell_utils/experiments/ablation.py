"""The paper's Table 3: how many images a class, how many trained blocks.

Every cell of the grid is one training, measured on the validation images as the table is; the test images stay where
they are. Cells depend on nothing but their arguments, so `tasks` can compute them anywhere.
"""

import gc
import json
import time
from contextlib import contextmanager
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
from filelock import FileLock

from .. import backbones, config, datasets, metrics, paper, records, training
from ..config import SEED, cache_dir
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..errors import BloodcellError
from ..provenance import device, peak_rss_mb
from ..store import key
from . import finetune, tasks

VERSION = 2  # rises when the same arguments give another result
LEVEL = 0.05


def run(profile, backbone="vgg16", seed=SEED, progressbar=True, scheduler=None):
    """Train and measure every cell of the profile's grid.

    Parameters
    ----------
    profile : config.Profile
        Its ``grid`` says which cells, its ``small`` tuning how they are trained.
    backbone : str
        ``"vgg16"`` or ``"inception_v3"``.
    seed : int
    progressbar : bool
    scheduler : str, optional
        Where the cells are computed, as for `tasks.run`; default: here, one after the other.

    Returns
    -------
    records.Record
        Its rows are measured on the validation images. Not written yet; see `records.Record.write`.
    """
    table = splits.clean(datasets.index(profile), seed=seed)
    y = labels(table)
    truth = y[(table["subset"] == "validation").to_numpy()]
    wanted = cells(profile, backbone, seed)
    common = {"profile": profile.name, "backbone": backbone, "split": seed, "data": _fingerprint(table)}
    results = tasks.run(train, [common | cell for cell in wanted], VERSION, scheduler, None, "cells", progressbar)
    models, predictions = {}, {}
    for cell, result in zip(wanted, results, strict=True):
        n, blocks = cell["tuning"]["images_per_class"], cell["tuning"]["blocks"]
        name = f"{backbone}, {n} images, {blocks} block{'s' * (blocks > 1)}, seed {cell['seed']}"
        predictions[name] = np.array(result.pop("predicted"))
        models[name] = records.measure(
            metrics.confusion_matrix(truth, predictions[name], len(paper.TABLE_1)),
            result["prepared_s"] + result["trained_s"],
            result.pop("peak_rss_mb"),
            paper.TABLE_3[backbone].get(n, {}).get(blocks),
            images_per_class=n,
            blocks=blocks,
            seed=cell["seed"],
            **result,
        )
    tuning, spec = profile.small, backbones.backbone(backbone)
    notes = [
        f"{spec.title}, {profile.weights} weights, {tuning.size or spec.input_size} px, central {tuning.crop:.0%} of "
        "the image. Measured on the validation images, which also chose the best epoch of each cell."
    ]
    experiment = records.experiment_name("ablation", backbone)
    return records.create(experiment, profile, table, y, models, predictions, seed, notes, subset="validation")


def cells(profile, backbone="vgg16", seed=SEED):
    """The cells of a profile's grid, row by row; the last is the one that is trained with a second seed.

    Parameters
    ----------
    profile : config.Profile
    backbone : str
    seed : int

    Returns
    -------
    list of dict
        ``tuning`` (fields of `config.Tuning`) and ``seed``; ``largest``, the images a class of the largest row with
        that seed, whose activations the others share; ``repeats``, how often an epoch shows each image.
    """
    grid, printed_rows = profile.grid, paper.TABLE_3[backbone]
    rows = grid.images_per_class or tuple(printed_rows)
    columns = grid.blocks or tuple(printed_rows[rows[0]])
    every = [(n, blocks, seed, max(rows)) for n in rows for blocks in columns]
    passes = {"epochs": grid.epochs, "head_epochs": grid.head_epochs}
    every.append((*grid.again, seed + 1, grid.again[0]))
    return [
        {
            "tuning": asdict(replace(profile.small, images_per_class=n, blocks=blocks, **passes)),
            "seed": own_seed,
            "largest": largest,
            "repeats": max(rows) // n if grid.equal_steps else 1,
        }
        for n, blocks, own_seed, largest in every
    ]


def train(profile, tuning, backbone, seed, largest, repeats, split, data):
    """One cell: train, and say what the model answers to the validation images.

    A class with fewer training images than asked is filled up with turned versions of them. A training that was
    interrupted goes on after its last whole epoch.

    Parameters
    ----------
    profile : str
    tuning : dict
        Fields of `config.Tuning`.
    backbone : str
    seed, largest, repeats : int
        As from `cells`.
    split : int
        Seed of the split.
    data : str
        Which images these must be: a worker that has others says so.

    Returns
    -------
    dict
        ``predicted`` (class numbers), ``different_images`` (training images without copies), ``precision``,
        ``prepared_s``, ``trained_s``, ``peak_rss_mb``, ``device`` and what `training.History.details` gives.
    """
    arguments = json.dumps(locals(), sort_keys=True)
    started = time.perf_counter()
    profile = config.profile(profile, tuning=config.Tuning(**tuning))
    tuning, spec = profile.tuning, backbones.backbone(backbone)
    table = splits.clean(datasets.index(profile), seed=split)
    if _fingerprint(table) != data:
        raise BloodcellError(
            f"The {len(table):,} images here are not those that the grid was asked for: every worker needs the same "
            "data set (BLOODCELL_DATA_DIR) and the same version of this package."
        )
    y, validation = labels(table), np.flatnonzero(table["subset"] == "validation")
    images = load_images(table, tuning.size or spec.input_size, tuning.crop, progressbar=False)
    model = finetune.untrained(profile, backbone, seed=seed)
    sources, (versions,) = finetune.training_rows(table, largest, 1, seed)
    # Every class has `largest` rows, in one order for all sizes: a smaller row of the grid is the beginning of each.
    mine = np.tile(np.flatnonzero(np.arange(len(sources)) % largest < tuning.images_per_class), repeats)
    end, given = finetune.road(model, backbone, tuning, images, progressbar=False)
    X, X_val = finetune.Picked(given(sources, versions), mine), given(validation)
    prepared = time.perf_counter()
    with _alone(f"ablation-{key(VERSION, arguments)}") as name:
        settings = finetune.settings(tuning, seed)
        examples = X, y[sources[mine]], X_val, y[validation]
        history = finetune.fit(model, backbone, tuning, *examples, settings, name, progressbar=False)
        predicted = training.predict(end, X_val, settings.batch_size).argmax(axis=1)
    result = {
        "predicted": predicted.tolist(),
        "different_images": len(np.unique(sources[mine])),
        "precision": end.compute_dtype,
        "prepared_s": round(prepared - started, 1),
        "trained_s": round(time.perf_counter() - prepared, 1),
        "peak_rss_mb": peak_rss_mb(),
        "device": device(),
        **history.details(),
    }
    del model, end, X, X_val
    gc.collect()  # a model refers to itself in many places, and the next cell needs its memory
    return result


def measured(record):
    """The cells of a recorded grid, as rows.

    Parameters
    ----------
    record : records.Record
        From `run`.

    Returns
    -------
    pandas.DataFrame
        ``images_per_class, blocks, seed, right, n, accuracy, low, high`` (fractions, Wilson's 95 % interval) and
        ``like_best``: McNemar's test on the same images does not tell the cell from the best one.
    """
    models = record.models.items()
    table = pd.DataFrame([
        {name: model[name] for name in ("images_per_class", "blocks", "seed")}
        | {"right": int(np.trace(model["confusion"])), "n": model["n_test"]}
        for _, model in models
    ])  # fmt: skip
    answers = record.predictions
    best = answers[list(record.models)[int(table["right"].argmax())]]
    tests = [metrics.mcnemar(answers["true"], answers[name], best)["p_value"] for name in record.models]
    return _with_intervals(table).assign(like_best=np.array(tests) > LEVEL)


def printed(backbone="vgg16"):
    """The paper's Table 3, as rows.

    Parameters
    ----------
    backbone : str

    Returns
    -------
    pandas.DataFrame
        As from `measured`, without seeds. Which images a cell got wrong is not printed, so the test behind
        ``like_best`` compares two counts as if they were of different images.
    """
    n = paper.SPLIT_FINE_TUNING["validation"]
    rows = paper.TABLE_3[backbone].items()
    cells = [(images, blocks, value) for images, row in rows for blocks, value in row.items()]
    table = pd.DataFrame(cells, columns=["images_per_class", "blocks", "percent"])
    table = table.assign(right=(table.pop("percent") / 100 * n).round().astype(int), n=n)
    p = metrics.two_proportions(table["right"], n, table["right"].max(), n)
    return _with_intervals(table).assign(like_best=p > LEVEL)


def best_by_luck(cells, n, truth, tables=10_000, seed=SEED):
    """The best accuracy of tables whose cells are all equally good.

    Parameters
    ----------
    cells : int
        Of a table.
    n : int
        Images that each cell is measured on.
    truth : float
        Accuracy of every cell in truth, in [0, 1].
    tables : int
        How many to simulate.
    seed : int

    Returns
    -------
    list of float
        One a table. A list, so that this can be a cell of `tasks.run` itself.
    """
    right = np.random.default_rng(seed).binomial(n, truth, (tables, cells))
    return (right.max(axis=1) / n).tolist()


def _with_intervals(table):
    low, high = metrics.wilson(table["right"], table["n"]).T
    return table.assign(accuracy=table["right"] / table["n"], low=low, high=high)


def _fingerprint(table):
    return key(*table["sha256"], *table["subset"])


@contextmanager
def _alone(name):
    """A checkpoint for one process at a time: who was given the same cell waits. It goes when the cell is done."""
    folder = cache_dir() / "training"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        yield name
        for path in folder.glob(f"{name}.*.npz"):
            path.unlink(missing_ok=True)
