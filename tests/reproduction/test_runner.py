"""Every experiment in order: kept, measured or failed; interrupted and gone on; each in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from types import SimpleNamespace

import psutil
import pytest

from bloodcell_utils import config, experiments
from bloodcell_utils.datasets import splits
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments import provenance, records
from bloodcell_utils.reproduction import Task, reproduce, runner, tasks

SAMPLE, FULL = config.profile("sample"), config.profile("full")


@pytest.fixture
def three(monkeypatch, table):
    """Three experiments, of which two take a network; the images are the small drawn ones."""

    def with_backbone(profile, backbone="vgg16", *, seed=0, split_seed=0, progressbar=True): ...

    def without(profile, *, seed=0, split_seed=0, progressbar=True): ...

    modules = {"svm": with_backbone, "finetune": with_backbone, "determinism": without}
    monkeypatch.setattr(experiments, "EXPERIMENTS", dict.fromkeys(modules, "an experiment"))
    monkeypatch.setattr(experiments, "module", lambda name: SimpleNamespace(run=modules[name]))
    monkeypatch.setattr(splits, "load_index", lambda profile: table)


@pytest.fixture
def measure(make_record, table):
    """An experiment that takes no time, and a list of what was measured; names in `bad` fail, in `stop` interrupt."""

    def measure(task, profile, seed, folder):
        if task.name in measure.stop:
            raise KeyboardInterrupt
        if task.name in measure.bad:
            raise measure.bad[task.name]
        measure.done.append(task.name)
        data = {"name": profile.data, **records.fingerprint(splits.clean(table))}
        fields = {"seed": seed, "settings": records.settings_of(profile)}
        fields |= {"created": provenance.provenance()["created"]} if measure.now else {}
        make_record(task.name, profile.name, models={"a": (0.5, {})}, **(fields | {"data": data})).write(folder)

    measure.done, measure.bad, measure.stop, measure.now = [], {}, set(), False
    return measure


@pytest.fixture
def go(three, measure, tmp_path):
    """A function that reproduces into one folder and gives the statuses."""

    def go(profile=SAMPLE, **options):
        go.said = []
        options = {"measure": measure, "say": go.said.append} | options
        return {o.task.name: o.status for o in reproduce(profile, tmp_path / "out", **options)}

    return go


def test_what_there_is_to_do(three):
    assert [task.name for task in tasks(SAMPLE)] == ["svm", "finetune", "determinism"]
    assert [task.name for task in tasks(FULL)] == [
        "svm", "svm-inception_v3", "finetune", "finetune-inception_v3", "determinism"]  # fmt: skip
    assert tasks(SAMPLE, ["finetune"]) == [Task("finetune", "vgg16")]
    assert tasks(SAMPLE, ["determinism", "svm"])[0].experiment == "svm", "in their own order"
    with pytest.raises(BloodcellError, match="no experiment 'magic'; choose one of svm, finetune"):
        tasks(SAMPLE, ["svm", "magic"])


def test_drawn_cells_rehearse_the_papers_networks_and_not_the_one_that_the_chapters_borrow():
    takes = [task for task in tasks(SAMPLE) if task.backbone]
    assert SAMPLE.borrowed == "compactnet" and {task.backbone for task in takes} == {"vgg16"}
    assert [task.name for task in takes] == ["svm", "finetune", "ablation", "balance", "determinism"]


def test_every_real_experiment_can_be_reproduced():
    names = {task.experiment for task in tasks(FULL)}
    assert names == set(experiments.EXPERIMENTS)


def test_what_has_been_measured_is_kept(go, measure):
    assert set(go().values()) == {"measured"}
    assert set(go().values()) == {"kept"}
    assert measure.done == ["svm", "finetune", "determinism"]
    assert "[1/3] svm.sample: measured on 2026-01-02, kept (a processor)." in go.said


def test_an_interrupted_reproduction_goes_on(go, measure):
    measure.stop = {"finetune"}
    with pytest.raises(KeyboardInterrupt):
        go()
    measure.stop = set()
    assert go() == {"svm": "kept", "finetune": "measured", "determinism": "measured"}
    assert measure.done == ["svm", "finetune", "determinism"]


def test_one_failure_stops_no_other(go, measure):
    measure.bad = {"svm": BloodcellError("No weights here."), "finetune": OSError("no route to host")}
    assert go() == {"svm": "failed", "finetune": "failed", "determinism": "measured"}
    assert any("No weights here." in line for line in go.said)
    assert any("OSError: no route to host" in line for line in go.said)
    measure.bad = {}
    assert go() == {"svm": "measured", "finetune": "measured", "determinism": "kept"}


def test_other_images_another_seed_or_a_damaged_record_are_measured_again(go, measure, tmp_path, monkeypatch, table):
    go(only=["svm"])
    assert go(only=["svm"], seed=3) == {"svm": "measured"}
    path = tmp_path / "out" / "svm.sample.json"
    path.write_text(path.read_text()[:-20])
    assert go(only=["svm"], seed=3) == {"svm": "measured"}
    assert go(only=["svm"], seed=3) == {"svm": "kept"}
    monkeypatch.setattr(splits, "load_index", lambda profile: table.iloc[:-1])
    go(only=["svm"], seed=3)
    assert measure.done == ["svm"] * 4 and "of other images" in " ".join(go.said)


@pytest.mark.parametrize(
    ("change", "why"),
    [({"settings": {}}, "does not tell them"), ({"settings": {"feature_size": 7}}, "other settings.*feature_size"),
     ({"created": "2099-01-01T00:00:00+00:00"}, "dated in the future")],
)  # fmt: skip
def test_a_foreign_record_is_not_kept(go, measure, tmp_path, change, why):
    go(only=["svm"])
    path = tmp_path / "out" / "svm.sample.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps(found | change))
    assert go(only=["svm"]) == {"svm": "measured"} and re.search(why, " ".join(go.said))


def test_again_survives_an_interruption(go, measure):
    """What was asked for again stays asked for until it has been measured."""
    go()
    measure.stop, measure.now = {"finetune"}, True
    with pytest.raises(KeyboardInterrupt):
        go(again=True)
    measure.stop = set()
    assert go() == {"svm": "kept", "finetune": "measured", "determinism": "measured"}
    assert set(go().values()) == {"kept"}


def test_again_for_some_keeps_the_others(go, measure):
    go()
    measure.now = True
    assert go(again=True, only=["finetune"]) == {"finetune": "measured"}
    assert set(go().values()) == {"kept"}


def test_profiles_do_not_stand_for_each_other(go):
    go(only=["determinism"])
    assert go(FULL, only=["determinism"]) == {"determinism": "measured"}


def test_without_images_nothing_is_tried(three, measure, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("BLOODCELL_DATA_DIR", str(tmp_path))
    with pytest.raises(BloodcellError, match="bloodcell data fetch"):
        list(reproduce(config.profile("laptop"), tmp_path / "out", measure=measure, say=lambda line: None))
    assert measure.done == [] and not (tmp_path / "out").exists()


def test_a_record_goes_where_it_was_asked_for(go, tmp_path):
    go()
    names = {path.name for path in (tmp_path / "out").glob("*.json")}
    assert names == {"svm.sample.json", "finetune.sample.json", "determinism.sample.json"}
    assert json.loads((tmp_path / "out" / "svm.sample.json").read_text())["profile"] == "sample"


def test_a_process_of_its_own_brings_back_what_went_wrong(tmp_path, monkeypatch):
    """A real process: no images, so the experiment's own message comes back."""
    monkeypatch.setenv("BLOODCELL_DATA_DIR", str(tmp_path))
    with pytest.raises(BloodcellError, match="bloodcell data fetch"):
        runner._in_a_process(Task("svm", "vgg16"), config.profile("laptop"), 1, tmp_path)


