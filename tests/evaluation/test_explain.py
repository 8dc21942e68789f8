"""Feature maps and heat maps: equal to a direct computation, right where the answer is known, and never in the way."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_network import network

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import explain
from bloodcell_utils.models.runtime import load_keras

RNG = np.random.default_rng(0)
RED_LEFT_BLUE_RIGHT = np.zeros((1, 16, 16, 3), np.uint8)
RED_LEFT_BLUE_RIGHT[:, :, :8, 0] = RED_LEFT_BLUE_RIGHT[:, :, 8:, 2] = 255


def colours():
    """The first class is "red", the second "blue", wherever they are."""
    keras = load_keras()
    x = images = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(3, 1, use_bias=False, name="colour")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(images, keras.layers.Dense(2, use_bias=False, activation="softmax")(x))
    model.set_weights([np.eye(3)[None, None] / 255, np.array([[1, 0], [0, 0], [0, 1]])])
    return model


def left_half():
    """The second class is as likely as the left half is bright; the right half does not matter."""
    keras = load_keras()
    images = keras.Input((16, 16, 3))
    x = keras.layers.Flatten()(keras.layers.Conv2D(1, 1, use_bias=False)(images))
    model = keras.Model(images, keras.layers.Dense(2, use_bias=False, activation="softmax")(x))
    kernel = np.zeros((16, 16, 2))
    kernel[:, :8, 1] = 1 / 128
    model.set_weights([np.full((1, 1, 3, 1), 1 / 765), kernel.reshape(256, 2)])
    return model


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.fixture(scope="module")
def images():
    return RNG.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)


def test_layers_with_maps(model):
    assert explain.map_layers(model) == ["first", "pool", "second", "last_pool"]


def test_maps_are_a_forward_pass(model, images):
    ops = load_keras().ops
    maps = explain.feature_maps(model, images, "first")
    layer = model.get_layer("first")
    direct = ops.relu(ops.conv(images.astype("float32") / 255, layer.kernel, padding="same") + layer.bias)
    assert maps.dtype == np.float32 and maps.shape == (3, 16, 16, 6)
    np.testing.assert_allclose(maps, ops.convert_to_numpy(direct), atol=1e-5)


def test_many_images_are_the_same_as_one_by_one(model):
    many = RNG.integers(0, 256, (2 * explain._BATCH + 3, 16, 16, 3), dtype=np.uint8)
    maps, heat = explain.feature_maps(model, many, "second"), explain.grad_cam(model, many)
    for i in (0, explain._BATCH, len(many) - 1):
        np.testing.assert_allclose(maps[i], explain.feature_maps(model, many[[i]], "second")[0], atol=1e-5)
        np.testing.assert_allclose(heat[i], explain.grad_cam(model, many[[i]])[0], atol=1e-4)


@pytest.mark.parametrize("name, complaint", [("third", "first, pool, second"), ("dense", "no layer|gives no maps")])
def test_a_layer_that_is_not_there(model, images, name, complaint):
    for look in (explain.feature_maps, lambda *args: explain.grad_cam(*args[:2], layer=args[2])):
        with pytest.raises(BloodcellError, match=complaint):
            look(model, images, name)


def test_a_layer_without_maps(model, images):
    with pytest.raises(BloodcellError, match="gives no maps; choose one of first"):
        explain.feature_maps(model, images, model.layers[-1].name)


def test_a_model_without_convolutions():
    keras = load_keras()
    flat = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(BloodcellError, match="no convolution"):
        explain.grad_cam(flat, np.zeros((1, 4, 4, 3)))


def test_a_branch_explains_nothing(images):
    keras = load_keras()
    inputs = keras.Input((16, 16, 3))
    branches = [keras.layers.Conv2D(2, 1, name=name)(inputs) for name in ("one", "other")]
    x = keras.layers.Concatenate(name="both")(branches)
    outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, outputs)
    with pytest.raises(BloodcellError, match="'one' is one branch among others.*both"):
        explain.grad_cam(model, images, layer="one")
    assert explain.grad_cam(model, images).shape == (3, 16, 16)


def test_red_is_on_the_left_and_blue_on_the_right():
    red, blue = (explain.grad_cam(colours(), RED_LEFT_BLUE_RIGHT, c)[0] for c in (0, 1))
    assert red[:, :8].min() == blue[:, 8:].min() == 1
    assert red[:, 8:].max() == blue[:, :8].max() == 0


def test_an_answer_that_nothing_speaks_for_has_no_heat():
    only_red = np.zeros((1, 16, 16, 3), np.uint8)
    only_red[..., 0] = 255
    assert explain.grad_cam(colours(), only_red, 1).max() == 0


def test_after_an_average_it_is_the_class_activation_map(model, images):
    """With global average pooling and one dense layer, Grad-CAM's weights are those of the dense layer."""
    maps = explain.feature_maps(model, images, "last_pool")
    weights, hot = model.layers[-1].get_weights()[0], 0
    for c in range(3):
        expected = np.maximum(maps @ weights[:, c], 0)
        heat = explain.grad_cam(model, images, c, layer="last_pool")
        ops = load_keras().ops
        expected = ops.convert_to_numpy(ops.image.resize(expected[..., None], (16, 16)))[..., 0]
        np.testing.assert_allclose(heat * expected.max(axis=(1, 2), keepdims=True), expected, atol=1e-4)
        hot += expected.max() > 0
    assert hot


