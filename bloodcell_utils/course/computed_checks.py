"""Checks of the exercises whose answer is a value or code: each takes it and returns a hint, or None if it is right.

Right answers are computed from the data at hand, so the checks work on every profile.
"""

from dataclasses import fields
from functools import cache

import numpy as np

from .. import config, datasets
from ..cells import CELLS, CLASS_NAMES, FOLDERS
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..datasets.specs import span
from ..datasets.synthetic import draw
from ..errors import BloodcellError
from ..evaluation import counterfactuals, prediction
from ..evaluation.metrics import two_proportions, wilson
from ..interactive import labelling
from ..models.compactnet_input import IMAGE, VIEW
from ..paper import TABLE_1
from . import network_card


class Stopped(BloodcellError):
    """A reader's function that stopped with an error; the text is the hint."""


def _called(function, *values):
    """What the reader's function returns."""
    if not callable(function):
        raise TypeError("a function is asked for")
    try:
        return function(*values)
    except Exception as err:  # whatever it is, the reader wants to know
        raise Stopped(f"your function stops with {type(err).__name__}: {err}") from err


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


def _first_look_2(answer):
    from sklearn.svm import SVC

    y = np.repeat([4, 1, 7, 0, 6, 3, 2, 5], 3)
    X = np.eye(8)[y] * 5.0
    model = SVC().fit(X, y)
    for row in (13, 0, 22, 7):
        try:
            said = _called(answer, model, X.copy(), row)
        except Stopped as err:
            return f"{err} A model wants a table, even for one row." if "2D array" in str(err) else str(err)
        if said is None:
            return "your function returns nothing; does it end in `return`?"
        if not isinstance(said, str):
            return "return one name: the number that the model gives is a place in `cells.CLASS_NAMES`."
        if said not in CLASS_NAMES:
            return f"{said!r} is none of the eight names in `cells.CLASS_NAMES`."
        if said != CLASS_NAMES[y[row]]:
            return f"for row {row} of the check it says {said}; does it use the model, features, row that it is given?"
    return None


def _dataset_2(answer):
    y, patients = _sixty_patients()
    found = _called(answer, y.copy(), patients.copy())
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


def _augmentation_2(answer):
    rng = np.random.default_rng(2)
    sizes, n = {"neutrophil": 16, "lymphocyte": 4, "basophil": 7}, 10
    y = rng.permutation(np.repeat(list(sizes), list(sizes.values())))
    found = _called(answer, y.copy(), n)
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

    counted, kinds = answer.count_params(), [type(layer).__name__ for layer in answer.layers]
    maps = (3, 64, 64, 128, 128, *[256] * 3, *[512] * 6)  # of VGG-16, whose kernels are 3 × 3
    convolutions = sum((9 * a + 1) * b for a, b in zip(maps[:-1], maps[1:], strict=True))
    whole = convolutions + dense(7 * 7 * 512, 4096, 1024, 8)
    right = convolutions + dense(512, 4096, 1024, 8)
    if tuple(answer.output_shape) != (None, 8):
        return f"eight numbers an image are asked for; this model gives the shape {tuple(answer.output_shape)}."
    if "GlobalMaxPooling2D" in kinds:
        return "this takes the largest number of each map; the mean is asked for."
    hints = {
        right: None,
        whole: "this model weighs all 7 × 7 places; after the mean each map leaves one number.",
        right - convolutions: "this is the head alone; the convolutions belong to the network too.",
        right - (4096 + 1024 + 8): "nearly: each unit of a dense layer has a bias as well.",
        convolutions + dense(512, 8): "between the mean and the last layer there are two dense layers more.",
        convolutions + dense(512, 4096, 4096, 8): "one of the dense layers has more units than the paper's.",
    }
    otherwise = f"it has {counted:,} parameters; put the mean of each map and 4,096, 1,024 and 8 units on top."
    return hints.get(counted, otherwise)


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
    if abs(answer - accuracy(images, svm.brighten(images, 0.95))) < 0.006:
        return "this is for 5 % less light, as in the chapter; 10 % are asked for."
    if abs(answer - accuracy(dimmed, dimmed)) < 1e-6:
        return "this model has learnt under the dimmer lamp, too; let it learn from the images as they are."
    return "train on images as they are; change the test images only."


