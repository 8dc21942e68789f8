"""Checks of the exercises whose answer is a value or code: each takes it and returns a hint, or None if it is right.

Right answers are computed from the data at hand, so the checks work on every profile.
"""

from dataclasses import fields
from functools import cache

import numpy as np

from .. import config, datasets
from ..cells import CELLS, FOLDERS
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..datasets.specs import span
from ..datasets.synthetic import draw
from ..evaluation import counterfactuals, error_analysis, prediction
from ..evaluation.metrics import two_proportions, wilson
from ..experiments import records
from ..interactive import labelling
from ..paper import CONFUSIONS, TABLE_1, as_count


def _first_look_1(answer):
    answer = str(answer).strip().lower()
    if answer not in {cell.name for cell in CELLS}:
        return f"answer with one of: {', '.join(cell.name for cell in CELLS)}."
    hints = {
        "lymphocyte": None,
        "erythroblast": "close: its nucleus is as round, but look at how much of the cell it fills and at its rim.",
        "immature granulocyte": "a young one has a round nucleus, too, but look for granules in its cytoplasm.",
        "platelet": "this is a fragment of a cell; look at what the list says of its nucleus.",
    }
    return hints.get(answer, "compare how much of the cell the nucleus fills.")


def _dataset_2(answer):
    y, patients = _sixty_patients()
    found, hint = _result_of(answer, y.copy(), patients.copy())
    if hint:
        return hint
    if not isinstance(found, tuple | list) or len(found) != 2:
        return "return two arrays, the rows for training and those for the test; of several folds, take the first."
    train, test = (np.asarray(rows) for rows in found)
    if any(rows.ndim != 1 or rows.dtype.kind not in "iu" for rows in (train, test)):
        return "return row numbers: whole numbers that begin with 0, not images, names or True and False."
    if not np.array_equal(np.sort(np.concatenate([train, test])), np.arange(len(y))):
        return f"each of the {len(y)} rows belongs to exactly one of the two arrays."
    torn = len(np.intersect1d(patients[train], patients[test]))
    if torn:
        return f"{torn} of 60 patients are on both sides; who tells your function which images belong together?"
    share = len(test) / len(y)
    if not 0.15 <= share <= 0.25:
        return f"the patients are apart, but {share:.0%} of the images are for the test; a fifth is asked for."
    for name in np.unique(y):
        inside, outside = np.mean(y[test] == name), np.mean(y[train] == name)
        if abs(inside - outside) > 0.05:
            return (
                f"the patients are apart, but {name}s are {inside:.0%} of the test and {outside:.0%} of the training "
                "images; who looks after the proportions?"
            )
    return None


def _sixty_patients():
    """Class names and patient numbers of a laboratory where patients differ in what their blood holds."""
    rng = np.random.default_rng(60)
    patients = np.repeat(rng.permutation(60) + 100, rng.integers(8, 17, 60))
    mixture = {number: rng.dirichlet([3.0, 1.5, 0.5]) for number in np.unique(patients)}
    names = ["neutrophil", "lymphocyte", "monocyte"]
    y = np.array([rng.choice(names, p=mixture[number]) for number in patients])
    order = rng.permutation(len(y))
    return y[order], patients[order]


def _result_of(function, *values):
    """What the reader's function returns; and a hint where it stops with an error, else None."""
    if not callable(function):
        raise TypeError("no function")
    try:
        return function(*values), None
    except Exception as err:  # whatever it is, the reader wants to know
        return None, f"your function stops with {type(err).__name__}: {err}"


