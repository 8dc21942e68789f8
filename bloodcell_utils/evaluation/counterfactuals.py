"""What would change its mind? Drawn cells, changed in one parameter and shown to a network again.

`answer` is always a function from images (n, size, size, 3), uint8, to probabilities (n, 8); `pretrained_proba` is that
of the network that came with this package.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from ..cells import FOLDERS
from ..config import SEED
from ..datasets.specs import CellSpec, random_spec, span
from ..datasets.synthetic import draw
from ..models import pretrained
from .calibration import softmax

SIZE = 128
PARAMETERS = tuple(f.name for f in fields(CellSpec) if f.metadata and span(f.name)[0] != span(f.name)[1])


@dataclass(frozen=True)
class Sweep:
    """One cell, drawn again and again with another value of one parameter.

    Attributes
    ----------
    parameter : str
    values : list
        Of the parameter, as `specs.CellSpec` takes them.
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    probabilities : numpy.ndarray, shape (n, 8)
    """

    parameter: str
    values: list
    images: np.ndarray
    probabilities: np.ndarray


def pretrained_proba(images):
    """The probabilities of the network that came with this package and stayed at home (`models.pretrained`).

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, 128, 128, 3)

    Returns
    -------
    numpy.ndarray, shape (n, 8)
    """
    scores, _ = pretrained.logits(images)
    return softmax(scores / pretrained.metadata()["temperature"])


def preset(name, seed=SEED):
    """A typical cell to start from.

    Parameters
    ----------
    name : str
        A class folder, or a sub-type.
    seed : int

    Returns
    -------
    CellSpec
    """
    return random_spec(name, np.random.default_rng(seed))


def sweep(answer, spec, parameter, *, shares=None, seed=0):
    """Move one parameter from end to end.

    Parameters
    ----------
    answer : callable
    spec : CellSpec
    parameter : str
        A field of `CellSpec` that is a number or a colour.
    shares : sequence of float, optional
        From 0, the lowest value (the darkest colour) that any kind of cell is drawn with, to 1, the highest; default:
        nine, evenly spread.
    seed : int

    Returns
    -------
    Sweep

    Raises
    ------
    BloodcellError
        For a parameter that is not a number or a colour, or unknown.
    """
    values = [_between(parameter, share) for share in (np.linspace(0, 1, 9) if shares is None else shares)]
    values = list(dict.fromkeys(values))  # a whole number has fewer values than there are steps
    images = _with_values(spec, parameter, values, seed)
    return Sweep(parameter, values, images, np.asarray(answer(images)))


def flips(answer, spec, parameters=PARAMETERS, *, seed=0):
    """The smallest change of each parameter that changes the answer.

    Nine values are tried from end to end, the nearest first; between the present value and the first that changes the
    answer, the search goes on by halves.

    Parameters
    ----------
    answer : callable
    spec : CellSpec
    parameters : sequence of str
    seed : int

    Returns
    -------
    pandas.DataFrame
        A row for each parameter that can change the answer, the smallest change first: ``parameter``, its ``value`` now
        and the ``new_value``, ``answer`` there, and the ``change`` as a share of the range over all kinds.
    """
    import pandas as pd

    def called(parameter, *values):
        return np.asarray(answer(_with_values(spec, parameter, values, seed))).argmax(axis=1)

    present, rows = np.argmax(answer(draw(spec, SIZE, seed)[None])), []
    for parameter in parameters:
        value = getattr(spec, parameter)
        now = _share(parameter, value)
        grid = sorted(np.linspace(0, 1, 9), key=lambda share: abs(share - now))
        changing = np.flatnonzero(called(parameter, *(_between(parameter, share) for share in grid)) != present)
        if not len(changing):
            continue
        inside, beyond = now, grid[changing[0]]
        for _ in range(4):
            middle = (inside + beyond) / 2
            changed = called(parameter, _between(parameter, middle))[0] != present
            inside, beyond = (inside, middle) if changed else (middle, beyond)
        new = _between(parameter, beyond)
        rows.append((parameter, value, new, FOLDERS[called(parameter, new)[0]], abs(beyond - now)))
    table = pd.DataFrame(rows, columns=["parameter", "value", "new_value", "answer", "change"])
    return table.sort_values("change", ignore_index=True)


def effects(answer, cells=4, parameters=PARAMETERS, *, seed=SEED, progressbar=False):
    """What each parameter does to the evidence for each class.

    Parameters
    ----------
    answer : callable
    cells : int
        Drawn of each class.
    parameters : sequence of str
    seed : int
    progressbar : bool

    Returns
    -------
    pandas.DataFrame
        A row for each class, a column for each parameter: by how much the log odds of the cell's own class are higher
        at the upper end of the parameter than at the lower one, everything else unchanged; mean over the cells.
    """
    import pandas as pd
    from tqdm import tqdm

    rng = np.random.default_rng(seed)
    table = pd.DataFrame(index=FOLDERS, columns=parameters, dtype=float)
    with tqdm(total=table.size, desc="changing cells", disable=not progressbar) as bar:
        for own, folder in enumerate(FOLDERS):
            specs = [(random_spec(folder, rng), int(rng.integers(2**32))) for _ in range(cells)]
            for parameter in parameters:
                low, high = _between(parameter, 0), _between(parameter, 1)
                images = [draw(replace(s, **{parameter: v}), SIZE, seed) for v in (low, high) for s, seed in specs]
                p = np.clip(np.asarray(answer(np.stack(images)))[:, own], 1e-6, 1 - 1e-6)
                odds = np.log(p / (1 - p)).reshape(2, cells)
                table.loc[folder, parameter] = (odds[1] - odds[0]).mean()
                bar.update()
    return table


def _with_values(spec, parameter, values, seed):
    return np.stack([draw(replace(spec, **{parameter: value}), SIZE, seed) for value in values])


def _between(parameter, share):
    low, high = span(parameter)
    if isinstance(low, tuple):
        return tuple((np.asarray(low) + share * np.subtract(high, low)).round(3).tolist())
    return round(low + share * (high - low)) if isinstance(low, int) else float(low + share * (high - low))


def _share(parameter, value):
    """The inverse of `_between`, as nearly as possible."""
    low, high = (np.asarray(end, float) for end in span(parameter))
    return float(np.clip(np.mean((np.asarray(value) - low) / np.where(high > low, high - low, 1)), 0, 1))
