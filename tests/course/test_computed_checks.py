"""Self-checks: the solution passes, typical wrong answers get a hint about their mistake, nothing gives the answer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bloodcell_utils import config, course, datasets, paper
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.course import computed_checks
from bloodcell_utils.course.checks import check
from bloodcell_utils.course.computed_checks import COMPUTED
from bloodcell_utils.datasets import splits
from bloodcell_utils.evaluation import counterfactuals, metrics
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


def test_dataset():
    from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split

    def grouped(y, patients, n_splits=5, seed=1):
        folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
        return next(folds.split(y, y, groups=patients))

    for seed in range(10):
        assert check("dataset.2", lambda y, patients, seed=seed: grouped(y, patients, seed=seed)).startswith("✓")
    assert check("dataset.2", lambda y, p: tuple(map(list, grouped(y, p)))).startswith("✓")

    def by_image(y, patients):
        return train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=0)

    assert "60 patients are on both sides" in check("dataset.2", by_image)
    assert "a fifth is asked for" in check("dataset.2", lambda y, p: grouped(y, p, n_splits=2))
    assert "a fifth is asked for" in check("dataset.2", lambda y, p: grouped(y, p)[::-1])
    assert "exactly one" in check("dataset.2", lambda y, p: (np.arange(len(y)), grouped(y, p)[1]))
    assert "row numbers" in check("dataset.2", lambda y, p: (np.isin(p, p[:9]), ~np.isin(p, p[:9])))
    assert "take the first" in check("dataset.2", lambda y, p: StratifiedGroupKFold(5).split(y, y, p))
    assert "stops with KeyError" in check("dataset.2", lambda y, p: {}[len(y)])
    assert "kind of answer" in check("dataset.2", grouped(*computed_checks._sixty_patients()))

    def unlike(y, patients):
        """A fifth of the images, of patients who have the most lymphocytes."""
        share = pd.Series(y == "lymphocyte").groupby(patients).mean().sort_values()
        test = np.isin(patients, share.index[-12:])
        return np.flatnonzero(~test), np.flatnonzero(test)

    assert "looks after the proportions" in check("dataset.2", unlike)
    shuffled = GroupShuffleSplit(1, test_size=0.2, random_state=0)
    assert "both sides" not in check("dataset.2", lambda y, p: next(shuffled.split(y, y, p)))


def test_augmentation():
    def balanced(y, n, order=lambda rows: np.random.default_rng(0).permutation(rows)):
        rows = [order(np.flatnonzero(y == name)) for name in np.unique(y)]
        return np.concatenate([r[np.arange(n) % len(r)] for r in rows])

    def drawn(y, n):
        rng = np.random.default_rng(1)
        return np.concatenate([rng.choice(np.flatnonzero(y == name), n) for name in np.unique(y)])

    def lopsided(y, n):
        rows = balanced(y, n)
        small = np.flatnonzero(y == "lymphocyte")
        return np.concatenate([rows[y[rows] != "lymphocyte"], small, np.repeat(small[0], n - len(small))])

    assert check("augmentation.2", balanced).startswith("✓")
    assert check("augmentation.2", lambda y, n: list(balanced(y, n))).startswith("✓")
    assert "taken twice" in check("augmentation.2", drawn)
    assert "never used" in check("augmentation.2", lambda y, n: np.where(y[b := balanced(y, n)] == "basophil", b[0], b))
    assert "comes 7 times" in check("augmentation.2", lopsided)
    assert "first in the folder" in check("augmentation.2", lambda y, n: balanced(y, n, order=np.asarray))
    assert "16 rows of a class" in check("augmentation.2", lambda y, n: np.arange(len(y)))
    assert "row numbers" in check("augmentation.2", lambda y, n: y[balanced(y, n)])
    assert "stops with TypeError" in check("augmentation.2", lambda y: y)
    assert "kind of answer" in check("augmentation.2", 4.8)


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
    def p_values(right, n):
        return metrics.two_proportions(right, n, right.max(), other_n=n)

    def alike(level):
        return lambda right, n: p_values(right, n) > level

    assert check("ablation.2", alike(0.05)).startswith("✓")
    assert check("ablation.2", lambda right, n: list(p_values(right, n) > 0.05)).startswith("✓")
    assert "p-values" in check("ablation.2", p_values)
    assert "other way round" in check("ablation.2", lambda right, n: p_values(right, n) <= 0.05)
    assert "from itself" in check("ablation.2", lambda right, n: alike(0.05)(right, n) & (right < right.max()))
    assert "longer" in check("ablation.2", alike(0.3))
    assert "can be told" in check("ablation.2", alike(0.001))
    assert "what it is given" in check("ablation.2", lambda right, n: p_values(right, 4096) > 0.05)
    assert "one answer a setting" in check("ablation.2", lambda right, n: True)
    assert "kind of answer" in check("ablation.2", [(4096, 4)])


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
    from bloodcell_utils.models import backbones
    from bloodcell_utils.models.runtime import load_keras

    keras = load_keras()

    def end(blocks, head_only=False, statistics=False):
        base = backbones.build("compactnet", 32, "random")
        cut = base.get_layer(base_blocks[-1 - blocks]).output
        x = keras.layers.Dense(8, name="head")(keras.layers.GlobalAveragePooling2D()(base.output))
        model = keras.Model(cut, x)
        for layer in model.layers:
            norm = isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = statistics if norm else not head_only or layer.name == "head"
        return model

    base_blocks = backbones.COMPACTNET.blocks
    assert check("fine_tuning.2", end(2)).startswith("✓")
    assert "last block does not move" in check("fine_tuning.2", end(2, head_only=True))
    assert "one block earlier" in check("fine_tuning.2", end(1))
    assert "batch normalisation is free" in check("fine_tuning.2", end(2, statistics=True))
    stiff = end(2)
    stiff.get_layer("block2a_conv").trainable = False
    assert "block2a_conv" in check("fine_tuning.2", stiff)
    assert "not the kind of answer" in check("fine_tuning.2", 5)


def test_features_svm_score():
    from sklearn.model_selection import GroupKFold, KFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    def score(X, y, cells, cv):
        return cross_val_score(make_pipeline(StandardScaler(), SVC()), X, y, groups=cells, cv=cv)

    assert check("features_svm.4", lambda X, y, cells: score(X, y, cells, GroupKFold(5))).startswith("✓")
    leaking = check("features_svm.4", lambda X, y, cells: score(X, y, cells, KFold(5, shuffle=True, random_state=0)))
    assert "drawn at random" in leaking
    assert "predict from" in check("features_svm.4", lambda X, y, cells: 0.3)
    assert "between 0 and 1" in check("features_svm.4", lambda X, y, cells: 30)
    assert "NameError" in check("features_svm.4", lambda X, y, cells: nothing)  # noqa: F821
    assert "not the kind of answer" in check("features_svm.4", 0.9)


def test_class_balance():
    def right(counts):
        return counts.sum() / (len(counts) * counts)

    assert check("class_balance.2", right).startswith("✓")
    assert check("class_balance.2", lambda counts: right(counts).round(2).tolist()).startswith("✓")
    assert "its share" in check("class_balance.2", lambda counts: counts.sum() / counts)
    assert "most frequent" in check("class_balance.2", lambda counts: counts.max() / counts)
    assert "upside down" in check("class_balance.2", lambda counts: 1 / right(counts))
    assert "two classes" in check("class_balance.2", lambda counts: counts.sum() / (2 * counts))
    assert "eight classes" in check("class_balance.2", lambda counts: counts.sum() / (8 * counts))
    assert "one weight a class" in check("class_balance.2", lambda counts: 1.76)
    assert "which share" in check("class_balance.2", lambda counts: counts * 0.0)
    assert "kind of answer" in check("class_balance.2", 1.76)


def test_feature_maps():
    def weighed(maps, slopes):
        return (maps * slopes.mean(axis=(0, 1))).sum(axis=-1)

    assert check("feature_maps.2", lambda maps, slopes: np.maximum(weighed(maps, slopes), 0)).startswith("✓")
    assert "below zero" in check("feature_maps.2", weighed)
    assert "average" in check("feature_maps.2", lambda maps, slopes: np.maximum((maps * slopes).sum(axis=-1), 0))
    assert "one number a place" in check("feature_maps.2", lambda maps, slopes: maps)
    assert "keep what is above" in check("feature_maps.2", lambda maps, slopes: weighed(maps, slopes) + 1)
    assert "kind of answer" in check("feature_maps.2", lambda maps: maps)


def test_compact_network():
    large = 9 * 128 * 256 + 9 * 256 * 256
    assert check("compact_network.2", large + 128 * 256).startswith("✓")
    assert "shortcut" in check("compact_network.2", large)
    assert "second convolution" in check("compact_network.2", 18 * 128 * 256 + 128 * 256)
    assert "all maps" in check("compact_network.2", 19 * 256)
    assert "maps in times maps out" in check("compact_network.2", 7)


def test_counterfactuals():
    eosinophil = counterfactuals.preset("EO")

    def changed(**values):
        return check("counterfactuals.2", replace(eosinophil, **values))

    table = computed_checks._eosinophil_flips().set_index("parameter")
    best, other = table.index[:2]
    assert changed(**{best: table["new_value"][best]}).startswith("✓")
    assert "less far to go" in changed(**{other: table["new_value"][other]})
    far = np.add(table["new_value"][best], 0.4 * np.subtract(table["new_value"][best], table["value"][best]))
    assert "less of the same" in changed(**{best: tuple(np.clip(far, 0, 255).tolist())})
    assert "still calls it" in changed(red_cells=eosinophil.red_cells + 1)
    assert "a number or a colour" in changed(nucleus_shape="round")
    assert "none of yours" in changed()
    assert "2 of yours" in changed(red_cells=1, vacuoles=9)
    assert "kind of answer" in check("counterfactuals.2", "granule_rgb")


def test_capstone():
    def least(share):
        n = np.arange(1, 1000)
        return n[metrics.wilson(n, n)[:, 0] >= share][0]

    assert check("capstone.2", least).startswith("✓")
    assert "not for 0.9" in check("capstone.2", lambda share: 73)
    assert "nearly" in check("capstone.2", lambda share: 72)
    assert "2.5 %" in check("capstone.2", lambda share: 59)
    assert "fewer are" in check("capstone.2", lambda share: 100)
    assert "begins at 0.839" in check("capstone.2", lambda share: 20)
    assert "one band or more" in check("capstone.2", lambda share: 0)
    assert "kind of answer" in check("capstone.2", 73)


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


def test_on_your_own():
    def said(kinds, y_true, y_pred):
        return check("on_your_own.2", (kinds, y_true, y_pred))

    kinds, y = ["band", "reactive_lymphocyte", "segmented"], np.repeat([0, 1, 2], [11, 13, 10])
    assert said(kinds, y, np.where(y == 2, 0, y)).startswith("✓")
    assert said(tuple(kinds), y.tolist(), y.tolist()).startswith("✓")
    many, sample = np.arange(2_849) % 8, np.repeat(np.arange(8), 10)
    assert said(list(FOLDERS), many, many).startswith("✓"), "the same kinds, photographed"
    assert "eight kinds of the sample" in said(list(FOLDERS), sample, sample)
    assert "of the same images" in said(kinds, y, y[1:])
    assert "one number an image" in said(kinds, y, np.eye(3)[y])
    assert "one kind only" in said(["all"], np.zeros(30, int), np.zeros(30, int))
    assert "one kind only" in said(kinds, np.zeros(30, int), np.zeros(30, int))
    assert "3 is no place in a list of 3 kinds" in said(kinds, y, y + 1)
    assert "-1 is no place in" in said(kinds, y - 1, y)
    assert "8 of 12: the truth may be anywhere from 39% to 86%" in said(kinds, np.arange(12) % 3, np.arange(12) % 3 % 2)
    assert "always says 'reactive_lymphocyte' is right for 13" in said(kinds, y, np.ones(34, int))
    for wrong in (kinds, ("theirs", y, y), (kinds, np.array(kinds)[y], np.array(kinds)[y]), 0.97):
        assert "kind of answer" in check("on_your_own.2", wrong)
