"""The paper's second design on a graphics card, from one folder: nothing to install, nothing to download.

gpu.py pack FOLDER: here, where images and weights are. gpu.py smoke FOLDER, gpu.py train FOLDER: there.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

STARTED = time.monotonic()
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package is used as it lies here
NEEDED = ("absl", "h5py", "keras", "lazy_loader", "ml_dtypes", "numpy", "pandas", "PIL", "scipy", "sklearn")


def prepare(folder):
    """Make Python find what travelled, choose Keras' backend, and say what is missing; before the package is imported.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    tempfile.TemporaryDirectory
        Of the unpacked wheels; it must be kept as long as they are used.
    """
    there = tempfile.TemporaryDirectory(prefix="bloodcell-gpu-", ignore_cleanup_errors=True)
    for wheel in sorted(Path(folder, "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(there.name)
    sys.path.insert(1, there.name)
    backends = [name for name in ("tensorflow", "jax", "torch") if find_spec(name)]
    missing = [name for name in NEEDED if not find_spec(name)] + ["TensorFlow, JAX or PyTorch"] * (not backends)
    if missing:
        raise SystemExit(
            f"gpu: {sys.executable} lacks {', '.join(missing)}: take another, or add wheels to the pack's."
        )
    os.environ.setdefault("KERAS_BACKEND", backends[0])
    os.environ["BLOODCELL_WEIGHTS_DIR"] = str(Path(folder).resolve())
    return there


def smoke(folder):
    """Try each path that only a graphics card takes, briefly, and say how it went.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    int
        1 if something failed: the exit status.
    """
    from gpu_pack import load

    from bloodcell_utils.experiments.provenance import device
    from bloodcell_utils.models import runtime

    (_, split), failed = load(folder), 0
    backend, cards = runtime.load_keras().backend.backend(), runtime.accelerators()
    print(f"Keras on {backend}: {', '.join(cards) or 'no graphics card, so the processor plays its part'}", flush=True)
    rows = split.rows("train")
    rows = rows[:: max(1, len(rows) // (4096 if cards else 8))]
    images, y = split.images[rows], split.y[rows]
    checks = {"device in the record": device, "augmentation": lambda: _augmented(images[:16])}
    for policy in ("mixed_bfloat16", "mixed_float16", "float32"):
        checks[f"training in {policy}"] = lambda policy=policy: _trained(policy, images, y)
    for name, check in {**checks, "full memory": lambda: _filled(cards)}.items():
        started, sign = time.monotonic(), "ok"
        try:
            said = check()
        except Exception as err:  # whatever it is, the other checks are worth their time
            failed, sign, said = 1, "!!", f"{type(err).__name__}: {err}"
        print(f"  {sign}  {name}: {said} ({time.monotonic() - started:.0f} s)", flush=True)
    return failed


def train(folder, *, minutes=8.0, records=None, **changes):
    """Fine-tune VGG-16 on the packed images, and write the record of what was reached, whatever ended it.

    Parameters
    ----------
    folder : path-like
    minutes : float
        From the start of this program until the record is there; the same call goes on after the last whole epoch.
    records : path-like, optional
        Default: `config.results_dir`.
    **changes
        Fields of `config.Tuning` that replace the profile's.

    Returns
    -------
    experiments.records.Record
    """
    import numpy as np
    from gpu_pack import load

    from bloodcell_utils.config import profile
    from bloodcell_utils.experiments import finetune

    (about, split), full, ended = load(folder), profile("full"), ""
    # The head trains alone at a rate at which one as wide as the paper's may go astray: it is the workstation's.
    ours = {name: getattr(profile("workstation").tuning, name) for name in ("head", "head_epochs", "schedule")}
    ours |= {"size": about["size"], "crop": about["crop"]} | changes
    full = replace(full, tuning=replace(full.tuning, **ours))
    reserve = min(40, 20 * minutes)  # seconds for the last answers and the record
    try:
        record = finetune.run(full, "vgg16", split=split, deadline=STARTED + 60 * minutes - reserve)
    except (Exception, KeyboardInterrupt) as err:
        print(f"{type(err).__name__}: {err}\nThe record of what was reached follows.", file=sys.stderr, flush=True)
        ended = f" Ended by {type(err).__name__}."
        record = finetune.run(full, "vgg16", split=split, deadline=time.monotonic())  # from the checkpoint alone
    model = next(iter(record.models.values()))
    epochs, sources = model["history"], finetune.training_rows(split.table, full.tuning.images_per_class)[0]
    seconds = float(np.median([epoch["seconds"] for epoch in epochs[1:] or epochs]))  # the first one compiles
    model["images_per_s"] = round(len(sources) / max(seconds, 0.1))
    last = [100 * epoch["val_accuracy"] for epoch in epochs[-3:]]
    flat = f"the last {len(last)} within {max(last) - min(last):.2f} points of validation accuracy"
    notes = [
        f"{about['images']:,} images as {about['format']} of quality {about['quality']}, packed at {about['commit']}.",
        f"{len(epochs)} of {full.tuning.epochs} epochs, {flat}.{ended}",
    ]
    record = replace(record, notes=record.notes + notes)
    print(*record.notes, f"{model['images_per_s']:,} images/s on {record.device}", record.write(records), sep="\n")
    return record


def main(arguments=None):
    """Do what the command line asks.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.

    Returns
    -------
    int
        The exit status: 1 if something failed.
    """
    parser = argparse.ArgumentParser(prog="gpu.py", description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["pack", "smoke", "train"])
    parser.add_argument("folder", type=Path, help="of the pack, for example dist/gpu")
    for name, default, text in (
        ("--size", 128, "pack: side of the images in pixels"),
        ("--format", "AVIF", "pack: or WEBP"),
        ("--python-version", "3.12", "pack: of the machine with the card"),
        ("--minutes", 8.0, "train: at most, the record included"),
        ("--epochs", 20, "train: at most"),
        ("--batch-size", 128, "train: images"),
        ("--images-per-class", 4096, "train: after balancing"),
    ):
        parser.add_argument(name, default=default, type=type(default), help=f"{text} ({default})")
    parser.add_argument("--records", type=Path, help="train: folder of the record (book/results)")
    asked = parser.parse_args(arguments)
    travelled = None if asked.what == "pack" else prepare(asked.folder)
    from bloodcell_utils.errors import BloodcellError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what ends a job is an interruption
    try:
        if asked.what == "smoke":
            return smoke(asked.folder)
        if asked.what == "train":
            own = {name: getattr(asked, name) for name in ("epochs", "batch_size", "images_per_class")}
            train(asked.folder, minutes=asked.minutes, records=asked.records, **own)
        else:
            from gpu_pack import pack

            about = pack(asked.folder, size=asked.size, kind=asked.format, python=asked.python_version)
            print(json.dumps({name: value for name, value in about.items() if name != "sha256"}, indent=1))
    except BloodcellError as err:
        print(f"gpu: {err}", file=sys.stderr)
        return 1
    finally:
        del travelled
    return 0


def _augmented(images):
    """Flips and rotations, computed where Keras computes: each time others, and no other levels."""
    import numpy as np

    from bloodcell_utils.models import backbones, runtime

    with runtime.precision():
        model = backbones.classifier("vgg16", images.shape[1], "random", head=(), augmentation=True)
    turn = runtime.load_keras().Model(model.input, model.get_layer("random_rotation").output)
    one, other = (np.asarray(runtime.load_keras().ops.cast(turn(images, training=True), "float32")) for _ in range(2))
    change, shift = np.abs(one - other).mean(), abs(one.mean() - images.mean())
    if change < 1 or shift > 10 or one.min() < -1 or one.max() > 256:
        raise ValueError(f"images change by {change:.1f} levels, their mean by {shift:.1f}")
    return f"two looks differ by {change:.0f} levels, their means by {shift:.1f}"


def _trained(policy, images, y):
    """Two epochs of what `train` does; images a second in the second one."""
    from bloodcell_utils.models import backbones, runtime
    from bloodcell_utils.training import fitting

    with runtime.precision(policy):
        model = backbones.classifier("vgg16", images.shape[1], head=(64,), augmentation=True)
    backbones.unfreeze(model, "vgg16", 4)
    settings = fitting.Settings(epochs=2, batch_size=128)
    history = fitting.fit(model, images, y, validation_data=(images[:8], y[:8]), settings=settings, progressbar=False)
    first, second = history.epochs
    rate = len(y) / max(second["seconds"], 0.1)
    return f"loss {first['loss']:.2f}, then {second['loss']:.2f}; {rate:,.0f} images/s"


def _filled(cards):
    """Train with a batch that no card holds; the answer must name one that fits. A processor plays a card."""
    import numpy as np

    from bloodcell_utils.errors import BloodcellError
    from bloodcell_utils.models import runtime
    from bloodcell_utils.training import fitting

    keras = runtime.load_keras()

    class Card(keras.layers.Layer):
        def compute_output_shape(self, shape):
            return shape

        def call(self, x):
            if not cards and isinstance(x.shape[0], int) and x.shape[0] > 8:
                raise RuntimeError("RESOURCE_EXHAUSTED: out of memory, as a card with room for eight says")
            return x

    side, depth, n = (64, 64, 1024) if cards else (8, 1, 64)  # 270 GB and more, in pieces that each are small enough
    x = inputs = keras.Input((side, side, 3))
    for _ in range(depth):  # convolutions: cheaper layers are computed again where memory is short
        x = keras.layers.Conv2D(256, 1, activation="relu")(x)
    x = keras.layers.Dense(8, "softmax")(keras.layers.GlobalAveragePooling2D()(Card()(x)))
    images, y = np.zeros((n, side, side, 3), np.uint8), np.arange(n) % 8
    how = {"settings": fitting.Settings(epochs=1, batch_size=n), "progressbar": False}
    try:
        fitting.fit(keras.Model(inputs, x), images, y, validation_data=(images[:8], y[:8]), **how)
    except BloodcellError as err:
        if "set batch_size=" in str(err):
            return err if cards else f"{err} (played)"
        raise
    raise ValueError(f"a batch of {n} fitted")


if __name__ == "__main__":
    sys.exit(main())
