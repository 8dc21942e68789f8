"""The attributes of WBCAtt: found, joined to PBC's paths, and refused with advice."""

import pytest

from bloodcell_utils.datasets import wbcatt
from bloodcell_utils.errors import DataError

HEAD = ",".join(["img_name", "label", *wbcatt.ATTRIBUTES, "path"])


def row(name, folder):
    return ",".join([name, "Neutrophil", *"abcdefghij", "yes", f"PBC_dataset_normal_DIB/{folder}/{name}"])


@pytest.fixture
def tables(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOODCELL_WBCATT_DIR", str(tmp_path))
    for i, name in enumerate(wbcatt.FILES):
        (tmp_path / name).write_text(f"{HEAD}\n{row(f'SNE_{i}.jpg', 'neutrophil')}\n")
    return tmp_path


def test_a_row_a_cell(tables):
    table = wbcatt.attributes()
    assert list(table.index) == [f"neutrophil/SNE_{i}.jpg" for i in range(3)]
    assert list(table) == list(wbcatt.ATTRIBUTES) and (table["granularity"] == "yes").all()


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n", "\0\0"])
def test_a_missing_or_wrong_table_is_named(tables, text):
    path = tables / wbcatt.FILES[1]
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(DataError, match=f"{path.name}.*BLOODCELL_WBCATT_DIR"):
        wbcatt.attributes()


def test_where_they_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("BLOODCELL_WBCATT_DIR", raising=False)
    monkeypatch.setenv("BLOODCELL_DATA_DIR", str(tmp_path))
    assert wbcatt.folder() == tmp_path / "wbcatt"