def _augmentation_2(answer):
    rng = np.random.default_rng(2)
    sizes, n = {"neutrophil": 16, "lymphocyte": 4, "basophil": 7}, 10
    y = rng.permutation(np.repeat(list(sizes), list(sizes.values())))
    found, hint = _result_of(answer, y.copy(), n)
    if hint:
        return hint
    rows = np.asarray(found)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not np.isin(rows, np.arange(len(y))).all():
        return "return row numbers of `y` in one array: whole numbers from 0 to len(y) - 1, some of them repeated."
    times = np.bincount(rows, minlength=len(y))
    for name in sizes:
        of_class = times[y == name]
        if of_class.sum() != n:
            return f"with n = {n} there are {of_class.sum()} rows of a class with {len(of_class)} images."
        if len(of_class) > n and of_class.max() > 1:
            return f"of a class with {len(of_class)} images some are taken twice and others never; there are enough."
        if len(of_class) <= n and of_class.min() == 0:
            return f"of a class with {len(of_class)} images, {(of_class == 0).sum()} are never used; originals first."
        if np.ptp(of_class) > 1:
            return f"of a class with {len(of_class)} images, one comes {of_class.max()} times and one {of_class.min()}."
    if np.array_equal(np.sort(rows[y[rows] == "neutrophil"]), np.flatnonzero(y == "neutrophil")[:n]):
        return "of the large class you take the first in the folder; neighbours there may be of one slide. Draw."
    return None


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
    hints = {
        right: None,
        whole: "this is the network with all 7 × 7 places; after the mean each map leaves one number.",
        right - convolutions: "this is the head alone; the convolutions belong to the network too.",
        right - (4096 + 1024 + 8): "nearly: each unit of a dense layer has a bias as well.",
    }
    otherwise = "add the parameters of the convolutions to those of dense layers from 512 to 4,096, 1,024 and 8 units."
    return hints.get(answer, otherwise)


def _features_svm_2(answer):
    from ..experiments import svm
    from ..models.features import color_histogram

    profile = config.profile()
    split = datasets.load_split(profile, profile.image_size)
    images, y, test = split.images, split.y, np.isin(np.arange(len(split.y)), split.rows("test"))
    dimmed, answer = svm.brighten(images, 0.9), float(answer)

    def accuracy(learnt_from, asked):
        model = svm.histogram_classifier().fit(color_histogram(learnt_from[~test]), y[~test])
        return model.score(color_histogram(asked[test]), y[test])

    right = accuracy(images, dimmed)
    if abs(answer - right) < 0.011:
        return None
    if answer > 1:
        return "give the accuracy as a fraction between 0 and 1."
    if abs(answer - (1 - right)) < 1e-6:
        return "this is the share that it gets wrong; the accuracy is what is left."
    if abs(answer - accuracy(images, images)) < 1e-6:
        return "this is the accuracy before; brighten, here darken, the test images and predict again."
    if abs(answer - accuracy(images, svm.brighten(images, 0.95))) < 1e-6:
        return "this is for 5 % less light, as in the chapter; 10 % are asked for."
    if abs(answer - accuracy(dimmed, dimmed)) < 1e-6:
        return "this model has learnt under the dimmer lamp, too; let it learn from the images as they are."
    return "train on images as they are; change the test images only."


def _features_svm_4(answer):
    for learnable, lowest, highest in ((False, 0.0, 0.5), (True, 0.8, 1.0)):
        X, y, cells = _versions(learnable)
        found, hint = _result_of(answer, X.copy(), y.copy(), cells.copy())
        if hint:
            return hint
        score = float(np.mean(found))
        if not 0 <= score <= 1:
            return f"return one accuracy, or those of the folds, between 0 and 1; this is {score:.2f}."
        if score > highest:
            return (
                f"the names in this test are drawn at random, and your function says {score:.0%} right. "
                "Versions of a cell that are learnt from must not be asked for."
            )
        if score < lowest:
            return (
                f"the kinds in this test are far apart, and your function says {score:.0%}; what does it predict from?"
            )
    return None


def _versions(learnable):
    """Features, names and cells of sixty cells in four versions each; the names say something, or nothing."""
    rng = np.random.default_rng(4)
    cells = np.repeat(np.arange(60), 4)
    y = rng.permutation(np.arange(60) % 3)[cells]
    X = rng.normal(size=(60, 20))[cells] + 0.01 * rng.normal(size=(240, 20))
    X[:, :3] += 6 * learnable * np.eye(3)[y]
    order = rng.permutation(240)
    return X[order] * 10.0 ** rng.integers(-2, 3, 20), y[order], cells[order]


