"""The first ten minutes of a class: each problem with what to do, and an exit status that says whether to begin."""

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from bloodcell_utils.cli import doctor
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import prediction


class Answered:
    """A process that has ended; in place of the slow ones."""

    def __init__(self, out="", err="", returncode=0):
        self.out, self.err, self.returncode, self.killed = out, err, returncode, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def communicate(self, timeout=None):
        return self.out, self.err

    def kill(self):
        self.killed = True


@pytest.fixture
def quick(monkeypatch):
    """Both processes answer at once; the kernel is this Python's, the machine all its own."""
    monkeypatch.setattr(doctor, "CGROUPS", (Path("nowhere"), Path("nowhere")))
    monkeypatch.delenv("MEM_LIMIT", raising=False)
    answers = {"-c": Answered(json.dumps([[], "float32"]) + "\n"), "-m": Answered("4.4.0\n")}
    processes = {name: getattr(subprocess, name) for name in ("PIPE", "TimeoutExpired")}
    start = SimpleNamespace(Popen=lambda command, **_: answers[command[1]], **processes)
    monkeypatch.setattr(doctor, "subprocess", start)
    has_kernel(monkeypatch, sys.executable)
    return answers


def has_kernel(monkeypatch, program):
    """The kernel `python3` starts this program."""
    spec = SimpleNamespace(argv=[program, "-m", "ipykernel_launcher"], resource_dir="kernels/python3")
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda *_: spec)


def is_python(monkeypatch, version=sys.version_info, **changed):
    """What the doctor sees of the Python that it runs in."""
    seen = {name: getattr(sys, name) for name in ("executable", "prefix", "base_prefix")}
    monkeypatch.setattr(doctor, "sys", SimpleNamespace(version_info=version, **(seen | changed)))


def found():
    """What an examination marks, by whether it is needed."""
    marked = [finding for finding in doctor.examine() if finding.advice]
    return [f for f in marked if f.needed], [f for f in marked if not f.needed]


def about(start):
    """The one finding whose text begins so."""
    (finding,) = [finding for finding in doctor.examine() if finding.text.startswith(start)]
    return finding


def test_a_good_machine_is_ready(quick, capsys):
    assert doctor.run() is False
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("Ready for the course")
    assert "a drawn neutrophil was read" in out and ": neutrophil" in out
    assert quick["-c"].killed and quick["-m"].killed, "no process outlives the doctor"


def test_no_process_outlives_a_reader_who_has_seen_enough(quick):
    findings = doctor.examine()
    next(findings)
    findings.close()
    assert quick["-c"].killed and quick["-m"].killed


def test_keras_that_does_not_load_stops_the_course(quick, capsys):
    quick["-c"].returncode, quick["-c"].err = 1, "Traceback ...\nImportError: no such library\n"
    assert doctor.run() is True
    out = capsys.readouterr().out
    assert "!!  Keras does not load: ImportError: no such library" in out
    assert out.splitlines()[-1] == f"Not ready yet. First: {doctor.INSTALL}"


def test_a_processor_that_is_too_old_is_named(quick):
    quick["-c"].returncode = -4
    needed, _ = found()
    assert "AVX" in needed[0].text


def test_jupyter_that_does_not_start(quick):
    quick["-m"].returncode, quick["-m"].err = 1, "No module named jupyterlab"
    needed, _ = found()
    assert needed[0].text == "JupyterLab does not start: No module named jupyterlab"


def test_a_process_without_an_answer(quick):
    class Silent(Answered):
        def communicate(self, timeout=None):
            raise subprocess.TimeoutExpired("jupyterlab", timeout)

    quick["-m"] = Silent()
    needed, _ = found()
    assert "no answer" in needed[0].text and quick["-m"].killed


def test_a_library_that_is_missing(quick, monkeypatch):
    def without_keras(name):
        if name == "keras":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor, "version", without_keras)
    needed, _ = found()
    assert [finding.text for finding in needed] == ["keras is not installed"]


