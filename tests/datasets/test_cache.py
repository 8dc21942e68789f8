"""Arrays in the cache: computed once, resumed, rebuilt when damaged, never lost to a full disk or to Ctrl-C."""

import errno
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodcell_utils import config
from bloodcell_utils.datasets import sample, splits
from bloodcell_utils.datasets.cache import key, stored_array
from bloodcell_utils.errors import BloodcellError

ROOT = Path(__file__).parents[2]
SHAPE, BLOCK = (10, 3), 2
EXPECTED = np.arange(30, dtype=np.float32).reshape(SHAPE)


class Work:
    """Computes rows of `EXPECTED`, notes which, and fails when it reaches a row."""

    def __init__(self, fail_at=None, error=None):
        self.fail_at, self.error, self.calls = fail_at, error, []

    def __call__(self, start, stop):
        if self.fail_at is not None and stop > self.fail_at:
            raise self.error
        self.calls.append((start, stop))
        return EXPECTED[start:stop]


def stored(work, shape=SHAPE, dtype=np.float32, name="rows", block=BLOCK):
    return stored_array(name, shape, dtype, compute=work, block=block, progressbar=False)


def test_computed_once(cache):
    work = Work()
    first = stored(work)
    np.testing.assert_array_equal(first, EXPECTED)
    assert first.dtype == np.float32 and not first.flags.writeable
    assert work.calls == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 10)]
    again = Work()
    np.testing.assert_array_equal(stored(again), EXPECTED)
    assert again.calls == []
    assert not list(cache.glob("*.partial"))


def test_a_cache_that_a_class_shares_is_read_and_not_written(cache, only_read):
    stored(Work())
    before = sorted(path.name for path in cache.iterdir())
    only_read(cache)
    again, new = Work(), Work()
    np.testing.assert_array_equal(stored(again), EXPECTED)
    assert again.calls == [], "what is there is not computed"
    stored(new, name="mine")
    assert new.calls and (config.cache_dir() / "mine.npy").is_file() and not (cache / "mine.npy").exists()
    with (cache / "rows.npy").open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"oops")
    damaged = Work()
    np.testing.assert_array_equal(stored(damaged), EXPECTED)
    assert damaged.calls, "what is damaged there is computed here"
    assert sorted(path.name for path in cache.iterdir()) == before


def test_a_shared_sample_that_was_changed_is_drawn_anew_in_ones_own_cache(cache, only_read, monkeypatch):
    profile = config.PROFILES["sample"]
    monkeypatch.setattr(sample, "write", partial(sample.write, per_class=8, size=32))
    paths = splits.load_index(profile)["path"]
    changed = next(cache.rglob("[!.]*.jpg"))
    changed.write_bytes(b"oops")
    only_read(cache)
    assert splits.load_index(profile)["path"].tolist() == paths.tolist()
    own = config.cache_dir() / changed.relative_to(cache)
    assert changed.read_bytes() == b"oops" != own.read_bytes()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a broken network"), SystemExit()], ids=repr)
def test_after_an_interruption_only_the_rest_is_computed(cache, error):
    with pytest.raises(type(error)):
        stored(Work(fail_at=6, error=error))
    assert not (cache / "rows.npy").exists()
    rest = Work()
    np.testing.assert_array_equal(stored(rest), EXPECTED)
    assert rest.calls == [(6, 8), (8, 10)]


def test_a_block_that_was_half_written_is_computed_again(cache):
    with pytest.raises(KeyboardInterrupt):
        stored(Work(fail_at=6, error=KeyboardInterrupt()))
    with (cache / "rows.partial").open("ab") as file:
        file.write(b"\xff" * 13)  # what a lost battery leaves of the next block
    rest = Work()
    np.testing.assert_array_equal(stored(rest), EXPECTED)
    assert rest.calls == [(6, 8), (8, 10)]


def test_a_partial_file_of_another_array_is_not_continued(cache):
    with pytest.raises(KeyboardInterrupt):
        stored(Work(fail_at=6, error=KeyboardInterrupt()))
    array = stored(lambda start, stop: np.full((stop - start, 4), start, np.int16), (10, 4), np.int16)
    np.testing.assert_array_equal(array[:, 0], [0, 0, 2, 2, 4, 4, 6, 6, 8, 8])


@pytest.mark.parametrize("left", [0, 7, 60, 100, -1])
def test_a_file_cut_short_is_noticed_and_rebuilt(cache, left):
    stored(Work())
    path = cache / "rows.npy"
    path.write_bytes(path.read_bytes()[:left])
    work = Work()
    with pytest.warns(UserWarning, match="rows.npy was damaged"):
        np.testing.assert_array_equal(stored(work), EXPECTED)
    assert len(work.calls) == (1 if left == -1 else 5)  # what was written whole before is kept


@pytest.mark.parametrize("place", [-1, -30, -70])
def test_a_flipped_byte_is_noticed_and_its_block_computed_again(cache, place):
    stored(Work())
    data = bytearray((cache / "rows.npy").read_bytes())
    data[place] ^= 64
    (cache / "rows.npy").write_bytes(data)
    with pytest.warns(UserWarning, match="rows.npy was damaged"):
        np.testing.assert_array_equal(stored(Work()), EXPECTED)


