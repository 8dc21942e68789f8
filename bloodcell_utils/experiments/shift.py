"""The shipped networks in other laboratories: how often they are right, what they name, how far pictures are from home.

Nothing is trained. On the real data the laboratories are those of `datasets.other_labs`, on the sample two drawn ones.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from ..cells import FOLDERS
from ..config import SEED
from ..datasets import drawn_labs, other_labs, pbc
from ..datasets.loading import load_images
from ..datasets.splits import Split, load_split
from ..evaluation import adaptation, contract, metrics, prediction
from ..models import pretrained
from ..models.compactnet_input import IMAGE
from ..models.pretrained import FOLDER, TRAVELLED
from . import records

HOME, STAYED, AWAY, BOTH = "home", "stayed at home", "travelled", "both"
FIELDS = (0.7, 0.85, 1.2, 1.4)  # how much of the slide is shown, against the usual
FEWEST = 20  # cells of a class, to speak of its rate


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure the two shipped networks at home and elsewhere.

    Parameters
    ----------
    profile : config.Profile
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        A model for each network and one for both, with ``groups`` (`counts`) of each set. `STAYED` has ``pictures``
        (`describe`); both networks have `fields`.
    """
    split = load_split(profile, seed=split_seed)
    sets = laboratories(profile, split, seed=seed)
    found, rows = collector("shift", profile, split, sets=sets, seed=seed, progressbar=progressbar)
    images = np.concatenate([x for _, x in sets.values()])
    about = {name: describe(*laboratory) for name, laboratory in sets.items()}
    scores = pretrained.logits(images)[0].argmax(axis=1)
    groups = {name: tally(found.truth[here], scores[here]) for name, here in rows.items()}
    found.add(STAYED, scores, found.lap(), groups=groups, pictures=about, fields=fields(sets, FOLDER))
    ways = {AWAY: lambda x: prediction.judge(*pretrained.logits(x, TRAVELLED)), BOTH: prediction.predict_proba}
    for name, ask in ways.items():
        answer, more = ask(images), {"fields": fields(sets, TRAVELLED)} if name == AWAY else {}
        groups = counts(found.truth, *answer, rows=rows)
        found.add(name, answer[0].argmax(axis=1), found.lap(), groups=groups, **more)
    return finished(found, split, "All sets together make no rate of anything: read the groups.")


def laboratories(profile, split, *, seed=SEED):
    """Test cells at home, and the cells of the other laboratories.

    Parameters
    ----------
    profile : config.Profile
    split : datasets.Split
        At home.
    seed : int
        Of drawn laboratories.

    Returns
    -------
    dict of str to (pandas.DataFrame, numpy.ndarray)
        For each set its table (``path``, ``class``, ``sha256``) and images of 128 px; the first is `HOME`.
    """
    here = split.table.iloc[split.rows("test")]
    sets = {HOME: (here, load_images(here, IMAGE, progressbar=False, reduced=True))}
    if profile.data == "synthetic":
        return sets | {name: drawn_labs.draw_lab(name, seed) for name in drawn_labs.LABS}
    tables = {name: other_labs.index(name) for name in other_labs.LABS}
    return sets | {name: (table, other_labs.images(table)) for name, table in tables.items()}


def collector(experiment, profile, split, *, sets, **options):
    """A `records.Collector` for the cells of all sets.

    Parameters
    ----------
    experiment : str
    profile : config.Profile
    split : datasets.Split
    sets : dict
        From `laboratories`, or some of it.
    **options
        Of the collector.

    Returns
    -------
    found : records.Collector
    rows : dict of str to slice
        Which of its cells are of which set.
    """
    tables, rows, start = [], {}, 0
    for name, (table, _) in sets.items():
        path = [text if name == HOME else f"{name}/{text}" for text in table["path"]]
        if "left" in table:  # several cells in one picture
            path = [f"{p}#{x},{y}" for p, x, y in zip(path, table["left"], table["top"], strict=True)]
        tables.append(table[["class", "sha256"]].assign(path=path, subset="test", set=name))
        rows[name], start = slice(start, start + len(table)), start + len(table)
    everything = pd.concat(tables, ignore_index=True)
    whole = Split(everything, pbc.labels(everything), split.seed)
    return records.Collector(experiment, profile, whole, **options), rows


