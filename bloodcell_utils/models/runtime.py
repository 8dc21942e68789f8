"""Keras on this machine: loaded without its greetings, the precision that pays here, the accelerators."""

import logging
import os
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# Linux' names of what a processor has for arithmetic on many numbers at once, the most powerful first
INSTRUCTIONS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16", "avx512f": "AVX-512", "avx2": "AVX2"}
BFLOAT16 = "AMX", "AVX-512 BF16"  # those that multiply bfloat16


@cache
def load_keras():
    """Import Keras, without TensorFlow's greetings, and give the module; takes some seconds the first time."""
    with _native_stderr_off():
        import keras

        if keras.backend.backend() != "tensorflow":
            # Elsewhere Keras cuts probabilities off there before it takes their logarithm (on TensorFlow it goes back
            # to what softmax was given): a network that is sure and wrong would have no slope, and stay so.
            keras.config.set_epsilon(1e-30)
        keras.ops.zeros(1)  # the devices are looked for, and reported, at the first operation
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of every model that is built in a loop
    return keras


def accelerators():
    """Names of the graphics cards that Keras computes on; empty where it takes the processor.

    Returns
    -------
    list of str
    """
    backend = load_keras().backend.backend()
    if backend == "torch":
        from torch import cuda

        return [cuda.get_device_name(i) for i in range(cuda.device_count())]
    if backend == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    if backend != "tensorflow":
        return []
    from tensorflow import config

    devices = config.list_physical_devices("GPU")
    return [config.experimental.get_device_details(device).get("device_name", device.name) for device in devices]


def instructions():
    """The most that the processor has for arithmetic on many numbers at once, of `INSTRUCTIONS`.

    Returns
    -------
    str or None
        None where the system does not tell (only Linux does).
    """
    info = Path("/proc/cpuinfo")
    flags = set(info.read_text().split()) if info.exists() else ()
    return next((name for flag, name in INSTRUCTIONS.items() if flag in flags), None)


def fastest_precision():
    """A Keras dtype policy: ``"mixed_bfloat16"`` for an accelerator or a processor that has it, else ``"float32"``."""
    return "mixed_bfloat16" if instructions() in BFLOAT16 or accelerators() else "float32"


@contextmanager
def precision(policy=None):
    """Build layers in another precision inside a ``with`` block.

    Parameters
    ----------
    policy : str, optional
        Keras dtype policy; default: `fastest_precision`.

    Yields
    ------
    str
        The policy.
    """
    config, policy = load_keras().config, policy or fastest_precision()
    before = config.dtype_policy()
    config.set_dtype_policy(policy)
    try:
        yield policy
    finally:
        config.set_dtype_policy(before)


def deterministic():
    """Ask the backend for operations that give the same bits every time, for the rest of this process.

    JAX and NumPy compute so already on a processor; TensorFlow has to be told.
    """
    if load_keras().backend.backend() == "tensorflow":
        from tensorflow.config.experimental import enable_op_determinism

        enable_op_determinism()


@contextmanager
def _native_stderr_off():
    """Drop what compiled code writes to file descriptor 2; Python's own errors are raised as ever."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
