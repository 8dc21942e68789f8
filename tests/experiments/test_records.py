"""Run records: written whole, read back, and every derived number follows from the counts."""

import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bloodcell_utils import config, paper
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import pbc, splits
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.experiments import provenance, records

COMMITTED = sorted((Path(__file__).parents[2] / "book" / "results").glob("*.json"))
CONFUSION = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]])


@pytest.fixture
def record():
    y_true, y_pred = [0] * 10 + [1] * 10, [0] * 8 + [1] * 2 + [0] + [1] * 9
    return records.Record(
        experiment="svm",
        profile="sample",
        models={
            "a network": records.measure(CONFUSION, 12.34, 567.8, printed=87.4, cross_validation={"rbf": [0.5, 1]})
        },
        classes=["a", "b", "c"],
        split={"name": "clean", "seed": 3, "train": 90, "test": 20},
        data={"name": "synthetic", "n_images": 110, "fingerprint": "0123456789abcdef"},
        notes=["a list: [ 1, 2 ] and [\\n 3 ]", "Blutkörperchen, 5 µm"],
        predictions=pd.DataFrame({"path": [f"a/{i}.jpg" for i in range(20)], "true": y_true, "a network": y_pred}),
        **provenance.provenance(),
    )


def check(model):
    """Every derived number of one model, computed again from its counts."""
    confusion = np.array(model["confusion"])
    rates = metrics.per_class(confusion)
    assert (confusion >= 0).all() and model["n_test"] == confusion.sum()
    assert model["accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum(), abs=1e-6)
    np.testing.assert_allclose(model["accuracy_ci95"], metrics.wilson(np.trace(confusion), confusion.sum()), atol=1e-6)
    assert model["balanced_accuracy"] == pytest.approx(rates["sensitivity"].mean(), abs=1e-6)
    assert model["macro_f1"] == pytest.approx(rates["f1"].mean(), abs=1e-6)
    stored = pd.DataFrame(model["per_class"]).astype(float)
    np.testing.assert_allclose(stored[rates.columns], rates, atol=1e-6)


def test_a_record_comes_back_as_it_was(record, tmp_path):
    path = record.write(tmp_path / "new" / "folder")
    assert path.name == "svm.sample.json"
    back = records.read(path)
    assert back == record
    pd.testing.assert_frame_equal(back.predictions, record.predictions)
    np.testing.assert_array_equal(back.confusion("a network"), CONFUSION)
    assert records.load_record("svm", "sample", path.parent) == records.read_all(path.parent)[0] == record


@pytest.mark.parametrize(
    ("experiment", "split_seed"), [("svm", 7), ("finetune-inception_v3", 7), ("compact", config.SEED)]
)
def test_a_record_of_before_is_read_with_the_names_of_today(record, tmp_path, experiment, split_seed):
    """Some experiments drew the split with the seed of the training; what an image may suffer had another name."""
    path = record.write(tmp_path)
    content = json.loads(path.read_text("utf-8"))
    del content["split"]["seed"]
    content |= {"experiment": experiment, "seed": 7}
    content["models"]["a network"]["worse_days"] = {"5 % darker": 12}
    path.write_text(json.dumps(content), "utf-8")
    back = records.read(path)
    assert back.split == {**record.split, "seed": split_seed} and back.seed == 7
    assert back.models["a network"]["corruptions"] == {"5 % darker": 12}
    assert "worse_days" not in back.models["a network"]
    assert records.read(back.write(tmp_path / "again")) == back


def test_the_same_record_gives_the_same_bytes(record, tmp_path):
    first, second = ((record.write(tmp_path / name)).parent for name in "ab")
    assert [p.name for p in sorted(first.iterdir())] == ["svm.sample.json", "svm.sample.predictions.csv.gz"]
    assert all(p.read_bytes() == (second / p.name).read_bytes() for p in first.iterdir())


def test_a_row_of_a_matrix_stands_on_one_line(record, tmp_path):
    lines = [line.strip() for line in record.write(tmp_path).read_text("utf-8").splitlines()]
    assert "[8, 2, 0]," in lines


@given(arrays(np.int64, (4, 4), elements=st.integers(0, 50)).filter(np.any))
def test_every_derived_number_follows_from_the_counts(confusion):
    measured = records.measure(confusion)
    rates = metrics.per_class(confusion)
    model = json.loads(json.dumps(measured))
    assert model == measured
    assert model["accuracy"] == round(metrics.accuracy(confusion), 6)
    np.testing.assert_allclose(pd.DataFrame(model["per_class"]).astype(float)[rates.columns], rates, atol=1e-6)
    if (confusion.sum(axis=1) > 0).all():
        check(model)


def test_what_was_there_survives_a_full_disk(record, tmp_path, monkeypatch):
    path = record.write(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(BloodcellError, match="cannot be written.*No space left"):
        records.Record(**{**vars(record), "notes": ["new"]}).write(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    assert records.read(path) == record


def test_predictions_of_an_earlier_run_do_not_stay_beside_a_new_record(record, tmp_path):
    record.write(tmp_path)
    path = records.Record(**{**vars(record), "predictions": None}).write(tmp_path)
    assert records.read(path).predictions is None


def test_a_missing_record_is_answered_with_the_command(tmp_path):
    with pytest.raises(BloodcellError, match="bloodcell run svm --profile laptop"):
        records.load_record("svm", "laptop", tmp_path)
    assert records.read_all(tmp_path) == []


NEARLY = '{"experiment": "svm", "split": {}, "models": []}'


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"experiment": "svm"}', NEARLY, "\xff\xfe"])
def test_something_else_is_no_record(content, tmp_path):
    path = tmp_path / "svm.sample.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(BloodcellError, match="svm.sample.json is not a run record"):
        records.read(path)


@pytest.mark.parametrize("kept", [0, 5, 60])
def test_predictions_cut_short_are_noticed(record, tmp_path, kept):
    path = record.write(tmp_path)
    beside = tmp_path / "svm.sample.predictions.csv.gz"
    beside.write_bytes(beside.read_bytes()[:kept])
    with pytest.raises(BloodcellError, match="not a whole one"):
        records.read(path)


def test_an_unknown_model_is_answered_with_those_there(record):
    with pytest.raises(BloodcellError, match="no model 'x'; it has a network"):
        record.confusion("x")


def test_rows_for_a_table(record):
    (row,) = records.record_rows([record])
    assert row["experiment"] == "svm" and row["model"] == "a network" and row["data"] == "synthetic"
    assert row["accuracy"] == 0.85 and row["printed_percent"] == 87.4 and row["n_test"] == 20
    assert row["wall_time_s"] == 12.3 and row["peak_rss_mb"] == 568
    low, high = row["accuracy_ci95"]
    assert low < 0.85 < high
    assert json.loads(json.dumps(row)) == row


def test_beside_the_printed_number(record):
    text = records.compare_with_paper(record, "a network")
    assert text == "85.0 % [64.0, 94.8] of 20; the paper prints 87.4 %"
    assert records.compare_with_paper(record, "a network", paper.Printed(90.0, "Fig. 1")).endswith("prints 90 %")
    record.models["a network"]["printed_percent"] = None
    assert "paper" not in records.compare_with_paper(record, "a network")


def test_the_fingerprint_changes_with_any_image_and_not_with_their_order(table):
    one = records.fingerprint(table)
    assert one == records.fingerprint(table.sample(frac=1, random_state=0)) and one["n_images"] == len(table)
    assert one["fingerprint"] != records.fingerprint(table.iloc[1:])["fingerprint"]


def made(table, **options):
    clean = splits.clean(table, **options)
    return splits.Split(clean, pbc.labels(clean), **options)


def test_a_record_of_what_has_just_been_measured(table):
    split = made(table, seed=4)
    truth = split.y[split.rows("test")]
    found = records.Collector("svm", config.profile(), split, seed=3)
    measured = found.add("a network", truth, found.lap(), seconds=[1, 2])
    record = found.record("a note")
    assert record.models["a network"] == measured and measured["seconds"] == [1, 2] and measured["peak_rss_mb"] > 10
    np.testing.assert_array_equal(record.confusion("a network"), metrics.confusion_matrix(truth, truth))
    assert (record.name, record.seed, record.notes) == ("svm.sample", 3, ["a note"])
    assert record.split == {"name": "clean", "seed": 4, "train": 48, "validation": 10, "test": 10}
    assert record.data == {"name": "synthetic", **records.fingerprint(split.table)}
    assert record.predictions["path"].tolist() == split.table["path"].iloc[split.rows("test")].tolist()
    np.testing.assert_array_equal(record.predictions["true"], record.predictions["a network"])
    assert record.created and record.device and record.versions


def test_a_record_of_the_images_that_choose(table):
    split = made(table)
    held = split.y[split.rows("validation")]
    found = records.Collector("ablation", config.profile(), split, subset="validation")
    found.add("a network", held)
    record = found.record()
    assert record.subset == "validation" and record.predictions["true"].tolist() == held.tolist()


def test_another_network_has_records_of_its_own():
    assert records.experiment_name("svm") == "svm"
    assert records.experiment_name("svm", "inception_v3") == "svm-inception_v3"


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_record_follows_from_its_counts(path):
    record = records.read(path)
    assert path.name == f"{record.name}.json"
    assert record.classes == list(FOLDERS)
    assert record.data["n_images"] == sum(record.split[subset] for subset in splits.SUBSETS if subset in record.split)
    assert record.versions and record.device and record.created
    for name, model in record.models.items():
        check(model)
        if record.predictions is not None and "set" not in model:  # which is of cells of another laboratory
            counts = metrics.confusion_matrix(record.predictions["true"], record.predictions[name], len(record.classes))
            np.testing.assert_array_equal(counts, model["confusion"])
            assert len(record.predictions) == model["n_test"] == record.predictions["path"].nunique()


def test_the_record_of_the_first_profile_that_has_one(record, tmp_path):
    assert records.find_record("svm", "full", "sample", folder=tmp_path) is None
    record.write(tmp_path)
    assert records.find_record("svm", "full", "sample", folder=tmp_path) == record
    assert records.find_record("svm", "full", folder=tmp_path) is None
