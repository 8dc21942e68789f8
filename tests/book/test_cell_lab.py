"""The networks that the book's cell lab runs in browsers: they are those that Python runs."""

import sys
from pathlib import Path

import numpy as np
import pytest

from bloodcell_utils.datasets.specs import random_spec
from bloodcell_utils.datasets.synthetic import draw
from bloodcell_utils.evaluation import adaptation, explain, prediction
from bloodcell_utils.models import pretrained

onnx = pytest.importorskip("onnx", reason="the book's tools are not installed")


@pytest.fixture(scope="module")
def answers():
    """Pictures, and the graph's outputs for each."""
    from onnx.reference import ReferenceEvaluator

    sys.path.append(str(Path(__file__).parents[2] / "book" / "lab"))
    from network import build

    pictures = [draw(random_spec(kind, np.random.default_rng(4)), 128, 4) for kind in ("LY", "PLATELET")]
    pictures += [pictures[0][..., ::-1], 255 - pictures[1], np.zeros((128, 128, 3), np.uint8)]
    run = ReferenceEvaluator(build())
    outputs = [run.run(None, {"picture": picture[None].astype(np.float32)}) for picture in pictures]
    return np.stack(pictures), [np.concatenate(parts) for parts in zip(*outputs, strict=True)]


def test_it_answers_as_python_does(answers):
    pictures, (probabilities, strangeness, _) = answers
    expected, distance = prediction.predict_proba(pictures)
    assert np.allclose(probabilities, expected, atol=1e-5)
    assert np.allclose(strangeness, distance, rtol=1e-4)
    assert len(set(adaptation.colour_distance(pictures) <= 1)) == 2, "one of the two ways was not tried"


def test_its_heat_is_grad_cam_of_the_answer(answers):
    pictures, (probabilities, _, heat) = answers
    network, best = pretrained.network(), probabilities.argmax(axis=1)
    expected = explain.grad_cam(network, pictures.astype(np.float32), best, layer=prediction.EXPLAINED)
    assert np.allclose(explain._heat(heat, expected.shape[1:]), expected, atol=1e-4)
