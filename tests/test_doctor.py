"""The first ten minutes of a class: each problem with what to do, and an exit status that says whether to begin."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from bloodcell_utils import doctor


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
    """Both processes answer at once; the kernel is this Python's."""
    answers = {"-c": Answered(json.dumps([[], "float32", False]) + "\n"), "-m": Answered("4.4.0\n")}
    processes = {name: getattr(subprocess, name) for name in ("PIPE", "TimeoutExpired")}
    start = SimpleNamespace(Popen=lambda command, **_: answers[command[1]], **processes)
    monkeypatch.setattr(doctor, "subprocess", start)
    monkeypatch.setattr(doctor, "_kernel", lambda: doctor.Finding("a kernel"))
    return answers


def found(findings):
    """What is marked, by whether it is needed."""
    marked = [finding for finding in findings if finding.advice]
    return [f for f in marked if f.needed], [f for f in marked if not f.needed]


def test_a_good_machine_is_ready(quick, capsys):
    assert doctor.run() is False
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("Ready for the course")
    assert "a drawn neutrophil was read" in out and ": neutrophil" in out
    assert quick["-c"].killed and quick["-m"].killed, "no process outlives the doctor"


def test_keras_that_does_not_load_stops_the_course(quick, capsys):
    quick["-c"].returncode, quick["-c"].err = 1, "Traceback ...\nImportError: no such library\n"
    assert doctor.run() is True
    out = capsys.readouterr().out
    assert "!!  Keras does not load: ImportError: no such library" in out
    assert out.splitlines()[-1] == f"Not ready yet. First: {doctor.INSTALL}"


def test_a_processor_that_is_too_old_is_named(quick):
    quick["-c"].returncode = -4
    needed, _ = found(doctor.examine())
    assert "AVX" in needed[0].text


def test_jupyter_that_does_not_start(quick):
    quick["-m"].returncode, quick["-m"].err = 1, "No module named jupyterlab"
    needed, _ = found(doctor.examine())
    assert needed[0].text == "JupyterLab does not start: No module named jupyterlab"


def test_a_library_that_is_missing(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "keras" else "1.0")
    needed, _ = found(doctor._installation())
    assert [finding.text for finding in needed] == ["keras is not installed"]


@pytest.mark.parametrize(
    ("python", "allowed"), [("3.10.9", False), ("3.11.0", True), ("3.13.9", True), ("3.14.0", False)]
)
def test_versions_of_python(python, allowed):
    assert doctor._allowed(python, doctor._supported()) is allowed


def test_without_an_environment_of_its_own(monkeypatch):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    _, wished = found(doctor._installation())
    assert wished[0].text.startswith("no virtual environment") and "venv" in wished[0].advice


def test_little_memory_and_a_full_disk(monkeypatch, cache):
    import psutil

    monkeypatch.setattr(doctor, "_demands", lambda: {"memory_mb": 2000, "cache_mb": 500})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=4e9, available=1e9))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=1e8))
    needed, wished = found(doctor._machine())
    assert "close other programs" in wished[0].advice and "2.0 GB" in wished[0].advice
    assert "BLOODCELL_CACHE_DIR" in needed[0].advice
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=1.5e9, available=1e9))
    assert found(doctor._machine())[0][0].text.startswith("memory")


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("BLOODCELL_PROGRESS_FILE", str(tmp_path / "file" / "progress.json"))
    needed, _ = found(doctor._folders())
    assert ["BLOODCELL_CACHE_DIR" in needed[0].advice, "BLOODCELL_PROGRESS_FILE" in needed[1].advice] == [True, True]


@pytest.mark.parametrize(
    ("program", "right"), [("python", True), (sys.executable, True), (os.path.join(os.sep, "old", "python"), False)]
)
def test_the_kernel_is_this_python(program, right, monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager

    spec = SimpleNamespace(argv=[program, "-m", "ipykernel_launcher"], resource_dir="kernels/python3")
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda *_: spec)
    finding = doctor._kernel()
    assert bool(finding.advice) is not right
    if not right:
        assert "kernels/python3" in finding.advice and finding.needed


def test_no_kernel_at_all(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    def none(*_):
        raise NoSuchKernel("python3")

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    assert "ipykernel install" in doctor._kernel().advice


def test_a_port_that_is_taken_is_no_obstacle(monkeypatch):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(doctor, "PORT", other.getsockname()[1])
        monkeypatch.setattr(doctor, "_kernel", lambda: doctor.Finding("a kernel"))
        needed, wished = found(doctor._server(Answered("4.4.0")))
    assert not needed and "is taken" in wished[0].text


def test_weights_that_are_damaged_are_reported(monkeypatch):
    from bloodcell_utils import reader
    from bloodcell_utils.errors import BloodcellError

    def damaged(*_, **__):
        raise BloodcellError("compactnet.npz is damaged. Install the package again.")

    monkeypatch.setattr(reader, "predict", damaged)
    finding = doctor._reading()
    assert finding.needed and "Install the package again" in finding.advice


def test_what_the_chapters_took_is_known_here():
    assert doctor._demands()["memory_mb"] > 500 and doctor._demands()["cache_mb"] > 0


def test_a_process_without_an_answer():
    class Silent(Answered):
        def communicate(self, timeout=None):
            raise subprocess.TimeoutExpired("jupyterlab", timeout)

    silent = Silent()
    assert "no answer" in doctor._finished(silent)[1] and silent.killed
