"""Where a number comes from."""

import subprocess
from datetime import UTC, datetime

from bloodcell_utils.experiments import provenance


def test_device_versions_and_time():
    made = provenance.provenance()
    assert made["device"].endswith("cores")
    assert {"python", "keras", "scikit-learn", "numpy"} <= set(made["versions"])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(made["created"])).total_seconds()) < 60


def test_without_git_there_is_no_commit(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    assert provenance.provenance()["commit"] is None


def test_a_library_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(provenance, "LIBRARIES", ("numpy", "no-such-library"))
    assert set(provenance.provenance()["versions"]) == {"python", "numpy"}


def test_memory_in_megabytes():
    peak = provenance.peak_rss_mb()
    assert peak is None or 10 < peak < 1e6


def test_a_plus_marks_changed_code_and_not_a_new_record(tmp_path, monkeypatch):
    def git(*args):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *args], cwd=tmp_path, check=True)

    code, record = tmp_path / "bloodcell_utils" / "code.py", tmp_path / "book" / "results" / "svm.json"
    for path in (code, record):
        path.parent.mkdir(parents=True)
        path.write_text("1")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "begin")
    monkeypatch.setattr(provenance, "__file__", str(code))
    record.write_text("2")
    assert not provenance.provenance()["commit"].endswith("+")
    code.write_text("2")
    assert provenance.provenance()["commit"].endswith("+")
