"""Features: what they are, that they are computed once, and that an interruption loses little."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bloodcell_utils import config
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.models import backbones, features, runtime

RANDOM = {"weights": "random", "precision": "float32", "progressbar": False}
VGG_CHANNELS = (64, 128, 256, 512, 512)
INCEPTION_CHANNELS = (256, 288, 288, 768, 768, 768, 768, 768, 1280, 2048, 2048)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def predictions(monkeypatch):
    """`sizes` of the batches that go through a network; the one whose number is in `stop_at` is interrupted."""
    model, watch = runtime.load_keras().Model, SimpleNamespace(sizes=[], stop_at=None)
    predict = model.predict_on_batch

    def watched(self, batch):
        if len(watch.sizes) == watch.stop_at:
            raise KeyboardInterrupt
        watch.sizes.append(len(batch))
        return predict(self, batch)

    monkeypatch.setattr(model, "predict_on_batch", watched)
    return watch


def test_two_views_of_vgg16(cache, images):
    views = features.extract(images, **RANDOM)
    assert set(views) == {"last", "blocks"}
    assert views["last"].shape == (10, 512) and views["blocks"].shape == (10, 3 * sum(VGG_CHANNELS)) == (10, 4416)
    assert all(view.dtype == np.float32 and np.isfinite(view).all() for view in views.values())


def test_a_block_is_described_by_mean_deviation_and_centre(cache, images):
    keras = runtime.load_keras()
    base = backbones.build("vgg16", 32, "random")
    layers = [base.get_layer(name).output for name in ("block1_conv2", "block5_pool")]
    maps, last = keras.Model(base.input, layers).predict(backbones.preprocess("vgg16", images), verbose=0)
    views = features.extract(images, **RANDOM)
    np.testing.assert_allclose(views["last"], last.reshape(10, -1), rtol=1e-3, atol=1e-3)
    mean, deviation, centre = np.split(views["blocks"][:, : 3 * 64], 3, axis=1)
    np.testing.assert_allclose(mean, maps.mean(axis=(1, 2)), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(deviation, maps.std(axis=(1, 2)), rtol=1e-3, atol=1e-3)
    at = np.linspace(-1, 1, 32)
    window = np.exp(-(at[:, None] ** 2 + at**2) / (2 * 0.45**2))
    np.testing.assert_allclose(centre, np.einsum("nhwc,hw->nc", maps, window / window.sum()), rtol=1e-3, atol=1e-3)


def test_computed_once(cache, images, predictions):
    first = features.extract(images, batch_size=4, **RANDOM)
    assert predictions.sizes == [4, 4, 2]
    again = features.extract(images, batch_size=4, **RANDOM)
    assert predictions.sizes == [4, 4, 2]
    for view in first:
        np.testing.assert_array_equal(first[view], again[view])


def test_other_images_seeds_and_precisions_are_computed_again(cache, images, predictions):
    views = [
        features.extract(images, **RANDOM),
        features.extract(images[::-1], **RANDOM),
        features.extract(images, **RANDOM, seed=1),
        features.extract(images, **{**RANDOM, "precision": "mixed_bfloat16"}),
    ]
    assert predictions.sizes == [10] * 4
    np.testing.assert_allclose(views[0]["blocks"][::-1], views[1]["blocks"], rtol=1e-3, atol=1e-3)
    assert not np.allclose(views[0]["blocks"], views[2]["blocks"], rtol=0.1)
    near = np.corrcoef(views[0]["blocks"].ravel(), views[3]["blocks"].ravel())[0, 1]
    assert near > 0.999 and views[3]["blocks"].dtype == np.float32


def test_after_an_interruption_only_the_rest_goes_through_the_network(cache, images, predictions):
    predictions.stop_at = 5
    with pytest.raises(KeyboardInterrupt):
        features.extract(images, batch_size=1, **RANDOM)
    assert len(predictions.sizes) == 5
    predictions.stop_at = None
    resumed = features.extract(images, batch_size=1, **RANDOM)
    assert sum(predictions.sizes[5:]) == 6, "four images were kept, the fifth belonged to an unfinished block"
    whole = features.extract(np.concatenate([images, images]), batch_size=1, **RANDOM)
    np.testing.assert_allclose(resumed["blocks"], whole["blocks"][:10], rtol=1e-4, atol=1e-4)


def test_the_policy_of_the_caller_is_restored(cache, images):
    keras = runtime.load_keras()
    before = keras.config.dtype_policy().name
    features.extract(images[:1], **{**RANDOM, "precision": "mixed_bfloat16"})
    assert keras.config.dtype_policy().name == before


def test_two_views_of_inception_v3(cache):
    images = np.random.default_rng(0).integers(0, 256, (2, 75, 75, 3), dtype=np.uint8)
    views = features.extract(images, "inception_v3", **RANDOM)
    assert views["last"].shape == (2, 2048) and views["blocks"].shape == (2, 3 * sum(INCEPTION_CHANNELS))
    assert np.isfinite(views["blocks"]).all()


def test_closeups_are_what_a_profile_shows_to_a_network(cache, table):
    profile = config.profile("laptop", feature_size=40)
    shown = features.closeups(table, profile, progressbar=False)
    np.testing.assert_array_equal(shown, load_images(table, 40, 0.8, progressbar=False))
    published = config.profile("full")
    assert features.closeups(table.iloc[:1], published, "inception_v3", progressbar=False).shape == (1, 299, 299, 3)


pictures = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.just(3))


@given(pictures.flatmap(lambda shape: arrays(np.uint8, shape)), st.sampled_from([2, 4, 8, 16]))
def test_a_histogram_holds_every_pixel_once_and_no_position(images, bins):
    histogram = features.color_histogram(images, bins)
    assert histogram.shape == (len(images), bins**3) and histogram.dtype == np.float32
    np.testing.assert_allclose(histogram.sum(axis=1), 1, rtol=1e-5)
    assert (histogram >= 0).all()
    for moved in (images[:, ::-1], images[:, :, ::-1], np.rot90(images, axes=(1, 2)), np.rot90(images, 2, axes=(1, 2))):
        np.testing.assert_array_equal(features.color_histogram(moved, bins), histogram)


def test_cells_of_the_histogram():
    image = np.zeros((1, 1, 4, 3), np.uint8)
    image[0, 0] = [(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)]
    assert np.flatnonzero(features.color_histogram(image, 2)[0]).tolist() == [0, 1, 2, 4]
    assert np.flatnonzero(features.color_histogram(np.full((1, 2, 2, 3), 255, np.uint8), 8)[0]).tolist() == [511]
