"""The index of a set of images: complete, the same from a folder and a zip, and clear about what is wrong."""

import shutil
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest

from bloodcell_utils import paper
from bloodcell_utils.cells import FOLDERS, SUBTYPES
from bloodcell_utils.datasets import archives, audit, download, pbc
from bloodcell_utils.errors import DataError


@pytest.fixture
def copy(drawn, tmp_path):
    """A copy of the drawn sample that a test may spoil."""
    return shutil.copytree(drawn, tmp_path / "copy")


def zip_folder(folder, path, prefix="", compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def test_columns_and_order(table):
    assert list(table.columns) == pbc.COLUMNS
    assert table["path"].is_monotonic_increasing and table["path"].is_unique and len(table) == 72
    assert set(table["class"]) == set(FOLDERS) and set(table["subtype"]) <= set(SUBTYPES)
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert (table["path"].str.split("/").str[0] == table["class"]).all()
    assert table.groupby("batch")[["width", "height"]].agg(set)["width"].to_dict() == {1: {32}, 2: {34}}


@pytest.mark.parametrize("prefix", ["", "PBC_dataset_normal_DIB/", "deep/er/"])
def test_a_zip_and_its_folder_give_the_same_index(drawn, table, tmp_path, prefix):
    path = zip_folder(drawn, tmp_path / "archive.zip", prefix)
    zipped = pbc.index(path)
    assert zipped["source"].unique().tolist() == [str(path)]
    pd.testing.assert_frame_equal(zipped.drop(columns="source"), table.drop(columns="source"))


def test_hidden_files_and_what_a_mac_adds_are_passed_over(copy, table, tmp_path):
    (copy / "ig" / "._MY_1.jpg").write_bytes(b"resource fork")
    (copy / "__MACOSX" / "ig").mkdir(parents=True)
    (copy / "__MACOSX" / "ig" / "MY_1.jpg").write_bytes(b"resource fork")
    (copy / ".hidden").mkdir()
    (copy / ".hidden" / "MY_1.jpg").write_bytes(b"no class")
    (copy / "ig" / "notes.txt").write_text("no image by its name")
    for source in (copy, zip_folder(copy, tmp_path / "archive.zip"), zip_folder(copy, tmp_path / "b.zip", "PBC/")):
        found = pbc.index(source)
        pd.testing.assert_frame_equal(found.drop(columns="source"), table.drop(columns="source"))


def test_where_the_images_are(drawn, tmp_path, monkeypatch):
    assert pbc.locate(drawn) == drawn
    monkeypatch.setenv("BLOODCELL_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match="bloodcell data fetch"):
        pbc.locate()
    (tmp_path / ".half-made" / "ig").mkdir(parents=True)  # what a killed process leaves
    (tmp_path / ".arriving.zip").write_bytes(b"half")
    with pytest.raises(DataError, match="No images found"):
        pbc.locate()
    other = zip_folder(drawn, tmp_path / "a.zip")
    assert pbc.locate() == other
    official = zip_folder(drawn, tmp_path / archives.ARCHIVE)
    assert pbc.locate() == official
    unpacked = shutil.copytree(drawn, tmp_path / "PBC_dataset_normal_DIB")
    assert pbc.locate() == unpacked
    with pytest.raises(DataError, match="No images found in .*gone"):
        pbc.index(tmp_path / "gone")


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_a_class_without_images_is_named(copy, how, tmp_path):
    shutil.rmtree(copy / "basophil")
    if how == "emptied":
        (copy / "basophil").mkdir()
    for source in (copy, zip_folder(copy, tmp_path / "archive.zip")):
        with pytest.raises(DataError, match=r"class folder\(s\) basophil.*classes=None"):
            pbc.index(source)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="No images found"):
        pbc.index(tmp_path)
    (tmp_path / "ig").mkdir()
    with pytest.raises(DataError, match="neutrophil, .*, ig, .*platelet"):
        pbc.index(tmp_path)
    with pytest.raises(DataError, match="holds no images"):
        pbc.index(tmp_path, classes=None)


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"a text", "is a text file"), (b"", "is empty"), (b"\xff\xd8\x00\x01\x02", "is no image.*damaged")],
)
def test_a_file_that_only_has_the_name_of_an_image(copy, table, content, what, tmp_path):
    (copy / "ig" / "MY_0.jpg").write_bytes(content)
    for source in (copy, zip_folder(copy, tmp_path / "archive.zip")):
        with pytest.raises(DataError, match=rf"ig/MY_0.jpg {what}.*on_error='skip'"):
            pbc.index(source)
        with pytest.warns(UserWarning, match="ig/MY_0.jpg"):
            found = pbc.index(source, on_error="skip")
        assert found["path"].tolist() == table["path"].tolist()


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_of_any_format_are_skipped_when_asked(tmp_path, encode):
    rng = np.random.default_rng(0)
    (tmp_path / "mine").mkdir()
    for i in range(400):
        data = bytearray(encode(np.full((9, 9, 3), i % 256, np.uint8), ["JPEG", "PNG", "TIFF", "BMP", "GIF"][i % 5]))
        for at in rng.integers(0, min(len(data), 120), 4):
            data[at] = rng.integers(256)
        (tmp_path / "mine" / f"{i}.png").write_bytes(data)
    (tmp_path / "mine" / "whole.png").write_bytes(encode(np.zeros((7, 7, 3), np.uint8)))
    found = pbc.index(tmp_path, classes=None, on_error="skip")
    assert "mine/whole.png" in set(found["path"]) and len(found) < 400