def _features_svm_4(answer):
    for learnable, lowest, highest in ((False, 0.0, 0.5), (True, 0.8, 1.0)):
        X, y, cells = _versions(learnable)
        found = _called(answer, X.copy(), y.copy(), cells.copy())
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
        result, alike = np.asarray(_called(answer, right.copy(), n)), p > 0.05
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
    cases = np.array([(29, 30), (30, 30), (0, 50), (1, 100), (2900, 3000)])
    given = [np.asarray(_called(answer, int(k), int(n)), float) for k, n in cases]
    if any(ends.shape != (2,) for ends in given):
        return "return two numbers, the lower and the upper end."
    ends, right = np.array(given), wilson(*cases.T)

    def near(other, this=ends, atol=5e-4):
        return np.allclose(this, other, atol=atol)

    k, n = cases.T
    textbook = k / n + 1.96 * np.sqrt(k / n * (1 - k / n) / n) * np.array([[-1], [1]])
    other_z = [wilson(k, n, level) for level in (0.6827, 0.90, 0.9545, 0.99)]
    hints = [
        (near(right), None),
        (near(100 * right, atol=0.05), "these are percent; give fractions between 0 and 1."),
        (near(right[:, ::-1]), "the lower end comes first."),
        (near(textbook.T), "this is the interval of the textbooks: of 30 of 30 it leaves no doubt at all."),
        (any(map(near, other_z)), "this is Wilson's formula with another z; for 95 % it is 1.96."),
        (near(right.mean(axis=1), ends.mean(axis=1)), "the middle is right, the width is not: what is under the root?"),
        (near(np.ptp(right, axis=1), np.ptp(ends, axis=1)), "the width is right, the middle is not: where to?"),
    ]
    otherwise = f"for 29 of 30 it says {ends[0, 0]:.3f} to {ends[0, 1]:.3f}; go through the formula term by term."
    return next((hint for given, hint in hints if given), otherwise)


def _error_analysis_2(answer):
    kind = np.repeat(["MMY", "BNE", "SNE"], (30, 40, 130))
    draws, hard = np.random.default_rng(0), np.repeat((0.5, 0.3, 0.03), (30, 40, 130))
    a, b = draws.random(200) < hard, draws.random(200) < hard
    result = np.asarray(_called(answer, a.copy(), b.copy(), kind.copy()), float)
    if result.ndim:
        return f"one number is asked for, not an array of shape {result.shape}."
    parts = [(int(a[here].sum() * b[here].sum()), int(here.sum())) for here in (kind == one for one in np.unique(kind))]
    hints = {
        sum(errors / n for errors, n in parts): None,
        a.sum() * b.sum() / 200: "this is chance over all cells; let it stay within each sub-type.",
        sum(errors for errors, _ in parts) / 200: "divide by the cells of the sub-type, not by all cells.",
        sum(errors / n for errors, n in parts) / len(parts): "this is the mean over the sub-types; how many in all?",
        (a & b).sum(): "this is how many both do miss; how many would chance let them?",
    }
    otherwise = "for each sub-type: errors of the one times errors of the other, through its cells; then add up."
    return next((hint for value, hint in hints.items() if np.isclose(result, float(value))), otherwise)


def _class_balance_2(answer):
    for counts in (np.array(list(TABLE_1.values())), np.array([90, 10]), np.array([5, 20, 75])):
        result = np.asarray(_called(answer, counts.copy()), float)
        right = counts.sum() / (len(counts) * counts)
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


