"""Checks of the exercises whose answer is a value: each takes an answer and returns a hint, or None if it is right.

Right answers are computed from the data at hand, so the checks work on every profile.
"""

from functools import cache

import numpy as np

from .. import config, counterfactuals, datasets, mistakes, records
from ..cells import CELLS, FOLDERS
from ..datasets import audit, splits
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..paper import CONFUSIONS, HYPERPARAMETERS, TABLE_1, as_count


def _first_look_1(answer):
    answer = str(answer).strip().lower()
    if answer not in {cell.name for cell in CELLS}:
        return f"answer with one of: {', '.join(cell.name for cell in CELLS)}."
    if answer == "erythroblast":
        return "close: its nucleus is as round, but look at how much of the cell it fills and at its rim."
    return None if answer == "lymphocyte" else "compare how much of the cell the nucleus fills."


def _dataset_2(answer):
    table = datasets.index(config.profile())
    counts = audit.second_batch(table)["class"].value_counts().to_dict()
    answer = {str(name): int(n) for name, n in dict(answer).items() if int(n)}
    if sum(answer.values()) == len(table):
        return "these are all images; keep the rows whose batch is 2."
    if set(answer) != set(counts):
        return "there is a class too many or one missing; one of the eight has no image in the second batch."
    return None if answer == counts else "the classes are right, their counts are not."


def _augmentation_2(answer):
    train = splits.clean(datasets.index(config.profile())).query("subset == 'train' and `class` == 'lymphocyte'")
    n, target = len(train), HYPERPARAMETERS["images_per_class"]
    if round(float(answer)) == round(target / 1214):
        return "1,214 lymphocytes is the whole data set; how many are left for training after the split?"
    return None if abs(float(answer) - target / n) < 0.05 else f"divide {target:,} by the training images of the class."


def _convolution_2(answer):
    kernel = np.asarray(answer, float)
    if kernel.shape != (3, 3):
        return f"hand in a table of 3 × 3 numbers; this one has the shape {kernel.shape}."
    below = np.repeat([[0.0], [0], [1], [1]], 4, axis=1)  # each image has 2 × 2 places for the kernel

    def answers(image):
        return np.einsum("ijuv,uv->ij", np.lib.stride_tricks.sliding_window_view(image, (3, 3)), kernel)

    if np.abs(answers(np.ones((4, 4)))).max() > 1e-6:
        return "it answers an even image; what do the weights have to add up to?"
    if np.abs(answers(below.T)).max() > 1e-6:
        return "it answers an edge from left to right; what do the weights of each column have to add up to?"
    strongest = answers(below).flat[np.abs(answers(below)).argmax()]
    if strongest < -1e-6:
        return "it sees the edge, but answers with a minus; which row has to be positive?"
    return None if abs(strongest - 1) < 1e-6 else f"it sees the edge and answers {strongest:.3g}; it should be 1."


def _architectures_2(answer):
    def dense(*units):
        return sum((a + 1) * b for a, b in zip(units[:-1], units[1:], strict=True))

    whole = 121_682_760  # with the paper's head on 7 × 7 × 512 numbers
    convolutions = whole - dense(7 * 7 * 512, 4096, 1024, 8)
    right, answer = convolutions + dense(512, 4096, 1024, 8), int(answer)
    if answer == right:
        return None
    if answer == whole:
        return "this is the network with all 7 × 7 places; after the mean each map leaves one number."
    if answer == right - convolutions:
        return "this is the head alone; the convolutions belong to the network too."
    if answer == right - (4096 + 1024 + 8):
        return "nearly: each unit of a dense layer has a bias as well."
    return "add the parameters of the convolutions to those of dense layers from 512 to 4,096, 1,024 and 8 units."


def _features_svm_2(answer):
    from ..experiments import svm
    from ..features import color_histogram

    profile = config.profile()
    table = splits.clean(datasets.index(profile))
    images, y = load_images(table, profile.image_size), labels(table)
    test = (table["subset"] == "test").to_numpy()
    model = svm.histogram_classifier().fit(color_histogram(images[~test]), y[~test])
    before, after = (
        float(np.mean(model.predict(color_histogram(svm.brighten(images[test], gain))) == y[test])) for gain in (1, 0.9)
    )
    if abs(float(answer) - before) < 1e-6 and before != after:
        return "this is the accuracy before; brighten, here darken, the test images and predict again."
    if float(answer) > 1:
        return "give the accuracy as a fraction between 0 and 1."
    return None if abs(float(answer) - after) < 0.011 else "train on images as they are; change the test images only."


def _fine_tuning_2(answer):
    from ..experiments import finetune

    def free(blocks):
        weights = finetune.untrained(config.profile(), blocks=blocks).trainable_weights
        return int(sum(np.prod(w.shape) for w in weights))

    if int(answer) == free(1):
        return "this is the count for one block; free two."
    if int(answer) > free(2):
        return "only weights that train count; the frozen blocks stay out."
    return None if int(answer) == free(2) else "sum the sizes of `trainable_weights`, biases and the head included."


