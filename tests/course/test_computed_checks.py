"""Self-checks: the solution passes, typical wrong answers get a hint about their mistake, nothing gives the answer."""

import numpy as np
import pandas as pd
import pytest

from bloodcell_utils import config, course, datasets, paper
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.course import computed_checks
from bloodcell_utils.course.checks import check
from bloodcell_utils.course.computed_checks import COMPUTED
from bloodcell_utils.datasets import audit, splits
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.experiments import records


@pytest.fixture(scope="module")
def table(sandbox):
    return datasets.load_index(config.profile("sample"))


def test_every_check_belongs_to_an_exercise():
    assert set(COMPUTED) <= {exercise.id for chapter in course.load().chapters for exercise in chapter.exercises}


@pytest.mark.parametrize("exercise", COMPUTED)
def test_not_answered_yet(exercise):
    assert "your turn" in check(exercise, ...)


@pytest.mark.parametrize("exercise", [name for name in COMPUTED if name != "first_look.1"])
def test_an_answer_of_the_wrong_kind(exercise):
    assert "kind of answer" in check(exercise, "a monocyte, I think")


def test_first_look():
    assert check("first_look.1", " Lymphocyte ").startswith("✓")
    assert "fills" in check("first_look.1", "erythroblast")
    assert "nucleus" in check("first_look.1", "monocyte")
    assert "granules" in check("first_look.1", "immature granulocyte")
    assert "fragment" in check("first_look.1", "platelet")
    assert "one of" in check("first_look.1", "white cell")


def test_dataset(table):
    counts = audit.second_batch(table)["class"].value_counts().to_dict()
    assert check("dataset.2", counts).startswith("✓")
    assert check("dataset.2", audit.second_batch(table)["class"].value_counts()).startswith("✓")
    assert "batch is 2" in check("dataset.2", table["class"].value_counts())
    assert "too many or one missing" in check("dataset.2", {"basophil": 4})
    official = audit.second_batch(datasets.pbc.official())["class"].value_counts()
    assert "official release" in check("dataset.2", official)
    assert "counts are not" in check("dataset.2", {name: n + 1 for name, n in counts.items()})


def test_augmentation(table):
    lymphocytes = splits.clean(table).query("`class` == 'lymphocyte'")
    train = lymphocytes[lymphocytes["subset"] == "train"]
    assert check("augmentation.2", 4096 / len(train)).startswith("✓")
    assert "after the split" in check("augmentation.2", 4096 / 1214)
    assert "which of them may" in check("augmentation.2", 4096 / len(lymphocytes))
    assert "wrong way round" in check("augmentation.2", len(train) / 4096)
    assert "the original is a version" in check("augmentation.2", 4096 / len(train) - 1)
    assert "divide" in check("augmentation.2", 4096 / len(train) + 1)


def test_convolution():
    sobel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    assert check("convolution.2", sobel / 4).startswith("✓")
    assert check("convolution.2", [[0, -1, 0], [0, 0, 0], [0, 1, 0]]).startswith("✓")
    assert "answers 4" in check("convolution.2", sobel)
    assert "minus" in check("convolution.2", -sobel / 4)
    assert "left to right" in check("convolution.2", sobel.T / 4)
    assert "even image" in check("convolution.2", np.ones((3, 3)))
    assert "3 × 3" in check("convolution.2", np.zeros((2, 2)))
    assert "answers 0" in check("convolution.2", np.zeros((3, 3)))


def test_architectures():
    head = 513 * 4096 + 4097 * 1024 + 1025 * 8
    right = 14_714_688 + head
    assert check("architectures.2", right).startswith("✓")
    assert check("architectures.2", np.int64(right)).startswith("✓")
    assert "one number" in check("architectures.2", 121_682_760)
    assert "head alone" in check("architectures.2", head)
    assert "bias" in check("architectures.2", right - 4096 - 1024 - 8)
    assert "512" in check("architectures.2", 1)