def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_process_that_is_killed_does_not_take_the_others_down(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_measure", killed)
    with pytest.raises(BloodcellError, match="memory was not enough"):
        runner._in_a_process(Task("svm", "vgg16"), SAMPLE, 1, tmp_path)


LONG = """
import os, time
from pathlib import Path
from bloodcell_utils.reproduction import runner

def measure(task, profile, seed, folder):
    (folder / "arriving").write_text(str(os.getpid()))
    (folder / "arriving").rename(folder / "pid")
    time.sleep(600)

if __name__ == "__main__":
    runner._measure = measure
    runner._in_a_process(None, None, 1, Path(__file__).parent)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_no_experiment_goes_on_alone(name, tmp_path):
    (tmp_path / "long.py").write_text(LONG)
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what runs in the background of a shell ignores it
    quiet = {"env": ENVIRONMENT, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, tmp_path / "long.py"], preexec_fn=heard, **quiet) as parent:
        child = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
        parent.send_signal(getattr(signal, name))
        assert parent.wait(60)
    assert wait_for(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def wait_for(condition):
    """What a condition gives once it is true; a machine that is busy takes its time."""
    until = time.monotonic() + 120
    while not (result := condition()) and time.monotonic() < until:
        time.sleep(0.05)
    return result


def test_times_are_said_in_the_unit_that_fits():
    assert (runner._duration(12.3), runner._duration(600)) == ("12 s", "10 min")
