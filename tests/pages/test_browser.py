"""Every page, opened in a browser: no error, and no request that leaves the machine."""

import pytest
from conftest import HTML

PAGES = sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html") if "_static" not in path.parts)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_and_asks_nothing_of_others(page, site, name):
    answer = page.goto(f"{site}/{name}", wait_until="networkidle")
    assert answer.ok
