"""The paper's first design on a handful of drawn cells: a complete record, and the leak that it demonstrates."""

import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from bloodcell_utils import config, experiments, paper
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import augment, splits
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.datasets.pbc import labels
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.experiments import records, svm
from bloodcell_utils.models import features

TINY = config.profile("sample", feature_size=32, image_size=32, pca=12, siblings=(4, 2))

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def recorded(table):
    """One run, and the arguments of every cross-validation and feature extraction in it."""
    calls = {"cross_validate": [], "extract": []}

    def watch(name):
        function = getattr(svm, name)

        def watched(*args, **options):
            calls[name].append((args, options))
            return function(*args, **options)

        return watched

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "load_index", lambda profile: table)
        for name in calls:
            patch.setattr(svm, name, watch(name))
        record = experiments.run("svm", TINY, seed=7, split_seed=8, progressbar=False)
    return record, calls


def test_the_record_is_complete(recorded, table, tmp_path):
    record, _ = recorded
    assert record.name == "svm-compactnet.sample" and record.seed == 7
    assert record.classes == list(FOLDERS)
    assert record.split == {"name": "clean", "seed": 8, "train": 48, "validation": 10, "test": 10}
    assert record.data["name"] == "synthetic" and record.data["n_images"] == 68
    assert record.versions["python"] and record.device and record.created
    assert "CompactNet, pbc weights, 96 px" in record.notes[0]
    path = record.write(tmp_path)
    assert records.read(path) == record
    assert json.loads(path.read_text("utf-8"))["experiment"] == "svm-compactnet"


def test_every_row_is_measured_on_the_same_test_images(recorded, table):
    record, _ = recorded
    split = splits.clean(table, seed=8)
    test = split[split["subset"] == "test"]
    assert list(record.models) == [
        "colour histogram",
        "compactnet last block",
        "compactnet all blocks",
        "compactnet last block, siblings",
    ]
    assert record.predictions["path"].tolist() == test["path"].tolist()
    np.testing.assert_array_equal(record.predictions["true"], labels(test))
    for name, model in record.models.items():
        counts = metrics.confusion_matrix(record.predictions["true"], record.predictions[name])
        np.testing.assert_array_equal(counts, model["confusion"])
        assert model["n_test"] == 10 and model["accuracy"] == metrics.accuracy(counts)
        assert model["wall_time_s"] >= 0 and model["peak_rss_mb"] > 10
        assert all(len(scores) == 5 for scores in model.get("cross_validation", {}).values())


def test_details_of_the_rows(recorded):
    models = recorded[0].models
    assert set(models["colour histogram"]["gain"]) == {"0.95", "1.05"}
    both = models["compactnet last block"]
    assert set(both["cross_validation"]) == set(both["cross_validation_training"]) == {"cubic", "rbf"}
    for kernel, folds in both["cross_validation_training"].items():
        assert np.mean(folds) > np.mean(both["cross_validation"][kernel]), "better on what was learnt from"
    assert all(model["printed_percent"] is None for model in models.values()), "the paper has no such network"
    assert set(models["compactnet last block, siblings"]["cross_validation"]) == {"together", "apart"}


def test_the_papers_network_stands_beside_what_the_paper_prints(table, monkeypatch):
    def pixels(images, *_, **__):
        return dict.fromkeys(("last", "blocks"), np.asarray(images, float).reshape(len(images), -1))

    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    monkeypatch.setattr(svm, "extract", pixels)
    record = experiments.run("svm", TINY, backbone="vgg16", progressbar=False)
    assert record.name == "svm.sample" and "VGG-16, random weights, 32 px" in record.notes[0]
    printed = {name: model["printed_percent"] for name, model in record.models.items()}
    assert printed.pop("vgg16 last block") == paper.ACCURACY["svm", "vgg16"].value
    assert set(printed.values()) == {None}


def test_colours_alone_tell_drawn_cells_apart_better_than_chance(table):
    images = load_images(table, 32, progressbar=False)
    machine = {"svm": svm.KernelSVM("rbf")}
    scores = svm.cross_validate(machine, features.color_histogram(images), labels(table), preparation=StandardScaler())
    assert np.mean(scores["svm"]) > 2 / 8


def test_the_test_images_are_never_fitted_on(recorded):
    sizes = [len(X) for (_, X, *_), _options in recorded[1]["cross_validate"]]
    assert sizes == [58, 4 * 2 * 8, 4 * 2 * 8], "training and validation images; versions of training images, twice"


