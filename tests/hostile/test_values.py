"""What people pass to the functions: a table of values, and what is expected of each."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import bloodcell_utils
from bloodcell_utils.course import capstone
from bloodcell_utils.datasets import audit, pbc, sample, splits
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.files import locked, replace_file, replace_files

CELL = sample.sample(per_class=1, size=128)[0][0]
REFUSED = {
    "nothing": (None, "files, folders and arrays, not NoneType"),
    "a number": (7, "files, folders and arrays, not int"),
    "an image as nested lists": (CELL.tolist(), "not a list of numbers: make it one with np.asarray"),
    "a ragged list": ([[[1, 2], [3]]], "not a list of numbers"),
    "a level that is infinite": (np.where(CELL == CELL.max(), np.inf, CELL), "Levels are from 0 to 255"),
    "a level that is no number": (np.where(CELL == CELL.max(), np.nan, CELL), "Levels are from 0 to 255"),
    "an empty name": ("", "name of an image is empty"),
}


@pytest.mark.parametrize(("images", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_image_is_refused(images, words):
    with pytest.raises(BloodcellError, match=words):
        bloodcell_utils.predict(images)


def test_a_name_with_a_null_byte_is_an_unreadable_file():
    row = bloodcell_utils.predict("a\0.jpg").iloc[0]
    assert row["answer"] == "unreadable" and "null" in row["problem"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_picture_that_was_taken_upright_is_turned_as_browsers_turn_it(encode, kind):
    from bloodcell_utils.datasets.pictures import decode

    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    plain, turned = (decode(encode(CELL, kind, **options, **more), None) for more in ({}, {"exif": exif.tobytes()}))
    np.testing.assert_array_equal(turned, plain if kind == "WEBP" else np.rot90(plain, -1))


def test_damaged_tags_of_a_camera_cost_no_picture(encode):
    from bloodcell_utils.datasets.pictures import decode

    assert decode(encode(CELL, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01"), None).shape == CELL.shape


@pytest.mark.parametrize("share", [0.3, 0.55, 0.8, 0.95])
@pytest.mark.parametrize("options", [{"quality": 75}, {"quality": 95, "subsampling": 0}], ids=["420", "444"])
def test_a_jpeg_whose_data_break_off_before_its_end_mark(encode, share, options):
    from bloodcell_utils.datasets.pictures import decode

    data = encode(CELL, "JPEG", **options)
    scan = data.index(b"\xff\xda") + 14
    cut = data[: scan + round(share * (len(data) - scan))].rstrip(b"\xff") + b"\xff\xd9"
    for size in (None, 32):
        with pytest.raises(BloodcellError, match="break off"):
            decode(cut, size, reduced=True)
        decode(data, size, reduced=True)


@pytest.mark.parametrize("mode", ["P", "RGBA", "L", "RGB"])
def test_a_picture_in_memory_is_what_it_looks_like(mode, tmp_path):
    image = Image.fromarray(CELL).convert(mode)
    image.save(tmp_path / "cell.png")
    memory, file = (bloodcell_utils.predict(one).iloc[0] for one in ([image], tmp_path / "cell.png"))
    assert memory["answer"] == file["answer"] and memory["confidence"] == pytest.approx(file["confidence"], abs=1e-6)
    assert bloodcell_utils.predict(image).iloc[0]["answer"] == file["answer"]


@pytest.mark.parametrize("bad", [np.nan, 2.7, np.inf], ids=str)
def test_a_class_is_a_whole_number(bad):
    with pytest.raises(BloodcellError, match="y_pred has a class"):
        metrics.confusion_matrix([0, 1], [0, bad])


def test_copies_in_four_rotations_stay_together(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
        for number in range(8):
            picture = Image.fromarray(np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8))
            for turn in range(4):
                picture.rotate(90 * turn).save(tmp_path / kind / f"{number}-{turn}.jpg", quality=70 + 5 * turn)
    table, report = capstone.audit(tmp_path)
    assert len(report.alike) == 16 and "64 of the images are 16 pictures" in str(report)
    halves = capstone.split(capstone.with_groups(table))
    picture = halves["path"].str.replace(r"-\d.jpg", "", regex=True)
    assert (halves.groupby(picture)["subset"].nunique() == 1).all()


def test_different_cells_are_no_look_alikes(table):
    kept = audit.clean(table)[0]
    assert len(set(audit.look_alikes(kept))) == len(kept)


def test_contradictions_in_a_table_of_patients(table, tmp_path):
    rows = pd.DataFrame({"path": [*table["path"], table["path"][0]], "group": [*["a"] * len(table), "b"]})
    rows.to_csv(tmp_path / "patients.csv", index=False)
    with pytest.raises(BloodcellError, match="gives .* two patients"):
        capstone.with_groups(table, tmp_path / "patients.csv")


def test_a_pattern_with_a_named_bracket(table):
    assert capstone.with_groups(table, r"^(?P<patient>[A-Z]+)_")["group"].nunique() > 1


def test_a_class_that_would_have_no_test_image(drawn, tmp_path):
    few = pbc.index(drawn).groupby("class").head(3)
    with pytest.raises(BloodcellError, match="has . images, which leaves none for"):
        splits.clean(few)


def test_a_damaged_sample_is_drawn_again(tmp_path):
    folder = sample.write(tmp_path / "set", per_class=8, size=32)
    pictures = sorted(folder.glob("*/*.jpg"))
    before = [path.read_bytes() for path in pictures]
    first, second, third = pictures[:3]
    first.write_bytes(second.read_bytes())  # swapped
    third.unlink()
    (first.parent / "strange.jpg").write_bytes(before[0])
    sample.write(folder, per_class=8, size=32)  # a reader's own folder is the reader's
    assert not third.exists()
    with pytest.warns(UserWarning, match="damaged or changed"):
        sample.write(folder, per_class=8, size=32, repair=True)
    assert sorted(folder.glob("*/*.jpg")) == pictures and [path.read_bytes() for path in pictures] == before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_class_folder_that_may_not_be_opened_is_named(drawn, monkeypatch):
    """The tests run as root where nothing is closed, so the refusal is made."""
    scandir = os.scandir

    def closed(path):
        if str(path).endswith("ig"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(BloodcellError, match="ig may not be opened.*its images would be missing"):
        pbc.index(drawn)


def test_the_rights_of_a_file_and_a_link_to_it_stay(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o600)
    (tmp_path / "link").symlink_to("file")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_of_two_files_that_belong_together_both_or_none(tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(BloodcellError, match="no regular file"):
        replace_files({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_who_waits_for_a_lock_says_for_whom(tmp_path, capsys):
    held, released = threading.Event(), threading.Event()

    def hold():
        with locked(tmp_path / "x"):
            held.set()
            released.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    threading.Timer(0.3, released.set).start()
    with locked(tmp_path / "x", patience=0.1):
        pass
    thread.join()
    assert "Waiting for" in capsys.readouterr().err


def test_predictions_of_another_run_are_not_taken(tmp_path):
    from bloodcell_utils.experiments import records

    def write(right):
        answers = pd.DataFrame({"path": ["x"], "true": [0], "a": [1 - right]})
        measured = {"a": records.measure([[right, 1 - right], [0, 0]], 1.0)}
        made = records.Record("svm", "sample", measured, ["a", "b"], {}, {"name": "x"}, predictions=answers)
        return made.write(tmp_path)

    path = write(1)
    table = tmp_path / "svm.sample.predictions.csv.gz"
    old = table.read_bytes()
    assert len(records.read(path).predictions) == 1
    write(0)
    table.write_bytes(old)
    with pytest.raises(BloodcellError, match="is of another run"):
        records.read(path)
    table.unlink()
    with pytest.raises(BloodcellError, match="not a whole one"):
        records.read(path)


def test_half_of_a_feature_file_zeroed_is_noticed(cache):
    from bloodcell_utils.datasets.cache import stored_array

    def rows(start, stop):
        return np.arange(start, stop, dtype=np.float32)[:, None] + np.ones(64, np.float32)

    how = {"shape": (1000, 64), "dtype": np.float32, "compute": rows, "block": 100, "progressbar": False}
    expected = np.array(stored_array("features", **how))
    data = bytearray((cache / "features.npy").read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    (cache / "features.npy").write_bytes(data)
    with pytest.warns(UserWarning, match="features.npy was damaged"):
        np.testing.assert_array_equal(stored_array("features", **how), expected)


@pytest.mark.parametrize("encoding", ["cp1252", "cp932", "ascii"])
def test_any_terminal_shows_any_name(encoding, tmp_path):
    Image.fromarray(CELL).save(tmp_path / "Zелl-白血球-✓.png")
    done = run(["predict", str(tmp_path)], PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and b"-" in done.stdout and not done.stderr


def test_a_full_disk_behind_the_output_and_a_closed_one(tmp_path):
    Image.fromarray(CELL).save(tmp_path / "a.png")
    if Path("/dev/full").exists():
        with open("/dev/full", "wb") as full:
            done = run(["predict", str(tmp_path)], stdout=full)
        assert done.returncode == 1 and done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr
    closed = subprocess.run(f'"{sys.executable}" -m bloodcell_utils predict "{tmp_path}" 2>&-', shell=True, timeout=60)
    assert closed.returncode == 0


def test_answers_that_cannot_be_written_are_printed(tmp_path, monkeypatch, capsys):
    from bloodcell_utils import cli
    from bloodcell_utils.cli import reading

    def full(path, data):
        raise BloodcellError(f"{path} cannot be written: No space left.")

    Image.fromarray(CELL).save(tmp_path / "a.png")
    monkeypatch.setattr(reading, "replace_file", full)
    assert cli.main(["predict", str(tmp_path / "a.png"), "--csv", str(tmp_path / "a.csv")]) == 1
    seen = capsys.readouterr()
    assert "a.png" in seen.out and "No space left. The answers are below." in seen.err


def test_a_name_is_no_formula_for_a_spreadsheet(tmp_path, monkeypatch):
    from bloodcell_utils import cli

    monkeypatch.chdir(tmp_path)
    Image.fromarray(CELL).save(tmp_path / "=1+1.png")
    assert cli.main(["predict", "=1+1.png", "--csv", "out.csv"]) == 0
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("'=1+1.png,")


def test_an_interruption_says_the_truth(tmp_path, monkeypatch, capsys):
    from bloodcell_utils import cli
    from bloodcell_utils.evaluation import prediction

    def stop(*args, **options):
        raise KeyboardInterrupt

    Image.fromarray(CELL).save(tmp_path / "a.png")
    monkeypatch.setattr(prediction, "predict", stop)
    assert cli.main(["predict", str(tmp_path)]) == 130
    assert "No file is half written" in capsys.readouterr().err


def run(arguments, stdout=subprocess.PIPE, **variables):
    command = [sys.executable, "-m", "bloodcell_utils", *arguments]
    environment = os.environ | variables
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=environment, timeout=60)


def test_a_model_card_that_was_answered_is_set_aside(tmp_path):
    from bloodcell_utils.course import model_card

    (tmp_path / "set").mkdir()
    path = model_card.save(tmp_path / "set", "a card: ____")
    path.write_text("a card: my answer")
    model_card.save(tmp_path / "set", "a card: ____")
    assert (tmp_path / "set-card.1.md").read_text() == "a card: my answer" and path.read_text() == "a card: ____"
    model_card.save(tmp_path / "set", "a card: ____")
    assert len(list(tmp_path.glob("*.md"))) == 2


def test_a_picture_that_changed_after_it_was_indexed(drawn, tmp_path, cache):
    import shutil

    from bloodcell_utils.datasets.loading import load_images

    copy = shutil.copytree(drawn, tmp_path / "set")
    table = pbc.index(copy)
    first, second = (copy / path for path in table["path"][:2])
    first.write_bytes(second.read_bytes())
    with pytest.raises(BloodcellError, match="has changed since .* was indexed"):
        load_images(table, 16, progressbar=False)


def test_patients_with_a_space_are_the_same_and_na_is_a_name(table, tmp_path):
    names = ["P1", "P1 ", "NA"]
    rows = pd.DataFrame({"path": table["path"], "group": [names[i % 3] for i in range(len(table))]})
    rows.to_csv(tmp_path / "patients.csv", index=False)
    assert capstone.with_groups(table, tmp_path / "patients.csv")["group"].nunique() <= 2


NUMBERS = {
    "more right than images": lambda: metrics.two_proportions(15, 10, 5, other_n=10),
    "fewer than none": lambda: metrics.two_proportions(-3, 10, 5, other_n=10),
    "lists of other lengths": lambda: metrics.mcnemar([0, 1, 2], [0], [1, 1, 2]),
    "a negative count": lambda: metrics.per_class([[5, -3], [1, 2]]),
    "a matrix that is no square": lambda: metrics.balanced_accuracy([[5, 3, 1], [1, 2, 1]]),
    "a level in percent": lambda: metrics.wilson(5, 10, 95),
}


@pytest.mark.parametrize("compute", NUMBERS.values(), ids=NUMBERS)
def test_numbers_that_cannot_be(compute):
    with pytest.raises(BloodcellError):
        compute()


ODD = {"inf": np.inf, "-inf": -np.inf, "nan": np.nan, "huge": 10**400, "nested": [[[]]], "an object": object()}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
def test_no_answer_to_an_exercise_ends_in_a_traceback(answer):
    from bloodcell_utils.course import checks

    for exercise in checks.COMPUTED:
        assert checks.verdict(exercise, answer).right is False


def test_a_checkpoint_of_something_else_is_not_resumed(cache):
    keras = pytest.importorskip("keras")
    from bloodcell_utils.training.checkpoints import Checkpoint

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    Checkpoint(model, "some").save([{"epoch": 1}], best=True)
    assert Checkpoint(model, "some").resume() == [{"epoch": 1}]
    for arrays in ({"v0": np.ones((2, 1))}, {"history": np.frombuffer(b"[", np.uint8)}):
        np.savez(cache / "training" / "some.last.npz", **arrays)
        assert Checkpoint(model, "some").resume() == []


def test_a_backend_that_is_not_there_is_named(monkeypatch, tmp_path):
    from bloodcell_utils.cli import doctor

    class Failed:
        returncode = 1

        def communicate(self, timeout):
            return "", "ModuleNotFoundError: No module named 'torch'"

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert next(doctor._network(Failed())).advice == doctor.INSTALL
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert "KERAS_BACKEND" in next(doctor._network(Failed())).advice
    monkeypatch.delenv("KERAS_BACKEND")
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    assert "keras.json" in next(doctor._network(Failed())).advice
