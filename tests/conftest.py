"""What every test gets: its own cache, nothing of the caller's settings, no network, and a small drawn data set."""

import io
import os
import socket
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from bs4 import BeautifulSoup
from hypothesis import settings
from PIL import Image

from bloodcell_utils.datasets import pbc, sample, splits

# Whoever reads a notebook loads jsonschema, which loads this where it is installed, to know an address of the internet
# from another text: its grammar is built for seconds in every process. None of our notebooks has such a field.
sys.modules.setdefault("rfc3987_syntax", None)

settings.register_profile("course", derandomize=True, database=None, deadline=None, max_examples=40)
settings.load_profile("course")

LONG = ("test_finetune", "test_bench", "test_nbgrader", "test_computed_checks", "test_fitting", "test_on_your_own")
LOOPBACK = ("127.", "::1", "localhost")
HOSTILE = (
    """set"'><img src=x onerror=alert(3)><b title='""",
    "</script></style><script>alert(1)</script>",
    "a & b {{ 7 * 7 }} {% raw %} {name}",
    "` | x | ` <u>y</u>\n\n# head\n- [here](http://a.b) ![](c) **d**\n```",
    "1. www.a.bc <http://a.b> http://a.b 'x' \\` $e$",
)


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """The order in which files are begun is that of `pytest_collection_modifyitems`."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Files that take long begin first, then those with many tests: no worker is left alone with them at the end."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.stem not in LONG, -tests[item.path]))


@pytest.fixture(scope="session", autouse=True)
def sandbox(tmp_path_factory):
    """A cache that workers share, no variables of the caller, and a refusal where a test reaches for the network."""
    connect, base = socket.socket.connect, tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def stay_home(self, address):
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise OSError(f"the tests must not need the network: {address}")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("PROFILE", "DATA_DIR", "LABS_DIR", "WEIGHTS_DIR", "RESULTS_DIR"):
            patch.delenv(f"BLOODCELL_{name}", raising=False)
        patch.setenv("BLOODCELL_CACHE_DIR", str(shared / "cache"))
        patch.setenv("BLOODCELL_PROGRESS_FILE", str(tmp_path_factory.mktemp("progress") / "progress.json"))
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        patch.setattr(socket.socket, "connect", stay_home)
        yield


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache for one test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def only_read(monkeypatch):
    """Call it with a folder that a class shares: nobody here may write to it.

    An administrator always may, so it is pretended; what is written there all the same, the test has to notice.
    """
    access = os.access

    def share(folder):
        def asked(path, mode, **options):
            return access(path, mode, **options) and not (mode & os.W_OK and Path(path) == folder)

        monkeypatch.setattr(os, "access", asked)
        monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: folder.parent / "mine" / name)

    return share


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """The drawn sample as a folder: 8 x 9 pictures of 32 px, with three pairs of copies and a second batch."""
    return sample.write(tmp_path_factory.mktemp("drawn") / "sample", per_class=9, size=32)


@pytest.fixture(scope="session")
def table(drawn):
    """The index of the drawn sample; copy it before changing it."""
    return pbc.index(drawn)


@pytest.fixture(scope="module")
def few_cells(table):
    """Profiles whose cells are drawn work with those of `drawn`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "load_index", lambda profile: table)
        yield


@pytest.fixture(scope="module")
def eagerly():
    """TensorFlow computes operation by operation: for a handful of batches a graph is built longer than it computes."""
    from tensorflow.config import run_functions_eagerly

    run_functions_eagerly(True)
    yield
    run_functions_eagerly(False)


@pytest.fixture(scope="session")
def encode():
    """A function from an array to the bytes of an image file."""

    def encode(array, format="PNG", mode=None, **options):
        stream = io.BytesIO()
        image = Image.fromarray(np.asarray(array))
        (image.convert(mode) if mode else image).save(stream, format, **options)
        return stream.getvalue()

    return encode


@pytest.fixture
def holds_names():
    """A function that makes HTML with a name in it, and finds that hostile names make no other page than a plain one.

    Elements and the names of their attributes are compared, and the hostile name must be read on the page as it is.
    """

    def skeleton(html):
        return [(tag.name, sorted(tag.attrs)) for tag in BeautifulSoup(html, "html.parser").find_all(True)]

    def said(html):
        soup = BeautifulSoup(html, "html.parser")
        values = (value for tag in soup.find_all(True) for value in tag.attrs.values() if isinstance(value, str))
        return " ".join(" ".join([*soup.find_all(string=True), *values]).split())

    def holds_names(make, shown=lambda name: name):
        plain = skeleton(make("a name"))
        for name in HOSTILE:
            html = make(name)
            assert skeleton(html) == plain, name
            assert " ".join(shown(name).split()) in said(html), name

    return holds_names
