"""What travels to a graphics card, and what comes back: whole or refused, and a record whatever ends the training."""

import json
import os
import sys
import time
import zipfile

import gpu
import gpu_pack
import h5py
import numpy as np
import pytest

from bloodcell_utils.datasets import pbc
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.datasets.splits import clean
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments import finetune, records
from bloodcell_utils.models import backbones
from bloodcell_utils.training import fitting

SIZE = 32
VGG = {  # layer: maps that it sees and makes
    "block1_conv1": (3, 64), "block1_conv2": (64, 64), "block2_conv1": (64, 128), "block2_conv2": (128, 128),
    "block3_conv1": (128, 256), "block3_conv2": (256, 256), "block3_conv3": (256, 256), "block4_conv1": (256, 512),
    **{f"block{b}_conv{c}": (512, 512) for b, c in ((4, 2), (4, 3), (5, 1), (5, 2), (5, 3))},
}  # fmt: skip


def vgg(path, layers=VGG):
    """A file of weights as Keras keeps ImageNet's: means of what a layer sees, most of which no float16 is."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, (seen, made) in layers.items():
            group = file.create_group(name)
            parts = {
                f"{name}_W_1:0": np.full((3, 3, seen, made), 1 / 9 / seen, "f4"),
                f"{name}_b_1:0": np.zeros(made, "f4"),
            }
            group.attrs["weight_names"] = [part.encode() for part in parts]
            for part, values in parts.items():
                group.create_dataset(part, data=values, compression=1)


@pytest.fixture(scope="module")
def packed(drawn, tmp_path_factory):
    """A pack of the drawn sample, its wheel one that this test invents."""
    folder, source = tmp_path_factory.mktemp("travel") / "pack", tmp_path_factory.mktemp("weights")
    vgg(source / backbones.backbone("vgg16").weights_file())

    def one_wheel(wheels, *_):
        wheels.mkdir()
        with zipfile.ZipFile(wheels / "travelled-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr("travelled_here.py", "WORKS = True")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLOODCELL_WEIGHTS_DIR", str(source))
        patch.setenv("BLOODCELL_DATA_DIR", str(drawn))
        patch.setattr(gpu_pack, "fetch_wheels", one_wheel)
        yield folder, gpu_pack.pack(folder, size=SIZE, kind="WEBP")


def test_the_images_arrive_with_their_names_and_subsets(packed, drawn):
    folder, about = packed
    known, split = pbc.index(drawn), gpu_pack.load(folder)[1]
    there = clean(known)
    assert there["path"].tolist() == split.table["path"].tolist()
    assert there["subset"].tolist() == split.table["subset"].tolist()
    assert pbc.labels(there).tolist() == split.y.tolist()
    before = load_images(there, SIZE, about["crop"], progressbar=False).astype(int)
    assert np.abs(before - split.images).mean() < 6 < np.abs(before[::-1] - split.images).mean()


def test_what_is_said_of_its_size_is_true(packed):
    folder, about = packed
    assert about["bytes"] == {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and path.name != gpu_pack.ABOUT
    }
    assert about["images"] == 72 and about["size"] == SIZE and 0 < about["quality"] < 96
    assert about["all"] == about["repository"] + sum(about["bytes"].values()) <= gpu_pack.LIMIT


def test_weights_travel_in_half_precision_and_are_read(packed, monkeypatch):
    folder, _ = packed
    monkeypatch.setenv("BLOODCELL_WEIGHTS_DIR", str(folder))
    model = backbones.build("vgg16", 32)
    for name, (seen, _) in VGG.items():
        kernel, bias = model.get_layer(name).get_weights()
        assert np.unique(kernel).tolist() == [float(np.float16(1 / 9 / seen))] and not bias.any()


@pytest.mark.parametrize("layers", [None, {"block1_conv1": (3, 64)}])
def test_weights_of_something_else_are_refused(layers, tmp_path, monkeypatch):
    path = tmp_path / backbones.backbone("vgg16").weights_file()
    path.write_bytes(b"no weights") if layers is None else vgg(path, layers)
    monkeypatch.setenv("BLOODCELL_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(BloodcellError, match="weights of VGG-16 could not be loaded"):
        gpu_pack.write_weights(tmp_path)


def copy_of(folder, target):
    target.mkdir()
    for path in folder.rglob("*"):
        if path.is_file():
            (target / path.relative_to(folder)).parent.mkdir(exist_ok=True)
            os.link(path, target / path.relative_to(folder))
    return target


def test_a_damaged_pack_is_named(packed, tmp_path):
    folder = copy_of(packed[0], tmp_path / "copy")
    data = bytearray((folder / gpu_pack.IMAGES).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / gpu_pack.IMAGES).unlink()
    (folder / gpu_pack.IMAGES).write_bytes(data)
    with pytest.raises(BloodcellError, match=r"damaged on its way: images\.zip"):
        gpu_pack.load(folder)
    (folder / gpu_pack.IMAGES).unlink()
    with pytest.raises(BloodcellError, match=r"no whole pack.*images\.zip"):
        gpu_pack.load(folder)
    with pytest.raises(BloodcellError, match=r"no whole pack.*pack\.json"):
        gpu_pack.load(tmp_path)


def test_a_format_that_is_not_read_there(packed, monkeypatch):
    monkeypatch.setattr(gpu_pack.features, "check", lambda _: False)
    with pytest.raises(BloodcellError, match="reads no WEBP"):
        gpu_pack.load(packed[0])


def test_the_best_quality_that_fits():
    images = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 3)).repeat(2, 1).repeat(2, 2).astype(np.uint8)
    rows, found = np.arange(40), {}
    for room in (60_000, 120_000):
        sheets, found[room] = gpu_pack.encoded(images, rows, "WEBP", room)
        assert sum(map(len, sheets)) <= room
    assert found[60_000] < found[120_000]
    with pytest.raises(BloodcellError, match="40 images of 32 px do not fit into 2,000 bytes"):
        gpu_pack.encoded(images, rows, "WEBP", 2_000)


def test_a_folder_that_git_would_take():
    folder = gpu_pack.ROOT / "book" / "a pack"
    with pytest.raises(BloodcellError, match="Git would take"):
        gpu_pack.pack(folder)
    assert not folder.exists()


@pytest.fixture
def on_the_other_machine(monkeypatch):
    """What `prepare` changes is as before after a test."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("KERAS_BACKEND", "BLOODCELL_WEIGHTS_DIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_wheels_are_found_without_being_installed(packed, on_the_other_machine):
    unpacked = gpu.prepare(packed[0])
    import travelled_here

    assert travelled_here.WORKS and travelled_here.__file__.startswith(unpacked.name)
    assert os.environ["BLOODCELL_WEIGHTS_DIR"] == str(packed[0])


