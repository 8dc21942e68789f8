"""The built book as a reader meets it: served, compressed as a host does, and opened in Chromium."""

import pytest
from host import HTML, serve
from printing import chromium as find_chromium


@pytest.fixture(scope="session")
def site():
    """The address of the book, without a slash at its end."""
    if not (HTML / "index.html").is_file():
        pytest.skip("there is no book yet: run `make book`")
    with serve() as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    """Chromium without a window."""
    if find_chromium() is None:
        pytest.skip("there is no Chromium: `sudo apt-get install chromium`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium):
    """A reader's first visit: nothing stored. What fails on the way is in `context.trouble`."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.trouble = []

    def stay_home(route):
        context.trouble.append(f"asked {route.request.url}")
        route.abort()

    def told(message):
        if message.type == "error":
            context.trouble.append(f"{message.text} ({message.location.get('url', '')})")

    context.route(lambda url: not url.startswith(("http://127.0.0.1:", "data:", "blob:")), stay_home)
    context.on("console", told)
    context.on("weberror", lambda error: context.trouble.append(str(error.error)))
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A page whose reader sees no error, of the console or of the network."""
    yield context.new_page()
    assert not context.trouble
