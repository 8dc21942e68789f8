"""Training: it learns, it keeps the best epoch, it survives a kill, and it says what to do about a full memory."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from bloodcell_utils import training
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments.compact import Joined
from bloodcell_utils.models.runtime import load_keras
from bloodcell_utils.training import fitting
from bloodcell_utils.training.fitting import Settings, fit, take

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 96)
X = (RNG.normal(size=(96, 6)) + 3 * np.eye(3, 6)[Y]).astype(np.float32)
FIT, HELD = slice(0, 64), slice(64, None)


def network(dropout=0.0, seed=1):
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dropout(dropout, seed=3), keras.layers.Dense(3, "softmax")]
    inputs = keras.Input((6,))
    x = inputs
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def train(settings, name=None, model=None, x=X, deadline=None):
    model = model or network(0.2)
    picked = [version[FIT] for version in x] if isinstance(x, list) else x[FIT]
    plain = x[0] if isinstance(x, list) else x
    return model, fit(
        model,
        picked,
        Y[FIT],
        validation_data=(plain[HELD], Y[HELD]),
        settings=settings,
        name=name,
        deadline=deadline,
        progressbar=False,
    )


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_it_learns(optimizer, schedule):
    model, history = train(Settings(6, 8, optimizer, 0.05, schedule))
    assert history.best["val_accuracy"] > 0.75
    assert history.epochs[-1]["loss"] < history.epochs[0]["loss"]
    assert [epoch["epoch"] for epoch in history.epochs] == list(range(1, 7))


def test_the_model_ends_with_its_best_epoch():
    model, history = train(Settings(10, 16, learning_rate=0.2))
    accuracy = float((training.predict(model, X[HELD]).argmax(axis=1) == Y[HELD]).mean())
    assert accuracy == pytest.approx(history.best["val_accuracy"], abs=1e-6)
    assert history.best["val_accuracy"] == max(epoch["val_accuracy"] for epoch in history.epochs)


def test_one_seed_one_history_another_seed_another():
    first, again, other = (train(Settings(3, 16, seed=seed))[1] for seed in (5, 5, 6))
    assert first.curves() == again.curves() != other.curves()


def test_a_finished_training_is_not_repeated(cache, monkeypatch):
    model, history = train(Settings(3, 16), "done")
    monkeypatch.setattr(load_keras().Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    again, read = train(Settings(3, 16), "done")
    assert read.epochs == history.epochs
    np.testing.assert_array_equal(training.predict(again, X), training.predict(model, X))


def test_an_interrupted_training_goes_on(cache, monkeypatch):
    whole_model, whole = train(Settings(5, 16))
    epoch, calls = load_keras().Model.fit, []

    def stop_in_the_third(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return epoch(*arguments, **options)

    monkeypatch.setattr(load_keras().Model, "fit", stop_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        train(Settings(5, 16), "cut")
    model, history = train(Settings(5, 16), "cut")
    assert len(calls) == 3 + 3
    assert history.curves() == whole.curves()
    np.testing.assert_array_equal(training.predict(model, X), training.predict(whole_model, X))


def test_a_damaged_checkpoint_is_started_again(cache):
    _, history = train(Settings(2, 16), "bad")
    for path in (cache / "training").glob("bad.*"):
        path.write_bytes(path.read_bytes()[:100])
    assert train(Settings(2, 16), "bad")[1].curves() == history.curves()


def test_a_training_that_a_class_shares_goes_on_in_ones_own_cache(cache, only_read, monkeypatch):
    train(Settings(2, 16), "shared")
    before = {path: path.read_bytes() for path in (cache / "training").iterdir()}
    only_read(cache)
    model, history = train(Settings(4, 16), "shared")
    monkeypatch.setattr(load_keras().Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    again, read = train(Settings(4, 16), "shared")
    assert read.epochs == history.epochs and len(history.epochs) == 4
    np.testing.assert_array_equal(training.predict(again, X), training.predict(model, X))
    assert {path: path.read_bytes() for path in (cache / "training").iterdir()} == before


CHILD = """
import sys
sys.path.insert(0, {here!r})
import test_fitting as t
t.train(t.Settings(400, 4, deterministic=True), "killed")
"""


def test_killed_in_an_epoch_it_ends_with_the_same_history(cache, tmp_path):
    """A second process trains and is killed without a chance to say goodbye, as by a power cut."""
    environment = {**os.environ, "BLOODCELL_CACHE_DIR": str(cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    here = os.path.dirname(__file__)
    child = subprocess.Popen([sys.executable, "-c", CHILD.format(here=here)], env=environment)
    saved = cache / "training" / "killed.last.npz"
    deadline = time.monotonic() + 300
    while not saved.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert saved.exists() and child.returncode == -signal.SIGKILL
    # A training of one epoch is over already: it says how many there are, and does not train.
    done = len(train(Settings(1, 4, deterministic=True), "killed")[1].epochs)
    assert 0 < done < 400
    resumed, whole = (train(Settings(done + 3, 4, deterministic=True), name)[1] for name in ("killed", None))
    assert len(resumed.epochs) == done + 3 and resumed.curves() == whole.curves()


def test_patience_ends_a_training_that_gets_no_better(cache):
    _, history = train(Settings(60, 16, learning_rate=0.1, patience=3))
    assert len(history.epochs) == history.best["epoch"] + 3 < 60


def shown(X, epochs):
    """The inputs that reach Keras' own loop in each epoch, in their order."""
    keras, seen = load_keras(), []
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(inputs))

    def look(batches, **_):
        seen.append(np.concatenate([x for x, _ in batches]))
        return SimpleNamespace(history={"loss": [0.0], "accuracy": [0.0]})

    model.fit = look
    n = len(X[0] if isinstance(X, list) else X)
    held = np.zeros((2, 2)), np.zeros(2, int)
    fit(model, X, np.zeros(n, int), validation_data=held, settings=Settings(epochs, 4), progressbar=False)
    return seen


