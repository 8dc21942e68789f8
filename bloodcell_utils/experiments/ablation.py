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

from .. import config, paper
from ..config import SEED, cache_dir
from ..datasets.cache import key
from ..datasets.splits import load_split
from ..errors import BloodcellError
from ..evaluation import metrics
from ..files import locked
from ..models import backbones
from ..training import fitting
from . import finetune, records, tasks
from .provenance import device, peak_rss_mb

VERSION = 2  # rises when the same arguments give another result
LEVEL = 0.05


def run(
    profile, backbone=None, *, seed=SEED, split_seed=SEED, known=None, deadline=None, progressbar=True, scheduler=None
):  # fmt: skip
    """Train and measure every cell of the profile's grid.

    Parameters
    ----------
    profile : config.Profile
        Its ``grid`` says which cells, and which of them with other seeds too; its ``small`` tuning, how they are
        trained.
    backbone, seed, split_seed, progressbar
        As for every experiment (`experiments`).
    known, deadline
        As for `records.Collector`. With a deadline, cells are computed one by one.
    scheduler : str, optional
        Where the cells are computed, as for `tasks.run`; default: here, one after the other.

    Returns
    -------
    records.Record
        Measured on the validation images.
    """
    split = load_split(profile, seed=split_seed)
    backbone = backbone or profile.borrowed
    wanted = grid_settings(profile, backbone, seed=seed)
    common = {"profile": profile.name, "backbone": backbone, "split": split_seed, "data": _fingerprint(split.table)}
    how = {"version": VERSION, "scheduler": scheduler, "desc": "cells", "progressbar": progressbar}
    limits = {"subset": "validation", "known": known, "deadline": deadline, "progressbar": progressbar}
    found = records.Collector("ablation", profile, split, backbone=backbone, seed=seed, **limits)
    named = {_name(backbone, cell): cell for cell in wanted}
    due = (name for name in named if found.due(name))
    for names in [list(due)] if deadline is None else ([name] for name in due):
        results = tasks.run(train, [common | named[name] for name in names], **how)
        for name, result in zip(names, results, strict=True):
            n, blocks = (named[name]["tuning"][field] for field in ("images_per_class", "blocks"))
            found.lap()
            found.add(
                name,
                np.array(result.pop("predicted")),
                result["prepared_s"] + result["trained_s"],
                printed=paper.TABLE_3.get(backbone, {}).get(n, {}).get(blocks),
                **{"images_per_class": n, "blocks": blocks},
                **{field: named[name][field] for field in ("seed", "tuning", "repeats")},
                **result,
            )
    found.models = {name: found.models[name] for name in named if name in found.models}  # in the grid's order
    tuning, spec, weights = profile.small, backbones.backbone(backbone), profile.weights_of(backbone)
    return found.record(
        f"{spec.title}, {weights} weights, {spec.side(tuning.size)} px, central {tuning.crop:.0%} of "
        "the image. Measured on the validation images, which also chose the best epoch of each cell."
    )


def grid_settings(profile, backbone=None, *, seed=SEED):
    """The cells of a profile's grid, row by row, and at last those that are trained with other seeds.

    Parameters
    ----------
    profile : config.Profile
    backbone : str, optional
        Default: the one that the profile borrows.
    seed : int

    Returns
    -------
    list of dict
        ``tuning`` (fields of `config.Tuning`) and ``seed``; ``largest``, the images a class of the largest row, whose
        activations the others share (a cell with another seed has its own); ``repeats``, how often an epoch shows each
        image: 1/4 where four epochs show every image once.

    Raises
    ------
    BloodcellError
        If the profile's grid is the paper's, and the paper has none of this network; if the images that an epoch shows
        are neither a multiple nor a fraction of a row's.
    """
    grid, backbone = profile.grid, backbone or profile.borrowed
    printed_rows = paper.TABLE_3.get(backbone)
    if not printed_rows and not (grid.images_per_class and grid.blocks):
        title = backbones.backbone(backbone).title
        raise BloodcellError(
            f"On {profile.name} the grid is the paper's, and Table 3 has {' and '.join(paper.TABLE_3)}, not {title}."
        )
    rows = grid.images_per_class or tuple(printed_rows)
    columns = grid.blocks or tuple(printed_rows[rows[0]])
    every = [(n, blocks, seed, max(rows)) for n in rows for blocks in columns]
    every += [(n, blocks, seed + i, n) for n, blocks in grid.again for i in range(1, grid.seeds)]
    if uneven := [n for n in dict.fromkeys(n for n, *_ in every) if grid.shown and grid.shown % n and n % grid.shown]:
        raise BloodcellError(f"An epoch of {grid.shown} images a class shows none of {uneven} equally often.")
    passes = {"epochs": grid.epochs, "head_epochs": grid.head_epochs}
    return [
        {
            "tuning": asdict(replace(profile.small, images_per_class=n, blocks=blocks, **passes)),
            "seed": own_seed,
            "largest": largest,
            "repeats": _often(grid.shown or n, n),
        }
        for n, blocks, own_seed, largest in every
    ]


