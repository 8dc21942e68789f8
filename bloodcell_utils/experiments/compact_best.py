"""CompactNet with patience: one network, one long training, all eight symmetries; the weights that are shipped.

It is calibrated on the validation images: one temperature, the least confidence for a name, and how strange a picture
may be. The same images have chosen the best epoch, so all three are a little too kind.
With ``bloodcell run compact_best --profile laptop --ship`` the weights go into the package.
"""

import tempfile
import time

import numpy as np

from .. import paper
from ..config import SEED
from ..datasets.splits import SUBSETS, load_split
from ..errors import BloodcellError
from ..evaluation import calibration
from ..models import pretrained
from ..models.compactnet_input import IMAGE
from ..training import fitting
from . import records
from .compact import correct_after_corruption, settings, train_compactnet

TOLERATED = 0.002  # wrong names among those given, on validation images
FAMILIAR = 0.995  # share of the validation images that are no strangers
CALIBRATED = ("temperature", "threshold", "limit")


def run(profile, *, seed=SEED, split_seed=SEED, ship=False, progressbar=True):
    """Measure the long training: single view and eight, corruptions, calibration, abstention.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact.best`` says for how long.
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
    loaded = time.perf_counter() - started
    images, y, (train, validation, test) = split.images, split.y, map(split.rows, SUBSETS)
    how = {"settings": settings(profile.compact.best, seed), "progressbar": progressbar}
    model, history = train_compactnet(images, y, train, validation=validation, **how)
    # What is measured is what is shipped: half precision, computed by NumPy.
    with tempfile.TemporaryDirectory() as folder:
        pretrained.save(model, {}, folder)
        (_, seen), (held, known), (single, new) = (_answers(images, rows, folder) for rows in (train, validation, test))
    means, whitening = calibration.fit_mahalanobis(seen, y[train])
    limit = round(float(np.quantile(calibration.mahalanobis_distance(known, means, whitening), FAMILIAR)), 4)
    temperature = calibration.fit_temperature(held, y[validation])
    threshold = calibration.choose_threshold(calibration.apply_temperature(held, temperature), y[validation], TOLERATED)
    shown, truth = np.asarray(images[test]), y[test]
    answers = {"one view": single, "eight symmetries": fitting.predict_with_symmetries(model, shown)}
    calibrated = calibration.apply_temperature(single, temperature)
    named = (calibrated.max(axis=1) >= threshold) & (calibration.mahalanobis_distance(new, means, whitening) <= limit)
    extra = {
        "temperature": temperature,
        "threshold": threshold,
        "limit": limit,
        "named": int(named.sum()),
        "named_right": int((single.argmax(axis=1) == truth)[named].sum()),
        "reliability": {
            name: calibration.reliability(p, truth) for name, p in (("as trained", single), ("calibrated", calibrated))
        },
        "calibration_error": [calibration.calibration_error(p, truth) for p in (single, calibrated)],
        "corruptions": correct_after_corruption(model, shown, truth),
    }
    found = records.Collector("compact_best", profile, split, seed=seed)
    for name, p in answers.items():
        details = {**extra, **history.details()} if name == "one view" else {}
        details["printed"] = paper.ACCURACY["fine_tuned", "vgg16"].value
        found.add(name, p.argmax(axis=1), loaded + history.seconds, **details)
    record = found.record(f"CompactNet from random weights, {IMAGE} px, {profile.compact.best} epochs.")
    if ship:
        about = {
            "command": f"bloodcell run compact_best --profile {profile.name} --seed {seed} --ship",
            **{name: getattr(record, name) for name in ("data", "split", "commit", "created")},
            **{name: record.models["one view"][name] for name in ("accuracy", "accuracy_ci95", "n_test", *CALIBRATED)},
        }
        pretrained.save(model, about, means=means, whitening=whitening)
    return record


def _answers(images, rows, folder):
    """Probabilities and features of some images, by the shipped kind of network."""
    parts = [pretrained.logits(np.asarray(images[rows[i : i + 256]]), folder) for i in range(0, len(rows), 256)]
    scores, features = (np.concatenate(part) for part in zip(*parts, strict=True))
    return calibration.softmax(scores), features
