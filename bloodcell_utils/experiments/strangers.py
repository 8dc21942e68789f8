"""What `predict` says of what it does not know, and how well scores tell it from cells of the eight kinds.

Two questions. Pictures that show none of the eight, or show a cell as nobody should hand it in: how many get a name?
Names are given by both shipped networks; the scores are those of the one that travelled. And kinds of cells that a
network has never met: a class or two are left out of a short training on a third of the cells and met in the test. It
knows less than a patient one, so the second answer is about the scores and not about the shipped weights.
"""

import json
import tempfile
from dataclasses import replace

import numpy as np

from ..cells import FOLDERS
from ..config import SEED
from ..datasets import other_labs, pictures, strangers
from ..datasets.splits import load_split
from ..errors import DataError
from ..evaluation import calibration
from ..evaluation.prediction import UNSURE, none_share, predict, predict_proba
from ..models import pretrained
from ..models.compactnet_input import IMAGE
from . import records, travelled
from .compact import settings, train_compactnet
from .finetune import Subset

SCORES = ("largest probability", "energy", "Mahalanobis distance", "ninth score", "combined")
MADE = {
    "corner": "corners of PBC images",
    "empty field": "fields made of corners",
    "low magnification": "low magnification",
    "far too large": "far too large",
    "drawing": "drawings",
    "photograph": "photographs",
}
PICTURES = 5000  # about how many are made
PAGES = ("svm", "finetune", "ablation", "balance", "compact", "compact_best", "drawn")  # records drawn as charts
CELLS, SCREENSHOTS = 400, 320  # of each group of changed cells and of red cells; crops of charts
TRAINED, NONE = 6000, 1500  # cells, and pictures of none of the eight, of a training without a class
LEFT_OUT = (*((name,) for name in FOLDERS), ("neutrophil", "ig"), ("lymphocyte", "monocyte"))


def run(profile, *, seed=SEED, split_seed=SEED, left_out=LEFT_OUT, progressbar=True):
    """Measure what is named that should not be, and the area under the ROC curve of each score.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact.short`` says how many epochs the networks without a class are trained.
    seed, split_seed, progressbar
        As for every experiment (`experiments`).
    left_out : sequence of sequence of str
        Classes to leave out, a training each; without any it takes minutes.

    Returns
    -------
    records.Record
        ``shipped network``, the answers of both, with ``groups`` (pictures, how many were named, how many of these
        wrongly, how many got a note), ``home``, the same of the test cells, and ``auroc`` by group and score; a model
        for each training.
    """
    split = load_split(profile, IMAGE, seed=split_seed, reduced=True, progressbar=progressbar)
    found = records.Collector("strangers", profile, split, seed=seed, progressbar=progressbar)
    others, fingerprints, notes = elsewhere(seed)
    test = np.asarray(split.images[found.rows])
    known = odd(answers(test))
    counts, auroc = {}, {}
    for title, (shown, truth) in {**made(split, seed), **others}.items():
        counts[title] = count(shown, truth)
        auroc[title] = areas(known, odd(answers(shown)))
        found.say(f"{title}: {counts[title]['named']} of {counts[title]['n']} named")
    details = {"groups": counts, "home": count(test, found.truth), "auroc": auroc, "elsewhere": fingerprints}
    found.add("shipped network", predict_proba(test)[0].argmax(axis=1), found.lap(), **details)
    for names in left_out:
        called, measured = without(split, names, seed, epochs=profile.compact.short, progressbar=progressbar)
        found.add(f"without {' and '.join(names)}", called, found.lap(), left_out=list(names), **measured)
    if left_out:
        notes.append(f"Without a class: {TRAINED} cells, {NONE} strangers, {profile.compact.short} epochs.")
    return found.record("Pictures of none of the eight, from test images alone.", *notes)


def count(shown, truth=None):
    """How many pictures `predict` names.

    Parameters
    ----------
    shown : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    truth : array-like of int, shape (n,), optional
        Class numbers; without them every name is wrong.

    Returns
    -------
    dict of str to int
        ``n``, ``named``, ``wrong``, and ``noted``: pictures that got a note (`evaluation.contract`).
    """
    table = predict(shown)
    named = table["answer"] != UNSURE
    right = np.zeros(len(shown), bool) if truth is None else table["answer"] == np.take(FOLDERS, truth)
    noted = table["note"] != ""
    return {"n": len(shown), "named": int(named.sum()), "wrong": int((named & ~right).sum()), "noted": int(noted.sum())}


