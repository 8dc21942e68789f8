"""The second network that is shipped: CompactNet trained on looks of other laboratories and on none of the eight.

It is asked beside the one that stayed at home (`compact_best`). Here it is measured alone, with two seeds, and both
together as `evaluation.prediction` asks them. Limits are chosen on the validation images, which have also chosen the
best epoch. With ``bloodcell run travelled --profile laptop --ship`` the first seed's weights go into the package.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from ..cells import FOLDERS
from ..config import SEED
from ..datasets.splits import SUBSETS, load_split
from ..datasets.strangers import strangers
from ..errors import BloodcellError
from ..evaluation import adaptation, calibration, contract, prediction
from ..models import pretrained
from ..models.compactnet_input import IMAGE
from . import records
from .compact import correct_after_corruption, settings, train_compactnet
from .finetune import Subset

STRANGERS = 4000  # pictures of none of the eight, for training
SEEDS = 2
TOLERATED = 0.003  # wrong names among those given by both networks, on validation images
FAMILIAR, HERE = 0.998, 0.97  # shares of the validation images that are no strangers, and whose colours are of home


def run(profile, *, seed=SEED, split_seed=SEED, ship=False, progressbar=True):
    """Measure the network that travelled, and both networks together.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact.travelled`` says for how long.
    seed, split_seed, progressbar
        As for every experiment (`experiments`).
    ship : bool
        Write the weights, in half precision, into the package.

    Returns
    -------
    records.Record
    """
    if ship and profile.data == "synthetic":
        raise BloodcellError("Weights are shipped that have seen real cells: choose --profile laptop.")
    started = time.perf_counter()
    split = load_split(profile, IMAGE, seed=split_seed, reduced=True, progressbar=progressbar)
    images, y, (train, validation, test) = split.images, split.y, map(split.rows, SUBSETS)
    none, _ = strangers(split, "train", min(STRANGERS, len(train) // 2), seed=split_seed)
    loaded = time.perf_counter() - started
    shown, truth = np.asarray(images[test]), y[test]
    found, first = records.Collector("travelled", profile, split, seed=seed), None
    for own_seed in range(seed, seed + SEEDS):
        how = {"settings": settings(profile.compact.travelled, own_seed), "strangers": none, "elsewhere": True}
        model, history = train_compactnet(images, y, train, validation=validation, progressbar=progressbar, **how)
        with tempfile.TemporaryDirectory() as folder:
            card, arrays = fit(model, split, folder)
            answers = read(shown, folder)
        details = {**card, **history.details()}
        for name, (p, strange) in zip(("alone", "with the one from home"), answers, strict=True):
            named = prediction.gets_name(p, strange, card["threshold"])
            about = {"named": int(named.sum()), "named_right": int((p.argmax(axis=1) == truth)[named].sum())}
            about["calibration_error"] = calibration.calibration_error(p, truth)
            if name == "alone":
                about["corruptions"] = correct_after_corruption(model, shown, truth)
            found.add(f"{name}, seed {own_seed}", p.argmax(axis=1), loaded + history.seconds, **details, **about)
        first = first or (model, card, arrays)
    record = found.record(f"CompactNet from random weights, {IMAGE} px, {profile.compact.travelled} epochs.")
    if ship:
        model, card, arrays = first
        both = record.models[f"with the one from home, seed {seed}"]
        about = {
            "command": f"bloodcell run travelled --profile {profile.name} --seed {seed} --ship",
            **{name: getattr(record, name) for name in ("data", "split", "commit", "created")},
            **{name: both[name] for name in ("accuracy", "accuracy_ci95", "n_test", "named", "named_right")},
        }
        pretrained.save(model, about | card, pretrained.TRAVELLED, **arrays)
    return record


def fit(model, split, folder):
    """Calibrate a network by training and validation images, alone and together with the one from home.

    Parameters
    ----------
    model : keras.Model
        With nine scores.
    split : splits.Split
    folder : path-like
        Gets its weights: what is measured is what is shipped, half precision, computed by NumPy.

    Returns
    -------
    card : dict
        ``temperature``, ``limit``, ``none_limit``, ``colour_limit``, ``nucleus`` and ``threshold``.
    arrays : dict of str to numpy.ndarray
        ``means``, ``whitening``, ``colours/means``, ``colours/whitening`` and ``density``.
    """
    train, validation = Subset(split.images, split.rows("train")), np.asarray(split.images[split.rows("validation")])
    y, held = split.y[split.rows("train")], split.y[split.rows("validation")]
    batches = [np.asarray(train[start : start + 256]) for start in range(0, len(train), 256)]
    pretrained.save(model, {}, folder)
    folder = Path(folder)
    seen = np.concatenate([pretrained.logits(batch, folder)[1] for batch in batches])
    arrays = dict(zip(("means", "whitening"), calibration.fit_mahalanobis(seen, y), strict=True))
    seen = np.concatenate([adaptation.colours(batch) for batch in batches])
    about = calibration.fit_mahalanobis(seen, np.zeros(len(seen), int))
    arrays |= dict(zip(("colours/means", "colours/whitening"), about, strict=True))
    arrays["density"] = adaptation.statistics(train)
    pretrained.save(model, {"limit": 1, "none_limit": 1, "colour_limit": 1}, folder, **arrays)
    w = pretrained.weights(folder)
    scores, features = pretrained.logits(validation, folder)
    temperature = calibration.fit_temperature(calibration.softmax(scores), held)
    distance = calibration.mahalanobis_distance(features, w["means"], w["whitening"])
    none = prediction.none_share(scores, pretrained.none_score(features, folder), temperature)
    widths = contract.nucleus_width(validation[held != FOLDERS.index("platelet")])
    card = {
        "temperature": temperature,
        "limit": round(float(np.quantile(distance, FAMILIAR)), 4),
        "none_limit": round(float(np.quantile(none, FAMILIAR)), 6),
        "colour_limit": round(float(np.quantile(adaptation.colour_distance(validation, folder), HERE)), 4),
        "nucleus": [round(float(width), 1) for width in np.percentile(widths[widths > 0], [5, 50, 95])],
    }
    pretrained.save(model, card, folder, **arrays)
    probabilities, _ = prediction.predict_proba(validation, folder=folder)
    card["threshold"] = calibration.choose_threshold(probabilities, held, TOLERATED)
    return card, arrays


def read(images, folder):
    """Answers of the network that travelled alone, and of both networks.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    folder : path-like
        From `fit`.

    Returns
    -------
    list of (probabilities, strangeness)
    """
    return [prediction.judge(*pretrained.logits(images, folder), folder),
            prediction.predict_proba(images, folder=folder)]  # fmt: skip
