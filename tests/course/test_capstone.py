"""Any class-per-folder set: what is wrong is named, what belongs together stays together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from bloodcell_utils.course import capstone
from bloodcell_utils.datasets import pbc
from bloodcell_utils.errors import DataError


@pytest.fixture
def make(tmp_path, encode):
    """A function that writes a set of noise: images a class; it gives back the folder."""

    def make(counts, side=16):
        rng = np.random.default_rng(0)
        for name, count in counts.items():
            (tmp_path / "mine" / name).mkdir(parents=True, exist_ok=True)
            for i in range(count):
                data = encode(rng.integers(0, 256, (side, side, 3), np.uint8))
                (tmp_path / "mine" / name / f"P{i % 4}_{i}.png").write_bytes(data)
        return tmp_path / "mine"

    return make


def test_a_set_of_two_classes_with_any_names(make):
    table, audit = capstone.audit(make({"blast": 8, "not a blast": 9}))
    assert table["class"].value_counts().to_dict() == {"blast": 8, "not a blast": 9}
    assert str(audit) == "17 files in mine, 17 images to work with."
    assert audit.sizes.columns.tolist() == ["16 × 16"]
    table = capstone.split(capstone.with_groups(table, r"^(P\d)_"))
    assert set(table["subset"]) == {"train", "test"}
    assert table["group"].nunique() == 4


def test_what_is_left_out_is_named(make, encode):
    folder = make({"a": 10, "b": 10})
    image = encode(np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8))
    (folder / "a" / "broken.png").write_bytes(image[: len(image) // 2])
    (folder / "a" / "notes.jpg").write_text("no image")
    (folder / "a" / "second.png").write_bytes((folder / "a" / "P0_0.png").read_bytes())
    (folder / "a" / "P1_1 too.png").write_bytes((folder / "b" / "P1_1.png").read_bytes())
    table, audit = capstone.audit(folder)
    assert set(audit.unreadable) == {"a/broken.png", "a/notes.jpg"}
    assert len(audit.copies) == 1
    assert set(audit.conflicting) == {"a/P1_1 too.png", "b/P1_1.png"}
    assert audit.files == 24 and len(table) == 19
    for path in ("a/broken.png", "a/notes.jpg", "b/P1_1.png"):
        assert path in str(audit) and path not in set(table["path"])


def test_images_that_the_network_has_learnt_from(make):
    folder = make({"eosinophil": 8, "monocyte": 8})
    name = pbc.manifest()["path"][pbc.manifest()["path"].str.startswith("monocyte/")].iloc[0]
    (folder / "monocyte" / "P0_0.png").rename(folder / name)
    _, audit = capstone.audit(folder)
    assert audit.known == [name]
    assert "1 of the images belong to PBC" in str(audit)


def test_one_class_is_nothing_to_tell_apart(make):
    with pytest.raises(DataError, match="has one class, blast: there is nothing to tell apart"):
        capstone.audit(make({"blast": 20}))


def test_a_folder_that_is_no_set(make, tmp_path):
    folder = make({"a": 8, "b": 8})
    with pytest.raises(DataError, match=r"name the folder or zip in it, such as .*mine"):
        capstone.audit(tmp_path)
    with pytest.raises(DataError, match="holds no folders with images in them"):
        capstone.audit(folder / "a")
    with pytest.raises(DataError, match="does not exist"):
        capstone.audit(folder / "c")


def test_a_class_with_three_images(make):
    with pytest.raises(DataError, match=r"Too few .*'rare' has 3; a class needs 8"):
        capstone.audit(make({"common": 20, "rare": 3}))


def test_a_class_that_cannot_be_read_at_all(make):
    folder = make({"a": 9, "b": 9})
    (folder / "c").mkdir()
    (folder / "c" / "x.jpg").write_text("no image")
    with pytest.raises(DataError, match="'c' has 0"):
        capstone.audit(folder)


def test_patients_from_a_table(make, tmp_path):
    table, _ = capstone.audit(make({"a": 9, "b": 9}))
    listed = tmp_path / "patients.csv"
    table.assign(group=["x", "y", "z"] * 6)[["path", "group"]].to_csv(listed, index=False)
    assert capstone.with_groups(table, listed)["group"].tolist() == ["x", "y", "z"] * 6
    table.assign(group="x")[["path", "group"]].iloc[1:].to_csv(listed, index=False)
    with pytest.raises(DataError, match="1 of 18 images have no patient"):
        capstone.with_groups(table, listed)
    listed.write_text("file;patient\n")
    with pytest.raises(DataError, match="no table with the columns path and group"):
        capstone.with_groups(table, listed)


@pytest.mark.parametrize(
    ("expression", "message"),
    [("^X(7)", "18 of 18 images have no patient"), ("P7", "one bracket"), ("^(P", "one bracket")],
)
def test_an_expression_that_finds_no_patient(make, expression, message):
    table, _ = capstone.audit(make({"a": 9, "b": 9}))
    with pytest.raises(DataError, match=message):
        capstone.with_groups(table, expression)


def test_a_class_of_one_patient():
    table = index(["a"] * 9 + ["b"] * 9, ["P1"] * 9 + list("xyz") * 3)
    with pytest.raises(DataError, match=r"'a' come from 1 patient\(s\) or group\(s\)"):
        capstone.split(table)


def test_a_share_out_of_range():
    with pytest.raises(DataError, match="0.1 to 0.5"):
        capstone.split(index(list("ab") * 9, list("xyz") * 6), share=0.9)


def index(classes, groups, sha256=None):
    """A table as an index has it, of images that do not exist."""
    paths = [f"{name}/{group}_{i}.png" for i, (name, group) in enumerate(zip(classes, groups, strict=True))]
    return pd.DataFrame({"path": paths, "class": classes, "group": groups, "sha256": sha256 or paths})


images = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 7), st.integers(0, 400)), min_size=24, max_size=60
)  # class, patient and file


@settings(max_examples=12)
@given(images, st.sampled_from([0.25, 1 / 3]))
def test_patients_and_copies_are_never_on_both_sides(drawn, share):
    classes, patients, files = zip(*drawn, strict=True)
    bare = index(classes, [f"P{p}" for p in patients], [str(f) for f in files]).drop(columns="group")
    table = capstone.with_groups(bare, r"^(P\d)_")
    assert table.groupby("sha256")["group"].nunique().max() == 1
    assert table.groupby(table["path"].str.extract(r"/(P\d)")[0])["group"].nunique().max() == 1
    try:
        table = capstone.split(table, share)
    except DataError:
        assume(False)
    assert table.groupby("group")["subset"].nunique().max() == 1
    assert (table.groupby("subset")["class"].nunique() == table["class"].nunique()).all()


def test_folds_keep_groups_together():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 6)
    y = np.repeat(rng.permutation(np.arange(20) % 2), 6)
    slide = groups[:, None] * 10 + rng.normal(size=(120, 1))  # tells the patient, and nothing of the class
    models = {"nearest": KNeighborsClassifier(1), "dummy": DummyClassifier()}
    views = dict.fromkeys(models, slide)
    together = capstone.cross_validate(models, views, y, groups=groups)
    apart = capstone.cross_validate(models, views, y, groups=np.arange(120))
    assert len(together["nearest"]) == 5
    assert np.mean(apart["nearest"]) > 0.95 > 0.8 > np.mean(together["nearest"])
    assert set(together["dummy"]) == {0.5}
    with pytest.raises(DataError, match="one group"):
        capstone.cross_validate(models, views, y, groups=y)
