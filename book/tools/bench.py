"""How much faster than the plain way? Each of the course's heavy steps, both ways, in one run on this machine.

usage: make bench [PROFILE=laptop] [ARGS="--only decode,svm"]

Seconds depend on the machine and on what else it does; their ratio much less. Every row also says how far both ways
agree.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bloodcell_utils import config, datasets, training
from bloodcell_utils.datasets import loading
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.datasets.pbc import labels
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments.provenance import provenance
from bloodcell_utils.files import replace_file
from bloodcell_utils.models import backbones, features, runtime
from bloodcell_utils.models.compactnet import CompactNet
from bloodcell_utils.models.compactnet_input import IMAGE
from bloodcell_utils.models.kernel_svm import KernelSVM

PREDICT_WITH_KERAS = """
import io
from pathlib import Path
import numpy as np
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets.pictures import decode
from bloodcell_utils.models import pretrained
images = np.stack([decode(path.read_bytes(), 128) for path in sorted(Path({folder!r}).iterdir())])
print(*[FOLDERS[i] for i in pretrained.network().predict(images, verbose=0).argmax(axis=1)], sep="|")
"""

SIZES = {"features": (32, 64), "decode": (500, 1000, 2000), "svm": (1000, 2000, 4000), "train": (1536,),
         "predict": (100, 1000), "start": (0,)}  # fmt: skip
STEPS = """steps:
  features   a frozen VGG-16: model.predict in float32, and in the precision that is fast here
  decode     JPEG files to arrays: Pillow in a loop, and `load_images`, for the first time and again
  svm        scikit-learn's SVC, and the course's kernel
  train      CompactNet: of Keras' own layers, and as it is shipped
  predict    images to names: Keras, and `predict`
  start      from the start of Python until a network can answer

examples:
  make bench                                          all steps, on drawn cells
  make bench PROFILE=laptop ARGS="--only decode,svm"  two of them, on the real images
  make bench PROFILE=laptop ARGS="--json book/benchmark.json"
      a column of the page Performance, in place of an earlier one of this machine