def test_versions_take_turns():
    rows = np.arange(8.0)
    first, second = shown([np.stack([rows, np.full(8, version)], axis=1) for version in (0, 1)], epochs=2)
    versions = [dict(epoch.astype(int).tolist()) for epoch in (first, second)]
    assert all({versions[0][row], versions[1][row]} == {0, 1} for row in range(8))
    assert set(versions[0].values()) == {0, 1}, "each epoch shows both versions"


def test_every_row_is_shown_once_an_epoch():
    X = np.arange(20.0).reshape(10, 2)
    first, second = shown(X, epochs=2)
    assert sorted(map(tuple, first)) == sorted(map(tuple, second)) == sorted(map(tuple, X))
    assert not np.array_equal(first, second), "the order is another one"


def test_tensorflow_tunes_no_reading(monkeypatch):
    """Its tuner may sleep at the end of an epoch for as long as the epoch took."""
    epoch, tuned = load_keras().Model.fit, []

    def look(model, batches, **options):
        tuned.append(batches.options().autotune.enabled)
        return epoch(model, batches, **options)

    monkeypatch.setattr(load_keras().Model, "fit", look)
    train(Settings(2, 16))
    assert tuned == [False, False]


def test_rows_of_several_arrays_are_those_that_were_asked_for():
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 255, (20, 3, 2), np.uint8) for _ in range(3)]
    which, rows = rng.integers(0, 3, 50), rng.integers(0, 20, 50)
    for chosen in (which, np.full(50, 2)):
        taken, one_by_one = (
            take(arrays, chosen, rows),
            np.stack([arrays[a][row] for a, row in zip(chosen, rows, strict=True)]),
        )
        assert taken.dtype == np.uint8
        np.testing.assert_array_equal(taken, one_by_one)
    joined, rows = Joined(*arrays), rng.permutation(60)
    np.testing.assert_array_equal(joined[rows], np.concatenate(arrays)[rows])


def test_a_deadline_ends_it_and_the_same_call_goes_on(cache, monkeypatch):
    whole = train(Settings(5, 16))[1]
    clock = iter([0, 0, 100, 100])  # seconds, at the beginning of each epoch
    monkeypatch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: next(clock), perf_counter=time.perf_counter))
    assert len(train(Settings(5, 16), "limited", deadline=50)[1].epochs) == 2
    assert len(train(Settings(5, 16), "limited", deadline=50)[1].epochs) == 2
    monkeypatch.undo()
    resumed = train(Settings(5, 16), "limited", deadline=time.monotonic() + 600)[1]
    assert resumed.curves() == whole.curves()


def test_a_deadline_that_is_over():
    with pytest.raises(BloodcellError, match="before a single epoch"):
        train(Settings(5, 16), deadline=time.monotonic())


def test_an_epoch_that_would_end_too_late_is_not_begun(cache, monkeypatch):
    seconds = iter(range(0, 1000, 10))  # each look at the clock is ten seconds after the last one
    monkeypatch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: 0, perf_counter=lambda: next(seconds)))
    history = train(Settings(5, 16), "slow", deadline=15)[1]  # an epoch takes ten, with its saving twenty
    assert len(history.epochs) == 1


