"""What of transfer is there without any learning, and what is left of it under another lamp.

The same images and classifiers (`svm`), and three sources of numbers: colours alone; VGG-16 with random weights, which
has learnt nothing; a network that has. Each is tested as it is, at 5 % less light and at 5 % more. Where ImageNet's
weights are at hand, they are always one of the rows.
"""

import numpy as np

from ..config import SEED
from ..datasets.loading import load_images
from ..datasets.splits import load_split
from ..models import backbones
from ..models.features import closeups, color_histogram, extract
from . import records, svm


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True):
    """Measure every source of numbers under three lamps.

    Parameters
    ----------
    profile : config.Profile
    seed, split_seed, progressbar
        As for every experiment (`experiments`).

    Returns
    -------
    records.Record
        ``gain`` of each model: its accuracy with all levels multiplied.
    """
    split = load_split(profile, seed=split_seed)
    table, y, fit, test = split.table, split.y, split.rows("train", "validation"), split.rows("test")
    svm.check_enough(y[fit], profile)
    found = records.Collector("control", profile, split, seed=seed, progressbar=progressbar)

    def tested(name, classifier, X, lit):
        model = classifier.fit(X[fit], y[fit])
        gains = {f"{gain:g}": round(float(model.score(values, y[test])), 6) for gain, values in lit.items()}
        found.add(name, model.predict(X[test]), found.lap(), gain=gains)

    whole = load_images(table, profile.image_size, progressbar=progressbar)
    lit = {gain: color_histogram(svm.brighten(whole[test], gain)) for gain in svm.GAINS}
    tested("colour histogram", svm.histogram_classifier(), color_histogram(whole), lit)

    seen = []
    for backbone, weights in networks(profile):
        images = closeups(table, profile, backbone, progressbar=progressbar)
        how = {"weights": weights, "seed": seed, "progressbar": progressbar}
        views = extract(images, backbone, **how)
        lamps = np.concatenate([svm.brighten(images[test], gain) for gain in svm.GAINS])
        lamps = {view: np.split(values, len(svm.GAINS)) for view, values in extract(lamps, backbone, **how).items()}
        for view, classifier in (
            ("last", svm.last_block_classifier(profile.pca, seed=seed)),
            ("blocks", svm.all_blocks_classifier()),
        ):
            name = f"{weights} {backbone} {'all blocks' if view == 'blocks' else 'last block'}"
            tested(name, classifier, np.asarray(views[view]), dict(zip(svm.GAINS, lamps[view], strict=True)))
        seen.append(f"{weights} {backbone} at {images.shape[1]} px")
    return found.record(f"{', '.join(seen)}, central {profile.crop:.0%} of the image.")


def networks(profile):
    """Which networks are compared: the control, the one that the profile borrows, ImageNet's where it is at hand.

    Parameters
    ----------
    profile : config.Profile

    Returns
    -------
    list of (str, str)
        Backbone and weights.
    """
    borrowed = (profile.borrowed, profile.weights_of(profile.borrowed))
    at_hand = [("vgg16", "imagenet")] if backbones.has_weights("vgg16") else []
    return list(dict.fromkeys([("vgg16", "random"), borrowed, *at_hand]))
