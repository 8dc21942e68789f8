"""CompactNet with patience: one network, one long training, all eight symmetries; the weights that are shipped.

It is calibrated on the validation images: one temperature, the least confidence for a name, and how strange a picture
may be. The same images have chosen the best epoch, so all three are a little too kind.
With ``bloodcell run compact_best --profile laptop --ship`` the weights go into the package.
"""

import tempfile
import time

import numpy as np

from .. import calibration, datasets, metrics, paper, records, shipped
from ..compact import IMAGE
from ..config import SEED
from ..datasets import splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..errors import BloodcellError
from ..provenance import peak_rss_mb
from .compact import right_on, settings, symmetric, trained

TOLERATED = 0.002  # wrong names among those given, on validation images
FAMILIAR = 0.995  # share of the validation images that are no strangers
CALIBRATED = ("temperature", "threshold", "limit")


def run(profile, seed=SEED, ship=False, progressbar=True):
    """Measure the long training: single view and eight, worse days, calibration, abstention.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact.best`` says for how long.
    seed : int
    ship : bool
        Write the weights, in half precision, into the package.
    progressbar : bool

    Returns
    -------
    records.Record
    """
    if ship and profile.data == "synthetic":
        raise BloodcellError("Weights are shipped that have seen real cells: choose --profile laptop.")
    table = splits.clean(datasets.index(profile), seed=SEED)
    y, subset = labels(table), table["subset"].to_numpy()
    train, validation, test = (np.flatnonzero(subset == name) for name in splits.SUBSETS)
    started = time.perf_counter()
    images = load_images(table, IMAGE, progressbar=progressbar, reduced=True)
    loaded = time.perf_counter() - started
    model, history = trained(images, y, train, validation, settings(profile.compact.best, seed), progressbar)
    # What is measured is what is shipped: half precision, computed by NumPy.
    with tempfile.TemporaryDirectory() as folder:
        shipped.save(model, {}, folder)
        (_, seen), (held, known), (single, new) = (_answers(images, rows, folder) for rows in (train, validation, test))
    means, whitening = calibration.familiar(seen, y[train])
    limit = round(float(np.quantile(calibration.strangeness(known, means, whitening), FAMILIAR)), 4)
    temperature = calibration.temperature(held, y[validation])
    threshold = calibration.threshold(calibration.tempered(held, temperature), y[validation], TOLERATED)
    shown, truth = np.asarray(images[test]), y[test]
    answers = {"one view": single, "eight symmetries": symmetric(model, shown)}
    calibrated = calibration.tempered(single, temperature)
    named = (calibrated.max(axis=1) >= threshold) & (calibration.strangeness(new, means, whitening) <= limit)
    extra = {
        "temperature": temperature,
        "threshold": threshold,
        "limit": limit,
        "named": int(named.sum()),
        "named_right": int((single.argmax(axis=1) == truth)[named].sum()),
        "calibration_error": [calibration.calibration_error(p, truth) for p in (single, calibrated)],
        "worse_days": right_on(model, shown, truth),
    }
    predictions = {name: p.argmax(axis=1) for name, p in answers.items()}
    models = {
        name: records.measure(
            metrics.confusion_matrix(truth, predicted, len(paper.TABLE_1)),
            loaded + history.seconds,
            peak_rss_mb(),
            paper.ACCURACY[("fine_tuned", "vgg16")].value,
            **({**extra, **history.details()} if name == "one view" else {}),
        )
        for name, predicted in predictions.items()
    }
    notes = [f"CompactNet from random weights, {IMAGE} px, {profile.compact.best} epochs."]
    record = records.create("compact_best", profile, table, y, models, predictions, seed, notes)
    if ship:
        about = {
            "command": f"bloodcell run compact_best --profile {profile.name} --seed {seed} --ship",
            **{name: getattr(record, name) for name in ("data", "split", "commit", "created")},
            **{name: models["one view"][name] for name in ("accuracy", "accuracy_ci95", "n_test", *CALIBRATED)},
        }
        shipped.save(model, about, means=means, whitening=whitening)
    return record


def _answers(images, rows, folder):
    """Probabilities and features of some images, by the shipped kind of network."""
    parts = [shipped.logits(np.asarray(images[rows[i : i + 256]]), folder) for i in range(0, len(rows), 256)]
    scores, features = (np.concatenate(part) for part in zip(*parts, strict=True))
    return calibration.softmax(scores), features
