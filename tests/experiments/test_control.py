"""What is there without any learning: three sources of numbers on a handful of drawn cells, under three lamps."""

import numpy as np
import pytest

from bloodcell_utils import config, experiments
from bloodcell_utils.datasets import splits
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.experiments import control, records, svm
from bloodcell_utils.models import backbones, features

TINY = config.profile("sample", feature_size=32, image_size=32, pca=12)

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def recorded(table):
    """One run where ImageNet's weights are not at hand, and the images of every feature extraction in it."""
    seen, extract = [], control.extract

    def watched(images, backbone, **options):
        seen.append((backbone, options["weights"], options["seed"], images))
        return extract(images, backbone, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "load_index", lambda profile: table)
        patch.setattr(control, "extract", watched)
        patch.setattr(backbones, "has_weights", lambda name: False)
        return experiments.run("control", TINY, seed=7, split_seed=8, progressbar=False), seen


def test_the_record_has_colours_a_network_that_learnt_nothing_and_one_that_learnt(recorded, tmp_path):
    record, _ = recorded
    assert record.name == "control.sample" and (record.seed, record.split["seed"]) == (7, 8)
    assert list(record.models) == [
        "colour histogram",
        "random vgg16 last block",
        "random vgg16 all blocks",
        "pbc compactnet last block",
        "pbc compactnet all blocks",
    ]
    assert record.notes == ["random vgg16 at 32 px, pbc compactnet at 96 px, central 75% of the image."]
    assert records.read(record.write(tmp_path)) == record


def test_every_row_is_measured_on_the_same_test_images(recorded, table):
    record, _ = recorded
    split = splits.clean(table, seed=8)
    assert record.predictions["path"].tolist() == split.loc[split["subset"] == "test", "path"].tolist()
    for name, model in record.models.items():
        counts = metrics.confusion_matrix(record.predictions["true"], record.predictions[name])
        np.testing.assert_array_equal(counts, model["confusion"])
        assert model["n_test"] == 10 and model["printed_percent"] is None


def test_every_row_has_its_accuracy_under_two_other_lamps(recorded):
    for name, model in recorded[0].models.items():
        assert list(model["gain"]) == ["0.95", "1.05"], name
        assert all(10 * accuracy == pytest.approx(round(10 * accuracy)) for accuracy in model["gain"].values()), name


def test_the_lamp_is_that_of_the_test_images_alone(recorded, table):
    _, seen = recorded
    split = splits.clean(table, seed=8)
    test = (split["subset"] == "test").to_numpy()
    networks = control.networks(TINY)
    assert [(backbone, weights) for backbone, weights, *_ in seen] == [one for one in networks for _ in range(2)]
    assert {seed for _, _, seed, _ in seen} == {7}
    for (*_, every), (*_, lit) in zip(seen[::2], seen[1::2], strict=True):
        assert len(every) == len(split)
        np.testing.assert_array_equal(lit, np.concatenate([svm.brighten(every[test], gain) for gain in svm.GAINS]))


def test_the_colour_histogram_is_that_of_the_first_design(recorded, table):
    """The same images, the same classifier: the rows of both records are one measurement."""
    split = splits.clean(table, seed=8)
    fit, y = (split["subset"] != "test").to_numpy(), split["class"].to_numpy()
    images = load_images(split, 32, progressbar=False)
    model = svm.histogram_classifier().fit(features.color_histogram(images[fit]), y[fit])
    for gain, accuracy in recorded[0].models["colour histogram"]["gain"].items():
        lit = features.color_histogram(svm.brighten(images[~fit], float(gain)))
        assert model.score(lit, y[~fit]) == pytest.approx(accuracy)


def test_imagenets_weights_are_a_row_where_they_are_at_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BLOODCELL_WEIGHTS_DIR", str(tmp_path))
    nothing, learnt, imagenet = ("vgg16", "random"), ("compactnet", "pbc"), ("vgg16", "imagenet")
    laptop = config.profile("laptop")
    assert control.networks(TINY) == [nothing, learnt]
    assert control.networks(laptop) == [nothing, imagenet], "which it downloads"
    (tmp_path / backbones.backbone("vgg16").weights_file()).touch()
    assert control.networks(TINY) == [nothing, learnt, imagenet]
    assert control.networks(laptop) == [nothing, imagenet]