def train(profile, tuning, backbone, *, seed, largest, repeats, split, data):
    """One cell: train, and say what the model answers to the validation images.

    A class with fewer training images than asked for is filled up with turned versions of them. A training that was
    interrupted goes on after its last whole epoch.

    Parameters
    ----------
    profile, backbone : str
    tuning : dict
        Fields of `config.Tuning`.
    seed, largest : int
    repeats : int or float
        As from `grid_settings`.
    split : int
        Seed of the split.
    data : str
        Fingerprint of the images that these must be: a worker that has others says so.

    Returns
    -------
    dict
        ``predicted`` (class numbers), ``different_images`` (training images without copies), ``precision``,
        ``prepared_s``, ``trained_s``, ``peak_rss_mb``, ``device`` and what `fitting.History.details` gives.
    """
    arguments = json.dumps(locals(), sort_keys=True)
    started = time.perf_counter()
    profile = config.profile(profile, tuning=config.Tuning(**tuning))
    tuning = profile.tuning
    chosen = finetune.tuning_split(profile, backbone, seed=split, progressbar=False)
    if _fingerprint(chosen.table) != data:
        raise BloodcellError(
            f"The {len(chosen.y):,} images here are not those that the grid was asked for: every worker needs the same "
            "data set (BLOODCELL_DATA_DIR) and the same version of this package."
        )
    y, validation = chosen.y, chosen.rows("validation")
    network = finetune.untrained(profile, chosen, backbone=backbone, seed=seed)
    sources, (versions,) = finetune.training_rows(chosen.table, largest, seed=seed)
    # Every class has `largest` rows, in one order for all sizes: a smaller row of the grid is the beginning of each.
    # Where an epoch shows a part of them, each part has as many of every class, at the same places.
    parts = max(1, round(1 / repeats))
    part = np.arange(len(sources)) % largest // (tuning.images_per_class // parts)
    mine = [np.tile(np.flatnonzero(part == i), max(1, int(repeats))) for i in range(parts)]
    quiet = {"progressbar": False}
    every = finetune.training_inputs(network, chosen.images, sources, versions=versions, **quiet)
    X = [finetune.Subset(every, rows) for rows in mine]
    X_val = finetune.training_inputs(network, chosen.images, validation, **quiet)
    settings, held = finetune.settings(tuning, seed), (X_val, y[validation])
    how = {"settings": settings, "head_epochs": tuning.head_epochs, **quiet}
    prepared = time.perf_counter()
    with _alone(f"ablation-{key(VERSION, arguments)}") as name:
        history = finetune.fit(network, X, y[sources[mine[0]]], validation_data=held, name=name, **how)
        predicted = fitting.predict(network.end, X_val, settings.batch_size).argmax(axis=1)
    result = {
        "predicted": predicted.tolist(),
        "different_images": len(np.unique(sources[np.concatenate(mine)])),
        "precision": network.end.compute_dtype,
        "prepared_s": round(prepared - started, 1),
        "trained_s": round(history.seconds, 1),
        "peak_rss_mb": peak_rss_mb(),
        "device": device(),
        **history.details(),
    }
    del network, every, X, X_val
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
    answers, names = record.predictions, ("images_per_class", "blocks", "seed")
    table = pd.DataFrame(
        {name: model[name] for name in names} | {"right": int(np.trace(model["confusion"])), "n": model["n_test"]}
        for model in record.models.values()
    )
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
    settings = [(images, blocks, value) for images, row in rows for blocks, value in row.items()]
    table = pd.DataFrame(settings, columns=["images_per_class", "blocks", "percent"])
    table = table.assign(right=(table.pop("percent") / 100 * n).round().astype(int), n=n)
    p = metrics.two_proportions(table["right"], n, table["right"].max(), other_n=n)
    return _with_intervals(table).assign(like_best=p > LEVEL)


def best_by_luck(settings, n, truth, *, tables=10_000, seed=SEED):
    """The best accuracy of tables whose settings are all equally good.

    Parameters
    ----------
    settings : int
        Of a table.
    n : int
        Images that each is measured on.
    truth : float
        True accuracy of every one, in [0, 1].
    tables : int
        How many are drawn.
    seed : int

    Returns
    -------
    list of float
        One a table. A list, so that `tasks.run` can compute this, too.
    """
    right = np.random.default_rng(seed).binomial(n, truth, (tables, settings))
    return (right.max(axis=1) / n).tolist()


def _with_intervals(table):
    low, high = metrics.wilson(table["right"], table["n"]).T
    return table.assign(accuracy=table["right"] / table["n"], low=low, high=high)


def _name(backbone, cell):
    n, blocks = cell["tuning"]["images_per_class"], cell["tuning"]["blocks"]
    return f"{backbone}, {n} images, {blocks} block{'s' * (blocks > 1)}, seed {cell['seed']}"


def _often(shown, n):
    return shown // n if shown >= n else shown / n


def _fingerprint(table):
    return key(*table["sha256"], *table["subset"])


@contextmanager
def _alone(name):
    """A checkpoint for one process at a time: a second one with the same cell waits. Removed when the cell is done."""
    folder = cache_dir() / "training"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / name):
        yield name
        for path in folder.glob(f"{name}.*.npz"):
            path.unlink(missing_ok=True)