@pytest.mark.parametrize("end", ["in one", "activation", "softmax"])
def test_the_score_is_the_one_before_softmax(end, images):
    """Else an answer that is certain has no slope, and no explanation."""
    keras, model = load_keras(), network()
    if end != "in one":
        logits = keras.layers.Dense(3, name="logits")
        last = keras.layers.Softmax() if end == "softmax" else keras.layers.Activation("softmax")
        whole = keras.Model(model.input, last(logits(model.layers[-1].input)))
        logits.set_weights(model.layers[-1].get_weights())
        model = whole
    ops = keras.ops
    scores = explain._scores(model, "second")(explain.feature_maps(model, images, "second"))
    np.testing.assert_allclose(ops.convert_to_numpy(ops.softmax(scores)), np.asarray(model(images)), atol=1e-5)
    assert not np.allclose(ops.convert_to_numpy(scores).sum(axis=1), 1)


def test_the_gradient_is_a_slope(model):
    scores = explain._scores(network("flat"), "second")
    x = RNG.normal(size=(2, 8, 8, 5)).astype("float32")
    slopes = explain._gradient(lambda x: scores(x)[:, 1], x)
    assert slopes.shape == x.shape
    for _ in range(5):
        direction = RNG.normal(size=x.shape).astype("float32")
        up, down = (np.asarray(scores(x + s * direction))[:, 1] for s in (1e-3, -1e-3))
        np.testing.assert_allclose((slopes * direction).sum(axis=(1, 2, 3)), (up - down) / 2e-3, rtol=0.02, atol=0.01)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_heat_is_from_0_to_1(seed):
    images = np.random.default_rng(seed).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    heat = explain.grad_cam(test_heat_is_from_0_to_1.model, images, seed % 3)
    assert heat.shape == (2, 16, 16) and heat.dtype == np.float32
    assert np.isfinite(heat).all() and heat.min() >= 0
    assert set(heat.max(axis=(1, 2))) <= {0, 1}


test_heat_is_from_0_to_1.model = network()


def test_without_a_class_it_is_the_models_answer(model, images):
    own = np.asarray(model(images)).argmax(axis=1)
    np.testing.assert_array_equal(explain.grad_cam(model, images), explain.grad_cam(model, images, own))


@pytest.mark.parametrize("wrong", [3, -1, [0, 1, 7]])
def test_a_class_that_is_not_there(model, images, wrong):
    with pytest.raises(BloodcellError, match="classes 0 to 2"):
        explain.grad_cam(model, images, wrong)


def test_looking_changes_nothing(images):
    model = network(dropout=0.5)
    flags, weights = [layer.trainable for layer in model.layers], model.get_weights()
    first = explain.grad_cam(model, images)
    np.testing.assert_array_equal(first, explain.grad_cam(model, images))  # no dropout: the same twice
    assert flags == [layer.trainable for layer in model.layers]
    assert all((a == b).all() for a, b in zip(weights, model.get_weights(), strict=True))


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision(dtype, images):
    exact, half = network(), network(dtype=dtype)
    for look in (lambda m: explain.feature_maps(m, images, "second"), lambda m: explain.grad_cam(m, images, 1)):
        assert look(half).dtype == np.float32
        np.testing.assert_allclose(look(half), look(exact), atol=0.05)


def test_covering_the_left_half_is_what_counts():
    white = np.full((16, 16, 3), 255, np.uint8)
    white[[0, -1]] = white[:, [0, -1]] = 0  # the edge gives the cover its colour
    heat, fall = explain.occlusion(left_half(), white, 1, patch=4, step=4)
    assert fall > 0 and heat[4:12, :8].min() > 0
    assert heat[:, 8:].max() == 0


def test_a_cover_that_does_not_fit(model, images):
    for patch, step in ((17, 1), (4, -1)):
        with pytest.raises(BloodcellError, match="does not fit"):
            explain.occlusion(model, images[0], patch=patch, step=step)


def test_shuffled_layers_forget_and_remember(model, images):
    before, weights = explain.feature_maps(model, images, "second"), model.get_weights()
    with explain.shuffled_weights(model, ["second"]) as forgetful:
        inside = model.get_layer("second").get_weights()[0]
        assert not np.array_equal(inside, weights[2])
        np.testing.assert_array_equal(np.sort(inside.ravel()), np.sort(weights[2].ravel()))
        assert not np.allclose(explain.feature_maps(forgetful, images, "second"), before)
        np.testing.assert_array_equal(model.get_layer("first").get_weights()[0], weights[0])
    with pytest.raises(ZeroDivisionError), explain.shuffled_weights(model, ["first", "second"]):
        raise ZeroDivisionError
    assert all((a == b).all() for a, b in zip(weights, model.get_weights(), strict=True))
    with pytest.raises(BloodcellError, match="no layer 'third'"), explain.shuffled_weights(model, ["third"]):
        pass


@given(st.integers(0, 2**32 - 1))
def test_likeness_is_spearmans(seed):
    from scipy.stats import spearmanr

    a, b = np.random.default_rng(seed).integers(0, 5, (2, 3, 4, 5)).astype(float)
    expected = [spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(explain.rank_correlation(a, b), expected, atol=1e-9)
    np.testing.assert_allclose(explain.rank_correlation(a, np.exp(a)), 1)
    assert not explain.rank_correlation(a, np.ones_like(a)).any()


def test_no_backend_is_named():
    source = Path(explain.__file__).read_text("utf-8")
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    modules = {a.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for a in node.names}
    assert not (names | modules) & {"tf", "tensorflow", "jax", "torch"}


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_sequential_model(images):
    keras = load_keras()
    layers = [keras.layers.Conv2D(4, 3, name="conv"), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((16, 16, 3)), *layers])
    assert explain.feature_maps(model, images, "conv").shape == (3, 14, 14, 4)
    assert explain.grad_cam(model, images).shape == (3, 16, 16)