def made(split, seed=SEED):
    """Pictures to be refused, made from test images, photographs and charts that no training has seen.

    Parameters
    ----------
    split : splits.Split
        With images of 128 px.
    seed : int

    Returns
    -------
    dict of str to tuple
        Pictures, and the true class numbers of their cells where one is in the middle, else None.
    """
    from scipy.ndimage import gaussian_filter

    rng, rows = np.random.default_rng(seed), split.rows("test")
    drawn, kinds = strangers.strangers(split, "test", min(PICTURES, 20 * len(rows)), seed=seed)
    rows = np.sort(rng.permutation(rows)[:CELLS])
    cells, y = np.asarray(split.images[rows]), split.y[rows]
    small = np.stack([pictures.resize(strangers.resize(cell, 28), IMAGE) for cell in cells])
    blurred = np.stack(
        [gaussian_filter(cell, (s, s, 0)) for cell, s in zip(cells, rng.uniform(4.5, 12, len(cells)), strict=True)]
    )
    return {
        **{title: (drawn[kinds == kind], None) for kind, title in MADE.items() if kind in kinds},
        "red and blue exchanged": (cells[..., ::-1], y),
        "far too small": (small, y),
        "out of focus": (blurred, y),
        "screenshots": (screenshots(SCREENSHOTS, seed), None),
    }


def elsewhere(seed=SEED):
    """Pictures of the other laboratories' sets that are at hand.

    Parameters
    ----------
    seed : int
        Of the red cells and the empty windows.

    Returns
    -------
    groups : dict of str to tuple
        As from `made`.
    fingerprints : dict of str to dict
    notes : list of str
        Which sets are missing.
    """
    found, fingerprints, notes = {}, {}, []
    for name, title in {"cellavision": "CellaVision blog", "jiangxi": "Jiangxi", "bccd": "BCCD, white cells"}.items():
        try:
            table = other_labs.index(name)
        except DataError:
            notes.append(f"The set {name} was not at hand (bloodcell data fetch --set {name}).")
            continue
        fingerprints[name] = other_labs.fingerprint(table)
        found[title] = other_labs.images(table, IMAGE), np.array([FOLDERS.index(kind) for kind in table["class"]])
    if "bccd" in fingerprints:
        red = other_labs.index("bccd", of="red")
        red = red.sample(min(CELLS, len(red)), random_state=seed)
        empty = other_labs.images(other_labs.index("bccd", of="empty", seed=seed), IMAGE)
        found["empty windows of BCCD fields"] = empty, None
        found["single red cells of BCCD"] = other_labs.images(red, IMAGE), None
        found["single red cells of BCCD, box × 1.5"] = other_labs.images(red, IMAGE, field=1.5), None
    return found, fingerprints, notes


def screenshots(n, seed=SEED):
    """Squares cut from charts and tables of this course's own records, as somebody would copy them from a screen.

    Parameters
    ----------
    n : int
    seed : int

    Returns
    -------
    numpy.ndarray of uint8, shape (n, 128, 128, 3)
    """
    rng, pages = np.random.default_rng(seed), [_page(records.load_record(name, "laptop")) for name in PAGES]
    cut = []
    for i in range(n):
        page, side = pages[i % len(pages)], int(rng.integers(80, 500))
        y, x = (int(rng.integers(0, length - side)) for length in page.shape[:2])
        cut.append(strangers.resize(page[y : y + side, x : x + side]))
    return np.stack(cut)


def answers(shown, folder=pretrained.TRAVELLED):
    """A network's eight scores, its ninth, and its features.

    Parameters
    ----------
    shown : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    folder : path-like
        Of the weights.

    Returns
    -------
    tuple of numpy.ndarray, shapes (n, 8), (n,) and (n, 256)
    """
    scores, features = pretrained.logits(shown, folder)
    return scores, pretrained.none_score(features, folder), features


def odd(answered, card=None, arrays=None):
    """How strange pictures are by each of `SCORES`: the higher, the stranger.

    Parameters
    ----------
    answered : tuple of numpy.ndarray
        From `answers`.
    card, arrays : dict, optional
        ``temperature``, ``limit`` and ``none_limit``; ``means`` and ``whitening``. Default: of the network that
        travelled.

    Returns
    -------
    dict of str to numpy.ndarray, shape (n,)
    """
    scores, ninth, features = answered
    card = card or pretrained.metadata(pretrained.TRAVELLED)
    arrays = arrays or pretrained.weights(pretrained.TRAVELLED)
    distance = calibration.mahalanobis_distance(features, arrays["means"], arrays["whitening"])
    none = none_share(scores, ninth, card["temperature"])
    sure = calibration.softmax(scores / card["temperature"]).max(axis=1)
    energy = -np.logaddexp.reduce(np.asarray(scores, float), axis=1)
    combined = np.maximum(distance / card["limit"], none / card["none_limit"])
    return dict(zip(SCORES, (1 - sure, energy, distance, none, combined), strict=True))