def test_what_is_missing_there_is_named(packed, on_the_other_machine, monkeypatch):
    monkeypatch.setattr(gpu, "find_spec", lambda name: None if name in ("h5py", "tensorflow", "jax", "torch") else 1)
    with pytest.raises(SystemExit, match="lacks h5py, TensorFlow, JAX or PyTorch"):
        gpu.prepare(packed[0])


def test_a_record_whatever_ends_the_training(packed, cache, tmp_path, monkeypatch):
    folder, about = packed
    monkeypatch.setenv("BLOODCELL_WEIGHTS_DIR", str(folder))
    monkeypatch.setattr(gpu, "STARTED", time.monotonic())
    how = {"epochs": 2, "batch_size": 8, "images_per_class": 2, "blocks": 1, "head": (4,), "head_epochs": 0}
    epoch, done = fitting._one_epoch, []

    def break_in_the_second(*arguments):
        done.append(1)
        if len(done) == 2:
            raise RuntimeError("the card fell out")
        return epoch(*arguments)

    monkeypatch.setattr(fitting, "_one_epoch", break_in_the_second)
    record = gpu.train(folder, records=tmp_path, **how)
    model = next(iter(record.models.values()))
    assert len(model["history"]) == 1 and "1 of 2 epochs" in record.notes[-1] and "RuntimeError" in record.notes[-1]
    gpu.train(folder, records=tmp_path, **how)
    record = records.load_record("finetune", "full", tmp_path)
    model = next(iter(record.models.values()))
    assert len(model["history"]) == 2 and len(done) == 3 and "Ended" not in record.notes[-1]
    assert model["tuning"]["size"] == SIZE and model["tuning"]["crop"] == about["crop"] and model["images_per_s"] > 0
    assert record.split["test"] == model["n_test"] == len(record.predictions)


def test_an_error_of_the_package_is_said_in_a_line(packed, monkeypatch, capsys, on_the_other_machine):
    def no_time(*_, **__):
        raise BloodcellError("The time was over before a single epoch was done.")

    monkeypatch.setattr(finetune, "run", no_time)
    assert gpu.main(["train", str(packed[0]), "--epochs", "3"]) == 1
    assert capsys.readouterr().err.endswith("gpu: The time was over before a single epoch was done.\n")


def test_the_command_says_what_was_packed(packed, monkeypatch, capsys):
    monkeypatch.setattr(gpu_pack, "pack", lambda folder, **how: {**packed[1], **how})
    assert gpu.main(["pack", "anywhere", "--size", "96"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["size"] == 96 and "sha256" not in said