def _fine_tuning_2(model):
    from ..models import backbones

    blocks = backbones.backbone(config.profile().borrowed).blocks
    free, still = set(), set()
    for layer in model.layers:
        if "BatchNormalization" in type(layer).__name__:
            if layer.trainable:
                return "batch normalisation is free in it; with a few dozen images it learns worse means than it had."
        elif layer.weights:
            (free if layer.trainable else still).add(layer.name)
    if not any(name.startswith(blocks[-1].split("_")[0]) for name in free):
        return "in this model the last block does not move; free it before you hand it over."
    if not any(name.startswith(blocks[-2].split("_")[0]) for name in free | still):
        return "this model begins with the last block; cut one block earlier, and build it again."
    if any(name.startswith(blocks[-3].split("_")[0]) for name in free):
        return "the block before the last two moves as well; cut or freeze there."
    if still:
        return f"these layers do not move: {', '.join(sorted(still)[:3])}. What does the second phase train?"
    return None


def _ablation_2(answer):
    from ..experiments import ablation

    printed = [ablation.printed(backbone) for backbone in ("inception_v3", "vgg16")]
    tables = [(rows["right"].to_numpy(), int(rows["n"].iloc[0])) for rows in printed]
    for right, n in [*tables, (np.array([92, 60, 88, 70]), 100)]:
        p = two_proportions(right, n, right.max(), other_n=n)
        result, alike = np.asarray(answer(right.copy(), n)), p > 0.05
        if result.shape != right.shape:
            return f"one answer a setting is asked for: {len(right)} for {len(right)} counts, not {result.size}."
        if result.dtype != bool and np.allclose(result.astype(float), p, atol=1e-6):
            return "these are the p-values; compare each with 0.05."
        if np.array_equal(result, ~alike):
            return "the other way round: True where the test cannot tell a setting from the best one."
        if np.array_equal(result, alike & (right < right.max())):
            return "the best one is missing: it cannot be told from itself."
        if n == 100 and not np.array_equal(result, alike):
            return f"right for both printed tables, not for one of four settings and {n} images: use what it is given."
        if (result & ~alike).any():
            return f"{(result & ~alike).sum()} of these can be told from the best: compare the p-value with 0.05."
        if (~result & alike).any():
            return "all of these belong to the list, and it is longer; is each compared with the best, both ways?"
    return None


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
    recorded = records.load_record("finetune", "laptop").predictions
    true, called, kind = recorded["true"], recorded["vgg16 fine-tuned"], error_analysis.subtypes(recorded["path"])
    ig, neutrophil = FOLDERS.index("ig"), FOLDERS.index("neutrophil")
    across = ((kind == "MMY") & (called == neutrophil)) | ((kind == "BNE") & (called == ig))
    of_both_classes = true.isin([ig, neutrophil]) & called.isin([ig, neutrophil])
    one_way = across & (called == neutrophil), across & (called == ig)
    more = (False, across, of_both_classes, *one_way)
    right, open_border, too_open, *half_open = (float(np.mean((called == true) | cells)) for cells in more)
    if answer > 1:
        return "give the accuracy as a fraction between 0 and 1."
    if abs(answer - open_border) < 5e-5:
        return None
    if abs(answer - right) < 5e-5:
        return "this is the accuracy as it is; now count the cells across the border as right, too."
    if abs(answer - too_open) < 5e-5:
        return "only metamyelocytes and band neutrophils lie at the border, not all of their two classes."
    if any(abs(answer - half) < 5e-5 for half in half_open):
        return "the border is crossed in both directions; one of them is missing."
    return "add the cells across the border to those on the diagonal."