def test_versions_of_one_source_are_never_in_two_folds_unless_asked(recorded):
    together, apart = recorded[1]["cross_validate"][-2:]
    groups = np.asarray(together[1]["groups"])
    assert sorted(np.unique(groups, return_counts=True)[1]) == [2] * 32
    assert "groups" not in apart[1]


def test_the_whole_run_uses_one_network(recorded):
    assert [options["seed"] for _, options in recorded[1]["extract"]] == [7, 7]


class Spy(ClassifierMixin, BaseEstimator):
    """A classifier that notes which rows it was fitted on and asked about."""

    parts = []

    def fit(self, X, y):
        self.fitted_ = X[:, 0]
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        self.parts.append((set(self.fitted_), set(X[:, 0])))
        return np.zeros(len(X))


@pytest.mark.parametrize("kept", ["together", "apart"])
def test_folds_keep_groups_together_when_told(kept, monkeypatch):
    monkeypatch.setattr(Spy, "parts", [])
    source = np.repeat(np.arange(40), 4)
    y = source % 4
    groups = source if kept == "together" else None
    scores = svm.cross_validate({"spy": Spy()}, source[:, None], y, preparation=FunctionTransformer(), groups=groups)[
        "spy"
    ]
    shared = [fitted & held for fitted, held in Spy.parts]
    assert len(scores) == len(Spy.parts) == 5
    assert set().union(*(held for _, held in Spy.parts)) == set(range(40))
    assert not any(shared) if kept == "together" else all(shared)
    assert scores == pytest.approx([0.25] * 5, abs=0.1)


def test_the_preparation_is_fitted_on_the_other_folds_alone():
    fitted = []

    class Watching(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            fitted.append(len(X))
            return super().fit(X)

    X, y = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 2
    svm.cross_validate({"a": svm.KernelSVM(), "b": svm.KernelSVM("cubic")}, X, y, preparation=Watching())
    assert fitted == [40] * 5, "once a fold, for both classifiers"


def test_spreading_copies_over_the_folds_fakes_an_accuracy():
    """Labels at random: nothing can be learnt, and only leakage can look better than chance."""
    rng = np.random.default_rng(0)
    X, y = np.repeat(rng.normal(size=(60, 5)), 4, axis=0), np.repeat(rng.integers(0, 2, 60), 4)
    X += rng.normal(scale=0.01, size=X.shape)
    machine = {"svm": svm.KernelSVM("rbf")}
    together = svm.cross_validate(machine, X, y, preparation=StandardScaler(), groups=np.repeat(np.arange(60), 4))
    apart = svm.cross_validate(machine, X, y, preparation=StandardScaler())
    assert np.mean(apart["svm"]) > 0.85
    assert 0.3 < np.mean(together["svm"]) < 0.7


def test_only_training_images_have_siblings(table, monkeypatch):
    split, used = splits.Split(splits.clean(table), labels(table)), []
    profile = config.profile("sample", siblings=(3, 2), pca=5)
    monkeypatch.setattr(
        svm, "extract", lambda images, *_, **__: {"last": np.random.default_rng(0).random((len(images), 30))}
    )
    monkeypatch.setattr(augment, "apply", lambda images, plan: used.append(plan) or images[plan["source"]])
    model, scores = svm.siblings(split, np.zeros((68, 8, 8, 3)), profile, progressbar=False)
    (plan,) = used
    assert set(split.table.loc[plan["source"], "subset"]) == {"train"}
    assert plan.groupby("class")["source"].nunique().to_dict() == dict.fromkeys(FOLDERS, 3)
    assert set(scores) == {"together", "apart"} and model.predict(np.ones((1, 30))).shape == (1,)


def test_brightness():
    images = np.array([[0, 100, 200, 255]], np.uint8)
    assert svm.brighten(images, 1.05).tolist() == [[0, 105, 210, 255]]
    assert svm.brighten(images, 0.95).tolist() == [[0, 95, 190, 242]]
    assert svm.brighten(images, 1).dtype == np.uint8


@pytest.mark.parametrize("make", [lambda: svm.last_block_classifier(None), lambda: svm.last_block_classifier(3, "rbf"),
                                  svm.all_blocks_classifier, svm.histogram_classifier])  # fmt: skip
def test_classifiers_take_what_a_network_gives(make):
    rng = np.random.default_rng(0)
    X = rng.gamma(1, 5, (40, 20)).astype(np.float32)
    X[20:, :5] += 20
    y = np.repeat([0, 1], 20)
    X[:, 7] = 0
    assert make().fit(X, y).score(X, y) == 1


def test_an_unknown_experiment_is_answered_with_those_there_are():
    with pytest.raises(BloodcellError, match="no experiment 'magic'; choose one of svm"):
        experiments.run("magic", TINY)