def _opinions_2(answer):
    rng = np.random.default_rng(17)
    counts = rng.integers(1, 9, (8, 8)) + np.diag(rng.integers(20, 200, 8))
    chances = 0.8 * np.eye(8) + 0.2 * rng.dirichlet(np.ones(8), 8)
    found = _called(answer, counts.copy(), chances.copy())
    if np.ndim(found) != 0:
        return f"one number is asked for; yours has the shape {np.shape(found)}."
    right = (counts * chances).sum() / counts.sum()
    if np.isclose(found, right):
        return None
    if np.isclose(found, (counts * chances).sum()):
        return "this is a number of cells; the accuracy is a share of them."
    if np.isclose(found, (np.diag(counts) * np.diag(chances)).sum() / counts.sum()):
        return "model and name may also be wrong in the same way; your sum has only the diagonal."
    if np.isclose(found, (counts * chances.T).sum() / counts.sum()):
        return "rows of both tables are what a cell is; yours turns one of them round."
    if np.isclose(found, (counts / counts.sum(axis=1, keepdims=True) * chances).sum() / 8):
        return "every kind weighs the same in yours; the accuracy counts cells, however many of a kind there are."
    return "take one kind, one name: how many cells are called so, and with what chance have they this name?"


def _compact_network_2(answer):
    from ..models.layers import WhiteBalance

    n_weights = answer.count_params()
    if tuple(answer.input_shape[1:]) != (96, 96, 3) or tuple(answer.output_shape[1:]) != (8,):
        return "it should take what `white_balance` gives, 96 × 96 pixels, and answer with eight numbers."
    if n_weights >= 100_000:
        return f"it has {n_weights:,} weights; in which block are most of them?"
    split = datasets.load_split(config.profile(), IMAGE, reduced=True, progressbar=False)
    rows, edge = split.rows("validation")[:500], (IMAGE - VIEW) // 2
    middle = np.asarray(split.images[rows], np.float32)[:, edge : edge + VIEW, edge : edge + VIEW]
    named = np.asarray(answer.predict(np.asarray(WhiteBalance()(middle)), verbose=0)).argmax(axis=1)
    right = np.mean(named == split.y[rows])
    if right >= 0.75:
        return None
    longer = "it is no better than guessing: was it trained on balanced images?" if right < 0.25 else "train it longer."
    return f"small enough, with {n_weights:,} weights, but right on {right:.0%} of the validation cells; {longer}"


def _feature_maps_2(answer):
    model, picture, kernel = _squares()
    slopes, kind = 2 * picture[..., None] * kernel, 3
    try:
        result = np.asarray(_called(answer, model, picture, kind), float)
    except Stopped as err:
        return f"{err}. Did the tape watch the picture?"
    each = slopes[..., kind]
    if result.shape == each.shape:
        return "this is one number a colour; of the three keep the largest, whatever its sign."
    if result.shape != each.shape[:2]:
        return f"one number a pixel is asked for: shape {each.shape[:2]}, not {result.shape}."
    known = [
        (np.abs(each).max(axis=-1), None),
        (each.max(axis=-1), "a steep fall counts as much as a steep rise; what has to go before the largest is taken?"),
        (np.abs(each.max(axis=-1)), "the sign has to go before the largest of the three is taken, not after it."),
        (np.abs(each).mean(axis=-1), "this is the mean of the three colours; keep the largest."),
        (np.abs(slopes.sum(axis=-1)).max(axis=-1), "all eight answers are in this; ask for number `kind` alone."),
    ]
    otherwise = "let the tape run while the model answers, and ask it for the slope of answer `kind` in the picture."
    return next((hint for given, hint in known if np.allclose(result, given, rtol=1e-3)), otherwise)


def _squares():
    """A model whose slopes are known: eight sums of squared levels. With a picture, and its weights."""
    from ..models.runtime import load_keras

    keras, rng = load_keras(), np.random.default_rng(0)
    picture = rng.uniform(1, 9, (5, 6, 3)).astype(np.float32)
    kernel = rng.normal(size=(*picture.shape, 8)).astype(np.float32)
    x = keras.Input(picture.shape)
    flat = keras.layers.Flatten()(keras.layers.Multiply()([x, x]))
    model = keras.Model(x, keras.layers.Dense(8, use_bias=False)(flat))
    model.set_weights([kernel.reshape(-1, 8)])
    return model, picture, kernel