def test_many_unreadable_files_are_counted_and_some_named(copy):
    for i in range(8):
        (copy / "ig" / f"MY_{i}.jpg").write_text("a text")
    with pytest.raises(DataError, match=r"8 file\(s\).*MY_0.jpg.*MY_4.jpg.*and 3 more"):
        pbc.index(copy)


def test_a_set_of_the_readers_own(tmp_path, encode):
    for path in ("sick/a.png", "sick/b_1.PNG", "well/c_x_2.bmp", "well/d.tif", "well/e.jpeg"):
        (tmp_path / "mine" / path).parent.mkdir(parents=True, exist_ok=True)
        format = {"PNG": "PNG", "png": "PNG", "bmp": "BMP", "tif": "TIFF", "jpeg": "JPEG"}[path.split(".")[1]]
        (tmp_path / "mine" / path).write_bytes(encode(np.full((6, 5, 3), len(path), np.uint8), format))
    found = pbc.index(tmp_path / "mine", classes=None)
    assert found["class"].tolist() == ["sick", "sick", "well", "well", "well"]
    assert found["subtype"].tolist() == ["", "b", "c", "", ""]
    assert (found[["width", "height"]] == (5, 6)).all(axis=None)
    assert pbc.labels(found, ("sick", "well")).tolist() == [0, 0, 1, 1, 1]
    with pytest.raises(DataError, match="classes=None"):
        pbc.index(tmp_path / "mine")


def test_other_folders_beside_the_classes_are_not_read(copy, table):
    (copy / "artefact").mkdir()
    shutil.copy(next((copy / "ig").glob("*.jpg")), copy / "artefact" / "x.jpg")
    assert pbc.index(copy)["path"].tolist() == table["path"].tolist()
    assert len(pbc.index(copy, classes=None)) == len(table) + 1


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_a_damaged_member_is_named(drawn, table, tmp_path, compression):
    path = zip_folder(drawn, tmp_path / "archive.zip", compression=compression)
    name = table["path"][10]
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    data = bytearray(path.read_bytes())
    middle = info.header_offset + 30 + len(name) + info.compress_size // 2
    data[middle : middle + 20] = bytes(byte ^ 0xFF for byte in data[middle : middle + 20])
    path.write_bytes(data)
    with pytest.raises(DataError, match=f"{name} in .*archive.zip is damaged"):
        pbc.index(path)


@pytest.mark.parametrize("content", [b"", b"<html>log in</html>", b"PK\x03\x04 cut short"])
def test_what_is_no_zip_is_said(tmp_path, content):
    (tmp_path / "archive.zip").write_bytes(content)
    for source in (tmp_path, tmp_path / "archive.zip"):
        with pytest.raises(DataError, match="archive.zip"):
            pbc.index(source)


def test_labels_follow_the_papers_order(table):
    labels = pbc.labels(table)
    assert labels.dtype == np.int64
    assert [FOLDERS[i] for i in labels] == table["class"].tolist()
    with pytest.raises(DataError, match="Unknown class ig; the classes are neutrophil, platelet"):
        pbc.labels(table[table["class"].isin(["ig", "platelet"])], ("neutrophil", "platelet"))


