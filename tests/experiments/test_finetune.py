"""Fine-tuning: which rows and versions train, both ways to the model, and a record that says all of it.

In graphs it is trained by the process of its own below, and in tests/book/test_gpu.py.
"""

import time
from dataclasses import replace

import numpy as np
import pytest
from small_network import network

from bloodcell_utils import config, paper
from bloodcell_utils.datasets import augment, splits
from bloodcell_utils.datasets.pbc import labels
from bloodcell_utils.evaluation import explain
from bloodcell_utils.experiments import balance, determinism, finetune, records
from bloodcell_utils.models import backbones, runtime
from bloodcell_utils.training.prefix import activations

TINY = config.Tuning(
    size=32, blocks=1, head=(16,), images_per_class=None, symmetries=2, epochs=2, batch_size=32, learning_rate=3e-4,
    schedule="cosine",
)  # fmt: skip
PROFILE = config.profile("sample", tuning=TINY, small=replace(TINY, images_per_class=6, symmetries=1), natural=40)


pytestmark = pytest.mark.usefixtures("few_cells", "eagerly")


@pytest.fixture(scope="module")
def split(table):
    return splits.clean(table)


@pytest.fixture(scope="module")
def tuned(few_cells, eagerly):
    return finetune.fine_tuned(PROFILE, progressbar=False)


def test_every_training_image_once_in_two_versions(split):
    sources, versions = finetune.training_rows(split, None, 2)
    assert (split["subset"].iloc[sources] == "train").all() and len(set(sources)) == len(sources)
    assert (versions[0] == 0).all() and (versions[1] > 0).all() and max(versions[1]) < 8