def test_features_svm(table):
    from bloodcell_utils.datasets.loading import load_images
    from bloodcell_utils.datasets.pbc import labels
    from bloodcell_utils.experiments import svm
    from bloodcell_utils.models.features import color_histogram

    table = splits.clean(table)
    images, y = load_images(table, config.profile("sample").image_size), labels(table)
    test = (table["subset"] == "test").to_numpy()
    model = svm.histogram_classifier().fit(color_histogram(images[~test]), y[~test])
    after = model.score(color_histogram(svm.brighten(images[test], 0.9)), y[test])
    before = model.score(color_histogram(images[test]), y[test])
    assert check("features_svm.2", after).startswith("✓")
    assert "before" in check("features_svm.2", before)
    assert "fraction" in check("features_svm.2", 100 * before)
    assert "gets wrong" in check("features_svm.2", 1 - after)
    darker = svm.brighten(images, 0.9)
    model = svm.histogram_classifier().fit(color_histogram(darker[~test]), y[~test])
    assert "dimmer lamp" in check("features_svm.2", model.score(color_histogram(darker[test]), y[test]))
    assert "test images only" in check("features_svm.2", 0.5)


def test_ablation():
    from bloodcell_utils.experiments import ablation

    def alike(backbone, level=0.05):
        rows = ablation.printed(backbone)
        p = metrics.two_proportions(rows["right"], rows["n"], rows["right"].max(), other_n=rows["n"])
        return list(zip(rows["images_per_class"][p > level], rows["blocks"][p > level], strict=True))

    right = alike("inception_v3")
    assert check("ablation.2", right).startswith("✓")
    assert check("ablation.2", [list(map(str, cell)) for cell in right[::-1]]).startswith("✓")
    assert "VGG-16" in check("ablation.2", alike("vgg16"))
    assert "longer" in check("ablation.2", right[:1])
    assert "can be told" in check("ablation.2", alike("inception_v3", 0.001))
    assert "a pair" in check("ablation.2", [(256, 1)])


