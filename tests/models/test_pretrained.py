"""The weights that came with the package, and their forward pass in NumPy."""

import os
import subprocess
import sys

import numpy as np
import pytest

from bloodcell_utils import training
from bloodcell_utils.datasets.sample import sample
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.models import pretrained
from bloodcell_utils.models.compactnet import CompactNet
from bloodcell_utils.models.runtime import load_keras


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    coarse = rng.uniform(40, 250, (5, 16, 16, 3))
    return coarse.repeat(8, 1).repeat(8, 2).astype(np.uint8)


def by_keras(model, pictures):
    """Scores before softmax."""
    return training.predict(load_keras().Model(model.input, model.get_layer("logits").output), pictures)


def test_numpy_and_keras_give_the_same_answers(pictures):
    scores, features = pretrained.logits(pictures)
    assert scores.shape == (5, 8) and features.shape == (5, 256)
    np.testing.assert_allclose(scores, by_keras(pretrained.network(), pictures), rtol=1e-3, atol=1e-3)
    assert pretrained.logits(pictures[:0])[0].shape == (0, 8)


def test_half_precision_survives_the_way_to_a_file_and_back(tmp_path, pictures):
    model = CompactNet(seed=3)
    for layer in model.layers:
        if hasattr(layer, "moving_variance"):  # as after a training: nothing is 0 or 1 any more
            rng = np.random.default_rng(len(layer.name))
            for weight, low, high in zip(layer.weights, (0.5, -0.2, -0.2, 0.5), (1.5, 0.2, 0.2, 2), strict=True):
                weight.assign(rng.uniform(low, high, weight.shape))
    pretrained.save(model, {"temperature": 1.0, "threshold": 0.5}, tmp_path)
    assert pretrained.metadata(tmp_path)["threshold"] == 0.5
    ours, theirs = pretrained.logits(pictures, tmp_path)[0], by_keras(model, pictures)
    assert np.abs(ours - theirs).max() < 0.01 * np.abs(theirs).max()


def test_the_shipped_files_are_small_and_say_where_they_come_from():
    for folder in (pretrained.FOLDER, pretrained.TRAVELLED):
        assert (folder / "compactnet.npz").stat().st_size <= 3_000_000
    card = pretrained.metadata()
    assert card["command"].startswith("bloodcell run compact_best --profile laptop")
    assert card["data"]["name"] == "pbc" and card["accuracy"] > 0.95
    assert 0 < card["temperature"] < 5 and 0 < card["threshold"] < 1


def test_the_network_that_travelled_has_what_a_refusal_needs(pictures):
    card, w = (read(pretrained.TRAVELLED) for read in (pretrained.metadata, pretrained.weights))
    assert 0 < card["temperature"] < 5 and 0 < card["threshold"] < 1 and 0 < card["none_limit"] < 1
    assert card["limit"] > 1 and card["colour_limit"] > 1 and np.all(np.diff(card["nucleus"]) > 0)
    shapes = {"means": (8, 256), "whitening": (256, 256), "none/kernel": (256, 1), "none/bias": (1,)}
    shapes |= {"colours/means": (1, 6), "colours/whitening": (6, 6), "density": (2, 3)}
    assert {name: w[name].shape for name in shapes} == shapes
    assert all(values.shape == w[name].shape for name, values in pretrained.weights().items()), "one architecture"
    scores, features = pretrained.logits(pictures, pretrained.TRAVELLED)
    assert scores.shape == (5, 8) and pretrained.none_score(features).shape == (5,)
    assert not np.allclose(scores, pretrained.logits(pictures)[0], atol=0.1), "another network"


@pytest.mark.parametrize("folder", [pretrained.FOLDER, pretrained.TRAVELLED])
def test_drawn_cells_are_blood_to_it(folder):
    images, y = sample(12, 128, seed=5)
    right = pretrained.logits(images, folder)[0].argmax(axis=1) == y
    assert right.mean() > 0.7, "trained on photographs alone"


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut short"])
def test_missing_or_damaged_weights(tmp_path, content):
    if content is not None:
        for name in ("compactnet.npz", "compactnet.json"):
            (tmp_path / name).write_bytes(content)
    with pytest.raises(BloodcellError, match="missing or damaged"):
        pretrained.weights(tmp_path)
    with pytest.raises(BloodcellError, match="missing or damaged"):
        pretrained.metadata(tmp_path)


FRESH = """
import sys
sys.modules["bloodcell_utils"] = None
import keras, numpy as np
base = keras.saving.load_model("base.keras")
np.save("maps.npy", base.predict(np.load("images.npy")[:, 16:112, 16:112], verbose=0))
del sys.modules["bloodcell_utils"]
import bloodcell_utils.models.layers
whole = keras.saving.load_model("whole.keras")
np.save("answers.npy", whole.predict(np.load("images.npy"), verbose=0))
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Images, and what both files give for them in a process that has seen neither network."""
    folder = tmp_path_factory.mktemp("fresh")
    pretrained.write_base(folder / "base.keras")
    pretrained.network().save(folder / "whole.keras")
    images = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    np.save(folder / "images.npy", images)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", FRESH], cwd=folder, check=True, capture_output=True, env=environment)
    return images, np.load(folder / "maps.npy"), np.load(folder / "answers.npy")


def test_the_base_opens_where_this_package_is_not(fresh):
    images, maps, _ = fresh
    assert maps.shape == (2, 3, 3, 256)
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), pretrained.logits(images)[1], atol=1e-3)


def test_a_saved_network_opens_in_a_fresh_process(fresh):
    images, _, answers = fresh
    np.testing.assert_allclose(answers, pretrained.network().predict(images, verbose=0), atol=1e-5)
