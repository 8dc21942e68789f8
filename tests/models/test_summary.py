"""The anatomy of networks: no parameter is lost, known numbers, and a reach that the network confirms."""

import numpy as np
import pytest

from bloodcell_utils import paper
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.models import backbones, runtime, summary

INCEPTION = ["stem", *(f"mixed{i}" for i in range(11)), "head"]


@pytest.fixture(scope="module")
def vgg16():
    return backbones.classifier("vgg16", weights="random", head=(), pooling="average")


@pytest.fixture(scope="module")
def inception_v3():
    return backbones.classifier("inception_v3", 299, weights="random")


def test_nothing_is_lost(vgg16, inception_v3):
    for name, model in {"vgg16": vgg16, "inception_v3": inception_v3}.items():
        for table in (summary.layer_table(model, name), summary.block_table(model, name)):
            assert table["parameters"].sum() == model.count_params()
            assert table["trainable"].sum() == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
        assert set(summary.layer_table(model, name).index) >= {layer.name for layer in model.layers}


def test_vgg16_as_published(vgg16):
    table = summary.layer_table(vgg16, "vgg16")
    assert list(table["block"].unique()) == [f"block{i}" for i in range(1, 6)] + ["head"]
    assert table["kind"].value_counts()[["Conv2D", "MaxPooling2D"]].to_list() == [13, 5]
    assert table.loc[table["block"] != "head", "multiply_adds"].sum() == 15_346_630_656
    assert table["trunk"].all()
    assert summary.block_table(vgg16, "vgg16")["reach"].to_list() == [5, 14, 40, 92, 196, np.inf]
    assert table.loc["block5_pool", ["output", "step", "reach"]].to_list() == [(7, 7, 512), 32, 212]


def test_inception_v3_as_published(inception_v3):
    blocks = summary.block_table(inception_v3, "inception_v3")
    assert list(blocks.index) == INCEPTION
    assert blocks.loc["mixed10", ["output", "reach"]].to_list() == [(8, 8, 2048), 1311]  # Araujo et al. 2019
    assert blocks["convolutions"].sum() == 94
    assert blocks["multiply_adds"].sum() == pytest.approx(5.7e9, rel=0.02)
    trunk = summary.layer_table(inception_v3, "inception_v3").query("trunk").index
    assert {"mixed0", "mixed10", "head1"} <= set(trunk) and "mixed9_0" not in trunk


@pytest.mark.parametrize("blocks", [0, 1, 4])
def test_what_trains_is_seen(inception_v3, blocks):
    backbones.unfreeze(inception_v3, "inception_v3", blocks)
    table = summary.block_table(inception_v3, "inception_v3")
    assert list(table.index[table["trainable"] > 0]) == INCEPTION[-1 - blocks :]
    layers = summary.layer_table(inception_v3, "inception_v3")
    assert not layers.loc[layers["kind"] == "BatchNormalization", "trainable"].any()


def test_the_stages_of_two_roads_are_those_of_the_model(vgg16):
    backbones.unfreeze(vgg16, "vgg16", 4)
    machine, tuning = summary.roads(vgg16, "vgg16").values()
    assert [stage for stage, learns in tuning if learns] == ["block2", "block3", "block4", "block5", "head"]
    assert [stage for stage, learns in tuning if learns is False] == ["block1"]
    assert [learns for _, learns in machine] == [False] * 5 + [None, True, None]
    assert machine[5][0].startswith("4,096") and machine[-1][0].startswith("8") and tuning[-1][0].startswith("8")


def test_the_poolings_of_the_paper_and_of_keras(vgg16, inception_v3):
    """VGG-16's five agree; of Inception-v3's fourteen one is an average in Keras and a maximum in the paper."""
    printed = {name: paper.TABLE_2[name] for name in ("vgg16", "inception_v3")}
    for model, name, other in ((vgg16, "vgg16", 0), (inception_v3, "inception_v3", 1)):
        kinds = summary.layer_table(model, name)["kind"].value_counts()
        most = sum(printed[name]["max_poolings"].values())
        assert kinds["MaxPooling2D"] == most - other
        if name == "inception_v3":
            averages = kinds["AveragePooling2D"] + kinds["GlobalAveragePooling2D"]
            assert averages == sum(printed[name]["average_poolings"].values()) + other
    only_shrink = [f"mixed{i}" for i in range(11) if _halves(inception_v3, f"mixed{i}")]
    assert only_shrink == ["mixed3", "mixed8"]
    assert len(INCEPTION) - 2 - len(only_shrink) == sum(printed["inception_v3"]["modules"])


def _halves(model, module):
    return summary.module_table(model, module)["label"].str.contains("step 2").any()


def test_the_branches_of_a_module(inception_v3):
    first = summary.module_table(inception_v3, "mixed0")
    assert first["label"].to_list() == [
        "1 × 1", "1 × 1", "5 × 5", "1 × 1", "3 × 3", "3 × 3", "average of 3 × 3", "1 × 1",
    ]  # fmt: skip
    assert first["parent"].to_list() == [-1, -1, 1, -1, 3, 4, -1, 6]
    for i in range(11):
        branches = summary.module_table(inception_v3, f"mixed{i}")
        merged = inception_v3.get_layer(f"mixed{i}").output.shape[-1]
        assert branches.loc[branches["out"], "channels"].sum() == merged
    assert summary.module_table(inception_v3, "mixed9")["parent"].to_list().count(1) == 2  # one branch divides
    assert "maximum of 3 × 3, step 2" in summary.module_table(inception_v3, "mixed3")["label"].to_list()


def test_a_layer_that_is_no_module(vgg16, inception_v3):
    for model, name in ((vgg16, "block1_pool"), (inception_v3, "conv2d"), (inception_v3, "mixed99")):
        with pytest.raises(BloodcellError, match="no module of this network; try 'mixed0'"):
            summary.module_table(model, name)


def test_the_reach_is_what_a_changed_pixel_shows(vgg16):
    """One pixel changes reach / step numbers of a map, and none farther away."""
    keras = runtime.load_keras()
    table = summary.layer_table(vgg16, "vgg16")
    names = ["block1_conv2", "block2_conv2", "block3_conv1"]
    eye = keras.Model(vgg16.input, [vgg16.get_layer(name).output for name in names])
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.float32)
    poked = image.copy()
    poked[112, 112] = 5000
    for name, maps in zip(names, eye.predict(np.stack([image, poked]), verbose=0), strict=True):
        reach, step = table.loc[name, ["reach", "step"]]
        change = np.abs(maps[0] - maps[1]).max(axis=(1, 2))
        changed = np.flatnonzero(change > 1e-4 * change.max())
        assert len(changed) == round(reach / step), name
