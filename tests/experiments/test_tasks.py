"""A grid is computed once, resumes cell by cell, and gives the same results anywhere, also where workers die."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cells_for_workers import environment, share_of_table
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments import tasks

CELLS = [{"a": a, "b": b} for a in range(3) for b in (1, 10)]


def product(a, b, log=None):
    """A cell that writes down that it was computed."""
    if log:
        with open(log, "a") as file:
            file.write(f"{a},{b}\n")
    if a == "bad":
        raise BloodcellError("there is no number in it")
    return {"product": a * b, "pair": (a, b)}


def run(cells, **options):
    return tasks.run(product, cells, progressbar=False, **options)


def test_results_come_in_the_order_of_the_cells(cache):
    results = run(CELLS)
    assert [r["product"] for r in results] == [0, 0, 1, 10, 2, 20]
    assert results[0]["pair"] == [0, 1], "as json gives it back, on the first run as on the second"
    assert run(CELLS[::-1]) == results[::-1]


def test_only_missing_cells_are_computed(cache, tmp_path):
    log = tmp_path / "log"
    cells = [cell | {"log": str(log)} for cell in CELLS]
    run(cells[:4])
    first = log.read_text()
    assert run(cells) == run(cells) == run([*cells, *cells])[:6]
    assert log.read_text() == first + "2,1\n2,10\n"


def test_the_order_of_the_arguments_does_not_matter(cache, tmp_path):
    log = str(tmp_path / "log")
    run([{"a": 1, "b": 2, "log": log}])
    run([{"log": log, "b": 2, "a": 1}])
    assert Path(log).read_text() == "1,2\n"


def test_another_version_computes_again(cache, tmp_path):
    cells = [{"a": 1, "b": 2, "log": str(tmp_path / "log")}]
    for version in (1, 2, 1, "2b"):
        run(cells, version=version)
    assert (tmp_path / "log").read_text() == "1,2\n" * 3


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"arguments": {"a": 9, "b": 1}, "result": 9}', '{"arguments": 1}'])
def test_a_damaged_result_is_computed_again(damage, cache):
    expected = run(CELLS[:1])
    (path,) = (cache / "cells").iterdir()
    path.write_text(damage)
    assert run(CELLS[:1]) == expected
    assert json.loads(path.read_text())["result"] == expected[0]


def test_what_is_kept_can_be_read_by_people(cache):
    run(CELLS[:1])
    (path,) = (cache / "cells").iterdir()
    assert json.loads(path.read_text())["arguments"] == {"a": 0, "b": 1}
    assert path.name.startswith("product-")


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text()), min_size=2, max_size=2))
def test_two_cells_share_a_file_only_if_they_are_equal(pair):
    first, second = (tasks._path(product, cell, 1) for cell in pair)
    assert (first == second) == (pair[0] == pair[1])


def test_a_cell_that_fails_does_not_stop_the_others(cache):
    cells = [CELLS[0], {"a": "bad", "b": 1}, CELLS[1]]
    with pytest.raises(BloodcellError, match="1 of 3 jobs failed.*'bad'.*no number in it"):
        run(cells)
    assert len(list((cache / "cells").iterdir())) == 2


def test_ctrl_c_keeps_what_is_done(cache, monkeypatch):
    def interrupted(a, b):
        if a == 2:
            raise KeyboardInterrupt
        return a * b

    with pytest.raises(KeyboardInterrupt):
        tasks.run(interrupted, CELLS, progressbar=False)
    assert len(list((cache / "cells").iterdir())) == 4


def test_a_damaged_job_of_a_shared_cache_is_computed_once(cache, only_read, tmp_path):
    log = tmp_path / "log"
    cells = [cell | {"log": str(log)} for cell in CELLS]
    results = run(cells)
    damaged = next((cache / "cells").iterdir())
    damaged.write_text("oops")
    only_read(cache)
    assert run(cells) == run(cells) == results
    assert len(log.read_text().splitlines()) == len(CELLS) + 1 and damaged.read_text() == "oops"


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(BloodcellError, match="BLOODCELL_CACHE_DIR"):
        run(CELLS)


@pytest.mark.parametrize("scheduler", ["10.0.0.1:8786", "cluster", ""])
def test_what_is_no_scheduler(scheduler, cache):
    with pytest.raises(BloodcellError, match="'local', or an address"):
        run(CELLS, scheduler=scheduler)


def test_without_dask(cache, monkeypatch, capsys):
    monkeypatch.setattr(tasks.importlib.util, "find_spec", lambda name: None)
    assert run(CELLS[:1], scheduler="local") == [{"product": 0, "pair": [0, 1]}]
    assert "one after the other" in capsys.readouterr().out
    with pytest.raises(BloodcellError, match=r"\[cluster\]"):
        run(CELLS, scheduler="tcp://127.0.0.1:1")


@pytest.fixture
def dask():
    return pytest.importorskip("distributed", reason="Dask is not installed (the extra 'cluster')")


def test_one_worker_is_this_process(dask, cache):
    assert tasks.run(environment, [{"name": "HOME"}], scheduler="local", progressbar=False)[0][1] == os.getpid()


def test_nobody_answers(dask, cache, monkeypatch):
    connect = dask.Client
    monkeypatch.setattr(dask, "Client", lambda address, **options: connect(address, **options | {"timeout": "0.5s"}))
    with pytest.raises(BloodcellError, match="No scheduler answers at tcp://127.0.0.1:1"):
        run(CELLS, scheduler="tcp://127.0.0.1:1")


@pytest.fixture
def killer(tmp_path):
    """A folder; whoever says there that it is the victim is killed, without a chance to tidy up."""
    killed = []

    def wait():
        while not killed:
            time.sleep(0.02)
            if (tmp_path / "victim").exists():
                killed.append(int((tmp_path / "victim").read_text()))
                os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    yield tmp_path
    alone = killed or not killed.append(os.getpid())  # ends the thread of a test that failed before
    thread.join(5)
    assert alone


def expected(numbers):
    return [{"number": n, "sum": sum(i * i for i in range(n))} for n in numbers]


def known_address(file):
    """What the scheduler has written down, once it has."""
    try:
        return json.loads(file.read_text())["address"]
    except (OSError, ValueError):
        return None


@pytest.fixture
def cluster(dask, tmp_path):
    """The address of a scheduler with two workers, each a process that a teacher would start by hand on a machine."""
    elsewhere = tmp_path / "elsewhere"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "BLOODCELL_CACHE_DIR": str(elsewhere)}
    file = tmp_path / "scheduler.json"
    start = [sys.executable, "-W", "ignore", "-m"]
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    known = ["--scheduler-file", str(file)]
    scheduler = [*start, "distributed.cli.dask_scheduler", *here, "--port", "0", *known]
    worker = [*start, "distributed.cli.dask_worker", *here, *known, "--nthreads", "1", "--no-nanny"]
    with (tmp_path / "cluster.log").open("w") as log:
        processes = [
            subprocess.Popen(command, env=env, stdout=log, stderr=log) for command in (scheduler, worker, worker)
        ]
        try:
            until = time.monotonic() + 60
            while (address := known_address(file)) is None and time.monotonic() < until:
                time.sleep(0.05)
            with dask.Client(address, set_as_default=False) as client:
                client.wait_for_workers(2, timeout=60)
            yield address
        finally:
            for process in processes:
                process.kill()
                process.wait()


def test_a_worker_of_a_cluster_is_killed(cluster, killer, cache):
    cells = [{"number": n, "folder": str(killer)} for n in range(1, 7)]
    results = tasks.run(share_of_table, cells, scheduler=cluster, progressbar=False)
    assert results == expected(range(1, 7)) == tasks.run(share_of_table, cells, progressbar=False)
    assert (killer / "log").read_text().split() == ["0", "2", "2", "4"], "the other worker went on from there"
    assert len(list((cache / "cells").iterdir())) == 6 and not (killer / "elsewhere" / "cells").exists()


def test_a_local_cluster(dask, cache, capsys):
    from dask import system

    before = dict(os.environ)
    cells = [{"name": name} for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "BLOODCELL_CACHE_DIR")]
    tf, omp, folder = tasks.run(environment, cells, scheduler="local", workers=2)
    share = str(max(1, system.CPU_COUNT // 2))
    assert (tf[0], omp[0], folder[0]) == (share, share, str(cache))
    assert os.getpid() not in (tf[1], omp[1], folder[1])
    assert "2 workers; watch them at http://127.0.0.1:" in capsys.readouterr().out
    assert dict(os.environ) == before, "Dask's settings are for its workers alone"
