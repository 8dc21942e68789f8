"""Adapting to a laboratory: colours are brought home, names are learnt, and what would harm is refused."""

from dataclasses import replace

import numpy as np
import pytest

from bloodcell_utils import config
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import drawn_labs, load_split
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import adaptation, predict
from bloodcell_utils.models import pretrained
from bloodcell_utils.models.compactnet_input import IMAGE
from bloodcell_utils.models.pretrained import TRAVELLED


@pytest.fixture(scope="module")
def lab():
    name = "drawn, pale"
    few = replace(drawn_labs.LABS[name], cells=dict.fromkeys(FOLDERS, 10))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(drawn_labs.LABS, name, few)
        table, images = drawn_labs.draw_lab(name)
    return images, table["class"].map(FOLDERS.index).to_numpy()


def test_home_stays_as_it_is(lab):
    images, _ = lab
    w = pretrained.weights(TRAVELLED)
    home = adaptation.Adaptation(w["density"], w["logits/kernel"], w["logits/bias"], {})
    balanced = 256 * np.exp(-adaptation.optical_density(images)) - 1  # the glass alone is brought to its level
    assert np.abs(home.match(images) - balanced).max() <= 1


def test_another_lamp_is_no_other_colour(lab):
    images, _ = lab
    dim = (images * 0.7).round().astype(np.uint8)
    assert adaptation.statistics(images) == pytest.approx(adaptation.statistics(dim), abs=0.02)


def test_matched_pictures_have_the_colours_of_home(lab):
    images, _ = lab
    matched, home = adaptation.adapt(images).match(images), pretrained.weights(TRAVELLED)["density"]
    assert matched.shape == images.shape and matched.dtype == np.uint8
    before, after = (np.abs(adaptation.statistics(x) - home).max() for x in (images, matched))
    assert after < 0.05 < before


def test_a_new_last_layer_learns_what_it_is_shown(lab):
    images, y = lab
    turned = (y + 1) % len(FOLDERS)
    found = adaptation.adapt(images, turned, pull=0.01)
    assert found.card["labelled"] == dict.fromkeys(FOLDERS, 10)
    layer = {"logits/kernel": found.kernel, "logits/bias": found.bias}
    scores, _ = pretrained.logits(found.match(images), TRAVELLED, layer)
    assert (scores.argmax(axis=1) == turned).mean() > 0.9
    held = adaptation.adapt(images, turned, pull=1e9)
    assert held.kernel == pytest.approx(adaptation.adapt(images).kernel, abs=1e-3)


def test_some_cells_may_have_no_name(lab):
    images, y = lab
    some = np.where(np.arange(len(y)) % 10 < 6, y, -1)
    assert set(adaptation.adapt(images, some).card["labelled"].values()) == {6}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x, y: (x[:3], None), "3 cells say little"),
        (lambda x, y: (x, np.zeros(len(x), int)), "80 of 80 cells are neutrophil"),
        (lambda x, y: (x, np.where(np.arange(len(x)) == 0, 2, -1)), "too few: basophil"),
        (lambda x, y: (x, np.full(len(x), -1)), "here is one kind or none"),
        (lambda x, y: (np.concatenate([x, x * np.array([1, 1, 0.7])]).astype(np.uint8), None), "into two groups"),
        (lambda x, y: (np.concatenate([x[:1]] * 40), None), "of a kind, not of a laboratory"),
        (lambda x, y: (x[:, ::2, ::2], None), "Images as from"),
        (lambda x, y: (x / 255, None), "Images as from"),
        (lambda x, y: (x, y[:5]), "y needs a class number"),
        (lambda x, y: (x, y + 8), "y needs a class number"),
        (lambda x, y: (x, np.array(["ig"] * len(x))), "y needs a class number"),
    ],
)
def test_what_would_harm_is_refused(lab, change, says):
    images, y = change(*lab)
    with pytest.raises(BloodcellError, match=says):
        adaptation.adapt(images, y)


def test_it_is_kept_and_read_again(lab, tmp_path):
    images, y = lab
    found, path = adaptation.adapt(images, y), tmp_path / "lab.npz"
    found.save(path)
    back = adaptation.load(path)
    assert back.card == found.card and np.array_equal(back.density, found.density)
    assert path.stat().st_size < 20_000
    answers = [predict(images[:4], adapted=adapted)["confidence"] for adapted in (found, path, None)]
    assert np.allclose(answers[0], answers[1]) and not np.allclose(answers[0], answers[2])


def test_other_weights_and_other_files_are_named(lab, tmp_path, monkeypatch):
    path = tmp_path / "lab.npz"
    adaptation.adapt(lab[0]).save(path)
    with monkeypatch.context() as patch:
        patch.setattr(adaptation, "fingerprint", lambda: "0" * 12)
        with pytest.raises(BloodcellError, match="made for other weights"):
            adaptation.load(path)
        assert adaptation.load(path, any_weights=True).card["cells"] == len(lab[0])
    whole = path.read_bytes()
    for data in (b"", b"text", whole[: len(whole) // 2], whole[:-200]):
        path.write_bytes(data)
        with pytest.raises(BloodcellError, match="is no file of `bloodcell adapt`"):
            adaptation.load(path)
    card = np.frombuffer(f'{{"network": "{adaptation.fingerprint()}"}}'.encode(), np.uint8)
    parts = {"kernel": np.zeros((256, 8)), "bias": np.zeros(8), "card": card}
    np.savez(path, density=[[1, 1, 1], [1, 0, 1]], **parts)  # no spread to divide by
    with pytest.raises(BloodcellError, match="is no file of"):
        adaptation.load(path)
    np.savez(path, density=np.ones((2, 3)))
    with pytest.raises(BloodcellError, match="is no file of"):
        adaptation.load(path)
    with pytest.raises(BloodcellError, match=r"none\.npz"):
        adaptation.load(tmp_path / "none.npz")


def test_colours_of_home_are_told_from_others(lab):
    split = load_split(config.PROFILES["sample"], IMAGE, reduced=True, progressbar=False)
    home = np.asarray(split.images[split.rows("test")])
    assert np.median(adaptation.colour_distance(home)) < 1 < adaptation.colour_distance(lab[0]).min()
