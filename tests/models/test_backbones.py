"""The networks to borrow from: sizes, weights, preprocessing, and clear errors where something is missing."""

import socket

import numpy as np
import pytest

from bloodcell_utils import paper
from bloodcell_utils.datasets.sample import sample
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.models import backbones, pretrained, runtime
from bloodcell_utils.models.compactnet_input import IMAGE, VIEW

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def vgg16():
    return backbones.build("vgg16", 32, "random")


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No weights on this machine, and no network."""

    def unknown(*_, **__):
        raise socket.gaierror("Name or service not known")

    monkeypatch.setenv("BLOODCELL_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    return tmp_path


def test_the_networks_of_the_paper():
    assert set(backbones.BACKBONES) == set(paper.TABLE_2)
    for name, printed in paper.TABLE_2.items():
        spec = backbones.backbone(name)
        assert (spec.input_size, spec.input_size) == printed["input"] and spec.n_features == printed["features"]
    with pytest.raises(BloodcellError, match="'resnet'; choose one of vgg16, inception_v3, compactnet"):
        backbones.backbone("resnet")


def test_vgg16_is_frozen_and_as_published(vgg16):
    assert vgg16.input_shape == (None, 32, 32, 3) and vgg16.output_shape == (None, 1, 1, 512)
    assert vgg16.trainable_weights == []
    assert vgg16.count_params() == 14_714_688
    spec = backbones.backbone("vgg16")
    names = [layer.name for layer in vgg16.layers]
    assert [name for name in names if name in spec.blocks] == list(spec.blocks)
    assert spec.last_layer == names[-1]


def test_random_weights_depend_on_the_seed_alone(vgg16):
    runtime.load_keras().utils.set_random_seed(5)
    again, other = (backbones.build("vgg16", 32, "random", seed=seed) for seed in (2019, 1))
    for ours, same in zip(vgg16.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, same)
    assert not np.array_equal(vgg16.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize("name", backbones.BACKBONES)
def test_images_are_prepared_as_keras_does(name):
    applications = runtime.load_keras().applications
    theirs = {"vgg16": applications.vgg16, "inception_v3": applications.inception_v3}[name]
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    before = images.copy()
    ours = backbones.preprocess(name, images)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs.preprocess_input(images.astype(np.float32)), atol=1e-5)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize(
    ("name", "size", "top", "message"),
    [("vgg16", 31, False, "VGG-16 needs images of 32 px or more.*31 px"),
     ("inception_v3", 74, False, "Inception-v3 needs images of 75 px or more"),
     ("vgg16", 128, True, r"\(224 with its head\); 128 px"),
     ("compactnet", 44, False, "a multiple of 8 px, not 44")],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused(name, size, top, message):
    with pytest.raises(BloodcellError, match=message):
        backbones.build(name, size, "random", top=top)


@pytest.mark.parametrize("name", backbones.BACKBONES)
def test_missing_weights_are_answered_with_the_manual_steps(nowhere, name):
    spec = backbones.backbone(name)
    assert not backbones.has_weights(name) and not backbones.has_weights(name, top=True)
    with pytest.raises(BloodcellError) as caught:
        backbones.build(name, spec.min_size)
    message = str(caught.value)
    assert f"The weights of {spec.title} could not be loaded" in message and spec.weights_file() in message
    assert str(nowhere) in message and "BLOODCELL_WEIGHTS_DIR" in message and "'sample' needs no weights" in message


@pytest.mark.parametrize("content", [b"", b"<html>log in</html>", b"\x89HDF\r\n\x1a\n cut short"])
def test_a_file_that_is_no_weights_is_refused(nowhere, content):
    (nowhere / backbones.backbone("vgg16").weights_file()).write_bytes(content)
    assert backbones.has_weights("vgg16")
    with pytest.raises(BloodcellError, match="could not be loaded"):
        backbones.build("vgg16", 32)


def test_weights_from_a_file_of_ones_own(vgg16, tmp_path):
    vgg16.save_weights(tmp_path / "mine.weights.h5")
    built = backbones.build("vgg16", 48, tmp_path / "mine.weights.h5", seed=1)
    np.testing.assert_array_equal(built.get_weights()[4], vgg16.get_weights()[4])
    with pytest.raises(BloodcellError, match="no weight file .*gone.h5"):
        backbones.build("vgg16", 32, tmp_path / "gone.h5")


def test_weights_of_another_network_are_refused():
    for name, weights in (("vgg16", "pbc"), ("compactnet", "imagenet")):
        with pytest.raises(BloodcellError, match=f"there is no weight file {weights}"):
            backbones.build(name, 32, weights)


def test_compactnet_is_borrowed_as_it_answers():
    images = np.random.default_rng(0).integers(0, 256, (3, IMAGE, IMAGE, 3), dtype=np.uint8)
    edge, (_, features) = (IMAGE - VIEW) // 2, pretrained.logits(images)
    maps = backbones.build("compactnet", weights="pbc").predict_on_batch(images[:, edge:-edge, edge:-edge])
    np.testing.assert_allclose(np.asarray(maps).mean(axis=(1, 2)), features, atol=1e-3)
    random = backbones.build("compactnet", weights="random").predict_on_batch(images[:, edge:-edge, edge:-edge])
    assert not np.allclose(maps, random, atol=0.1)


def test_compactnet_keeps_the_side_at_which_it_learnt():
    assert backbones.backbone("compactnet").side(64) == VIEW
    assert backbones.backbone("vgg16").side(64) == 64 and backbones.backbone("vgg16").side() == 224


def test_the_precision_is_one_that_keras_knows():
    keras = runtime.load_keras()
    assert keras.dtype_policies.get(runtime.fastest_precision()).variable_dtype == "float32"


@pytest.fixture(scope="module")
def small():
    """The networks with a small head, at their smallest sizes."""
    sizes = {"vgg16": 32, "inception_v3": 75, "compactnet": 32}
    return {name: backbones.classifier(name, size, "random", head=(16,)) for name, size in sizes.items()}


@pytest.mark.parametrize(("name", "parameters"), [("vgg16", 121_682_760), ("inception_v3", 23_909_160)])
def test_the_papers_heads(name, parameters):
    model = backbones.classifier(name, weights="random")
    assert model.count_params() == parameters
    units = [layer.units for layer in model.layers if hasattr(layer, "units")]
    assert tuple(units) == paper.HYPERPARAMETERS["head_units"][name]
    assert model.input_shape[1] == backbones.backbone(name).input_size


def test_a_classifier_gives_probabilities(small):
    for model in small.values():
        images = np.random.default_rng(0).integers(0, 256, (3, *model.input_shape[1:]), dtype=np.uint8)
        p = np.asarray(model.predict_on_batch(images))
        assert p.shape == (3, 8) and p.dtype == np.float32
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", backbones.BACKBONES)
def test_scaling_is_inside(small, name):
    model, keras = small[name], runtime.load_keras()
    images = np.random.default_rng(0).integers(0, 256, (2, *model.input_shape[1:]), dtype=np.uint8)
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    seen = keras.Model(model.input, first.input).predict_on_batch(images)
    np.testing.assert_allclose(np.asarray(seen), backbones.preprocess(name, images), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "blocks", "prefixes"),
    [("vgg16", 0, ()), ("vgg16", 1, ("block5",)), ("vgg16", 2, ("block4", "block5")),
     ("vgg16", 4, ("block2", "block3", "block4", "block5"))],
)  # fmt: skip
def test_only_the_last_blocks_and_the_head_train(small, name, blocks, prefixes):
    model = small[name]
    _, suffix = backbones.unfreeze(model, name, blocks)
    free = {layer.name for layer in model.layers if layer.trainable_weights}
    wanted = (
        {layer.name for layer in model.layers if layer.weights and layer.name.startswith(prefixes)}
        if prefixes
        else set()
    )
    assert free == wanted | {"head1", "logits"} == {layer.name for layer in suffix.layers if layer.weights}


@pytest.mark.parametrize("blocks", [1, 2, 4, 6, 8])
def test_the_modules_of_inception(small, blocks):
    model, keras = small["inception_v3"], runtime.load_keras()
    backbones.unfreeze(model, "inception_v3", blocks)
    free = [layer.name for layer in model.layers if layer.trainable_weights]
    # A module's convolutions are those between two concatenations called mixed; their number is the network's own.
    convolutions = {1: 9, 2: 18, 4: 34, 6: 54, 8: 68}[blocks]
    assert len(free) == convolutions + 2
    assert not [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]


def test_more_blocks_than_there_are(small):
    with pytest.raises(BloodcellError, match="VGG-16 has 5 blocks; 5 of them cannot be cut off"):
        backbones.unfreeze(small["vgg16"], "vgg16", 5)


@pytest.mark.parametrize(
    ("name", "blocks"),
    [("vgg16", 0), ("vgg16", 1), ("vgg16", 3), ("inception_v3", 1), ("compactnet", 0), ("compactnet", 2)],
)
def test_two_halves_are_the_whole(small, name, blocks):
    model = small[name]
    images = np.random.default_rng(1).integers(0, 256, (2, *model.input_shape[1:]), dtype=np.uint8)
    prefix, suffix = backbones.split_at(model, name, blocks)
    halfway = np.asarray(prefix.predict_on_batch(images))
    np.testing.assert_allclose(suffix.predict_on_batch(halfway), model.predict_on_batch(images), atol=1e-5)
    assert suffix.get_layer("logits") is model.get_layer("logits")


@pytest.mark.parametrize("name", ["inception_v3", "compactnet"])
def test_frozen_batch_normalisation_keeps_its_statistics(small, name):
    model, keras = small[name], runtime.load_keras()
    backbones.unfreeze(model, name, 2)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [np.array(w) for layer in norms for w in layer.get_weights()]
    head = np.array(model.get_layer("logits").get_weights()[0])
    model.compile(keras.optimizers.SGD(1e-3), "categorical_crossentropy")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, *model.input_shape[1:]), dtype=np.uint8)
    model.train_on_batch(images.astype(np.float32), np.eye(8, dtype=np.float32)[:4])
    after = [w for layer in norms for w in layer.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert not np.array_equal(head, model.get_layer("logits").get_weights()[0])


@pytest.mark.parametrize("name", ["vgg16", "compactnet"])
def test_augmentation_is_off_when_it_counts(name):
    model = backbones.classifier(name, 32, "random", head=(8,), augmentation=True)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8).astype(np.float32)
    first, second = (np.asarray(model.predict_on_batch(images)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    trained = [np.asarray(model(images, training=True)) for _ in range(2)]
    assert not np.array_equal(trained[0], trained[1])


def test_calibrated_random_weights_keep_what_an_image_shows():
    images = sample(2, 32)[0]
    keras = runtime.load_keras()
    plain, calibrated = (backbones.classifier("vgg16", 32, "random", head=(8,)) for _ in range(2))
    assert backbones.calibrate(calibrated, "vgg16", images) is calibrated
    spread = {}
    for name, model in {"plain": plain, "calibrated": calibrated}.items():
        last = keras.Model(model.input, model.get_layer("block5_conv3").output)
        maps = np.asarray(last.predict_on_batch(images), np.float32).reshape(len(images), -1)
        spread[name] = maps.std(axis=0).mean() / maps.mean()
    assert spread["calibrated"] > 2 * spread["plain"]
    for layer in calibrated.layers:
        assert getattr(layer, "activation", None) is not keras.activations.linear or not layer.name.startswith("block")


def test_batch_normalisation_needs_no_calibration():
    model = backbones.classifier("inception_v3", 75, "random", head=(8,))
    before = [weight.copy() for weight in model.get_weights()]
    backbones.calibrate(model, "inception_v3", sample(1, 75)[0])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