"""


def run(profile, *, only=None, progress=None):
    """Measure every benchmark at several sizes.

    Parameters
    ----------
    profile : config.Profile
        Whose images are used; few drawn ones are repeated.
    only : sequence of str, optional
        Of `SIZES`.
    progress : file, optional
        Gets a line for each measurement as soon as it is there.

    Returns
    -------
    dict
        ``rows`` (see `row`) and where and with what they were measured.

    Raises
    ------
    BloodcellError
        For an unknown benchmark.
    """
    if unknown := [name for name in only or () if name not in SIZES]:
        raise BloodcellError(f"There is no benchmark {unknown[0]!r}; choose of {', '.join(SIZES)}.")
    table = datasets.load_split(profile).table
    rows = []
    for name in only or SIZES:
        for n in SIZES[name]:
            for measured in BENCHMARKS[name](table, profile, n):
                rows.append({"step": name, "n": n, **measured})
                if progress:
                    print(line(rows[-1]), file=progress, flush=True)
    return {"profile": profile.name, **provenance(), "rows": rows}


def row(plain, plain_s, *, fast, fast_s, agreement):
    """One comparison.

    Parameters
    ----------
    plain, fast : str
        The two ways.
    plain_s, fast_s : float
        Their seconds.
    agreement : str
        How far their results are the same.

    Returns
    -------
    dict
    """
    return {"plain": plain, "plain_s": round(plain_s, 3), "fast": fast, "fast_s": round(fast_s, 3),
            "ratio": round(plain_s / fast_s, 2), "agreement": agreement}  # fmt: skip


def recorded(file):
    """The runs that a file holds, by machine and profile.

    Parameters
    ----------
    file : pathlib.Path
        Need not be there.

    Returns
    -------
    dict of (str, str) to dict

    Raises
    ------
    BloodcellError
        If the file holds something else.
    """
    try:
        return {_machine(one): one for one in (json.loads(file.read_text("utf-8")) if file.exists() else [])}
    except (ValueError, TypeError, KeyError) as err:
        raise BloodcellError(f"{file} does not hold measurements of `make bench`; name another file.") from err


def _machine(measured):
    return measured["device"], measured["profile"]


def line(measured):
    """A row as text.

    Parameters
    ----------
    measured : dict
        Of the ``rows`` of `run`.

    Returns
    -------
    str
    """
    n = f"{measured['n']:,}" if measured["n"] else ""
    return (
        f"{measured['step']:<9}{n:>6}  {measured['plain_s']:8.2f} s  {measured['plain']:<42}"
        f"{measured['fast_s']:8.2f} s  {measured['fast']:<34}{measured['ratio']:6.1f} x  {measured['agreement']}"
    )


def _features(table, profile, n):
    """VGG-16 without its head: `model.predict` in float32 against the precision that is fast here."""
    size = backbones.BACKBONES["vgg16"].input_size
    images = backbones.preprocess("vgg16", _some(table, n, size))
    model = backbones.build("vgg16", size, profile.weights)
    model.predict(images[:32], verbose=0)
    plain, plain_s = _timed(lambda: model.predict(images, verbose=0))
    with runtime.precision():
        quick = backbones.build("vgg16", size, profile.weights)
    quick.predict_on_batch(images[:32])
    answers, seconds = _timed(lambda: np.concatenate([quick.predict_on_batch(batch) for batch in _batches(images, 32)]))
    fast, agreement = "Keras, in what is fast here", f"{quick.dtype_policy.name}, cosine {_cosine(plain, answers):.5f}"
    yield row(f"model.predict, float32, {size} px", plain_s, fast=fast, fast_s=seconds, agreement=agreement)


def _decode(table, profile, n):
    """JPEG files to arrays: Pillow in a loop, against `load_images` with an empty cache and with a full one."""
    some = _rows(table, n)
    list(_files(some))  # from here on the operating system has them in memory for both ways
    plain, plain_s = _timed(lambda: np.stack([_decoded(file) for file in _files(some)]))
    with _empty_cache():
        images, seconds = _timed(lambda: load_images(some, IMAGE, progressbar=False, reduced=True))
        _, again = _timed(lambda: np.asarray(load_images(some, IMAGE, progressbar=False, reduced=True)).sum())
    apart = f"{np.abs(plain.astype(int) - images).mean():.1f} levels apart"
    yield row("Pillow in a loop", plain_s, fast="load_images, empty cache", fast_s=seconds, agreement=apart)
    yield row("Pillow in a loop", plain_s, fast="load_images, again", fast_s=again, agreement=apart)


def _svm(table, profile, n):
    """scikit-learn's SVC against `KernelSVM`, on colour histograms."""
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    some = _rows(table, 2 * n)
    X = StandardScaler().fit_transform(
        features.color_histogram(load_images(some, IMAGE, progressbar=False, reduced=True))
    )
    X, y = X.astype(np.float32), labels(some)
    fit, test = np.arange(len(y)) % 2 == 0, np.arange(len(y)) % 2 == 1
    for kernel, plain in (("rbf", SVC(C=10)), ("cubic", SVC(kernel="poly", degree=3, coef0=1, C=10))):
        theirs, plain_s = _timed(lambda plain=plain: plain.fit(X[fit], y[fit]).predict(X[test]))
        ours, seconds = _timed(lambda kernel=kernel: KernelSVM(kernel).fit(X[fit], y[fit]).predict(X[test]))
        same = f"{np.mean(ours == theirs):.2%} same answers"
        yield row(f"SVC, {kernel}", plain_s, fast="KernelSVM", fast_s=seconds, agreement=same)


def _train(table, profile, n):
    """Training CompactNet: Keras' own layers in float32, from arrays and from files, against the package's way."""
    some = _rows(table, n)
    y = labels(some)
    settings = training.Settings(epochs=4, batch_size=64, optimizer="muon", learning_rate=1e-3)

    class Decoding:
        """Files; each is decoded when it is asked for, in every epoch again."""

        def __init__(self, files):
            self.files = files

        def __len__(self):
            return len(self.files)

        def __getitem__(self, which):
            return np.stack([_decoded(self.files[row]) for row in which])

    files = Decoding(list(_files(some)))
    ready = np.asarray(load_images(some, IMAGE, progressbar=False, reduced=True))
    plain, seconds = {"fused": False, "augmentation": {"native": False}}, {}
    for name, X, network, policy in (
        ("Keras' layers", ready, plain, "float32"),
        ("Keras' layers, files decoded in the loop", files, plain, "float32"),
        ("CompactNet", ready, {}, None),
    ):
        with runtime.precision(policy):
            model = CompactNet(**network)
        held = (ready[:8], y[:8])
        history = training.fit(model, X, y, validation_data=held, settings=settings, progressbar=False)
        # The first epoch also traces the graph.
        seconds[name] = max(np.mean([epoch["seconds"] for epoch in history.epochs[1:]]), 0.1)
    fast = seconds.pop("CompactNet")
    for name, plain_s in seconds.items():
        yield row(name, plain_s, fast="CompactNet", fast_s=fast, agreement=f"{n / fast:.0f} images/s")


