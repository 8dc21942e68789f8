"""The paper's Table 3: how many images a class, how many trained blocks.

Every cell of the grid is one training, measured on the validation images as the table is; the test images stay where
they are. Cells depend on nothing but their arguments, so `tasks` can compute them anywhere.
"""

import gc
import json
import time
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
import pandas as pd
from filelock import FileLock

from .. import backbones, config, datasets, metrics, paper, records, training
from ..config import SEED, cache_dir
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..errors import BloodcellError
from ..prefix import activations
from ..provenance import device, peak_rss_mb
from ..store import key
from . import finetune, tasks

VERSION = 1  # rises when the same arguments give another result
LEVEL = 0.05


def run(profile, backbone="vgg16", seed=SEED, progressbar=True, scheduler=None):
    """Train and measure every cell of the profile's grid.

    Parameters
    ----------
    profile : config.Profile
        Its `config.Grid` says which cells, and how they are trained.
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
    grid, tuning = profile.grid, profile.grid.tuning
    spec = backbones.backbone(backbone)
    table = splits.clean(datasets.index(profile), seed=seed)
    y = labels(table)
    truth = y[(table["subset"] == "validation").to_numpy()]
    common = {"profile": profile.name, "tuning": asdict(tuning), "backbone": backbone, "split": seed}
    wanted = [common | cell | {"data": _fingerprint(table)} for cell in cells(grid, backbone, seed)]
    results = tasks.run(train, wanted, VERSION, scheduler, desc="cells", progressbar=progressbar)
    models, predictions = {}, {}
    for cell, result in zip(wanted, results, strict=True):
        name = _name(cell, seed)
        predictions[name] = np.array(result.pop("predicted"))
        what = {what: cell[what] for what in ("images_per_class", "blocks", "seed")}
        models[name] = records.measure(
            metrics.confusion_matrix(truth, predictions[name], len(paper.TABLE_1)),
            result["prepared_s"] + result["trained_s"],
            result.pop("peak_rss_mb"),
            paper.TABLE_3[backbone].get(cell["images_per_class"], {}).get(cell["blocks"]),
            **what,
            **result,
        )
    size = tuning.size or spec.input_size
    notes = [
        f"{spec.title}, {profile.weights} weights, {size} px, central {tuning.crop:.0%} of the image.",
        "Measured on the validation images, which also chose each cell's best epoch.",
    ]
    experiment = "ablation" if backbone == "vgg16" else f"ablation-{backbone}"
    return records.create(
        experiment, profile, table, y, models, predictions, seed, notes, subset="validation"
    )


def cells(grid, backbone="vgg16", seed=SEED):
    """The cells of a grid, in the order of the table; last the one that is trained with a second seed.

    Parameters
    ----------
    grid : config.Grid
    backbone : str
    seed : int

    Returns
    -------
    list of dict
        ``images_per_class``, ``blocks`` and ``seed``; ``largest``, the largest row with that seed, whose activations
        all rows share; ``repeats``, how often an epoch shows each image.
    """
    rows = grid.images_per_class or tuple(paper.TABLE_3[backbone])
    columns = grid.blocks or tuple(next(iter(paper.TABLE_3[backbone].values())))
    every = [(n, blocks, seed, max(rows)) for n in rows for blocks in columns]
    n, blocks = grid.again
    every.append((n, blocks, seed + 1, n))
    return [
        {"images_per_class": n, "blocks": blocks, "seed": s, "largest": largest,
         "repeats": max(rows) // n if grid.equal_steps else 1}
        for n, blocks, s, largest in every
    ]  # fmt: skip


def train(profile, tuning, backbone, images_per_class, blocks, seed, largest, repeats, split, data):
    """One cell: train, and say what the model answers to the validation images.

    A class with fewer training images than asked is filled up with versions of them. An interrupted training goes on
    after its last whole epoch.

    Parameters
    ----------
    profile : str
    tuning : dict
        Fields of `config.Tuning`.
    backbone : str
    images_per_class, blocks, seed, largest, repeats : int
        As from `cells`.
    split : int
        Seed of the split.
    data : str
        What the images must be: a worker with other ones is told so.

    Returns
    -------
    dict
        ``predicted`` (class numbers), ``different_images`` (training images without their copies), ``settings``,
        ``history``, ``best_epoch``, ``precision``, ``prepared_s``, ``trained_s``, ``peak_rss_mb``, ``device``.
    """
    arguments = dict(locals())
    started = time.perf_counter()
    profile = config.profile(profile, tuning=config.Tuning(**tuning))
    table = splits.clean(datasets.index(profile), seed=split)
    if _fingerprint(table) != data:
        raise BloodcellError(
            "The images here are not those that the grid was asked for: every worker needs the same data set "
            f"(BLOODCELL_DATA_DIR) and the same version of this package. Here: {len(table):,} images."
        )
    y, subset = labels(table), table["subset"].to_numpy()
    validation = np.flatnonzero(subset == "validation")
    size = profile.tuning.size or backbones.backbone(backbone).input_size
    images = load_images(table, size, profile.tuning.crop, progressbar=False)
    model = finetune.untrained(profile, backbone, blocks, seed)
    sources, (version,) = finetune.training_rows(table, largest, 1, seed)
    mine = np.tile(np.flatnonzero(np.arange(len(sources)) % largest < images_per_class), repeats)
    if profile.tuning.symmetries:
        prefix, end = backbones.halves(model, backbone, blocks)
        X = finetune.Picked(activations(prefix, images, sources, version, progressbar=False), mine)
        X_val = activations(prefix, images, validation, progressbar=False)
    else:
        end, X, X_val = model, finetune.Picked(images, sources[mine]), finetune.Picked(images, validation)
    prepared = time.perf_counter()
    settings = finetune.settings(profile.tuning, seed)
    with _alone(f"ablation-{key(VERSION, json.dumps(arguments, sort_keys=True))}") as name:
        history = training.fit(end, X, y[sources[mine]], X_val, y[validation], settings, name, progressbar=False)
        predicted = training.predict(end, X_val, settings.batch_size).argmax(axis=1)
    result = {
        "predicted": predicted.tolist(),
        "different_images": len(np.unique(sources[mine])),
        "precision": end.compute_dtype,
        "prepared_s": round(prepared - started, 1),
        "trained_s": round(time.perf_counter() - prepared, 1),
        "peak_rss_mb": round(peak_rss_mb() or 0) or None,
        "device": device(),
        **history.details(),
    }
    del model, end, X
    gc.collect()  # a model is full of circles, and the next cell needs its memory
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


def _with_intervals(table):
    low, high = metrics.wilson(table["right"], table["n"]).T
    return table.assign(accuracy=table["right"] / table["n"], low=low, high=high)


def _name(cell, seed):
    n, blocks = cell["images_per_class"], cell["blocks"]
    name = f"{cell['backbone']}, {n} images, {blocks} block" + ("s" if blocks > 1 else "")
    return name if cell["seed"] == seed else f"{name}, another seed"


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
