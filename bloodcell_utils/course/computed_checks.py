"""Checks of the exercises whose answer is a value: each takes an answer and returns a hint, or None if it is right.

Right answers are computed from the data at hand, so the checks work on every profile.
"""

from functools import cache

import numpy as np

from .. import config, datasets
from ..cells import CELLS, FOLDERS
from ..datasets import audit
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..evaluation import counterfactuals, error_analysis, prediction
from ..evaluation.metrics import wilson
from ..experiments import records
from ..interactive import labelling
from ..models.compactnet_input import IMAGE, VIEW
from ..paper import CONFUSIONS, HYPERPARAMETERS, TABLE_1, as_count


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
    table = datasets.load_index(config.profile())
    counts = audit.second_batch(table)["class"].value_counts().to_dict()
    answer = {str(name): int(n) for name, n in dict(answer).items() if int(n)}
    if sum(answer.values()) == len(table):
        return "these are all images; keep the rows whose batch is 2."
    if set(answer) != set(counts):
        return "there is a class too many or one missing; one of the eight has no image in the second batch."
    if answer != counts and answer == audit.second_batch(datasets.pbc.official())["class"].value_counts().to_dict():
        return "this is the second batch of the official release; count that of `table`."
    return None if answer == counts else "the classes are right, their counts are not."


def _augmentation_2(answer):
    lymphocytes = datasets.load_split(config.profile()).table.query("`class` == 'lymphocyte'")
    n, target = (lymphocytes["subset"] == "train").sum(), HYPERPARAMETERS["images_per_class"]
    answer = float(answer)
    if round(answer) == round(target / TABLE_1["lymphocyte"]):
        return "1,214 lymphocytes is the whole data set; how many are left for training after the split?"
    if abs(answer - target / len(lymphocytes)) < 0.05:
        return "this shares the images among the lymphocytes of all three subsets; which of them may be multiplied?"
    if abs(answer - n / target) < 0.005:
        return "this is the wrong way round: what share of the images is original."
    if abs(answer - (target / n - 1)) < 0.05:
        return "these are the changed versions; the original is a version as well."
    return None if abs(answer - target / n) < 0.05 else f"divide {target:,} by the training images of the class."


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
    if abs(answer - accuracy(dimmed, dimmed)) < 1e-6:
        return "this model has learnt under the dimmer lamp, too; let it learn from the images as they are."
    return "train on images as they are; change the test images only."


def _fine_tuning_2(answer):
    from ..experiments import finetune

    def free(blocks):
        return finetune.untrained(config.profile(), blocks=blocks).model.trainable_weights

    def count(weights):
        return int(sum(np.prod(w.shape) for w in weights))

    answer, two = int(answer), free(2)
    if answer == count(two):
        return None
    if answer == count(free(1)):
        return "this is the count for one block; free two."
    if answer == len(two):
        return "these are arrays; each of them holds many weights, as many as its shape says."
    if answer == count(w for w in two if w.path.split("/")[-1] == "kernel"):
        return "these are the kernels alone; what else does a layer learn?"
    if answer > count(two):
        return "only weights that train count; the frozen blocks stay out."
    return "sum the sizes of `trainable_weights`, biases and the head included."


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
    answer, n = float(answer), TABLE_1["lymphocyte"]
    if abs(answer - sum(TABLE_1.values()) / n) < 0.1:
        return "all classes together have the weight of all images; one class gets its share of it."
    if abs(answer - max(TABLE_1.values()) / n) < 0.02:
        return "this compares with the neutrophils; the mean over all images is to be 1."
    if abs(answer - 8 * n / sum(TABLE_1.values())) < 0.01:
        return "this is upside down: a rare cell weighs more than the mean, not less."
    if abs(answer - sum(TABLE_1.values()) / (8 * n)) < 0.01:
        return None
    return "which share of the total weight does each class get, and how many images divide it among them?"


@cache
def _eosinophil_flips():
    return counterfactuals.flips(counterfactuals.pretrained_proba, counterfactuals.preset("EO"))


def _counterfactuals_2(answer):
    if answer in FOLDERS:
        return "this is a class that the answer can turn to; which parameter was changed on the way?"
    counterfactuals.PARAMETERS.index(answer)  # what is no parameter is no answer
    table = _eosinophil_flips()
    if answer not in set(table["parameter"]):
        return "this one can be anything, and the answer stays; the table lists those that can change it."
    return None if answer == table["parameter"][0] else "it flips the answer, but another one has less far to go."


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
    if not callable(answer):
        raise TypeError("a function is asked for")
    model, picture, kernel = _squares()
    slopes, kind = 2 * picture[..., None] * kernel, 3
    try:
        result = np.asarray(answer(model, picture, kind), float)
    except Exception as err:  # whatever a reader's function may raise
        return f"your function stopped ({type(err).__name__}: {err}). Did the tape watch the picture?"
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
    bands = int(answer)
    enough = next(n for n in range(1, 1000) if wilson(n, n)[0] >= 0.95)
    if bands in {59, 60}:  # 0.95 ** 59 < 0.05, and the rule of three
        return "this is how many it takes one-sided; Wilson's 95 % interval leaves 2.5 % on each side."
    if bands == enough - 1:
        return "nearly: of so many, all found, the interval still begins just below 0.95."
    if bands > enough:
        return "so many are enough, but fewer are, too: look for the smallest number."
    if 1 <= bands < enough:
        return f"of {bands}, all found, the interval begins at {wilson(bands, bands)[0]:.3f}: that is not enough."
    return None if bands == enough else "a test holds one band or more."


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
    "you_against_the_model.2": _you_against_the_model_2,
    "capstone.2": _capstone_2,
}