def test_training_in_half_precision_goes_on_as_well(cache):
    keras, before = load_keras(), load_keras().config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")  # Keras scales the loss, by a number that is a part of the state
    try:
        whole = train(Settings(4, 16))[1]
        clock = iter([0, 0, 100])
        with pytest.MonkeyPatch.context() as patch:
            seconds = time.perf_counter
            patch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: next(clock), perf_counter=seconds))
            assert len(train(Settings(4, 16), "half", deadline=50)[1].epochs) == 2
        resumed = train(Settings(4, 16), "half")[1]
    finally:
        keras.config.set_dtype_policy(before)
    assert resumed.curves() == whole.curves()


def test_a_network_that_is_sure_and_wrong_can_still_learn():
    """Where Keras cuts probabilities off before their logarithm, nothing would pull it back."""
    model = network()
    model.layers[-1].bias.assign([40.0, 0.0, 0.0])
    _, history = train(Settings(40, 16, "sgd", 0.5), model=model)
    assert history.best["val_accuracy"] > 0.75


def test_class_weights_change_what_is_learnt():
    rare = np.where(np.arange(64) % 8 == 0, 1, 0)
    x = np.zeros((64, 6), np.float32)
    weights = training.balanced_weights(rare, 3)
    assert np.bincount(rare, weights=np.array(weights)[rare], minlength=3)[:2].tolist() == pytest.approx([32, 32])
    answers = []
    for class_weight in (None, weights):
        model = network()
        fit(
            model,
            x,
            rare,
            validation_data=(x[:8], rare[:8]),
            settings=Settings(12, 4, learning_rate=0.05, class_weight=class_weight),
            progressbar=False,
        )
        answers.append(training.predict(model, x[:1])[0])
    assert answers[0][1] < 0.25 < 0.4 < answers[1][1] < 0.6


def test_a_loss_that_is_no_number():
    with pytest.raises(
        BloodcellError, match=r"The loss became (nan|inf) in epoch \d; try a lower learning rate than 1e\+38"
    ):
        train(Settings(4, 16, "sgd", 1e38))


FULL = (  # as TensorFlow, JAX, PyTorch and NVIDIA's libraries say it
    "OOM when allocating tensor with shape[64,6]",
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes",
    "CUDA out of memory. Tried to allocate 9.00 GiB.",
    "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
)


@pytest.mark.parametrize("words", FULL)
@pytest.mark.parametrize(("limit", "message"), [(10, "64 images; 8 fit: set batch_size=8"), (0, "nor a single one")])
def test_a_full_memory_is_answered_with_a_size_that_fits(monkeypatch, limit, message, words):
    model = network()

    def step(x, *_):
        if len(x) > limit:
            raise RuntimeError(words)

    monkeypatch.setattr(model, "fit", lambda batches, **_: step(np.zeros(64)))
    monkeypatch.setattr(model, "train_on_batch", step)
    with pytest.raises(BloodcellError, match=message):
        train(Settings(1, 64), model=model)


def test_other_errors_are_not_mistaken_for_a_full_memory(monkeypatch):
    model = network()

    def broken(*_, **__):
        raise ValueError("no room in the waiting room")

    monkeypatch.setattr(model, "fit", broken)
    with pytest.raises(ValueError, match="waiting room"):
        train(Settings(1, 64), model=model)


@pytest.mark.parametrize("wrong", [{"optimizer": "lion"}, {"schedule": "steps"}, {"epochs": 0}, {"learning_rate": 0.0}])
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(BloodcellError):
        Settings(**wrong)


def test_inputs_and_labels_of_different_lengths():
    with pytest.raises(BloodcellError, match="one length"):
        fit(network(), X[:10], Y[:9], validation_data=(X[:5], Y[:5]), settings=Settings(1), progressbar=False)


def test_a_full_disk_is_said_and_nothing_is_lost(cache, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(BloodcellError, match="No space left on device.*goes on after its last whole epoch"):
        train(Settings(1, 16), "full")
    assert not list((cache / "training").glob("*"))


def test_a_training_step_on_jax():
    """The same code on another backend, where it is installed."""
    pytest.importorskip("jax", reason="JAX is not installed")
    code = "import sys; sys.path.append(sys.argv[1]); import test_fitting as t; print(t.train(t.Settings(3))[1].best)"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, os.path.dirname(__file__)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0 and "val_accuracy" in result.stdout, result.stderr
