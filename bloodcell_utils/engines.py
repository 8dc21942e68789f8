"""What computes a frozen network: Keras in the precision that this processor is fast in, or OpenVINO in whole numbers.

OpenVINO is optional (``pip install 'bloodcell-utils[fast]'``). Where it is missing, Keras computes, and a warning says
so.
"""

import contextlib
import importlib.util
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .errors import BloodcellError

ENGINES = ("keras", "openvino", "int8")
INSTALL = "pip install 'bloodcell-utils[fast]'"
EXAMPLES = 128  # images from which the range of each layer is read, for int8


@dataclass(frozen=True)
class Engine:
    """A network ready to compute.

    Attributes
    ----------
    name : str
        What computes, for a progress bar or a record: ``"Keras, mixed_bfloat16"`` or ``"OpenVINO, int8"``.
    predict : callable
        From prepared images (n, size, size, 3), float32, to answers (n, k), float32.
    """

    name: str
    predict: Callable


def available(name):
    """Whether an engine can be used here.

    Parameters
    ----------
    name : str
        One of `ENGINES`.

    Returns
    -------
    bool

    Raises
    ------
    BloodcellError
        For an unknown name.
    """
    if name not in ENGINES:
        raise BloodcellError(f"There is no engine {name!r}; choose one of {', '.join(ENGINES)}.")
    needed = {"keras": (), "openvino": ("openvino",), "int8": ("openvino", "nncf")}[name]
    return all(importlib.util.find_spec(module) for module in needed)


def engine(model, name="keras", examples=None):
    """Prepare a network for an engine.

    Parameters
    ----------
    model : keras.Model
        One input, one output.
    name : str
        One of `ENGINES`; what is not installed falls back to Keras, with a warning.
    examples : numpy.ndarray of float32, shape (n, size, size, 3), optional
        Prepared images; int8 needs some to learn how large the numbers in each layer become.

    Returns
    -------
    Engine

    Raises
    ------
    BloodcellError
        For an unknown name, or int8 without examples.
    """
    if not available(name):
        warnings.warn(f"What {name} needs is not installed ({INSTALL}): Keras computes.", stacklevel=2)
        name = "keras"
    if name == "keras":
        return Engine(f"Keras, {model.dtype_policy.name}", lambda x: np.asarray(model.predict_on_batch(x), np.float32))
    if name == "int8" and examples is None:
        raise BloodcellError("int8 needs examples: prepared images, such as the network will see.")
    return _openvino(model, examples if name == "int8" else None)


def _openvino(model, examples):
    import openvino

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The structure of `inputs`")  # the converter calls with a list of one
        converted = openvino.convert_model(model)
    converted.reshape([-1, *model.input_shape[1:]])
    if examples is not None:
        converted = _quantized(converted, examples)
    compiled = openvino.compile_model(converted, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    numbers = "float32" if examples is None else "int8"
    return Engine(f"OpenVINO, {numbers}", lambda x: compiled(np.asarray(x, np.float32))[0])


def _quantized(model, examples):
    import logging

    import nncf

    nncf.set_log_level(logging.ERROR)
    batches = nncf.Dataset([examples[i : i + 1] for i in range(min(len(examples), EXAMPLES))])
    with contextlib.redirect_stdout(sys.stderr):  # progress bars do not belong into what a command prints
        return nncf.quantize(model, batches, subset_size=EXAMPLES)
