"""Cells that tests send to worker processes; in a file of its own, for workers to load quickly."""

import os
import time
from pathlib import Path

import numpy as np

from bloodcell_utils.datasets.cache import key, stored_array


def share_of_table(number, folder):
    """A cell like those of the ablation: all need one table, which the first of them computes and the others wait for.

    The first worker that is half-way through says which process it is, and waits to be killed.
    """
    folder = Path(folder)

    def rows(start, stop):
        with (folder / "log").open("a") as file:
            file.write(f"{start} ")
        if start == 2 and not (folder / "victim").exists():
            (folder / "arriving").write_text(str(os.getpid()))
            (folder / "arriving").rename(folder / "victim")
            time.sleep(60)
        return np.arange(start, stop)[:, None] ** 2

    table = stored_array(f"shared-{key(folder)}", (6, 1), np.int64, compute=rows, block=2, progressbar=False)
    return {"number": number, "sum": int(table[:number].sum())}


def environment(name):
    """What a worker was told, and which process it is."""
    return os.environ.get(name), os.getpid()
