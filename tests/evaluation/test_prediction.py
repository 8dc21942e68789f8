"""Reading cells: files, folders and arrays in; a table out; never a traceback for a bad file."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy.special import log_softmax

import bloodcell_utils
from bloodcell_utils import cells, cli, config
from bloodcell_utils.datasets import splits, strangers
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import adaptation, contract, prediction
from bloodcell_utils.models import pretrained


@pytest.fixture(scope="module")
def cell():
    """A picture with a dark disc in the middle."""
    y, x = np.mgrid[:200, :240]
    disc = np.hypot(y - 100, x - 120) < 45
    return np.where(disc[..., None], (120, 70, 140), (232, 215, 220)).astype(np.uint8)


def save(picture, path, mode=None, **options):
    image = Image.fromarray(picture)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def test_a_row_an_image(tmp_path, cell):
    path = save(cell, tmp_path / "cell.png")
    table = bloodcell_utils.predict([path, cell])
    assert list(table["image"]) == [str(path), "1"]
    assert list(table.columns) == ["image", "answer", "confidence", "strangeness", *cells.FOLDERS, "note", "problem"]
    np.testing.assert_allclose(table[list(cells.FOLDERS)].sum(axis=1), 1)
    np.testing.assert_allclose(table["confidence"], table[list(cells.FOLDERS)].max(axis=1))
    np.testing.assert_allclose(*table[list(cells.FOLDERS)].to_numpy(float), rtol=1e-4)


def test_one_file_one_array_and_a_stack(tmp_path, cell):
    assert len(bloodcell_utils.predict(str(save(cell, tmp_path / "a.jpg")))) == 1
    assert len(bloodcell_utils.predict(cell)) == 1
    assert len(bloodcell_utils.predict(np.stack([cell] * 3))) == 3
    assert len(bloodcell_utils.predict(cell[..., 0])) == 1, "grey"


def test_a_folder_is_read_with_its_folders_and_without_other_files(tmp_path, cell):
    (tmp_path / "more").mkdir()
    for name in ("b.png", "a.jpg", "more/c.TIF"):
        save(cell, tmp_path / name, format="PNG")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.png").write_bytes(b"")
    assert [name[len(str(tmp_path)) + 1 :] for name in prediction.predict(tmp_path)["image"]] == [
        "a.jpg",
        "b.png",
        "more/c.TIF",
    ]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I", "F", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (64, 64), (900, 700)])
def test_any_size_and_any_mode(tmp_path, cell, mode, size):
    image = Image.fromarray(cell).resize(size)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 16)
    path = tmp_path / "cell.tif"
    image.convert(mode).save(path)
    row = prediction.predict(path).iloc[0]
    assert row["problem"] == "" and 0 < row["confidence"] <= 1


def test_an_animation_is_read_by_its_first_frame(tmp_path, cell):
    first, second = Image.fromarray(cell), Image.fromarray(255 - cell)
    first.save(tmp_path / "moving.webp", save_all=True, append_images=[second], lossless=True)
    first.save(tmp_path / "still.webp", lossless=True)
    table = prediction.predict([tmp_path / "moving.webp", tmp_path / "still.webp"])
    assert table.loc[0, "confidence"] == pytest.approx(table.loc[1, "confidence"], abs=1e-6)


def test_a_bad_file_is_reported_and_the_others_are_read(tmp_path, cell):
    good = save(cell, tmp_path / "good.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:200])
    table = prediction.predict([cut, tmp_path / "nowhere.png", good])
    assert list(table["answer"][:2]) == ["unreadable"] * 2 and table.loc[2, "answer"] != "unreadable"
    assert "cut.png is damaged" in table.loc[0, "problem"] and "nowhere.png" in table.loc[1, "problem"]
    assert table.loc[2, "problem"] == "" and table.loc[0, list(cells.FOLDERS)].isna().all()


def test_the_threshold_decides_who_gets_a_name(cell):
    assert prediction.predict(cell, threshold=0)["answer"][0] in cells.FOLDERS
    assert prediction.predict(cell, threshold=1)["answer"][0] == prediction.UNSURE


def test_what_is_no_cell_gets_no_name():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (3, 128, 128, 3), dtype=np.uint8)
    table = prediction.predict([*noise, np.full((128, 128, 3), 230, np.uint8), np.zeros((128, 128, 3), np.uint8)])
    assert (table["answer"] == prediction.UNSURE).all()
    assert (table["strangeness"][:3] > 1).all()


def test_the_ninth_score_takes_names_away_and_nothing_else(cell, monkeypatch):
    def with_score(value):
        monkeypatch.setattr(prediction.pretrained, "none_score", lambda features, folder: np.full(len(features), value))
        return prediction.predict(cell, threshold=1e-6).iloc[0]

    low, high = with_score(-50.0), with_score(50.0)
    assert high["strangeness"] > 1 and high["answer"] == prediction.UNSURE
    assert high["strangeness"] > low["strangeness"]
    assert list(high[list(cells.FOLDERS)]) == list(low[list(cells.FOLDERS)]), "the eight share the whole"
    assert prediction.predict(cell, threshold=0)["answer"][0] in cells.FOLDERS, "who asks for names gets them"


@pytest.mark.parametrize("away", [False, True])
def test_both_networks_are_asked_at_home_and_one_alone_elsewhere(cell, monkeypatch, away):
    monkeypatch.setattr(adaptation, "colour_distance", lambda shown, folder: np.full(len(shown), 2.0 if away else 0.5))
    shown, _, _ = prediction.prepare([cell, cell[::-1]])
    found, strangeness = prediction.predict_proba(shown)
    scores, features = pretrained.logits(shown, pretrained.TRAVELLED)
    alone, strange = prediction.judge(scores, features)
    np.testing.assert_array_equal(strangeness, strange, "only the one that travelled knows strangers")
    scores = scores / pretrained.metadata(pretrained.TRAVELLED)["temperature"]
    stayed = pretrained.logits(shown)[0] / pretrained.metadata()["temperature"]
    expected = np.exp(scores if away else (log_softmax(scores, axis=1) + log_softmax(stayed, axis=1)) / 2)
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), atol=1e-6)
    assert np.array_equal(found, alone) == away


def test_the_colours_of_each_picture_decide_for_it_alone(cell, monkeypatch):
    monkeypatch.setattr(adaptation, "colour_distance", lambda shown, folder: np.array([0.5, 2.0, 0.5]))
    shown, _, _ = prediction.prepare([cell] * 3)
    here, away, again = prediction.predict_proba(shown)[0]
    np.testing.assert_allclose(here, again, atol=1e-6)
    assert not np.allclose(here, away, atol=1e-6)


def test_an_adaptation_is_of_the_network_that_travelled(cell, monkeypatch):
    def never(shown, folder):
        raise AssertionError("adapted colours are not compared with home's")

    monkeypatch.setattr(adaptation, "colour_distance", never)
    w = pretrained.weights(pretrained.TRAVELLED)
    unchanged = SimpleNamespace(match=lambda shown: shown, kernel=w["logits/kernel"], bias=w["logits/bias"])
    shown, _, _ = prediction.prepare([cell])
    for found, expected in zip(
        prediction.predict_proba(shown, unchanged),
        prediction.judge(*pretrained.logits(shown, pretrained.TRAVELLED)),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_none_of_the_eight_is_refused_and_exchanged_colours_are_told():
    """With the shipped weights and drawn images: what is no cell, and cells with red and blue exchanged."""
    split = splits.load_split(config.profile("sample"), 128, reduced=True, progressbar=False)
    pictures, kinds = strangers.strangers(split, "test", 60)
    table = prediction.predict(pictures)
    assert (table["answer"] == prediction.UNSURE).mean() > 0.95
    assert set(kinds[table["note"] == contract.EXCHANGED]) <= {"red and blue exchanged"}
    cells_of_test = np.asarray(split.images[split.rows("test")[::2]])
    named = prediction.predict(cells_of_test)["answer"] != prediction.UNSURE
    assert named.any()
    turned = prediction.predict(cells_of_test[named][..., ::-1])
    refused = turned["answer"] == prediction.UNSURE
    assert refused.mean() > 0.9 and (turned["note"][refused] == contract.EXCHANGED).all()
    anything = prediction.predict(pictures[::4], threshold=0)
    assert anything["answer"].isin(cells.FOLDERS).all() and (anything["note"] == "").all()


def test_the_share_of_the_ninth_score():
    even = prediction.none_share(np.zeros((2, 8)), np.zeros(2), 1.0)
    np.testing.assert_allclose(even, 1 / 9)
    scores = np.arange(16.0).reshape(2, 8)
    assert np.all(np.diff([prediction.none_share(scores, np.full(2, s), 0.7) for s in range(0, 20, 4)], axis=0) > 0)


def test_a_picture_without_a_name_has_a_note_and_one_with_a_name_has_none(cell, monkeypatch):
    monkeypatch.setattr(prediction, "remarks", lambda x, strange, *_, crop: np.where(strange, "odd", ""))
    assert prediction.predict(cell, threshold=1)["note"][0] == "odd"
    assert prediction.predict(cell, threshold=0)["note"][0] == "", "nothing was refused"


def test_red_and_blue_exchanged_are_named(monkeypatch):
    """A network that names what is redder than blue: the exchanged picture gets a note, and its twin a name."""

    def redder(pictures, adapted=None):
        red = pictures[..., 0].mean(axis=(1, 2)) > pictures[..., 2].mean(axis=(1, 2))
        return np.tile(np.eye(8)[0], (len(pictures), 1)), np.where(red, 0.5, 2.0)

    monkeypatch.setattr(prediction, "predict_proba", redder)
    picture = np.full((128, 128, 3), (220, 200, 180), np.uint8)
    right, exchanged = prediction.predict([picture, picture[..., ::-1]]).itertuples()
    assert right.answer == cells.FOLDERS[0] and right.note == ""
    assert exchanged.answer == prediction.UNSURE and exchanged.note == contract.EXCHANGED


@pytest.mark.parametrize("size", [100, 363, 1200])
def test_the_same_picture_at_another_size_gets_about_the_same_answer(cell, size):
    square = Image.fromarray(cell[:, 20:220])
    p = prediction.predict([np.asarray(square.resize((s, s), Image.Resampling.BICUBIC)) for s in (size, 200)])
    np.testing.assert_allclose(*p[list(cells.FOLDERS)].to_numpy(float), atol=0.1)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([], "no image to read"),
        (np.zeros((5, 5, 4)), r"not float64 \(5, 5, 4\)"),
        (np.full((5, 5, 3), -1.0) + np.arange(3), "from 0 to 255; these go from -1 to 1"),
        (np.linspace(0, 1, 75).reshape(5, 5, 3), "these go from 0 to 1"),
    ],
)
def test_what_is_no_image(images, words):
    with pytest.raises(BloodcellError, match=words):
        prediction.predict(images)


def test_an_empty_folder_and_a_wrong_crop(tmp_path, cell):
    with pytest.raises(BloodcellError, match="no image in"):
        prediction.predict(tmp_path)
    with pytest.raises(BloodcellError, match="crop=0"):
        prediction.predict(cell, crop=0)


def test_on_the_command_line(tmp_path, cell, capsys):
    good = save(cell, tmp_path / "good.png")
    assert cli.main(["predict", str(good)]) == 0
    assert "good.png" in capsys.readouterr().out
    table = tmp_path / "out" / "cells.csv"
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    assert cli.main(["predict", str(tmp_path), "--csv", str(table)]) == 1
    seen = capsys.readouterr()
    assert "1  unreadable" in seen.out and "bad.png is a text file" in seen.err
    lines = table.read_text().splitlines()
    assert len(lines) == 3 and lines[0].startswith("image,answer,confidence,strangeness,neutrophil")
    assert cli.main(["predict", str(tmp_path / "nothing.png")]) == 1


def test_explained_with_a_picture(tmp_path, cell, capsys):
    good = save(cell, tmp_path / "good.png")
    assert cli.main(["predict", str(good), "--explain", str(tmp_path / "heat")]) == 0
    (written,) = (tmp_path / "heat").iterdir()
    assert str(written) in capsys.readouterr().out
    with Image.open(written) as image:
        assert image.size == (768, 384)


def test_the_answer_is_explained_not_what_the_network_at_home_says(tmp_path, cell, monkeypatch):
    asked = []
    monkeypatch.setattr(prediction, "overlay_heatmap", lambda picture, model, kind: asked.append(kind) or picture)
    monkeypatch.setattr(pretrained, "network", lambda: None)
    table = prediction.predict([save(cell, tmp_path / "a.png")] * 2)
    table.loc[1, list(cells.FOLDERS)] = np.eye(8)[6]
    prediction.explain(table, tmp_path / "heat")
    assert asked == [table.loc[0, list(cells.FOLDERS)].astype(float).argmax(), 6]


def test_a_turned_photograph_is_read_as_the_upright_one(tmp_path, cell):
    """As in the cell lab (tests/pages/test_lab.py)."""
    tags, upright = Image.Exif(), Image.fromarray(cell[30:])
    tags[0x0112] = 6  # turn it a quarter to the right
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=tags)
    upright.save(tmp_path / "upright.png")
    pictures, _, _ = prediction.prepare([tmp_path / "turned.png", tmp_path / "upright.png"])
    assert np.array_equal(*pictures) and not np.array_equal(pictures[0], pictures[0].swapaxes(0, 1))


def test_reading_loads_no_tensorflow(tmp_path, cell):
    path = save(cell, tmp_path / "cell.png")
    code = (
        f"import sys, bloodcell_utils; bloodcell_utils.predict({str(path)!r}); "
        "sys.exit('loaded' if {'tensorflow', 'keras', 'matplotlib', 'sklearn'} & set(sys.modules) else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