def _ablation_2(answer):
    from ..experiments import ablation

    def alike(backbone):
        rows = ablation.printed(backbone)
        cells = list(zip(rows["images_per_class"], rows["blocks"], strict=True))
        return set(cells), {cell for cell, like in zip(cells, rows["like_best"], strict=True) if like}

    cells, right = alike("inception_v3")
    answer = {(int(images), int(blocks)) for images, blocks in answer}
    if answer == alike("vgg16")[1]:
        return "these are the settings of VGG-16."
    if answer - cells:
        return "each setting is a pair (images a class, blocks) of the table for Inception-v3."
    if answer - right:
        return f"{len(answer - right)} of these can be told from the best: compare the p-value with 0.05."
    return None if answer == right else "all of these belong to the list, and it is longer; the best is one of them."


def _confusion_matrix_2(answer):
    true, called = answer
    if (called, true) in CONFUSIONS:
        return "first the true class, then what it was called."
    if (true, called) not in CONFUSIONS:
        return "answer with one of the keys of paper.CONFUSIONS."
    count = as_count(CONFUSIONS[true, called])
    return None if count is None else f"{CONFUSIONS[true, called]:g} % fits: it is {count} of 256."


def _error_analysis_2(answer):
    answer = float(answer)
    recorded = records.load("finetune", "laptop").predictions
    true, called, kind = recorded["true"], recorded["vgg16 fine-tuned"], mistakes.subtypes(recorded["path"])
    ig, neutrophil = FOLDERS.index("ig"), FOLDERS.index("neutrophil")
    across = ((kind == "MMY") & (called == neutrophil)) | ((kind == "BNE") & (called == ig))
    of_both_classes = true.isin([ig, neutrophil]) & called.isin([ig, neutrophil])
    right, open_border, too_open = (
        float(np.mean((called == true) | more)) for more in (False, across, of_both_classes)
    )
    if answer > 1:
        return "give the accuracy as a fraction between 0 and 1."
    if abs(answer - open_border) < 5e-5:
        return None
    if abs(answer - right) < 5e-5:
        return "this is the accuracy as it is; now count the cells across the border as right, too."
    if abs(answer - too_open) < 5e-5:
        return "only metamyelocytes and band neutrophils lie at the border, not all of their two classes."
    return "add the cells across the border to those on the diagonal."


def _class_balance_2(answer):
    answer, n = float(answer), TABLE_1["lymphocyte"]
    if abs(answer - sum(TABLE_1.values()) / n) < 0.1:
        return "all classes together have the weight of all images; one class gets its share of it."
    if abs(answer - max(TABLE_1.values()) / n) < 0.02:
        return "this compares with the neutrophils; the mean over all images is to be 1."
    return (
        None if abs(answer - sum(TABLE_1.values()) / (8 * n)) < 0.01 else "an eighth of the total, shared by the class."
    )


@cache
def _eosinophil_flips():
    return counterfactuals.flips(counterfactuals.usual, counterfactuals.preset("EO"))


def _counterfactuals_2(answer):
    counterfactuals.PARAMETERS.index(answer)  # what is no parameter is no answer
    table = _eosinophil_flips()
    if answer not in set(table["parameter"]):
        return "this one can be anything, and the answer stays; the table lists those that can change it."
    return None if answer == table["parameter"][0] else "it flips the answer, but another one has less far to go."


def _compact_network_2(answer):
    answer, large, small = int(answer), 3 * 3 * 128 * 256 + 3 * 3 * 256 * 256, 128 * 256
    if answer == large:
        return "the shortcut has weights, too."
    if answer == 2 * 3 * 3 * 128 * 256 + small:
        return "the second convolution reads what the first one wrote: how many maps are these?"
    if answer == 3 * 3 * 256 + 3 * 3 * 256 + 256:
        return "every map that goes out looks at all maps that come in."
    return None if answer == large + small else "sides of the kernel times maps in times maps out, three times."


def _feature_maps_2(answer):
    rng = np.random.default_rng(0)
    maps, slopes = rng.random((5, 6, 4)), rng.normal(size=(5, 6, 4))
    weights = slopes.mean(axis=(0, 1))
    expected, result = np.maximum(maps @ weights, 0), np.asarray(answer(maps, slopes), float)
    if result.shape != (5, 6):
        return f"one number a place is asked for: shape (5, 6) for maps of shape (5, 6, 4), not {result.shape}."
    if np.allclose(result, maps @ weights):
        return "nearly: places that speak against the class are below zero; keep what is above."
    if np.allclose(result, np.maximum((maps * slopes).sum(axis=-1), 0)):
        return "each map has one weight: average its slopes over all places first."
    return (
        None
        if np.allclose(result, expected)
        else "weigh each map by its mean slope, add the maps, keep what is above 0."
    )


COMPUTED = {
    "first_look.1": _first_look_1,
    "dataset.2": _dataset_2,
    "augmentation.2": _augmentation_2,
    "convolution.2": _convolution_2,
    "architectures.2": _architectures_2,
    "features_svm.2": _features_svm_2,
    "fine_tuning.2": _fine_tuning_2,
    "ablation.2": _ablation_2,
    "confusion_matrix.2": _confusion_matrix_2,
    "feature_maps.2": _feature_maps_2,
    "error_analysis.2": _error_analysis_2,
    "class_balance.2": _class_balance_2,
    "compact_network.2": _compact_network_2,
    "counterfactuals.2": _counterfactuals_2,
}