def _capstone_2(answer):
    bands = int(_called(answer, 0.95))
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
    wrong = [share for share in (0.9, 0.8, 0.99) if int(_called(answer, share)) != _least(share)]
    return f"right for 0.95, but not for {wrong[0]}: use the share that the function is given." if wrong else None


def _least(share):
    """The smallest number that, all found, shows a share by the lower end of Wilson's interval."""
    return next(n for n in range(1, 1000) if wilson(n, n)[0] >= share)


def _intended_use_2(answer):
    if not isinstance(answer, dict):
        raise TypeError("no answers by key")
    asked = network_card.missing({})
    if strange := [key for key in answer if key not in asked]:
        return f"{strange[0]!r} is no open question; there are {', '.join(asked)}."
    if left := network_card.missing(answer):
        key, question = next(iter(left.items()))
        return f"{len(left)} of {len(asked)} wait for a sentence of {network_card.WORDS} words, as {key!r}: {question}"
    if len({said.strip().lower() for said in answer.values()}) < len(asked):
        return "two answers are the same sentence, and no two questions are; what differs?"
    if len(answer["use"].split()) < 12:
        return "too short for an intended use: what is read, in whose blood, by whom and for which decision?"
    return None


def _intended_use_3(answer):
    weeks = [(97, 100, 0.98), (90, 100, 0.98), (99, 100, 0.98), (1545, 1600, 0.98), (372, 400, 0.95)]
    said = [_called(answer, *week) for week in weeks]
    if not all(isinstance(one, bool | np.bool_) for one in said):
        return "the answer is True or False for every week, and nothing else."
    rates, promises = np.array([k / n for k, n, _ in weeks]), np.array([promised for *_, promised in weeks])
    low, high = np.transpose([wilson(k, n) for k, n, _ in weeks])
    known = [
        (high < promises, None),
        (rates < promises, "this compares the rate itself: by chance alone every second week would be an alarm."),
        (low < promises, "this is the lower end; it lies below the promise in nearly every good week, too."),
        (high > promises, "this is the alarm for a week as good as promised; turn the comparison round."),
    ]
    wrong = next((week for week, a, b in zip(weeks, said, high < promises, strict=True) if a != b), None)
    otherwise = f"wrong for alarm{wrong}; where does the upper end of its interval lie?"
    return next((hint for would, hint in known if np.array_equal(said, would)), otherwise)


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


def _another_laboratory_2(answer):
    rng, over = np.random.default_rng(3), (0, 1, 2)
    theirs = rng.gamma(2, 0.2, (5, 6, 6, 3)) * [0.5, 1.4, 0.8] + rng.random((5, 1, 1, 3))
    ours = rng.gamma(3, 0.1, (4, 6, 6, 3)) * [1.0, 0.6, 1.7]

    def brought(axes, home=over, *, shift=True, scale=True):
        mean, sd = (theirs.mean(axes, keepdims=True), ours.mean(home)) if shift else (0, 0)
        ratio = ours.std(home) / theirs.std(axes, keepdims=True) if scale else 1
        return (theirs - mean) * ratio + sd

    right, result = brought(over), np.asarray(_called(answer, theirs.copy(), ours.copy()), float)
    if result.shape != right.shape:
        return f"the shape of theirs is asked for, {right.shape}, not {result.shape}."
    z = (theirs - theirs.mean(over)) / theirs.std(over)
    hints = [
        (right, None),
        (theirs, "this is theirs as it was."),
        (brought(over, scale=False), "the mean is that of home; the spread is still theirs."),
        (brought(over, shift=False), "the spread is that of home; take their mean away first, and add ours."),
        (z, "mean 0 and spread 1 is half of the way; go on to those of home."),
        (z * ours.var(over) + ours.mean(over), "the spread is a standard deviation; this looks like a variance."),
        (z * ours.mean(over) + ours.std(over), "mean and spread of home have changed places."),
        (brought((1, 2)), "each picture by itself becomes the average one; take all pictures together."),
        (brought((0, 1, 2, 3), over), "each channel has a mean and a spread of its own, theirs as well."),
        (brought((0, 1, 2, 3), (0, 1, 2, 3)), "each channel has a mean and a spread of its own."),
    ]
    for wrong, hint in hints:
        if np.allclose(result, wrong, atol=1e-6):
            return hint
    return "mean and spread of each channel are not those of ours; print both, for each of three channels."


