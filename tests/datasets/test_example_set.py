import numpy as np
import pytest

from bloodcell_utils.datasets import audit, example_set, pbc
from bloodcell_utils.datasets.loading import load_image
from bloodcell_utils.errors import DataError


@pytest.fixture(scope="module", autouse=True)
def smaller():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example_set, "SIZE", 96)
        patch.setattr(example_set, "LARGER", 112)
        yield


@pytest.fixture(scope="module")
def folder(smaller, tmp_path_factory):
    return example_set.write(tmp_path_factory.mktemp("example") / "children")


def test_the_planted_blemishes(folder):
    table = pbc.index(folder, classes=None)
    assert sorted(set(table["class"])) == list(example_set.CLASSES)
    damaged = table["path"].str.startswith("segmented/P12").to_numpy() & _damaged(table)
    assert damaged.sum() == 1 == _damaged(table).sum()
    table = table[~damaged].reset_index(drop=True)
    assert [len(group) for group in audit.identical_groups(table)] == [2, 2, 2]
    assert sorted(audit.conflicts(table)[0]["class"]) == ["band", "segmented"]
    of_class = table.groupby("class")["width"].agg(["min", "max"])
    assert (of_class.loc["reactive_lymphocyte"] == example_set.LARGER).all()
    assert (of_class.drop("reactive_lymphocyte") == example_set.SIZE).all(axis=None)


def _damaged(table):
    """Which images cannot be decoded to the end."""
    damaged = np.zeros(len(table), bool)
    for i, (_, row) in enumerate(table.iterrows()):
        try:
            load_image(row)
        except DataError:
            damaged[i] = True
    return damaged


def test_every_child_gives_every_class(folder):
    table = pbc.index(folder, classes=None)
    children = table["path"].str.split("/").str[1].str.extract(example_set.PATIENTS)[0]
    assert table.groupby(children)["class"].nunique().tolist() == [3] * 12


def test_written_once_and_the_same(folder, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpg")}
    assert example_set.write(folder) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpg")} == before
    again = example_set.write(tmp_path / "again")
    assert dict(pbc.read_files(again)) == dict(pbc.read_files(folder))


def test_a_folder_with_something_else(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear reader")
    with pytest.raises(DataError, match="holds something else"):
        example_set.write(tmp_path / "letters")
    assert (tmp_path / "letters" / "dear.txt").exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        example_set.write(tmp_path / "file" / "children")
