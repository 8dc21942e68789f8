"""Keras on this machine: loaded without its greetings, the precision that pays here, the accelerators."""

import logging
import os
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path


@cache
def load_keras():
    """Import Keras, without TensorFlow's greetings; takes some seconds the first time.

    Returns
    -------
    module
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow leaves oneDNN off on processors without AVX-512, where it still trains more than twice as fast.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with _native_stderr_off():
        import keras

        keras.ops.zeros(1)  # the devices are looked for, and reported, at the first operation
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of every model that is built in a loop
    return keras


def fastest_precision():
    """``"mixed_bfloat16"`` where the processor computes in bfloat16, else ``"float32"``.

    Returns
    -------
    str
        A Keras dtype policy. An accelerator is given ``mixed_bfloat16`` too.
    """
    flags = Path("/proc/cpuinfo")
    native = flags.exists() and any(flag in flags.read_text() for flag in ("avx512_bf16", "amx_bf16"))
    return "mixed_bfloat16" if native or _has_accelerator() else "float32"


@contextmanager
def precision(policy=None):
    """Build layers in a precision of one's own inside a ``with`` block.

    Parameters
    ----------
    policy : str, optional
        Keras dtype policy; default: `fastest_precision`.

    Yields
    ------
    str
        The policy.
    """
    keras = load_keras()
    before, policy = keras.config.dtype_policy(), policy or fastest_precision()
    keras.config.set_dtype_policy(policy)
    try:
        yield policy
    finally:
        keras.config.set_dtype_policy(before)


def use_all_devices():
    """Spread every batch over all accelerators of this machine, through Keras' distribution API.

    Call it before a model is built. Keras distributes on its JAX backend; elsewhere one device is used.

    Returns
    -------
    int
        Devices in use.
    """
    keras = load_keras()
    devices = keras.distribution.list_devices()
    if keras.backend.backend() == "jax" and len(devices) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False))
        return len(devices)
    return 1


def deterministic():
    """Ask the backend for operations that give the same bits every time, for the rest of this process.

    JAX and NumPy compute so already on a processor; TensorFlow has to be told.
    """
    if load_keras().backend.backend() == "tensorflow":
        from tensorflow.config.experimental import enable_op_determinism

        enable_op_determinism()


def _has_accelerator():
    try:
        return bool(load_keras().distribution.list_devices("gpu"))
    except (RuntimeError, ValueError, NotImplementedError):
        return False


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
