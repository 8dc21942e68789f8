"""The state of a training in files: written whole or not at all, read back after an interruption."""

import json

import numpy as np

from ..config import cache_dir, cached
from ..datasets.archives import DAMAGED
from ..files import replace_file

_REMEDY = (
    "Free some space or point BLOODCELL_CACHE_DIR elsewhere, then run again: the training goes on after its last whole "
    "epoch."
)


class Checkpoint:
    """The state after the last whole epoch, and the weights of the best one; in files, or in memory without a name.

    Parameters
    ----------
    model : keras.Model
        Compiled, its optimiser built. What its frozen layers hold is not saved.
    name : str or None
        Begins the names of the files, in the folder ``training`` of the cache.
    """

    def __init__(self, model, name):
        frozen = {id(v) for layer in model.layers if not layer.trainable for v in layer.variables}
        self.weights = [v for v in model.variables if id(v) not in frozen]
        self.variables = [*self.weights, *model.optimizer.variables]
        self.name, self.best = name, None

    def resume(self):
        """Put the saved state back, and give the epochs that are done."""
        self.best, saved = _read(self.name, "best"), _read(self.name, "last")
        if self.best is None or saved is None:
            return []
        try:
            history = json.loads(saved["history"].tobytes())
            _assign(self.variables, saved)
        except DAMAGED:  # whole as a file, and not of this training: begin again
            return []
        return history

    def save(self, epochs, best):
        """Keep the state after an epoch; if it is the best so far, its weights too."""
        if best:
            self.best = _arrays(self.weights)
        if self.name and (best or not (cache_dir() / _file(self.name, "best")).exists()):  # begun in a shared cache
            self._write("best", self.best)
        if self.name:
            text = np.frombuffer(json.dumps(epochs).encode(), np.uint8)
            self._write("last", {**_arrays(self.variables), "history": text})

    def load_best(self):
        """Give the model the weights of its best epoch."""
        _assign(self.weights, self.best)

    def _write(self, which, arrays):
        if self.name:
            replace_file(cache_dir() / _file(self.name, which), lambda file: np.savez(file, **arrays), remedy=_REMEDY)


def begun(name):
    """Whether a training has an epoch to go on from.

    Parameters
    ----------
    name : str or None
        As for `Checkpoint`.

    Returns
    -------
    bool
    """
    return all(_read(name, which) is not None for which in ("best", "last"))


def _file(name, which):
    return f"training/{name}.{which}.npz"


def _read(name, which):
    if not name:
        return None
    path = cache_dir() / _file(name, which)  # one's own before a shared one, and both files from one folder
    if not (cache_dir() / _file(name, "last")).exists():
        path = cached(_file(name, which))
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except DAMAGED:  # absent, cut short or damaged: begin again
        return None


def _arrays(variables):
    return {f"v{i}": np.asarray(variable) for i, variable in enumerate(variables)}


def _assign(variables, arrays):
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"v{i}"])
