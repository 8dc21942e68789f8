"""The cells of a grid: each computed once and kept; in this process, on this machine's cores, or on a cluster.

A cell is one call of a function whose arguments and result json can hold. It depends on nothing else, so it may be
computed anywhere, in any order, and again when the machine that had begun it is lost.
"""

import importlib.util
import json
import os
import threading
import uuid
import warnings
from contextlib import ExitStack, closing, suppress

from ..config import cache_dir
from ..errors import BloodcellError
from ..store import key

PROTOCOLS = ("tcp://", "tls://", "ws://", "wss://")
INSTALL = "pip install 'bloodcell-utils[cluster]'"
DEATHS = 3  # of workers that one cell may live through before it is suspected of causing them

_turn = threading.Lock()


def run(function, cells, version=1, scheduler=None, workers=None, desc=None, progressbar=True):
    """Compute a function for every cell of a grid, or read what an earlier run has computed.

    Each result is written to the cache folder as soon as it is there, and by this process: workers need not share a
    disk with it. After an interruption only the missing cells are computed. If one fails, the others go on.

    Parameters
    ----------
    function : callable
        Of a module that the workers can import. It gives the same result wherever it runs, and bears to be stopped
        at any point and started again.
    cells : list of dict
        Keyword arguments, a dict a cell; all that json can hold.
    version : int or str
        Of what the function does: results of another version are left aside.
    scheduler : str, optional
        None: in this process, one cell after the other. ``"local"``: processes on this machine; where their dashboard
        is will be printed. An address such as ``"tcp://10.0.0.1:8786"``: the Dask cluster that listens there.
    workers : int, optional
        Processes of a local cluster; default: one for every four cores, and two at least. One is this process.
    desc : str, optional
        Text before the progress bar.
    progressbar : bool
        Draw one, with the time left.

    Returns
    -------
    list
        Results in the order of the cells, as json gives them back: tuples are lists, keys are strings.

    Raises
    ------
    BloodcellError
        If the scheduler cannot be reached, the cache cannot be written, or a cell failed. What was computed is kept.
    """
    from tqdm import tqdm

    if scheduler not in (None, "local") and not str(scheduler).startswith(PROTOCOLS):
        raise BloodcellError(f"{scheduler!r} is no scheduler: give 'local', or an address like 'tcp://10.0.0.1:8786'.")
    paths = [_path(function, cell, version) for cell in cells]
    grid = dict(zip(paths, cells, strict=True))
    results = {path: kept["result"] for path, cell in grid.items() if (kept := _read(path, cell))}
    missing = {path: cell for path, cell in grid.items() if path not in results}
    failed = {}
    with ExitStack() as stack:
        client = _client(stack, scheduler, workers, len(missing))
        outcomes = _there(client, function, missing) if client else _here(function, missing)
        stack.enter_context(closing(outcomes))
        done = len(results)
        bar = tqdm(total=len(grid), initial=done, desc=desc, unit="cell", disable=not (progressbar and missing))
        stack.enter_context(bar)
        for path, outcome in outcomes:
            if isinstance(outcome, Exception):
                failed[path] = outcome
            else:
                results[path] = _write(path, function, version, grid[path], outcome)["result"]
            bar.update()
    if failed:
        path, err = next(iter(failed.items()))
        raise BloodcellError(
            f"{len(failed)} of {len(grid)} cells failed; one with {grid[path]}: {_reason(err)}\n"
            "The others are kept: the same command computes what is missing."
        ) from err
    return [results[path] for path in paths]


def _here(function, cells):
    for path, cell in cells.items():
        try:
            yield path, function(**cell)
        except Exception as err:  # whatever it is: the other cells do not depend on this one
            yield path, err


def _there(client, function, cells):
    from distributed import as_completed

    # The scheduler knows a cell by its key, so one that two people ask for is computed once.
    futures = {client.submit(_call, function, cell, key=path.stem): path for path, cell in cells.items()}
    for future in as_completed(list(futures), loop=client.loop):
        path = futures.pop(future)
        try:
            yield path, future.result()
        except Exception as err:
            yield path, err
        future.release()


def _call(function, arguments):
    """What a worker does with a cell. Seeds and precision belong to a process, so its threads take turns."""
    with _turn:
        return function(**arguments)


def _client(stack, scheduler, workers, n_cells):
    """A Dask client that lives as long as the stack; None where one process is all there is, or enough."""
    if scheduler is None or not n_cells:
        return None
    if importlib.util.find_spec("distributed") is None:
        if scheduler == "local":
            print(f"Dask is not installed ({INSTALL}): the cells are computed one after the other.")
            return None
        raise BloodcellError(f"A cluster needs Dask: {INSTALL}")
    from dask.system import CPU_COUNT
    from distributed import Client

    if scheduler != "local":
        try:
            return stack.enter_context(Client(scheduler, timeout="20s", set_as_default=False))
        except (OSError, TimeoutError) as err:
            raise BloodcellError(f"No scheduler answers at {scheduler}: {err}. Start one with: dask scheduler") from err
    workers = min(workers or max(2, CPU_COUNT // 4), n_cells)
    if workers == 1:
        return None
    cluster = _local_cluster(stack, workers, max(1, CPU_COUNT // workers))
    if cluster.dashboard_link:
        print(f"{workers} workers; watch them at {cluster.dashboard_link}")
    return stack.enter_context(Client(cluster, set_as_default=False))


def _local_cluster(stack, workers, cores):
    import dask
    from distributed import LocalCluster

    share = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
                           "TF_NUM_INTEROP_THREADS"), str(cores))  # fmt: skip
    share["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # else the first worker takes all memory of the graphics card
    # Dask sets these variables in this process, too, and leaves them there.
    stack.callback(_restore_environment, dict(os.environ))
    settings = {
        "distributed.nanny.pre-spawn-environ": share,
        "distributed.scheduler.worker-saturation": 1.0,  # a waiting cell belongs to no worker: none takes it along
    }
    with dask.config.set(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Port .* is already in use")  # of another dashboard: any port will do
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,  # memory maps count as memory there, and a worker that reads a large one would be killed
            dashboard_address="127.0.0.1:8787",
            scheduler_kwargs={"allowed_failures": DEATHS},
        )
    return stack.enter_context(cluster)


def _restore_environment(before):
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _reason(err):
    if type(err).__name__ == "KilledWorker":
        return (
            f"{err.allowed_failures + 1} workers died computing it. Most die of too little memory: give the cluster "
            "fewer workers, or the cell a smaller batch."
        )
    return str(err) if isinstance(err, BloodcellError) else f"{type(err).__name__}: {err}"


def _path(function, cell, version):
    name = f"{function.__module__}.{function.__qualname__}"
    return cache_dir() / "cells" / f"{function.__name__}-{key(name, version, json.dumps(cell, sort_keys=True))}.json"


def _read(path, cell):
    """The kept file of a cell; None if there is none, or it is damaged."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        return kept if kept["arguments"] == json.loads(json.dumps(cell)) and "result" in kept else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(path, function, version, cell, result):
    content = {"function": f"{function.__module__}.{function.__qualname__}", "version": version, "arguments": cell}
    text = json.dumps(content | {"result": result}, indent=1)
    arriving = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # two processes may write the same cell
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        arriving.write_text(text, "utf-8")
        arriving.replace(path)
    except OSError as err:
        raise BloodcellError(
            f"{path.parent} cannot be written: {err}. Free some space or point BLOODCELL_CACHE_DIR elsewhere, then run "
            "again: the cells that are there are kept."
        ) from err
    finally:
        with suppress(OSError):
            arriving.unlink()
    return json.loads(text)