def areas(known, strange):
    """Area under the ROC curve of each score: how often the stranger of two pictures is the one that is strange.

    Parameters
    ----------
    known, strange : dict of str to numpy.ndarray
        From `odd`.

    Returns
    -------
    dict of str to float
    """
    from sklearn.metrics import roc_auc_score

    new = np.repeat([0, 1], [len(values[SCORES[0]]) for values in (known, strange)])
    return {name: round(float(roc_auc_score(new, np.append(known[name], strange[name]))), 4) for name in SCORES}


def without(split, names, seed=SEED, *, epochs, trained=TRAINED, progressbar=True):
    """Train a network that never meets some classes, neither as cells nor among the strangers; then show them.

    Parameters
    ----------
    split : splits.Split
        With images of 128 px.
    names : sequence of str
        Classes.
    seed : int
    epochs : int
    trained : int
        Training cells at most, drawn at random.
    progressbar : bool

    Returns
    -------
    called : numpy.ndarray of int
        Class numbers of the test images.
    measured : dict
        ``auroc`` of each score, left-out against other test cells; ``n`` left-out ones, and how many of them were
        ``named`` by the rule of the shipped weights; ``n_train`` cells, ``strangers`` and ``epochs`` of the training.
    """
    left = [FOLDERS.index(name) for name in names]
    kept, new = np.setdiff1d(range(len(FOLDERS)), left), np.isin(split.y, left)
    seen = replace(split, table=split.table.assign(subset=split.table["subset"].mask(new, "left out")))
    train, validation, test = seen.rows("train"), seen.rows("validation"), split.rows("test")
    train = np.sort(np.random.default_rng(split.seed).permutation(train)[:trained])
    none, _ = strangers.strangers(seen, "train", min(NONE, len(train) // 4), seed=split.seed)
    how = {"settings": settings(epochs, seed), "strangers": none, "progressbar": progressbar}
    model, history = train_compactnet(split.images, split.y, train, validation=validation, **how)
    with tempfile.TemporaryDirectory() as folder:
        pretrained.save(model, {}, folder)
        fitted = answers(Subset(split.images, train), folder)
        held, shown = (answers(np.asarray(split.images[rows]), folder) for rows in (validation, test))
    fitted, held, shown = ((scores[:, kept], *rest) for scores, *rest in (fitted, held, shown))
    y = np.searchsorted(kept, split.y)
    means, whitening = calibration.fit_mahalanobis(fitted[2], y[train])
    arrays = {"means": means, "whitening": whitening}
    card = {"temperature": calibration.fit_temperature(calibration.softmax(held[0]), y[validation])}
    usual = odd(held, card | {"limit": 1, "none_limit": 1}, arrays)
    limits = [np.quantile(usual[name], travelled.FAMILIAR) for name in ("Mahalanobis distance", "ninth score")]
    strange = odd(shown, card | dict(zip(("limit", "none_limit"), limits, strict=True)), arrays)
    calibrated = calibration.softmax(held[0] / card["temperature"])
    threshold = calibration.choose_threshold(calibrated, y[validation], travelled.TOLERATED)
    named = (1 - strange["largest probability"] >= threshold) & (strange["combined"] <= 1)
    apart = [{name: values[new[test] == which] for name, values in strange.items()} for which in (False, True)]
    measured = {"auroc": areas(*apart), "n": int(new[test].sum()), "named": int(named[new[test]].sum())}
    measured |= {"n_train": len(train), "strangers": len(none), "epochs": epochs}
    return kept[shown[0].argmax(axis=1)], {**measured, "trained_s": round(history.seconds, 1)}


def _page(record):
    """A record as a page of charts: counts, rates, lines and text."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    name, model = next(iter(record.models.items()))
    fig = Figure((11, 8), dpi=100)
    counts, rates, lines, text = fig.subplots(2, 2).flat
    counts.matshow(model["confusion"], cmap="Blues")
    counts.set_title(f"{record.name}: {name}")
    for (row, column), cells in np.ndenumerate(model["confusion"]):
        counts.text(column, row, cells, ha="center", va="center", fontsize=7)
    rates.barh(record.classes, [row["sensitivity"] or 0 for row in model["per_class"]], color="#0072B2")
    lines.plot(np.cumsum(model["confusion"], axis=1).T, label=record.classes)
    lines.legend(fontsize=6)
    text.text(0, 1, json.dumps(record.settings or record.versions, indent=1)[:1500], va="top", fontsize=7)
    text.axis("off")
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
