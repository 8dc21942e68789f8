"""The blemishes that were planted in the drawn sample are the ones that are found."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import audit


def index(rows):
    table = pd.DataFrame(rows, columns=["class", "sha256"])
    return table.assign(path=[f"{c}/A_{i}.jpg" for i, c in enumerate(table["class"])], batch=1)


def test_planted_copies_are_found(table):
    groups = audit.identical_groups(table)
    assert [len(group) for group in groups] == [2, 2, 2]
    (conflict,) = audit.conflicts(table)
    assert sorted(conflict["subtype"]) == ["BNE", "EO"]
    assert sorted(conflict["class"]) == ["eosinophil", "neutrophil"]


def test_the_second_batch_is_found(table):
    second = audit.second_batch(table)
    assert second["class"].value_counts().to_dict() == {name: 4 for name in FOLDERS if name != "platelet"}
    assert second[["width", "height"]].drop_duplicates().to_numpy().tolist() == [[34, 35]]


def test_the_report_adds_up(table):
    kept, report = audit.clean(table)
    assert report.before == len(table) == 72 and report.after == len(kept) == 68
    assert len(report.copies) == 2 and len(report.conflicting) == 2
    assert set(report.copies) | set(report.conflicting) == set(table["path"]) - set(kept["path"])
    assert list(kept.index) == list(range(68))
    assert str(report) == "72 images: 2 copies and 2 files with contradictory labels dropped, 68 remain."


def test_the_table_itself_stays(table):
    before = table.copy()
    audit.clean(table)
    pd.testing.assert_frame_equal(table, before)


def test_nothing_to_clean(table):
    kept, _ = audit.clean(table)
    again, report = audit.clean(kept)
    pd.testing.assert_frame_equal(again, kept)
    assert not report.copies and not report.conflicting and report.before == report.after
    assert audit.conflicts(kept) == audit.identical_groups(kept) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123456")), max_size=30))
def test_what_remains_is_unique_and_agreed(rows):
    table = index(rows)
    kept, report = audit.clean(table)
    assert kept["sha256"].is_unique
    labels = table.groupby("sha256")["class"].nunique()
    assert set(kept["sha256"]) == set(labels[labels == 1].index)
    assert report.before - len(report.copies) - len(report.conflicting) == report.after == len(kept)
    pd.testing.assert_frame_equal(audit.clean(kept)[0], kept)
