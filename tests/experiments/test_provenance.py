"""Where a number comes from."""

import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bloodcell_utils.experiments import provenance
from bloodcell_utils.models import runtime


def test_device_versions_and_time():
    made = provenance.provenance()
    assert made["device"].endswith("cores")
    assert {"python", "keras", "scikit-learn", "numpy"} <= set(made["versions"])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(made["created"])).total_seconds()) < 60


class Cards:
    """Two cards, as TensorFlow's configuration tells of them."""

    @staticmethod
    def list_physical_devices(kind):
        return [SimpleNamespace(name="/physical_device:GPU:0"), SimpleNamespace(name="/physical_device:GPU:1")]

    experimental = SimpleNamespace(
        get_device_details=lambda device: {"device_name": "Card X"} if device.name[-1] == "0" else {}
    )


CARDS = {
    "tensorflow": (SimpleNamespace(config=Cards), ["Card X", "/physical_device:GPU:1"]),
    "jax": (
        SimpleNamespace(devices=lambda: [SimpleNamespace(device_kind="Card X", platform="gpu")]),
        ["Card X"],
    ),
    "torch": (
        SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: 1, get_device_name=lambda i: "Card X")),
        ["Card X"],
    ),
}


@pytest.mark.parametrize("backend", CARDS)
def test_the_device_names_the_card_on_every_backend(backend, monkeypatch):
    library, names = CARDS[backend]
    keras = SimpleNamespace(backend=SimpleNamespace(backend=lambda: backend))
    monkeypatch.setattr(runtime, "load_keras", lambda: keras)
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setitem(sys.modules, backend, library)
    assert runtime.accelerators() == names
    assert provenance.device().startswith(f"{', '.join(names)}, ")
    assert runtime.fastest_precision() == "mixed_bfloat16"


def test_on_a_processor_there_is_no_card():
    runtime.load_keras()
    assert runtime.accelerators() == [] and provenance.device().endswith("cores")


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
