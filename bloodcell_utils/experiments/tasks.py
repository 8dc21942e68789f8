"""The settings of a grid, each a job: computed once and kept; in this process, on this machine, or on a cluster.

A job is one call of a function whose arguments and result json can hold. It depends on nothing else, so it may be
computed anywhere, in any order, and again when the machine that had begun it is lost.
"""

import importlib.util
import json
import os
import threading
import warnings
from contextlib import ExitStack, closing, suppress
from functools import partial

from ..config import cache_dir, cached
from ..datasets.cache import key
from ..errors import BloodcellError
from ..files import replace_file

PROTOCOLS = ("tcp://", "tls://", "ws://", "wss://")
INSTALL = "pip install 'bloodcell-utils[cluster]'"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
           "TF_NUM_INTEROP_THREADS")  # fmt: skip
DEATHS = 3  # of workers that one job may outlive before it is suspected of causing them

_turn = threading.Lock()


def run(function, jobs, version=1, *, scheduler=None, workers=None, desc=None, progressbar=True):
    """Compute a function for every job of a grid, or read what an earlier run has computed.

    Each result is written to the cache folder as soon as it is there, and by this process: workers need not share a
    disk with it. After an interruption only the missing jobs are computed. If one fails, the others go on.

    Parameters
    ----------
    function : callable
        Of a module that the workers can import. It gives the same result wherever it runs, and can be stopped at any
        point and started again.
    jobs : list of dict
        Keyword arguments, a dict a job; all that json can hold.
    version : int or str
        Of what the function does: results of another version are left aside.
    scheduler : str, optional
        None: in this process, one job after the other. ``"local"``: processes on this machine; the address of their
        dashboard is printed. An address such as ``"tcp://10.0.0.1:8786"``: the Dask cluster that listens there.
    workers : int, optional
        Processes of a local cluster; default: one for every four cores, and two at least. One is this process.
    desc : str, optional
        Text before the progress bar.
    progressbar : bool
        Draw one, with the time left.

    Returns
    -------
    list
        Results in the order of the jobs, as json gives them back: tuples are lists, keys are strings.

    Raises
    ------
    BloodcellError
        If the scheduler cannot be reached, the cache cannot be written, or a job failed. What was computed is kept.
    """
    from tqdm import tqdm

    if scheduler not in (None, "local") and not str(scheduler).startswith(PROTOCOLS):
        raise BloodcellError(f"{scheduler!r} is no scheduler: give 'local', or an address like 'tcp://10.0.0.1:8786'.")
    paths = [_path(function, job, version) for job in jobs]
    grid = dict(zip(paths, jobs, strict=True))
    results = {path: kept["result"] for path, job in grid.items() if (kept := _read(path, job))}
    missing, failed = {path: job for path, job in grid.items() if path not in results}, {}
    hidden = not (progressbar and missing)
    with ExitStack() as stack:
        client = _client(stack, scheduler, workers, len(missing))
        answers = _there(client, function, missing) if client else _here(function, missing)
        stack.enter_context(closing(answers))
        bar = stack.enter_context(tqdm(total=len(grid), initial=len(results), desc=desc, unit="job", disable=hidden))
        for path, answer in answers:
            try:
                outcome = answer()
            except Exception as err:  # whatever it is: the other jobs do not depend on this one
                failed[path] = err
            else:
                results[path] = _write(path, function, version, grid[path], outcome)["result"]
            bar.update()
    if failed:
        path, err = next(iter(failed.items()))
        raise BloodcellError(
            f"{len(failed)} of {len(grid)} jobs failed; one with {grid[path]}: {_reason(err)}\n"
            "The others are kept: the same command computes what is missing."
        ) from err
    return [results[path] for path in paths]


def _here(function, jobs):
    return ((path, partial(function, **job)) for path, job in jobs.items())


def _there(client, function, jobs):
    from distributed import as_completed

    # The scheduler knows a job by its key, so one that two people ask for is computed once.
    futures = {client.submit(_call, function, job, key=path.stem): path for path, job in jobs.items()}
    for future in as_completed(list(futures), loop=client.loop):
        yield futures.pop(future), future.result
        future.release()


def _call(function, arguments):
    """What a worker does with a job. Seeds and precision belong to the process, so its threads take turns."""
    with _turn:
        return function(**arguments)


def _client(stack, scheduler, workers, n_cells):
    """A Dask client that lives as long as the stack; None where one process is all there is, or enough."""
    if scheduler is None or not n_cells:
        return None
    if importlib.util.find_spec("distributed") is None:
        if scheduler == "local":
            print(f"Dask is not installed ({INSTALL}): the jobs are computed one after the other.")
            return None
        raise BloodcellError(f"A cluster needs Dask: {INSTALL}")
    import dask
    from dask.system import CPU_COUNT
    from distributed import Client, LocalCluster

    if scheduler != "local":
        try:
            return stack.enter_context(Client(scheduler, timeout="20s", set_as_default=False))
        except (OSError, TimeoutError) as err:
            raise BloodcellError(f"No scheduler answers at {scheduler}: {err}. Start one with: dask scheduler") from err
    workers = min(workers or max(2, CPU_COUNT // 4), n_cells)
    if workers == 1:
        return None
    share = dict.fromkeys(THREADS, str(max(1, CPU_COUNT // workers)))
    # Without growth, the first worker would take all memory of the graphics card. A waiting job belongs to no worker,
    # so that none takes it along when it dies.
    settings = {
        "distributed.nanny.pre-spawn-environ": share | {"TF_FORCE_GPU_ALLOW_GROWTH": "true"},
        "distributed.scheduler.worker-saturation": 1.0,
    }
    stack.callback(_restore_environment, dict(os.environ))  # Dask sets the variables here, too, and leaves them there
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
    stack.enter_context(cluster)
    if cluster.dashboard_link:
        print(f"{workers} workers; watch them at {cluster.dashboard_link}")
    return stack.enter_context(Client(cluster, set_as_default=False))


def _restore_environment(before):
    os.environ.clear()
    os.environ.update(before)


def _reason(err):
    if type(err).__name__ == "KilledWorker":
        return (
            f"{err.allowed_failures + 1} workers died computing it. Most die of too little memory: give the cluster "
            "fewer workers, or the job a smaller batch."
        )
    return str(err) if isinstance(err, BloodcellError) else f"{type(err).__name__}: {err}"


def _path(function, job, version):
    name = f"{function.__module__}.{function.__qualname__}"
    return cache_dir() / f"cells/{function.__name__}-{key(name, version, json.dumps(job, sort_keys=True))}.json"


def _read(path, job):
    """The kept file of a job, one's own or that of a shared cache; None if there is none, or it is damaged."""
    for place in (path, cached(f"cells/{path.name}")):
        with suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads(place.read_text("utf-8"))
            if kept["arguments"] == json.loads(json.dumps(job)) and "result" in kept:
                return kept
    return None


def _write(path, function, version, job, result):
    content = {"function": f"{function.__module__}.{function.__qualname__}", "version": version, "arguments": job}
    text = json.dumps(content | {"result": result}, indent=1)
    remedy = "Free some space or point BLOODCELL_CACHE_DIR elsewhere, then run again: the jobs that are there are kept."
    replace_file(path, text.encode(), remedy=remedy)
    return json.loads(text)
