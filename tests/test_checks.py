"""Self-checks: the solution passes, typical wrong answers get a hint about their mistake, nothing gives the answer."""

import pandas as pd
import pytest

from bloodcell_utils import config, course, datasets, metrics, paper, records
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.checks import CHECKS, check
from bloodcell_utils.datasets import audit, splits
from bloodcell_utils.errors import BloodcellError


@pytest.fixture(scope="module")
def table(sandbox):
    return datasets.index(config.profile("sample"))


def test_every_check_belongs_to_an_exercise():
    assert set(CHECKS) <= {exercise.id for chapter in course.load().chapters for exercise in chapter.exercises}


@pytest.mark.parametrize("exercise", CHECKS)
def test_not_answered_yet(exercise):
    assert "your turn" in check(exercise, ...)


@pytest.mark.parametrize("exercise", [name for name in CHECKS if name != "first_look.1"])
def test_an_answer_of_the_wrong_kind(exercise):
    assert "kind of answer" in check(exercise, "a monocyte, I think")


def test_unknown_exercise():
    with pytest.raises(BloodcellError, match="first_look.1"):
        check("first_look.9", 1)


def test_first_look():
    assert check("first_look.1", " Lymphocyte ").startswith("✓")
    assert "fills" in check("first_look.1", "erythroblast")
    assert "nucleus" in check("first_look.1", "monocyte")
    assert "one of" in check("first_look.1", "white cell")


def test_dataset(table):
    counts = audit.second_batch(table)["class"].value_counts().to_dict()
    assert check("dataset.2", counts).startswith("✓")
    assert check("dataset.2", audit.second_batch(table)["class"].value_counts()).startswith("✓")
    assert "batch is 2" in check("dataset.2", table["class"].value_counts())
    assert "too many or one missing" in check("dataset.2", {"basophil": 4})
    assert "counts are not" in check("dataset.2", {name: n + 1 for name, n in counts.items()})


def test_augmentation(table):
    train = splits.clean(table).query("subset == 'train' and `class` == 'lymphocyte'")
    assert check("augmentation.2", 4096 / len(train)).startswith("✓")
    assert "after the split" in check("augmentation.2", 4096 / 1214)
    assert "divide" in check("augmentation.2", 4096 / len(train) + 1)


def test_features_svm(table):
    from bloodcell_utils.datasets.loading import load_images
    from bloodcell_utils.datasets.pbc import labels
    from bloodcell_utils.experiments import svm
    from bloodcell_utils.features import color_histogram

    table = splits.clean(table)
    images, y = load_images(table, config.profile("sample").image_size), labels(table)
    test = (table["subset"] == "test").to_numpy()
    model = svm.histogram_classifier().fit(color_histogram(images[~test]), y[~test])
    after = model.score(color_histogram(svm.brighten(images[test], 0.9)), y[test])
    before = model.score(color_histogram(images[test]), y[test])
    assert check("features_svm.2", after).startswith("✓")
    assert "before" in check("features_svm.2", before)
    assert "fraction" in check("features_svm.2", 100 * before)


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
    assert "diagonal" in check("error_analysis.2", 0.7)