@pytest.mark.parametrize(
    ("python", "allowed"), [((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)]
)
def test_versions_of_python(quick, python, allowed, monkeypatch):
    is_python(monkeypatch, python)
    finding = about("Python")
    assert finding.text.startswith(f"Python {'.'.join(map(str, python))}, ") and finding.needed
    assert bool(finding.advice) is not allowed


def test_without_an_environment_of_its_own(quick, monkeypatch):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    is_python(monkeypatch, prefix=sys.base_prefix)
    _, wished = found()
    assert wished[0].text.startswith("no virtual environment") and "venv" in wished[0].advice


def test_little_memory_and_a_full_disk(quick, monkeypatch, cache):
    measured = json.loads((Path(__file__).parents[2] / "book" / "memory.json").read_text())
    took = 1e6 * (max(c["peak_rss_mb"] for c in measured["chapters"].values()) + measured["server_rss_mb"])
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=2 * took, available=0.9 * took))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=1e5))
    (disk,), _ = found()
    memory = about("memory")
    assert not memory.needed and "close other programs" in memory.advice and f"{took / 1e9:.1f} GB" in memory.advice
    assert disk.text.startswith("disk") and "BLOODCELL_CACHE_DIR" in disk.advice
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=0.9 * took, available=0.8 * took))
    assert found()[0][0].text.startswith("memory")


@pytest.mark.parametrize(
    ("own", "place", "old"),
    [
        ("0::/\n", "", False),
        ("0::/system.slice/jupyter-ann.service\n", "system.slice", False),
        ("9:cpu:/\n4:memory:/docker/1f\n0::/\n", "memory", True),
    ],
    ids=["a container", "a slice above", "the first version"],
)
def test_the_limit_of_a_container_counts_and_not_its_node(quick, monkeypatch, tmp_path, own, place, old):
    (tmp_path / "own").write_text(own)
    (folder := tmp_path / "cgroup" / place).mkdir(parents=True)
    names = ("limit_in_bytes", "usage_in_bytes", "total_") if old else ("max", "current", "")
    (folder / f"memory.{names[0]}").write_text("3000000000\n")
    (folder / f"memory.{names[1]}").write_text("2900000000\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]}inactive_file 400000000\n")
    monkeypatch.setattr(doctor, "CGROUPS", (tmp_path / "cgroup", tmp_path / "own"))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=250e9, available=200e9))
    memory = about("memory")
    assert memory.text == "memory: 3.0 GB for this server, 0.5 GB free"
    assert "shut down the kernels" in memory.advice and not memory.needed


def test_what_a_hub_says_that_it_gives(quick, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=250e9, available=200e9))
    monkeypatch.setenv("MEM_LIMIT", "1000000000")
    assert about("memory").text == "memory: 1.0 GB for this server, 1.0 GB free" and about("memory").needed
    monkeypatch.setenv("MEM_LIMIT", "max")
    assert about("memory").text == "memory: 250.0 GB, 200.0 GB free"


def test_a_cache_that_cannot_be_written(quick, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("BLOODCELL_PROGRESS_FILE", str(tmp_path / "file" / "progress.json"))
    (cache, progress), _ = found()
    assert "BLOODCELL_CACHE_DIR" in cache.advice and "BLOODCELL_PROGRESS_FILE" in progress.advice


@pytest.mark.parametrize(
    ("program", "right"), [("python", True), (sys.executable, True), (os.path.join(os.sep, "old", "python"), False)]
)
def test_the_kernel_is_this_python(quick, program, right, monkeypatch):
    has_kernel(monkeypatch, program)
    finding = about("the kernel python3")
    assert bool(finding.advice) is not right
    if not right:
        assert "kernels/python3" in finding.advice and finding.needed


def test_no_kernel_at_all(quick, monkeypatch):
    def none(*_):
        raise NoSuchKernel("python3")

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    (kernel,), _ = found()
    assert "ipykernel install" in kernel.advice


def test_a_port_that_is_taken_is_no_obstacle(quick, monkeypatch):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(doctor, "PORT", other.getsockname()[1])
        needed, wished = found()
    assert not needed and any("is taken" in finding.text for finding in wished)


def test_weights_that_are_damaged_are_reported(quick, monkeypatch):
    def damaged(*_, **__):
        raise BloodcellError("compactnet.npz is damaged. Install the package again.")

    monkeypatch.setattr(prediction, "predict", damaged)
    (finding,), _ = found()
    assert "Install the package again" in finding.advice
