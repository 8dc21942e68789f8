"""The command line, as a user types it: exit status, what is printed where, errors that say what to do."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bloodcell_utils import cli, config
from bloodcell_utils.datasets import pbc
from bloodcell_utils.experiments import records


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A folder with one small record, and it is where records are looked for."""
    monkeypatch.setenv("BLOODCELL_RESULTS_DIR", str(tmp_path))
    measured = records.measure([[9, 1], [0, 10]], wall_time_s=2.0, printed=90.0)
    made = records.Record("svm", "sample", {"a model": measured}, ["a", "b"], {}, {"name": "drawn"})
    made.write()
    return made


def test_help_teaches(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    text = capsys.readouterr().out
    assert "bloodcell data fetch" in text and "BLOODCELL_DATA_DIR" in text


def test_module_and_command_are_the_same():
    done = subprocess.run([sys.executable, "-m", "bloodcell_utils", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("bloodcell-utils ")


def test_no_data_is_an_error_with_a_next_step(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BLOODCELL_DATA_DIR", str(tmp_path))
    assert cli.main(["data", "verify"]) == 1
    out, err = capsys.readouterr()
    assert not out and "bloodcell data fetch" in err and str(tmp_path) in err


def test_info_counts_any_set(drawn, capsys):
    assert cli.main(["data", "info", str(drawn)]) == 0
    out = capsys.readouterr().out
    assert "72 images" in out and "platelet" in out and "34x35" in out


def test_verify_of_something_else_fails(drawn, capsys):
    assert cli.main(["data", "verify", str(drawn)]) == 1
    assert "not the PBC data set" in capsys.readouterr().out


def test_verify_reports_the_blemishes(drawn, monkeypatch, capsys):
    known = pbc.index(drawn).assign(bytes=0)
    monkeypatch.setattr(pbc, "manifest", lambda: known)
    assert cli.main(["data", "verify", str(drawn)]) == 0
    out = capsys.readouterr().out
    assert "the official release" in out and "3 pairs of identical files, 1 of them with two labels" in out
    assert "a second batch of 28 images" in out


def test_results_as_a_table_and_as_json(record, capsys):
    assert cli.main(["results"]) == 0
    assert "95.00 % [76.39, 99.11]" in capsys.readouterr().out
    assert cli.main(["results", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["accuracy"] == 0.95 and row["n_test"] == 20 and len(row["accuracy_ci95"]) == 2
    assert {"experiment", "profile", "model", "balanced_accuracy", "macro_f1", "wall_time_s", "peak_rss_mb"} <= set(row)


def test_results_without_records(tmp_path, capsys):
    assert cli.main(["results", str(tmp_path)]) == 0
    assert "bloodcell run svm" in capsys.readouterr().out


def test_run_writes_what_the_experiment_measured(record, monkeypatch, tmp_path, capsys):
    asked = {}
    monkeypatch.setattr("bloodcell_utils.experiments.run", lambda *args, **kw: asked.update(args=args, **kw) or record)
    assert cli.main(["run", "svm", "--profile", "laptop", "--size", "96", "--output", str(tmp_path / "here")]) == 0
    assert (tmp_path / "here" / "svm.sample.json").exists()
    assert asked["args"][1].name == "laptop" and asked["args"][1].feature_size == 96
    assert "a model" in capsys.readouterr().out


@pytest.fixture
def measured(record, monkeypatch, tmp_path):
    """`bloodcell reproduce` without the work: one experiment that is measured, one that fails; the reports written."""
    from bloodcell_utils import reproduction

    def reproduce(profile, folder, only, *, again, seed):
        reproduce.asked = (profile.name, str(folder), only, again, seed)
        yield reproduction.Outcome(reproduction.Task("svm"), "measured")
        if not only:
            yield reproduction.Outcome(reproduction.Task("finetune"), "failed", "No weights: put them there.")

    def write_report(folder, profile, outcomes):
        reproduce.reports.append([outcome.status for outcome in outcomes])
        return tmp_path / "reproduction.html"

    reproduce.reports = []
    monkeypatch.setattr(reproduction, "reproduce", reproduce)
    monkeypatch.setattr(reproduction, "write_report", write_report)
    return reproduce


def test_reproduce_reports_after_every_experiment_and_fails_when_one_did(measured, capsys):
    assert cli.main(["reproduce", "--profile", "laptop"]) == 1
    out, err = capsys.readouterr()
    assert measured.reports[:2] == [["measured"], ["measured", "failed"]]
    assert "reproduction.html" in out and "No weights: put them there." in err
    assert measured.asked == ("laptop", "reproduction", None, False, 2019)


def test_reproduce_some_elsewhere_and_again(measured, tmp_path):
    command = ["reproduce", "--only", "svm, finetune", "--again", "--seed", "3", "--output", str(tmp_path)]
    assert cli.main(command) == 0
    assert measured.asked == ("sample", str(tmp_path), ["svm", "finetune"], True, 3)


def test_a_rehearsal_has_a_folder_of_its_own(measured):
    assert cli.main(["reproduce", "--only", "svm"]) == 0
    assert measured.asked[1] == str(Path("reproduction", "sample"))


def test_report_only_measures_nothing(measured):
    assert cli.main(["reproduce", "--report-only"]) == 0
    assert not hasattr(measured, "asked") and measured.reports == [[]]


def test_reproduce_of_an_unknown_experiment(capsys):
    assert cli.main(["reproduce", "--only", "magic"]) == 1
    assert "choose one of svm" in capsys.readouterr().err


def test_a_grid_can_be_sent_to_a_cluster(record, monkeypatch):
    asked = {}

    def run(profile, *, seed, split_seed, scheduler):
        asked["scheduler"] = scheduler
        return record

    monkeypatch.setattr("bloodcell_utils.experiments.ablation.run", run)
    assert cli.main(["run", "ablation", "--scheduler", "tcp://10.0.0.1:8786"]) == 0
    assert asked["scheduler"] == "tcp://10.0.0.1:8786"


def test_what_is_there_is_added_to_within_a_time(tmp_path, monkeypatch, record, capsys):
    asked = {}

    def run(profile, *, seed, split_seed, known=None, deadline=None):
        asked.update(known=known, minutes=round((deadline - time.monotonic()) / 60))
        return record

    monkeypatch.setattr("bloodcell_utils.experiments.ablation.run", run)
    arguments = ["run", "ablation", "--minutes", "5", "--add", "--output", str(tmp_path)]
    assert cli.main(arguments) == 0 and asked == {"known": None, "minutes": 5}
    there = replace(record, experiment="ablation", seed=config.SEED, split=record.split | {"seed": config.SEED})
    path = there.write(tmp_path)
    assert cli.main(arguments) == 0 and asked == {"known": records.read(path), "minutes": 5}
    path.write_text("{}")
    for without in ([], ["--add"]):  # both add, so nothing is written over it
        assert cli.main([word for word in arguments if word not in without]) == 1
        assert "not a run record" in capsys.readouterr().err and path.read_text() == "{}"
    assert cli.main(["run", "svm", "--minutes", "5"]) == 1 and "one measurement" in capsys.readouterr().err


def test_what_is_no_grid_has_no_scheduler(capsys):
    assert cli.main(["run", "svm", "--scheduler", "local"]) == 1
    assert "'svm' has no option 'scheduler'" in capsys.readouterr().err


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("bloodcell_utils.experiments.run", interrupt)
    assert cli.main(["run", "svm"]) == 130
    assert "goes on from there" in capsys.readouterr().err


def test_doctor_says_what_is_missing_and_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BLOODCELL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BLOODCELL_WEIGHTS_DIR", str(tmp_path))
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "no PBC data in" in out and "bloodcell data fetch" in out
    assert "keras" in out and "cores" in out and "profile: sample" in out