def _class_balance_2(answer):
    for counts in (np.array(list(TABLE_1.values())), np.array([90, 10]), np.array([5, 20, 75])):
        result, right = np.asarray(answer(counts.copy()), float), counts.sum() / (len(counts) * counts)
        if result.shape != counts.shape:
            return f"one weight a class is asked for: {len(counts)} for {len(counts)} counts, not {result.size}."
        if np.allclose(result, right, rtol=0.01):
            continue
        if np.allclose(result, counts.sum() / counts):
            return "all classes together have the weight of all images; one class gets its share of it."
        if np.allclose(result, counts.max() / counts):
            return "this compares with the most frequent class; the mean over all images is to be 1."
        if np.allclose(result, 1 / right):
            return "this is upside down: a rare cell weighs more than the mean, not less."
        if np.allclose(result, counts.sum() / (2 * counts)):
            return "this is right for two classes; among how many is the weight shared here?"
        if np.allclose(result, counts.sum() / (8 * counts)):
            return "this is right for eight classes; it has to hold for any number of them."
        return "which share of the total weight does each class get, and how many images divide it among them?"
    return None


@cache
def _eosinophil_flips():
    return counterfactuals.flips(counterfactuals.pretrained_proba, counterfactuals.preset("EO"))


def _counterfactuals_2(answer):
    before = counterfactuals.preset("EO")
    moved = [f.name for f in fields(before) if getattr(answer, f.name) != getattr(before, f.name)]
    if len(moved) != 1:
        return f"change one parameter of the preset; {len(moved) or 'none'} of yours differ{'s' * (not moved)} from it."
    if moved[0] not in counterfactuals.PARAMETERS:
        return "change a number or a colour: how far the other parameters move cannot be said."
    called = counterfactuals.pretrained_proba(draw(answer, counterfactuals.SIZE, 0)[None]).argmax()
    if FOLDERS[called] == "eosinophil":
        return "the network still calls it an eosinophil: change this parameter further, or another one."
    table = _eosinophil_flips()
    change = _moved(moved[0], getattr(before, moved[0]), getattr(answer, moved[0]))
    rows = zip(table["parameter"], table["value"], table["new_value"], strict=True)
    if change <= 1.15 * min(_moved(*row) for row in rows):
        return None
    if moved[0] == table["parameter"][0]:
        return "it flips the answer, but less of the same change does it, too."
    return "it flips the answer, but another parameter has less far to go."


def _moved(parameter, value, new):
    """How far, as a share of the range that the kinds span; of a colour the mean over its channels."""
    low, high = (np.asarray(end, float) for end in span(parameter))
    return float(np.mean(np.abs(np.subtract(new, value)) / (high - low)))


def _compact_network_2(answer):
    answer, large, small = int(answer), 3 * 3 * 128 * 256 + 3 * 3 * 256 * 256, 128 * 256
    hints = {
        large + small: None,
        large: "the shortcut has weights, too.",
        2 * 3 * 3 * 128 * 256
        + small: "the second convolution reads what the first one wrote: how many maps are these?",
        3 * 3 * 256 + 3 * 3 * 256 + 256: "every map that goes out looks at all maps that come in.",
    }
    return hints.get(answer, "sides of the kernel times maps in times maps out, three times.")


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
    if np.allclose(result, expected):
        return None
    return "weigh each map by its mean slope, add the maps, keep what is above 0."


def _capstone_2(answer):
    bands = int(answer(0.95))
    enough = _least(0.95)
    if bands in {59, 60}:  # 0.95 ** 59 < 0.05, and the rule of three
        return "this is how many it takes one-sided; Wilson's 95 % interval leaves 2.5 % on each side."
    if bands == enough - 1:
        return "nearly: of so many, all found, the interval still begins just below 0.95."
    if bands > enough:
        return "for 0.95 so many are enough, but fewer are, too: look for the smallest number."
    if 1 <= bands < enough:
        return f"of {bands}, all found, the interval begins at {wilson(bands, bands)[0]:.3f}: not enough for 0.95."
    if bands < 1:
        return "a test holds one band or more."
    wrong = [share for share in (0.9, 0.8, 0.99) if int(answer(share)) != _least(share)]
    return f"right for 0.95, but not for {wrong[0]}: use the share that the function is given." if wrong else None


def _least(share):
    """The smallest number that, all found, shows a share by the lower end of Wilson's interval."""
    return next(n for n in range(1, 1000) if wilson(n, n)[0] >= share)