def _uncertainty_2(answer):
    rng = np.random.default_rng(5)
    sure = rng.random(200).round(2)
    right = rng.random(200) < sure
    cases = [(sure, right, 3), (sure, right, 12), (sure, right, 1), (sure, ~right, 500), (sure, sure > 0.4, 20)]
    for confidence, correct, price in cases:
        limits = np.append(confidence, np.inf)
        looks, wrong = (np.array([here[confidence < t].sum() for t in limits]) for here in (correct | True, ~correct))
        wrong = (~correct).sum() - wrong
        cost = looks + price * wrong
        limit = np.asarray(_called(answer, confidence.copy(), correct.copy(), price), float)
        if limit.shape or np.isnan(limit):
            return "one number is asked for: the least confidence for a name."
        ours = (confidence < limit).sum() + price * (~correct & (confidence >= limit)).sum()
        if ours == cost.min():
            continue
        others = {
            cost.min(): "this is what the limit costs; the limit itself is asked for.",
            limits[np.argmin(price * wrong)]: "this fears wrong names alone; a look costs as well.",
            limits[np.argmin(looks)]: "this saves looks alone; a wrong name costs as well.",
            limits[np.argmin(looks + wrong)]: "a wrong name costs `price` looks, not one.",
            1 - 1 / price: "this would be right if confidence meant what it says; count what was right instead.",
        }
        hint = others.get(float(limit), "with a price of {}, your limit {:.2f} costs {}; {} is possible.")
        return hint.format(price, limit, ours, cost.min())
    return None


def _differential_2(answer):
    cases = [
        (np.array([104, 0, 96]), np.array([[90, 10, 0], [2, 36, 2], [0, 5, 195]])),  # one share is below zero
        (np.array([120, 80]), np.array([[45, 5], [40, 160]])),
    ]
    for count, confusion in cases:
        n, inverse = count.sum(), np.linalg.inv
        rates = confusion / confusion.sum(axis=1, keepdims=True)
        columns = confusion / confusion.sum(axis=0)
        right, result = count / n @ inverse(rates), np.asarray(_called(answer, count.copy(), confusion.copy()), float)
        if result.shape != right.shape:
            return f"one share a kind is asked for: {len(right)} for {len(right)} kinds, not {result.size}."
        cut = right.clip(0)
        hints = [
            (right, None),
            (100 * right, "these are percent; give fractions of 1."),
            (n * right, "these are cells; give shares of all that were counted."),
            (count / n, "this is the count as it was; the matrix has not been used."),
            (count / n @ rates, "this reads the count once more; to undo a reading takes the inverse."),
            (columns @ count / n, "this weighs by precision, which holds for the mixture of the test alone."),
            (inverse(rates) @ count / n, "shares stand on the left of the matrix; here they stand on its right."),
            (inverse(columns) @ count / n, "rows are asked for: what a cell of each kind is called."),
            (count / n @ inverse(confusion), "these are counts of the test; make each row sum up to 1 first."),
            (cut, "you cut off what is below zero, and the sum is no longer 1; leave it."),
            (cut / cut.sum(), "you cut off what is below zero; leave it: cut off, it is wrong on the mean."),
        ]
        otherwise = "the sum of the rows, then the inverse, then the shares times it: one step after the other."
        if hint := next((hint for other, hint in hints if np.allclose(result, other, atol=1e-6)), otherwise):
            return hint
    return None


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
    "first_look.2": _first_look_2,
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
    "another_laboratory.2": _another_laboratory_2,
    "uncertainty.2": _uncertainty_2,
    "differential.2": _differential_2,
    "opinions.2": _opinions_2,
    "intended_use.2": _intended_use_2,
    "intended_use.3": _intended_use_3,
    "you_against_the_model.2": _you_against_the_model_2,
    "capstone.2": _capstone_2,
    "on_your_own.2": _on_your_own_2,
}