def finished(found, split, *notes):
    """The record of a `collector`: its images are those at home, by which a record is known to be of today's data.

    Parameters
    ----------
    found : records.Collector
    split : datasets.Split
        At home.
    *notes : str

    Returns
    -------
    records.Record
    """
    record, sizes = found.record(*notes), split.table["subset"].value_counts().to_dict()
    data = {"name": record.data["name"], **records.fingerprint(split.table)}
    return replace(record, data=data, split={"name": "clean", "seed": split.seed, **sizes})


def counts(y, probabilities, strangeness, *, rows):
    """How often the network is right, and what it would name, set by set.

    Parameters
    ----------
    y : numpy.ndarray of int, shape (n,)
    probabilities, strangeness : numpy.ndarray
        From `prediction.judge` or `prediction.predict_proba`.
    rows : dict of str to slice

    Returns
    -------
    dict of str to dict
        ``n``, ``right``, ``named`` (by the default threshold), ``wrong`` (of those named), ``confusion``, ``balanced``
        (mean sensitivity of the classes with at least `FEWEST` cells, ``classes``).
    """
    called = probabilities.argmax(axis=1)
    named = prediction.gets_name(probabilities, strangeness, pretrained.metadata(TRAVELLED)["threshold"])
    return {name: tally(y[here], called[here], named[here]) for name, here in rows.items()}


def tally(y, called, named=None):
    """One entry of `counts`.

    Parameters
    ----------
    y, called : array-like of int, shape (n,)
    named : array-like of bool, shape (n,), optional

    Returns
    -------
    dict
    """
    y, called = np.asarray(y), np.asarray(called)
    confusion = metrics.confusion_matrix(y, called, len(FOLDERS))
    n = confusion.sum(axis=1)
    enough = n >= FEWEST
    about = {
        "n": len(y),
        "right": int((y == called).sum()),
        "balanced": round(float((np.diag(confusion)[enough] / n[enough]).mean()), 4) if enough.any() else None,
        "classes": [FOLDERS[c] for c in np.flatnonzero(enough)],
        "confusion": confusion.tolist(),
    }
    if named is not None:
        about |= {"named": int(named.sum()), "wrong": int((named & (y != called)).sum())}
    return about


def describe(table, images):
    """A set before any network has seen it.

    Parameters
    ----------
    table : pandas.DataFrame
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)

    Returns
    -------
    dict
        ``density_mean`` and ``density_sd`` (per channel, as `adaptation.statistics`), ``glass`` (median level of the
        brightest patch), ``nucleus`` (quartiles of its width in pixels, where one is found), and the set's fingerprint.
    """
    mean, deviation = adaptation.statistics(images)
    glass = np.concatenate([pretrained.brightest(images[i : i + 256].astype(np.float32))[:, 0, 0]
                            for i in range(0, len(images), 256)])  # fmt: skip
    widths = contract.nucleus_width(images)
    known = "field" in table
    return {
        "density_mean": mean.round(4).astype(float).tolist(),
        "density_sd": deviation.round(4).astype(float).tolist(),
        "glass": np.median(glass, axis=0).round(1).astype(float).tolist(),
        "nucleus": np.percentile(widths[widths > 0], [25, 50, 75]).round(1).tolist() if widths.any() else None,
        **(other_labs.fingerprint(table) if known else records.fingerprint(table)),
    }


def fields(sets, folder):
    """How many cells of the real foreign sets are right if more or less of the slide is shown.

    Parameters
    ----------
    sets : dict
        From `laboratories`.
    folder : path-like
        Of the network's weights.

    Returns
    -------
    dict of str to dict
        For each set, by the share of the usual field.
    """
    found = {}
    for name, (table, _) in sets.items():
        if "field" in table:
            shown = {share: other_labs.images(table.assign(field=share * table["field"])) for share in FIELDS}
            called = {share: pretrained.logits(x, folder)[0].argmax(axis=1) for share, x in shown.items()}
            found[name] = {str(share): int((c == pbc.labels(table)).sum()) for share, c in called.items()}
    return found
