"""What computes a network: Keras always, OpenVINO where it is installed."""

import numpy as np
import pytest

from bloodcell_utils import backbones, engines
from bloodcell_utils.errors import BloodcellError


@pytest.fixture(scope="module")
def network():
    return backbones.build("vgg16", 32, "random")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(0, 60, (6, 32, 32, 3)).astype(np.float32)


def test_keras_is_always_there(network, images):
    assert engines.available("keras")
    made = engines.engine(network)
    assert made.name == "Keras, float32"
    np.testing.assert_array_equal(made.predict(images), network.predict_on_batch(images))


def test_an_unknown_engine():
    with pytest.raises(BloodcellError, match="'tpu'; choose one of keras, openvino, int8"):
        engines.available("tpu")


def test_without_openvino_keras_computes_and_says_so(network, images, monkeypatch):
    monkeypatch.setattr(engines, "available", lambda name: False)
    with pytest.warns(UserWarning, match="bloodcell-utils\\[fast\\]"):
        made = engines.engine(network, "int8", images)
    assert made.name == "Keras, float32"
    np.testing.assert_array_equal(made.predict(images), network.predict_on_batch(images))


@pytest.mark.parametrize(("name", "least"), [("openvino", 0.99999), ("int8", 0.98)])
def test_openvino_gives_the_same(network, images, name, least):
    if not engines.available(name):
        pytest.skip(f"the extra 'fast' is not installed ({engines.INSTALL})")
    made = engines.engine(network, name, images)
    theirs, ours = (
        np.asarray(x).reshape(len(images), -1) for x in (network.predict_on_batch(images), made.predict(images))
    )
    cosine = (theirs * ours).sum(1) / np.linalg.norm(theirs, axis=1) / np.linalg.norm(ours, axis=1)
    assert cosine.min() > least
    assert made.predict(images[:1]).shape[0] == 1, "the last batch may be smaller"