def test_confusion_matrix():
    odd = next(pair for pair, rate in paper.CONFUSIONS.items() if paper.as_count(rate) is None)
    assert check("confusion_matrix.2", odd).startswith("✓")
    assert check("confusion_matrix.2", list(odd)).startswith("✓")
    assert "first the true class" in check("confusion_matrix.2", odd[::-1])
    assert "it is 8 of 256" in check("confusion_matrix.2", ("monocyte", "ig"))
    assert "one of the keys" in check("confusion_matrix.2", ("monocyte", "platelet"))
    assert "kind of answer" in check("confusion_matrix.2", 2.58)


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A record of a fine-tuned network: of 10 cells, 6 are right, 2 across the border, 1 beside it, 1 elsewhere."""
    paths = [f"{FOLDERS[c]}/{kind}_{i}.jpg" for i, (kind, c) in enumerate(zip(KINDS, TRUE, strict=True))]
    predictions = pd.DataFrame({"path": paths, "true": TRUE, "vgg16 fine-tuned": CALLED})
    model = records.measure(metrics.confusion_matrix(TRUE, CALLED))
    record = records.Record("finetune", "laptop", {"vgg16 fine-tuned": model}, [], {}, {}, predictions=predictions)
    record.write(tmp_path)
    monkeypatch.setenv("BLOODCELL_RESULTS_DIR", str(tmp_path))


KINDS = ["MMY", "BNE", "MY", "MO", "SNE", "SNE", "BNE", "MMY", "EO", "BA"]
TRUE = [5, 0, 5, 4, 0, 0, 0, 5, 1, 2]
CALLED = [0, 5, 0, 5, 0, 0, 0, 5, 1, 2]


def test_error_analysis(recorded):
    assert check("error_analysis.2", 0.8).startswith("✓")
    assert "as it is" in check("error_analysis.2", 0.6)
    assert "not all of their two classes" in check("error_analysis.2", 0.9)
    assert "fraction" in check("error_analysis.2", 80)
    assert "both directions" in check("error_analysis.2", 0.7)
    assert "diagonal" in check("error_analysis.2", 0.65)


def test_fine_tuning():
    from bloodcell_utils.experiments import finetune

    one, two, three = (
        finetune.untrained(config.profile("sample"), blocks=blocks).model.trainable_weights for blocks in (1, 2, 3)
    )

    def count(weights):
        return sum(w.numpy().size for w in weights)

    assert check("fine_tuning.2", count(two)).startswith("✓")
    assert "for one block" in check("fine_tuning.2", count(one))
    assert "frozen blocks stay out" in check("fine_tuning.2", count(three))
    assert "arrays" in check("fine_tuning.2", len(two))
    assert "what else" in check("fine_tuning.2", count(w for w in two if len(w.shape) > 1))
    assert "biases" in check("fine_tuning.2", count(two) - 8)


def test_class_balance():
    n, images = paper.TABLE_1["lymphocyte"], paper.N_IMAGES
    assert check("class_balance.2", round(images / (8 * n), 2)).startswith("✓")
    assert "its share" in check("class_balance.2", images / n)
    assert "neutrophils" in check("class_balance.2", 3329 / n)
    assert "upside down" in check("class_balance.2", 8 * n / images)
    assert "which share" in check("class_balance.2", 1)


def test_feature_maps():
    tf = pytest.importorskip("tensorflow")

    def slopes(model, picture, kind):
        x = tf.constant(picture[None])
        with tf.GradientTape() as tape:
            tape.watch(x)
            answer = model(x)[0, kind] if kind is not None else tf.reduce_sum(model(x))
        return tape.gradient(answer, x)[0].numpy()

    assert check("feature_maps.2", lambda *asked: np.abs(slopes(*asked)).max(axis=-1)).startswith("✓")
    assert "fall counts" in check("feature_maps.2", lambda *asked: slopes(*asked).max(axis=-1))
    assert "not after it" in check("feature_maps.2", lambda *asked: np.abs(slopes(*asked).max(axis=-1)))
    assert "keep the largest" in check("feature_maps.2", lambda *asked: np.abs(slopes(*asked)).mean(axis=-1))
    assert "one number a colour" in check("feature_maps.2", slopes)
    assert "one number a pixel" in check("feature_maps.2", lambda model, picture, kind: 1)
    every = check("feature_maps.2", lambda model, picture, kind: np.abs(slopes(model, picture, None)).max(axis=-1))
    assert "kind` alone" in every
    assert "watch" in check("feature_maps.2", lambda model, picture, kind: None + 1)
    assert "let the tape run" in check("feature_maps.2", lambda model, picture, kind: picture.max(axis=-1))


class Network:
    """What a trained network shows of itself; it names the first cells of its truth rightly."""

    def __init__(self, truth, right=0, n_weights=50_000, side=96):
        self.input_shape, self.output_shape, self.n_weights = (None, side, side, 3), (None, 8), n_weights
        self.answers = np.eye(8)[np.where(np.arange(len(truth)) < right, truth, (truth + 1) % 8)]

    def count_params(self):
        return self.n_weights

    def predict(self, x, verbose):
        assert x.shape == (len(self.answers), 96, 96, 3)
        assert np.abs(x).max() < 10, "the images are balanced and scaled"
        return self.answers


def test_compact_network(sandbox):
    split = datasets.load_split(config.profile("sample"))
    truth = split.y[split.rows("validation")]
    assert check("compact_network.2", Network(truth, right=60)).startswith("✓")
    assert "train it longer" in check("compact_network.2", Network(truth, right=40))
    assert "guessing" in check("compact_network.2", Network(truth))
    assert "1,215,096 weights" in check("compact_network.2", Network(truth, right=60, n_weights=1_215_096))
    assert "96 × 96" in check("compact_network.2", Network(truth, side=128))


def test_counterfactuals():
    assert check("counterfactuals.2", "granule_rgb").startswith("✓")
    assert "less far to go" in check("counterfactuals.2", "cell_diameter_um")
    assert "the answer stays" in check("counterfactuals.2", "red_cells")
    assert "which parameter" in check("counterfactuals.2", "neutrophil")


def test_capstone():
    assert check("capstone.2", 73).startswith("✓")
    assert check("capstone.2", np.int64(73)).startswith("✓")
    assert "nearly" in check("capstone.2", 72)
    assert "2.5 %" in check("capstone.2", 59)
    assert "fewer are" in check("capstone.2", 100)
    assert "begins at 0.839" in check("capstone.2", 20)
    assert "one band or more" in check("capstone.2", 0)


def test_you_against_the_model(monkeypatch):
    y, named, colours = np.array([0, 1, 2, 3]), np.array([0, 5, 3, 3]), np.array([0, 2, 2, 2])
    unsure = np.array([False, False, True, True])
    forty = [np.zeros((2, 2, 3), np.uint8)] * 4, list("abcd"), y, named, unsure, colours
    monkeypatch.setattr(computed_checks, "_forty", lambda profile: forty)
    assert check("you_against_the_model.2", np.array([0, 5, 2, 2])).startswith("✓")
    assert "model alone" in check("you_against_the_model.2", named)
    assert "reader alone" in check("you_against_the_model.2", colours)
    assert "changed places" in check("you_against_the_model.2", [0, 2, 3, 3])
    assert "nobody knows the truth" in check("you_against_the_model.2", np.where(named == y, named, colours))
    assert "4 whole numbers" in check("you_against_the_model.2", 37)
    assert "np.where" in check("you_against_the_model.2", y)
