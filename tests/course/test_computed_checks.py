"""Self-checks: the solution passes, typical wrong answers get a hint about their mistake, nothing gives the answer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bloodcell_utils import config, course, datasets
from bloodcell_utils.cells import CLASS_NAMES, FOLDERS
from bloodcell_utils.course import computed_checks, network_card
from bloodcell_utils.course.checks import check
from bloodcell_utils.course.computed_checks import COMPUTED
from bloodcell_utils.datasets import splits
from bloodcell_utils.evaluation import counterfactuals, metrics, shared_errors


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


def test_first_look_names_any_cell():
    def number(model, features, row):
        return model.predict(features[[row]])[0]

    def named(model, features, row):
        return CLASS_NAMES[number(model, features, row)]

    def by_votes(model, features, row):
        return CLASS_NAMES[model.decision_function(features[[row]])[0].argmax()]

    assert check("first_look.2", named).startswith("✓")
    assert check("first_look.2", by_votes).startswith("✓")
    assert "a place in" in check("first_look.2", number)
    assert "a table, even for one row" in check("first_look.2", lambda m, X, row: m.predict(X[row]))
    assert "does it end in" in check("first_look.2", lambda m, X, row: None)
    assert "none of the eight" in check("first_look.2", lambda m, X, row: "leukocyte")
    assert "that it is given" in check("first_look.2", lambda m, X, row: "monocyte")
    assert "that it is given" in check("first_look.2", lambda m, X, row: named(m, X, 13))
    assert "stops with TypeError" in check("first_look.2", lambda row: "monocyte")
    assert "kind of answer" in check("first_look.2", "monocyte")


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
    from bloodcell_utils.models import load_keras

    layers, keras = load_keras().layers, load_keras()
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(224, 224, 3))

    def with_head(*head, onto=base):
        x = onto.output
        for layer in head:
            x = layer(x)
        return keras.Model(onto.input, x)

    def dense(units, **how):
        return layers.Dense(units, kernel_initializer="zeros", **how)

    mean, largest = layers.GlobalAveragePooling2D(), layers.GlobalMaxPooling2D()
    assert check("architectures.2", with_head(mean, dense(4096), dense(1024), dense(8))).startswith("✓")
    assert "the mean is asked for" in check("architectures.2", with_head(largest, dense(4096), dense(1024), dense(8)))
    plain = (dense(units, use_bias=False) for units in (4096, 1024, 8))
    assert "bias" in check("architectures.2", with_head(mean, *plain))
    assert "two dense layers more" in check("architectures.2", with_head(mean, dense(8)))
    assert "parameters; put the mean" in check("architectures.2", with_head(mean, dense(4096), dense(8)))
    assert "eight numbers" in check("architectures.2", with_head(mean, dense(4096), dense(1024)))
    head = keras.Sequential([keras.Input((512,)), dense(4096), dense(1024), dense(8)])
    assert "head alone" in check("architectures.2", head)
    assert "kind of answer" in check("architectures.2", 21_444_424)
    places = with_head(layers.Flatten(), dense(4096), dense(1024), dense(8))
    assert "weighs all" in check("architectures.2", places)


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
    def interval(k, n, z=1.96, to_half=1.0, root=True, twice=4):
        p = k / n
        half = z * np.sqrt(p * (1 - p) / n + (z**2 / (twice * n**2) if root else 0))
        middle = p + to_half * z**2 / (2 * n)
        return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)

    def textbook(k, n):
        half = 1.96 * np.sqrt(k / n * (1 - k / n) / n)
        return k / n - half, k / n + half

    def asked(**changes):
        return check("confusion_matrix.2", lambda k, n: interval(k, n, **changes))

    assert asked().startswith("✓")
    assert check("confusion_matrix.2", metrics.wilson).startswith("✓")
    assert check("confusion_matrix.2", lambda k, n: list(interval(k, n))).startswith("✓")
    assert "percent" in check("confusion_matrix.2", lambda k, n: 100 * np.array(interval(k, n)))
    assert "comes first" in check("confusion_matrix.2", lambda k, n: interval(k, n)[::-1])
    assert "textbooks" in check("confusion_matrix.2", textbook)
    assert "another z" in asked(z=2) and "another z" in asked(z=1.645)
    assert "under the root" in asked(root=False) and "under the root" in asked(twice=2)
    assert "the middle is not" in asked(to_half=0)
    assert "term by term" in asked(to_half=0, root=False)
    assert "two numbers" in check("confusion_matrix.2", lambda k, n: k / n)
    assert "stops with TypeError" in check("confusion_matrix.2", lambda k: (0, 1))


def test_error_analysis():
    def each(a, b, kind):
        return [(a[kind == one].sum() * b[kind == one].sum(), (kind == one).sum()) for one in np.unique(kind)]

    def asked(answer):
        return check("error_analysis.2", answer)

    assert asked(lambda a, b, kind: sum(errors / n for errors, n in each(a, b, kind))).startswith("✓")

    def by_helper(a, b, kind):
        return shared_errors(np.zeros(len(a)), a, b, strata=kind)["expected"]

    assert asked(by_helper).startswith("✓")
    assert "over all cells" in asked(lambda a, b, kind: a.sum() * b.sum() / len(a))
    assert "not by all" in asked(lambda a, b, kind: sum(errors for errors, _ in each(a, b, kind)) / len(a))
    assert "the mean" in asked(lambda a, b, kind: np.mean([errors / n for errors, n in each(a, b, kind)]))
    assert "would chance" in asked(lambda a, b, kind: (a & b).sum())
    assert "array" in asked(lambda a, b, kind: np.array([errors / n for errors, n in each(a, b, kind)]))
    assert "add up" in asked(lambda a, b, kind: 1)
    assert "kind of answer" in asked(0.5)


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


def test_another_laboratory():
    def asked(over=(0, 1, 2), home=(0, 1, 2), spread=np.std, after=lambda z, mean, sd: z * sd + mean):
        def answer(theirs, ours):
            z = (theirs - theirs.mean(over, keepdims=True)) / theirs.std(over, keepdims=True)
            return after(z, ours.mean(home), spread(ours, home))

        return check("another_laboratory.2", answer)

    assert asked().startswith("✓")
    assert "as it was" in check("another_laboratory.2", lambda theirs, ours: theirs)
    assert "still theirs" in check("another_laboratory.2", lambda t, o: t - t.mean((0, 1, 2)) + o.mean((0, 1, 2)))
    assert "add ours" in check("another_laboratory.2", lambda t, o: t / t.std((0, 1, 2)) * o.std((0, 1, 2)))
    assert "half of the way" in asked(after=lambda z, mean, sd: z)
    assert "variance" in asked(spread=np.var)
    assert "changed places" in asked(after=lambda z, mean, sd: z * mean + sd)
    assert "each picture by itself" in asked(over=(1, 2))
    assert "theirs as well" in asked(over=(0, 1, 2, 3))
    assert "of its own" in asked(over=(0, 1, 2, 3), home=(0, 1, 2, 3))
    assert "the shape of theirs" in check("another_laboratory.2", lambda theirs, ours: ours)
    assert "print both" in asked(after=lambda z, mean, sd: -z * sd + mean)


def test_differential():
    def asked(way, normed=1, cut=False):
        def answer(count, confusion):
            rates = confusion if normed is None else confusion / confusion.sum(axis=normed, keepdims=True)
            found = way(count / count.sum(), rates)
            return found.clip(0) / found.clip(0).sum() if cut else found

        return check("differential.2", answer)

    def right(shares, rates):
        return shares @ np.linalg.inv(rates)

    assert asked(right).startswith("✓")
    assert asked(lambda q, m: np.linalg.solve(m.T, q)).startswith("✓")
    assert "percent" in asked(lambda q, m: 100 * right(q, m))
    assert "these are cells" in check("differential.2", lambda k, m: right(k, m / m.sum(axis=1, keepdims=True)))
    assert "as it was" in asked(lambda q, m: q)
    assert "once more" in asked(lambda q, m: q @ m)
    assert "precision" in asked(lambda q, m: m @ q, normed=0)
    assert "on its right" in asked(lambda q, m: np.linalg.inv(m) @ q)
    assert "what a cell of each kind" in asked(lambda q, m: np.linalg.inv(m) @ q, normed=0)
    assert "make each row" in asked(right, normed=None)
    assert "below zero" in asked(right, cut=True)
    assert "sum is no longer 1" in asked(lambda q, m: right(q, m).clip(0))
    assert "one share a kind" in asked(lambda q, m: right(q, m)[0])
    assert "one step after" in asked(lambda q, m: q[::-1])
    assert "kind of answer" in check("differential.2", [0.5, 0.5])


def test_uncertainty():
    def cheapest(cost):
        def answer(confidence, right, price):
            limits = np.append(confidence, np.inf)
            counts = [((confidence < t).sum(), (~right & (confidence >= t)).sum()) for t in limits]
            return limits[np.argmin([cost(looks, wrong, price) for looks, wrong in counts])]

        return answer

    def said(cost):
        return check("uncertainty.2", cheapest(cost))

    assert said(lambda looks, wrong, price: looks + price * wrong).startswith("✓")
    assert "as well" in said(lambda looks, wrong, price: wrong)
    assert "saves looks" in said(lambda looks, wrong, price: looks)
    assert "not one" in said(lambda looks, wrong, price: looks + wrong)
    assert "meant what it says" in check("uncertainty.2", lambda confidence, right, price: 1 - 1 / price)
    assert "costs" in check("uncertainty.2", lambda confidence, right, price: 0.123)
    assert "one number" in check("uncertainty.2", lambda confidence, right, price: confidence)
    assert "one number" in check("uncertainty.2", lambda *_: None)
    assert "kind of answer" in check("uncertainty.2", 0.9)


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


MINE = {key: f"Nobody knows it of {key}; we would ask." for key in network_card.missing({})}
USE = "Suggests a name for each white cell of a smear of adults; a technologist confirms it before release."


def test_intended_use_the_checklist():
    def said(**changed):
        return check("intended_use.2", MINE | {"use": USE} | changed)

    assert said().startswith("✓")
    assert "2 of 10" in said(harm="none", update=...) and "'harm'" in said(harm="none")
    assert "same sentence" in said(harm=MINE["update"])
    assert "too short" in said(use="It names the white cells.")
    assert "no open question" in said(rates="It is right for nearly all.")


def test_intended_use_the_alarm():
    def said(rule):
        return check("intended_use.3", rule)

    assert said(lambda right, n, promised: metrics.wilson(right, n)[1] < promised).startswith("✓")
    assert "by chance" in said(lambda right, n, promised: right / n < promised)
    assert "lower end" in said(lambda right, n, promised: metrics.wilson(right, n)[0] < promised)
    assert "turn the comparison" in said(lambda right, n, promised: metrics.wilson(right, n)[1] > promised)
    assert "wrong for alarm(90, 100, 0.98)" in said(lambda right, n, promised: False)
    assert "True or False" in said(lambda right, n, promised: None)


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


@pytest.mark.parametrize(
    "exercise",
    ["first_look.2", "dataset.2", "augmentation.2", "features_svm.4", "ablation.2", "confusion_matrix.2",
     "feature_maps.2", "error_analysis.2", "class_balance.2", "uncertainty.2", "differential.2", "another_laboratory.2",
     "capstone.2"],
)  # fmt: skip
def test_a_function_that_stops_is_told_how(exercise):
    assert "your function stops with ZeroDivisionError" in check(exercise, lambda *_: 1 / 0)
    assert "not the kind of answer" in check(exercise, 3.5)


def test_the_accuracy_to_expect():
    def verdict(function):
        return check("opinions.2", function)

    assert verdict(lambda C, T: (C * T).sum() / C.sum()).right
    assert "share" in verdict(lambda C, T: (C * T).sum())
    assert "diagonal" in verdict(lambda C, T: np.diag(C) @ np.diag(T) / C.sum())
    assert "round" in verdict(lambda C, T: (C * T.T).sum() / C.sum())
    assert "weighs the same" in verdict(lambda C, T: (C / C.sum(axis=1, keepdims=True) * T).sum() / 8)
    assert "one number" in verdict(lambda C, T: C * T)
    assert "one name" in verdict(lambda C, T: 0.5)
    assert "stops with" in verdict(lambda C: C)