@cache
def _forty(profile):
    """Class numbers of the cells of the round, the model's names and doubts, and what colours alone say."""
    table = datasets.load_split(profile).table
    chosen = labelling.draw_round(table)
    images = np.asarray(load_images(chosen, 128, progressbar=False, reduced=True))
    seen = prediction.predict(images)
    named = seen[list(FOLDERS)].to_numpy().argmax(axis=1)
    unsure = (seen["answer"] == prediction.UNSURE).to_numpy()
    return images, chosen["path"], labels(chosen), named, unsure, labelling.predict_by_colour(table, images)


def _you_against_the_model_2(answer):
    answer = np.asarray(answer).astype(int)
    images, paths, y, named, unsure, colours = _forty(config.profile())
    played = labelling.Round(images, paths)
    answers = np.array(played.answers) if played.done else colours
    if answer.shape != y.shape:
        return f"one class number a cell is asked for: {len(y)} whole numbers."
    known = [
        (np.where(unsure, answers, named), None),
        (named, "this is the model alone; it still names the cells that it is unsure of."),
        (answers, "this is the reader alone; the model has named nothing."),
        (np.where(unsure, named, answers), "the two have changed places: who names the cells the model is sure of?"),
        (np.where(named == y, named, answers), "at work nobody knows the truth; the decision must do without `y`."),
    ]
    otherwise = "for each cell, let `unsure` decide whose answer counts; `np.where` does it."
    return next((hint for given, hint in known if np.array_equal(answer, given)), otherwise)


def _on_your_own_2(answer):
    kinds, y_true, y_pred = answer
    y_true, y_pred, n = np.asarray(y_true), np.asarray(y_pred), len(y_true)
    if isinstance(kinds, str) or any(labels.dtype.kind not in "iuf" for labels in (y_true, y_pred)):
        raise TypeError("no names and numbers")
    of_the_sample = len(FOLDERS) * 60 // 6  # what the program puts aside of it
    if set(kinds) == set(FOLDERS) and abs(n - of_the_sample) <= 5:
        return f"these are the eight kinds of the sample, and {n} of its cells; run every cell again below the change."
    if y_pred.shape != y_true.shape:
        return f"{n} labels and answers of shape {y_pred.shape}: one number an image is asked for, of the same images."
    if len(kinds) < 2 or len(np.unique(y_true)) < 2:
        return "there is one kind only in the test: nothing to tell apart; does each kind have a folder of its own?"
    strange = np.setdiff1d(np.concatenate([y_true, y_pred]), np.arange(len(kinds)))
    if len(strange):
        return f"{strange[0]} is no place in a list of {len(kinds)} kinds; are all three of one run?"
    right, most = int((y_true == y_pred).sum()), np.bincount(y_true.astype(int)).argmax()
    if n < 20:
        low, high = wilson(right, n)
        return f"{right} of {n}: the truth may be anywhere from {low:.0%} to {high:.0%}; which folder has more images?"
    always = int((y_true == most).sum())
    if right <= always:
        return f"right for {right} of {n}; whoever always says '{kinds[most]}' is right for {always}."
    return None


COMPUTED = {
    "first_look.1": _first_look_1,
    "dataset.2": _dataset_2,
    "augmentation.2": _augmentation_2,
    "convolution.2": _convolution_2,
    "architectures.2": _architectures_2,
    "features_svm.2": _features_svm_2,
    "features_svm.4": _features_svm_4,
    "fine_tuning.2": _fine_tuning_2,
    "ablation.2": _ablation_2,
    "confusion_matrix.2": _confusion_matrix_2,
    "feature_maps.2": _feature_maps_2,
    "error_analysis.2": _error_analysis_2,
    "class_balance.2": _class_balance_2,
    "compact_network.2": _compact_network_2,
    "counterfactuals.2": _counterfactuals_2,
    "you_against_the_model.2": _you_against_the_model_2,
    "capstone.2": _capstone_2,
    "on_your_own.2": _on_your_own_2,
}
