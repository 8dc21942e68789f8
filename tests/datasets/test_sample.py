"""The embedded sample: a folder that looks like PBC, blemishes included, written whole or not at all."""

import errno
import hashlib
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bloodcell_utils import config, datasets
from bloodcell_utils.cells import FOLDERS, SUBTYPES
from bloodcell_utils.datasets import sample as module
from bloodcell_utils.datasets.sample import sample, write
from bloodcell_utils.errors import BloodcellError, DataError

PER_CLASS, SIZE = 9, 32


def pictures(folder):
    return [path for path in sorted(folder.glob("*/*.jpg")) if not path.name.startswith(".")]


def flat(spec, size, seed):
    """A stand-in for `draw`, where only the folder matters."""
    return np.full((size, size, 3), seed % 256, np.uint8)


def test_sample_is_in_class_order():
    images, labels = sample(2, 32, seed=1)
    assert images.shape == (16, 32, 32, 3) and images.dtype == np.uint8
    assert labels.dtype == np.int64 and labels.tolist() == np.repeat(range(8), 2).tolist()
    np.testing.assert_array_equal(images, sample(2, 32, seed=1)[0])
    assert np.abs(images.astype(float) - sample(2, 32, seed=2)[0]).mean() > 1


def test_a_picture_is_drawn_again_from_what_it_was_drawn_from(drawn):
    first_batch = [path for path in pictures(drawn) if Image.open(path).size == (SIZE, SIZE + 1)]
    for path in first_batch[::9]:
        if path.parent.name in {"neutrophil", "eosinophil"}:
            continue  # two of these share a file
        spec, drawing = module.spec_of(f"{path.parent.name}/{path.name}", PER_CLASS)
        again = module.draw(spec, SIZE + 1, drawing)[:, :SIZE]
        assert np.abs(again - np.asarray(Image.open(path), float)).mean() < 12, path
    with pytest.raises(BloodcellError, match="no picture"):
        module.spec_of("monocyte/MO_1.jpg", PER_CLASS)


def test_the_followed_cell_can_be_drawn_again():
    spec, drawing = datasets.followed_spec()
    assert spec.nucleus_shape == "kidney" and drawing == datasets.followed_spec()[1]


def test_folder_is_laid_out_like_pbc(drawn):
    files = pictures(drawn)
    assert Counter(path.parent.name for path in files) == dict.fromkeys(FOLDERS, PER_CLASS)
    numbers = [path.stem.split("_")[1] for path in files]
    assert len(set(numbers)) == len(files)
    assert all(SUBTYPES[path.stem.split("_")[0]] == path.parent.name for path in files)
    assert (drawn / "README.txt").read_text().splitlines()[0] == "These cells are drawn, not photographed."


def test_three_pairs_of_files_are_identical_and_one_has_two_labels(drawn):
    same = defaultdict(list)
    for path in pictures(drawn):
        same[hashlib.sha256(path.read_bytes()).hexdigest()].append(path)
    pairs = [pair for pair in same.values() if len(pair) > 1]
    assert [len(pair) for pair in pairs] == [2, 2, 2]
    (mixed,) = [pair for pair in pairs if len({path.parent for path in pair}) == 2]
    assert [path.name.split("_")[0] for path in mixed] == ["EO", "BNE"]


def test_a_second_batch_differs_in_size_and_in_its_slide(drawn):
    sizes, slides = defaultdict(Counter), defaultdict(list)
    for path in pictures(drawn):
        with Image.open(path) as image:
            sizes[image.size][path.parent.name] += 1
            slides[image.size].append(np.percentile(np.asarray(image), 90, axis=(0, 1)))
    first, second = (SIZE, SIZE + 1), (SIZE + 2, SIZE + 3)
    assert set(sizes) == {first, second}
    assert sizes[second] == {name: 4 for name in FOLDERS if name != "platelet"}
    usual, other = np.mean(slides[first], axis=0), np.mean(slides[second], axis=0)
    assert other[0] < usual[0] - 10, "darker"
    assert other[0] - other[2] < usual[0] - usual[2] - 20, "cooler"


def test_one_file_is_no_picture(drawn):
    assert b"Not a picture" in (drawn / "neutrophil" / ".DS_169665.jpg").read_bytes()


def test_a_second_call_writes_nothing(drawn, monkeypatch):
    monkeypatch.setattr(module, "draw", None)
    before = {path: path.stat().st_mtime_ns for path in drawn.rglob("*")}
    assert write(drawn, PER_CLASS, SIZE) == drawn
    assert before == {path: path.stat().st_mtime_ns for path in drawn.rglob("*")}


def test_a_folder_of_something_else_is_left_alone(drawn, tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    for other in (tmp_path, drawn):
        with pytest.raises(DataError, match="holds something else"):
            write(other, PER_CLASS + 1, SIZE)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_interruption_leaves_nothing_half_written(drawn, tmp_path, monkeypatch):
    target = tmp_path / "sample"
    (tmp_path / ".sample.killed" / "ig").mkdir(parents=True)  # what a killed process would leave

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "draw", stop)
        with pytest.raises(KeyboardInterrupt):
            write(target, PER_CLASS, SIZE)
    assert [path.name for path in tmp_path.iterdir()] == [".sample.killed"]
    target.mkdir()  # an empty folder is as good as none
    write(target, PER_CLASS, SIZE)
    assert [(p.name, p.read_bytes()) for p in pictures(target)] == [(p.name, p.read_bytes()) for p in pictures(drawn)]


def test_a_full_disk_is_a_clear_error(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "draw", flat)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="sample cannot be written.*No space left"):
        write(tmp_path / "sample", 8, SIZE)
    assert not list(tmp_path.iterdir())


def test_two_writers_at_once_do_not_disturb_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "draw", flat)
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: write(tmp_path / "sample", 8, SIZE), range(4)))
    assert set(folders) == {tmp_path / "sample"} == set(tmp_path.iterdir())
    assert len(pictures(tmp_path / "sample")) == 64


def test_the_sample_profile_draws_into_the_cache(cache, monkeypatch):
    monkeypatch.setattr(module, "draw", flat)
    table = datasets.load_index(config.profile("sample"))
    (folder,) = cache.iterdir()
    assert table["source"].unique().tolist() == [str(folder)] and len(table) == 480


@pytest.mark.parametrize(("change", "message"), [({"per_class": 7}, "per_class is 7.*8 to"), ({"size": 1022}, "1021")])
def test_impossible_requests_are_refused(change, message, tmp_path):
    with pytest.raises(BloodcellError, match=message):
        write(tmp_path / "sample", **change)
    assert not list(tmp_path.iterdir())