def test_balanced_rows_are_distinct_pictures(split):
    sources, (versions,) = finetune.training_rows(split, 20, 1)
    classes = labels(split)[sources]
    assert np.bincount(classes).tolist() == [20] * 8
    pairs = list(zip(sources.tolist(), versions.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert all(versions[np.flatnonzero(sources == source)[0]] == 0 for source in np.unique(sources))


@pytest.mark.parametrize("which", range(8))
def test_symmetries_keep_every_pixel(which):
    images = np.arange(2 * 4 * 4 * 3).reshape(2, 4, 4, 3)
    turned = augment.symmetry(images, which)
    assert turned.shape == images.shape
    assert sorted(turned[1].ravel()) == sorted(images[1].ravel())
    np.testing.assert_array_equal(turned[1], augment.symmetry(images[1], which))


def test_the_eight_symmetries_are_eight():
    image = np.random.default_rng(0).random((5, 5, 3))
    assert len({augment.symmetry(image, which).tobytes() for which in range(8)}) == 8


def test_kept_activations_are_those_of_the_turned_image(cache):
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    with runtime.precision("float32"):
        model = backbones.classifier("vgg16", 32, "random", head=(8,))
    prefix, _ = backbones.split_at(model, "vgg16", 1)
    kept = activations(prefix, images, [2, 0, 2], symmetries=[0, 3, 5], progressbar=False)
    assert kept.dtype == np.float16 and len(list(cache.glob("prefix-*.npy"))) == 1
    shown = np.stack([images[2], augment.symmetry(images[0], 3), augment.symmetry(images[2], 5)])
    np.testing.assert_allclose(kept, prefix.predict_on_batch(shown), rtol=2e-3, atol=2e-3)


def test_a_tuned_network_answers_for_held_out_images_alone(tuned):
    train = (tuned.split.table["subset"] == "train").to_numpy()
    assert np.isnan(tuned.probabilities[train]).all()
    np.testing.assert_allclose(tuned.probabilities[~train].sum(axis=1), 1, atol=1e-3)
    assert len(tuned.history.epochs) == TINY.epochs


def test_its_model_gives_the_same_answers_from_the_images(tuned):
    rows = tuned.split.rows("test")[:8]
    from_images = np.asarray(tuned.model.predict_on_batch(tuned.split.images[rows]))
    np.testing.assert_allclose(from_images, tuned.probabilities[rows], atol=2e-2)


def test_only_the_end_has_moved(tuned):
    before = finetune.untrained(PROFILE, tuned.split).model
    for name, moved in (("block2b_conv", False), ("block3a_conv", True), ("logits", True)):
        same = np.array_equal(before.get_layer(name).get_weights()[0], tuned.model.get_layer(name).get_weights()[0])
        assert same != moved, name


@pytest.mark.parametrize(("backbone", "frozen"), [("compactnet", "block2b_conv"), ("vgg16", "block4_conv2")])
def test_seeds_share_the_network_that_they_start_from(backbone, frozen):
    """The shipped weights, and random ones as they share ImageNet's; what differs is the head."""
    one, other = (finetune.untrained(PROFILE, backbone=backbone, seed=seed).model for seed in (7, 8))
    for name, same in ((frozen, True), ("head1", False)):
        kernels = [model.get_layer(name).get_weights()[0] for model in (one, other)]
        assert np.array_equal(*kernels) == same, name


def test_random_weights_are_calibrated_with_training_images_of_their_split_alone(monkeypatch):
    split, seen = finetune.tuning_split(PROFILE, "vgg16", seed=5, progressbar=False), []
    others = finetune.tuning_split(PROFILE, "vgg16", progressbar=False)
    monkeypatch.setattr(backbones, "calibrate", lambda model, name, images: seen.extend(images))
    finetune.untrained(PROFILE, split, backbone="vgg16", seed=7)
    assert split.seed == 5 and len(seen) > 1
    of = {image.tobytes(): subset for image, subset in zip(split.images, split.table["subset"], strict=True)}
    assert {of[image.tobytes()] for image in seen} == {"train"}
    # The split that nobody asked for would have shown the network what it is tested on.
    tested = {image.tobytes() for image in split.images[split.rows("validation", "test")]}
    assert any(image.tobytes() in tested for image in others.images[others.rows("train")[::20]])


def test_two_splits_have_networks_of_their_own(tuned):
    other = finetune.fine_tuned(PROFILE, split_seed=5, progressbar=False)
    rows = np.intersect1d(other.split.rows("validation", "test"), tuned.split.rows("validation", "test"))
    assert len(rows) and not np.array_equal(other.probabilities[rows], tuned.probabilities[rows])


def test_the_seed_of_the_split_draws_the_test_images_and_that_of_the_training_does_not(tuned):
    profile = config.profile("sample", tuning=replace(TINY, symmetries=1, epochs=1))
    seeds = [(7, 2019), (8, 2019), (7, 5)]
    one, again, other = (
        finetune.run(profile, seed=seed, split_seed=split_seed, progressbar=False) for seed, split_seed in seeds
    )
    assert [(record.seed, record.split["seed"]) for record in (one, again, other)] == seeds
    assert one.predictions["path"].tolist() == again.predictions["path"].tolist()
    assert set(one.predictions["path"]) != set(other.predictions["path"])
    histories = [record.models["compactnet fine-tuned"]["history"] for record in (one, again)]
    assert histories[0][0]["loss"] != histories[1][0]["loss"]


def test_training_from_the_pixels(cache):
    profile = config.profile("sample", tuning=replace(TINY, symmetries=0, images_per_class=4, epochs=1))
    result = finetune.fine_tuned(profile, progressbar=False)
    assert len(result.history.epochs) == 1 and not list(cache.glob("prefix-*"))
    assert {"random_flip", "random_rotation"} <= {layer.name for layer in result.model.layers}


def test_two_seeds_from_the_pixels_and_their_eight_symmetries(monkeypatch):
    tuning = replace(TINY, symmetries=0, images_per_class=2, epochs=1)
    profile = config.profile("sample", tuning=tuning, seeds=2)
    record = finetune.run(profile, seed=7, progressbar=False)
    models = record.models
    tuned, views = "compactnet fine-tuned", "compactnet fine-tuned, eight symmetries"
    assert list(models) == [tuned, views, f"{tuned}, seed 8", f"{views}, seed 8"]
    assert [models[name]["seed"] for name in (tuned, f"{tuned}, seed 8")] == [7, 8]
    assert models[tuned]["history"] != models[f"{tuned}, seed 8"]["history"]
    monkeypatch.setattr(finetune, "fine_tuned", lambda *_, **__: pytest.fail("trained again"))
    again = finetune.run(profile, seed=7, known=record, progressbar=False).models
    assert {name: {"measured": model["measured"]} | models[name] for name, model in again.items()} == again


def test_a_training_that_ended_too_early_is_gone_on_with(monkeypatch):
    profile = config.profile("sample", tuning=replace(TINY, images_per_class=2, epochs=1))
    record = finetune.run(profile, progressbar=False)
    record.models["compactnet fine-tuned"]["settings"]["epochs"] = 2
    monkeypatch.setattr(finetune, "fine_tuned", lambda *_, **__: pytest.fail("goes on"))
    with pytest.raises(pytest.fail.Exception, match="goes on"):
        finetune.run(profile, known=record, progressbar=False)


def test_maps_before_and_after_training():
    """One filter is given other weights: its map changed, and no other of its layer did."""
    before, after = network(), network()
    weights, biases = after.get_layer("second").get_weights()
    weights[..., 2] = -weights[..., 2]
    after.get_layer("second").set_weights([weights, biases])
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    same, other = (finetune.compared_maps(before, after, images, maps={"second": index})[0] for index in (1, 2))
    assert same["mean"] == same["shown"] == same["median"] == 1 and same["more"] == 1
    assert other["mean"] < 0.5 and other["more"] == 0
    silent = explain.feature_maps(before, images, "second").max(axis=(1, 2)) == 0
    assert silent.any() and other["maps"] == same["maps"] == (~silent).any(axis=0).sum()


def test_the_record_says_what_was_done(tuned, tmp_path):
    record = finetune.run(PROFILE, progressbar=False)
    record.write(tmp_path)
    measured = records.load_record("finetune-compactnet", "sample", tmp_path).models["compactnet fine-tuned"]
    assert measured["n_test"] == len(tuned.split.rows("test")) == np.sum(measured["confusion"])
    assert measured["printed_percent"] is None, "the paper has no such network"
    assert measured["settings"]["learning_rate"] == 3e-4 and measured["tuning"]["blocks"] == 1
    assert len(measured["history"]) == 2 and measured["best_epoch"] in (1, 2)
    assert measured["parameters"]["trained"] < measured["parameters"]["all"]
    assert "CompactNet, pbc weights, 96 px" in record.notes[0]


def test_the_papers_network_stands_beside_what_the_paper_prints():
    profile = config.profile("sample", tuning=replace(TINY, symmetries=1, images_per_class=2, epochs=1))
    record = finetune.run(profile, "vgg16", progressbar=False)
    measured = record.models["vgg16 fine-tuned"]
    assert record.name == "finetune.sample" and "VGG-16, random weights, 32 px" in record.notes[0]
    assert measured["printed_percent"] == paper.ACCURACY["fine_tuned", "vgg16"].value


def test_the_head_alone_is_a_row_of_its_own_where_a_prefix_is_cached():
    """Trained as long as the head before the blocks is, on the same images and at its own rate."""
    profile = config.profile("sample", tuning=replace(TINY, symmetries=1, images_per_class=2, epochs=1, head_epochs=2))
    models = finetune.run(profile, progressbar=False).models
    assert list(models) == ["compactnet head", "compactnet fine-tuned"]
    head, tuned = models.values()
    assert len(head["history"]) == 2 and len(tuned["history"]) == 1
    assert head["settings"]["learning_rate"] == finetune.HEAD_RATE and tuned["settings"]["learning_rate"] == 3e-4
    assert head["n_test"] == tuned["n_test"] and head["printed_percent"] is None


def test_shares_are_those_of_the_data_set():
    assert balance.shares(paper.N_IMAGES) == paper.TABLE_1
    assert abs(sum(balance.shares(3000).values()) - 3000) <= 4


def test_the_arms_differ_in_one_thing_at_a_time(split):
    chosen = balance.natural(split, 40)
    rows = {name: balance.arm(name, chosen, 12) for name in balance.ARMS}
    counts = {name: np.bincount(labels(split)[sources], minlength=8) for name, (sources, _, _) in rows.items()}
    assert counts["balanced by augmentation"].tolist() == [12] * 8
    assert counts["unbalanced, equal size"].tolist() == list(balance.shares(96).values())
    np.testing.assert_array_equal(counts["balanced by weights"], counts["unbalanced, as it is"])
    copies = {name: (versions > 0).any() for name, (_, versions, _) in rows.items()}
    assert list(copies.values()) == [True, True, False, False]
    weights = [weight for _, _, weight in rows.values()]
    assert weights[2] is not None and weights.count(None) == 3
    unused = set(np.flatnonzero(chosen["subset"] != "train"))
    assert not any(unused & set(sources.tolist()) for sources, _, _ in rows.values())


def test_balance_measures_every_arm():
    how = {"progressbar": False, "seeds": 1}
    begun = balance.run(PROFILE, **how, deadline=time.monotonic())
    assert list(begun.models) == [f"{balance.FIRST[0]}, seed {begun.seed}"]
    assert begun.notes[-1].startswith(f"{records.LEFT}: {balance.FIRST[1]}, seed"), "the paper's two come first"
    record = balance.run(PROFILE, **how, known=begun)
    assert not records.unfinished(record)
    assert [measured["arm"] for measured in record.models.values()] == list(balance.ARMS)
    assert all(len(measured["per_class"]) == 8 for measured in record.models.values())
    assert set(record.models) <= set(record.predictions.columns)


def test_balance_from_the_pixels(cache, monkeypatch):
    """As on the profile `full`, where no prefix of the activations would fit on a disk."""
    monkeypatch.setattr(balance, "ARMS", dict(list(balance.ARMS.items())[-2:]))
    small = replace(TINY, symmetries=0, images_per_class=4, epochs=1)
    record = balance.run(config.profile("sample", small=small, natural=24), progressbar=False, seeds=1)
    assert len(record.models) == 2 and not list(cache.glob("prefix-*"))


def test_two_runs_with_one_seed_are_identical_when_asked_for(drawn, tmp_path):
    """In a process of its own, which then stays deterministic."""
    import os
    import subprocess
    import sys

    code = """
import json, sys
from test_finetune import PROFILE
from bloodcell_utils.datasets import pbc, splits
from bloodcell_utils.experiments import determinism
splits.load_index = lambda profile: pbc.index(sys.argv[1])
print(json.dumps(determinism.run(PROFILE, progressbar=False).models["deterministic"]["identical"]))
"""
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "BLOODCELL_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code, drawn]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert result.stdout.strip().endswith('{"curves": true, "weights": true, "answers": true}'), result.stderr
    assert set(determinism.MODES) == {"as usual", "deterministic"}


def test_a_head_is_not_trained_again_where_its_network_goes_on(cache, monkeypatch):
    profile, heads = config.profile("sample", tuning=replace(TINY, symmetries=1, head_epochs=1, epochs=1)), []
    fit_head = finetune._fit_head
    monkeypatch.setattr(finetune, "_fit_head", lambda *args: heads.append(fit_head(*args)))
    first, again = (finetune.fine_tuned(profile, progressbar=False) for _ in range(2))
    assert len(heads) == 1
    np.testing.assert_array_equal(first.probabilities, again.probabilities)
    (saved,) = (cache / "training").glob("*.last.npz")
    saved.write_bytes(saved.read_bytes()[:100])
    finetune.fine_tuned(profile, progressbar=False)
    assert len(heads) == 2, "what was cut short begins again, head first"