def test_without_its_checksums_an_array_is_not_believed(cache, monkeypatch):
    stored(Work())
    (cache / "rows.crc32").write_bytes(b"")
    monkeypatch.setattr("bloodcell_utils.datasets.cache._compared", {})  # as in the next process
    with pytest.warns(UserWarning, match="rows.npy was damaged"):
        np.testing.assert_array_equal(stored(Work()), EXPECTED)


@pytest.mark.parametrize(
    "content",
    [np.zeros((10, 4), np.float32), np.zeros((9, 3), np.float32), np.zeros(SHAPE, np.float64), np.zeros(SHAPE, ">f4")],
    ids=["columns", "rows", "dtype", "byte order"],
)
def test_another_array_under_the_name_is_rebuilt(cache, content):
    cache.mkdir()
    np.save(cache / "rows.npy", content)
    np.testing.assert_array_equal(stored(Work()), EXPECTED)


def test_something_else_under_the_name_is_rebuilt_and_never_executed(cache):
    cache.mkdir()
    np.save(cache / "rows.npy", np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    np.testing.assert_array_equal(stored(Work()), EXPECTED)
    (cache / "rows.npy").write_text("a text")
    np.testing.assert_array_equal(stored(Work()), EXPECTED)


def test_a_full_disk_is_foreseen(cache, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        stored(Work(fail_at=6, error=KeyboardInterrupt()))
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: usage(100, 100, 4 * 12 - 1))
        with pytest.raises(BloodcellError, match=r"(?s)MB are needed.*BLOODCELL_CACHE_DIR.*goes on where it stopped"):
            stored(Work())
    rest = Work()
    np.testing.assert_array_equal(stored(rest), EXPECTED)
    assert rest.calls == [(6, 8), (8, 10)]


def test_a_disk_that_fills_up_meanwhile_keeps_what_was_done(cache, monkeypatch):
    fsync, calls = os.fsync, []

    def fill_up(number):
        calls.append(number)
        if len(calls) == 7:  # two a block: its rows, its checksum
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(number)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fill_up)
        with pytest.raises(BloodcellError, match="No space left"):
            stored(Work())
    rest = Work()
    np.testing.assert_array_equal(stored(rest), EXPECTED)
    assert rest.calls[0][0] >= 6


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_write_that_fails_is_an_error_and_no_crash(cache):
    cache.mkdir()
    (cache / "rows.partial").symlink_to("/dev/full")
    with pytest.raises(BloodcellError, match="cannot be used"):
        stored(Work())
    (cache / "rows.partial").unlink()
    np.testing.assert_array_equal(stored(Work()), EXPECTED)


def test_a_cache_that_is_no_folder_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(BloodcellError, match="file cannot be used"):
        stored(Work())
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("rows", [np.zeros((2, 4), np.float32), np.zeros((1, 3), np.float32), np.zeros(6, np.float32)])
def test_rows_of_another_shape_are_an_error(cache, rows):
    with pytest.raises(ValueError, match="rows 0:2 have shape"):
        stored(lambda start, stop: rows)
    np.testing.assert_array_equal(stored(Work()), EXPECTED)


def test_no_rows_at_all(cache):
    assert stored(Work(), shape=(0, 3)).shape == (0, 3)


def test_two_processes_at_once_get_the_same_array(cache):
    """Each writes a line for every block that it computes: together they compute each block once."""
    program = """
import sys, time
import numpy as np
from bloodcell_utils.datasets.cache import stored_array
def compute(start, stop):
    with open(sys.argv[1], "a") as log:
        log.write(f"{start}\\n")
    time.sleep(0.05)
    return np.arange(3 * start, 3 * stop, dtype=np.float32).reshape(-1, 3)
array = stored_array("rows", (10, 3), np.float32, compute=compute, block=2, progressbar=False)
assert (array == np.arange(30, dtype=np.float32).reshape(10, 3)).all()
"""
    command = [sys.executable, "-c", program, str(cache.parent / "log")]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    messages = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], messages
    assert (cache.parent / "log").read_text().split() == ["0", "2", "4", "6", "8"]


def test_a_key_changes_with_any_part():
    parts = ["images", 64, 0.8, b"bytes", np.arange(4)]
    assert key(*parts) == key(*parts) and len(key(*parts)) == 16
    changed = [["image", *parts[1:]], parts[:-1], [*parts[:-1], np.arange(5)], [*parts[:-1], np.arange(4.0)]]
    changed.append([*parts[:-1], np.arange(4).reshape(2, 2)])
    assert len({key(*p) for p in [parts, *changed]}) == 6


def test_a_key_is_the_same_on_every_machine():
    assert key("images", 64) == "7b70ca034781261a"
    assert key(np.arange(6).reshape(2, 3).T) == key(np.ascontiguousarray(np.arange(6).reshape(2, 3).T))


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_keys_of_different_words_differ(first, second):
    first, second = ([word.replace("\0", "") for word in words] for words in (first, second))
    assert (key(*first) == key(*second)) == (first == second)
