"""CompactNet: its shape, its augmentation, and the fast ways of computing it, held equal to Keras' own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils import training
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.models.compactnet import CompactNet
from bloodcell_utils.models.runtime import load_keras

SMALL = {"image": 48, "view": 32, "widths": (4, 4, 8, 8), "augmentation": {"shift": 2.0}}


@pytest.fixture(scope="module")
def layers():
    from bloodcell_utils.models import layers

    return layers


def smooth(n, side, seed=0):
    """Random pictures without sharp edges."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(60, 240, (n, side // 8 + 2, side // 8 + 2, 3))
    fine = coarse.repeat(8, 1).repeat(8, 2)[:, :side, :side]
    return ((fine + np.roll(fine, 4, 1) + np.roll(fine, 4, 2)) / 3).astype(np.float32)


def test_compactnet_is_small_and_ends_in_probabilities():
    model = CompactNet()
    assert model.count_params() < 1_250_000
    p = training.predict(model, smooth(2, 128))
    assert p.shape == (2, 8) and p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert model.get_layer("features").output.shape == (None, 256)


def test_one_seed_gives_one_network():
    first, again, other = (CompactNet(**SMALL, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_the_fused_normalisation_is_keras_own(layers):
    keras = load_keras()
    x = np.random.default_rng(0).normal(3, 2, (6, 5, 5, 4)).astype(np.float32)
    gamma, beta = np.linspace(0.5, 2, 4), np.linspace(-1, 1, 4)
    outputs, averages = [], []
    for kind in (layers.FusedBatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.9)
        layer.build(x.shape)
        layer.gamma.assign(gamma)
        layer.beta.assign(beta)
        outputs.append([np.asarray(layer(x, training=training)) for training in (True, False)])
        averages.append([np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)])
    np.testing.assert_allclose(outputs[0][0], outputs[1][0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(outputs[0][1], outputs[1][1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(averages[0], averages[1], rtol=1e-4, atol=1e-5)


def test_a_frozen_normalisation_keeps_its_averages(layers):
    layer = layers.FusedBatchNormalization()
    layer.build((None, 3, 3, 2))
    layer.trainable = False
    x = np.full((2, 3, 3, 2), 7, np.float32)
    np.testing.assert_allclose(layer(x, training=True), x, rtol=1e-3)
    np.testing.assert_array_equal(layer.moving_mean, 0)


def test_both_ways_of_moving_an_image_agree(layers):
    x = smooth(16, 48)
    moved = [np.asarray(layers.View(32, shift=2.0, native=native, seed=4)._moved(x)) for native in (True, False)]
    np.testing.assert_allclose(*moved, atol=0.01)


def test_without_training_a_view_is_the_centre(layers):
    x = smooth(2, 48)
    np.testing.assert_array_equal(layers.View(32)(x), x[:, 8:40, 8:40])


def test_while_training_every_view_is_another_and_stays_in_range(layers):
    view = layers.View(32, shift=2.0, seed=1)
    x = np.repeat(smooth(1, 48), 8, axis=0)
    first, second = np.asarray(view(x, training=True)), np.asarray(view(x, training=True))
    assert first.min() >= 0 and first.max() <= 255
    assert not np.array_equal(first, second)
    assert len({image.tobytes() for image in first}) == len(first)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_last_batch_may_be_small(layers, n):
    assert layers.View(32, shift=2.0)(smooth(n, 48), training=True).shape == (n, 32, 32, 3)


@pytest.mark.parametrize("sizes", [{"image": 64, "view": 96}, {"image": 64, "view": 60}])
def test_a_view_that_does_not_fit(sizes):
    with pytest.raises(BloodcellError, match="must be a multiple of 8 and at most the image's 64 px"):
        CompactNet(**sizes)


def test_all_eight_symmetries_are_drawn(layers):
    still = layers.View(32, shift=0.0, scale=0.0, stain=0.0, lamp=0.0, focus=0.0, seed=2)
    x = smooth(1, 32)
    mirrored = x[0, :, ::-1]
    known = [np.rot90(image, k) for image in (x[0], mirrored) for k in range(4)]
    drawn = np.asarray(still._moved(np.repeat(x, 200, axis=0)))
    nearest = [min(range(8), key=lambda i: np.abs(image - known[i]).max()) for image in drawn]
    assert set(nearest) == set(range(8))
    assert max(np.abs(image - known[i]).max() for image, i in zip(drawn, nearest, strict=True)) < 0.01


@given(st.floats(0.5, 1.0), st.floats(0.7, 1.0))
def test_white_balance_undoes_the_lamp(gain, tint):
    from bloodcell_utils.models import layers

    x = smooth(2, 32)
    seen = layers.WhiteBalance()(x)
    np.testing.assert_allclose(
        layers.WhiteBalance()(x * np.array([gain, gain * tint, gain], np.float32)), seen, rtol=1e-3, atol=1e-3
    )


def test_white_balance_bears_a_black_image(layers):
    assert np.isfinite(np.asarray(layers.WhiteBalance()(np.zeros((1, 32, 32, 3), np.float32)))).all()


@pytest.mark.parametrize("shape", [(3, 3, 8, 4), (1, 1, 4, 8), (3, 3, 2, 24)])
def test_a_step_of_muon_has_all_directions_equally_long(shape):
    from bloodcell_utils.training.muon import ConvolutionMuon

    momentum = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    optimizer = ConvolutionMuon(0.01)
    step = np.asarray(optimizer.zeropower_via_newtonschulz5(momentum, 5)).reshape(-1, shape[-1])
    lengths = np.linalg.svd(step, compute_uv=False)
    assert lengths.min() > 0.6 and lengths.max() < 1.3
    u, _, v = np.linalg.svd(momentum.reshape(step.shape), full_matrices=False)
    assert np.sum(step * (u @ v)) / np.linalg.norm(step) / np.linalg.norm(u @ v) > 0.97


def test_compactnet_learns_how_large_a_cell_is():
    y = np.arange(96) % 3
    distance = np.hypot(*np.mgrid[-24:24, -24:24])
    cells = distance < np.array([4, 8, 13])[y][:, None, None]
    X = np.random.default_rng(0).normal(np.where(cells, 90, 220)[..., None], 8, (96, 48, 48, 3)).clip(0, 255)
    model, X = CompactNet(**SMALL, n_classes=3), X.astype(np.uint8)
    settings = training.Settings(epochs=20, batch_size=16, optimizer="muon", learning_rate=1e-2, schedule="cosine",
                                 weight_decay=0.05)  # fmt: skip
    held = X[64:], y[64:]
    history = training.fit(model, X[:64], y[:64], validation_data=held, settings=settings, progressbar=False)
    assert history.best["val_accuracy"] > 0.9
