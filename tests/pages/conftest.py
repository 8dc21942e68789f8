"""The built book as a reader meets it: served, compressed as a host does, and opened in Chromium."""

from contextlib import contextmanager

import pytest
from host import HTML, Pages, serve
from printing import chromium as find_chromium
from xdist.scheduler import LoadFileScheduling

HOME = "127.0.0.1"
ALONE = ["--no-sandbox", f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOME}"]  # no other host has an address


class ByPage(LoadFileScheduling):
    """A file's tests stay with one worker; where a page is opened once for several tests, those of the page do."""

    def _split_scope(self, nodeid):
        file, _, test = nodeid.partition("::")
        return test.partition("[")[2] if file.endswith("test_browser.py") and ".html]" in test else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByPage(config, log)


@pytest.fixture(scope="session")
def site():
    """The address of the book, without a slash at its end."""
    if not (HTML / "index.html").is_file():
        pytest.skip("there is no book yet: run `make book`")
    with serve(Pages) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    """Chromium without a window, and without another host than ours."""
    if find_chromium() is None:
        pytest.skip("there is no Chromium: `sudo apt-get install chromium`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ALONE)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visit(chromium):
    """To open the book as on a first visit, with nothing stored. What fails on the way is in `context.trouble`."""

    @contextmanager
    def visit():
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        context.trouble = []

        def failed(request):
            if not request.url.startswith((f"http://{HOME}:", "data:", "blob:")):
                context.trouble.append(f"asked {request.url}")

        def told(message):
            address = message.location.get("url", "")
            if message.type == "error" and not address.endswith("/favicon.ico"):  # which no page asks for
                context.trouble.append(f"{message.text} ({address})")

        context.on("requestfailed", failed)
        context.on("console", told)
        context.on("weberror", lambda error: context.trouble.append(str(error.error)))
        try:
            yield context
        finally:
            context.close()

    return visit


@pytest.fixture
def context(visit):
    """A first visit for one test."""
    with visit() as context:
        yield context


@pytest.fixture(scope="session")
def reader(visit):
    """One reader for many tests."""
    with visit() as context:
        yield context


@pytest.fixture
def page(reader, site):
    """A page where nothing is stored, and whose reader sees no error, of the console or of the network."""
    reader.trouble.clear()
    page = reader.new_page()
    reader.new_cdp_session(page).send("Storage.clearDataForOrigin", {"origin": site, "storageTypes": "all"})
    yield page
    page.close()
    assert not reader.trouble