def _predict(table, profile, n):
    """`predict` on files against decoding in a loop and Keras; both from a fresh interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        for i, file in enumerate(_files(_rows(table, n))):
            Path(folder, f"{i:05}.jpg").write_bytes(file)
        ours = _process(
            f"from bloodcell_utils import predict; print(*predict({folder!r}, threshold=0).answer, sep='|')"
        )
        theirs = _process(PREDICT_WITH_KERAS.format(folder=folder))
    same = np.mean([a == b for a, b in zip(ours[0].split("|"), theirs[0].split("|"), strict=True)])
    same = f"{same:.2%} same answers"
    yield row("Keras, model.predict", theirs[1], fast="bloodcell_utils.predict", fast_s=ours[1], agreement=same)


def _start(table, profile, n):
    """From the start of Python until Keras is there, against the package, and against a network that can answer."""
    keras = min(_process("import keras")[1] for _ in range(2))
    for name, code in (
        ("import bloodcell_utils", "import bloodcell_utils"),
        ("the shipped network", "from bloodcell_utils.models import pretrained; pretrained.weights()"),
    ):
        seconds = min(_process(code)[1] for _ in range(2))
        yield row("import keras", keras, fast=name, fast_s=seconds, agreement="")


BENCHMARKS = {"features": _features, "decode": _decode, "svm": _svm, "train": _train, "predict": _predict,
              "start": _start}  # fmt: skip


def _rows(table, n):
    """Rows spread over all classes; a small table is gone through more than once."""
    return table.iloc[
        np.linspace(0, len(table) * max(1, -(-n // len(table))), n, endpoint=False).astype(int) % len(table)
    ]


def _some(table, n, size):
    some = _rows(table, n)
    return np.asarray(load_images(some, size, progressbar=False))


def _files(table):
    with loading.reader() as read:
        for source, path in table[["source", "path"]].to_numpy():
            yield read(source, path)


def _decoded(file):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB").resize((IMAGE, IMAGE), Image.Resampling.BILINEAR))


def _batches(images, size):
    return (images[i : i + size] for i in range(0, len(images), size))


def _timed(function):
    """What a function gives, and its seconds."""
    started = time.perf_counter()
    result = function()
    return result, time.perf_counter() - started


def _cosine(a, b):
    """Of each pair of rows, on average."""
    a, b = (np.asarray(x, float).reshape(len(x), -1) for x in (a, b))
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).mean())


def _process(code):
    """What a fresh interpreter prints, and its seconds from start to end."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done, seconds = _timed(
        lambda: subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    )
    if done.returncode:
        raise BloodcellError(f"A benchmark's own process failed: {done.stderr[-300:]}")
    return done.stdout.strip(), seconds


@contextmanager
def _empty_cache():
    before = os.environ.get("BLOODCELL_CACHE_DIR")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BLOODCELL_CACHE_DIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["BLOODCELL_CACHE_DIR"]
            else:
                os.environ["BLOODCELL_CACHE_DIR"] = before


def main(arguments=None):
    """Measure, print, and return the exit status.

    Parameters
    ----------
    arguments : list of str, optional
        Default: the command line's.

    Returns
    -------
    int
        0 done, 1 an error that the message explains.
    """
    parser = argparse.ArgumentParser(
        prog="make bench",
        usage='make bench [PROFILE=NAME] [ARGS="options"]',
        description="Time the heavy steps of the course both ways in one run: the plain way and the course's.",
        epilog=STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--profile", choices=config.PROFILES, help="whose images (default: sample, drawn cells)")
    parser.add_argument("--only", type=lambda text: text.split(","), metavar="NAMES", help="steps, with commas between")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements there")
    options = parser.parse_args(arguments)
    if options.json and options.only:
        parser.error("--json keeps one run of all steps: leave out --only")
    try:
        known = recorded(options.json) if options.json else {}
        measured = run(config.profile(options.profile), only=options.only, progress=sys.stdout)
        if options.json:
            every = list((known | {_machine(measured): measured}).values())
            replace_file(options.json, (json.dumps(every, indent=1) + "\n").encode())
    except BloodcellError as err:
        print(f"bench: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