def test_fetch_uses_the_archive_that_is_there(drawn, tmp_path, monkeypatch):
    monkeypatch.setenv("BLOODCELL_DATA_DIR", str(tmp_path))
    path = zip_folder(drawn, tmp_path / archives.ARCHIVE)
    assert download.fetch() == download.fetch(tmp_path, progressbar=False) == path


@pytest.fixture
def official(table, monkeypatch):
    """The drawn sample as if it were the official release."""
    monkeypatch.setattr(pbc, "manifest", lambda: table[["path", "width", "height", "sha256"]].assign(bytes=1))


def test_verify_official(official, drawn):
    result = pbc.verify(drawn)
    assert result == pbc.Verification("official", 72)
    assert str(result) == "72 images: the official release, byte for byte."


def test_verify_re_encoded(official, copy, encode):
    path = sorted((copy / "ig").glob("*.jpg"))[0]
    path.write_bytes(encode(np.full((20, 20, 3), 99, np.uint8), "JPEG"))
    result = pbc.verify(copy)
    assert (result.status, result.n_images, result.changed) == ("re-encoded", 72, [f"ig/{path.name}"])
    assert "complete, but re-encoded" in str(result) and "1 differ" in str(result)


def test_verify_incomplete(official, copy):
    gone, text = sorted((copy / "ig").glob("*.jpg"))[:2]
    gone.unlink()
    text.write_text("a text")
    (copy / "ig" / "holiday.jpg").write_bytes(sorted((copy / "ig").glob("*.jpg"))[3].read_bytes())
    result = pbc.verify(copy)
    assert result.status == "incomplete" and result.n_images == 71
    assert result.missing == [f"ig/{gone.name}", f"ig/{text.name}"]
    assert result.unreadable == [f"ig/{text.name}"] and result.extra == ["ig/holiday.jpg"]
    assert all(name in str(result) for name in ("incomplete", gone.name, text.name, "holiday.jpg"))


def test_verify_foreign(drawn):
    result = pbc.verify(drawn)
    assert result.status == "foreign" and "not the PBC data set" in str(result)


def test_verify_gives_no_warning(official, drawn, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pbc.verify(zip_folder(drawn, tmp_path / "archive.zip")).status == "official"


def test_the_shipped_manifest_is_the_official_release():
    release = pbc.official()
    assert list(release.columns) == pbc.COLUMNS
    assert {name: (release["class"] == name).sum() for name in FOLDERS} == paper.TABLE_1
    stages = release["subtype"].value_counts()
    assert stages[["SNE", "BNE", "NEUTROPHIL"]].tolist() == [1646, 1633, 50]
    assert stages[["MY", "MMY", "PMY", "IG"]].tolist() == [1137, 1015, 592, 151]
    assert set(stages.index) == set(SUBTYPES)
    assert all(SUBTYPES[s] == c for s, c in release[["subtype", "class"]].drop_duplicates().to_numpy())


def test_blemishes_of_the_official_release():
    release = pbc.official()
    assert [len(group) for group in audit.identical_groups(release)] == [2] * 17
    (conflict,) = audit.conflicts(release)
    assert sorted(conflict["path"]) == ["eosinophil/EO_225902.jpg", "neutrophil/BNE_191112.jpg"]
    kept, report = audit.clean(release)
    assert len(kept) == report.after == 17_074
    assert (len(report.copies), len(report.conflicting)) == (16, 2)


def test_the_second_batch_of_the_official_release():
    release = pbc.official()
    second = audit.second_batch(release)
    five = dict.fromkeys(("basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil"), 50)
    assert second["class"].value_counts().to_dict() == {**five, "erythroblast": 52, "ig": 151}
    assert len(second) == 453
    assert set(zip(release["width"], release["height"], strict=True)) - set(
        zip(second["width"], second["height"], strict=True)
    ) == {(360, 363)}
    larger = second[second["class"].isin(five)]
    assert ((larger["width"] == 366) & (larger["height"] == 369)).all()
    assert set(second.loc[second["class"] == "ig", "subtype"]) == {"IG"}
