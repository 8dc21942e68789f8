"""The dashboard of the reproduction, filtered as its readers filter it."""

import pytest

PAGE = "book/reproduction.html"
SHOWN = ".reproduction tr[data-count]:visible"


@pytest.fixture
def dashboard(page, site):
    page.goto(f"{site}/{PAGE}")
    return page


def counted(page):
    shown, _, total, _ = page.inner_text(".items-count").split()
    return int(shown), int(total)


def test_everything_shows_at_first(dashboard):
    shown, total = counted(dashboard)
    assert shown == total == sum(map(int, dashboard.locator(".tally b").all_inner_texts()))


def test_ticks_choices_and_words_filter_and_stay_in_the_address(dashboard):
    for box in dashboard.locator(".tally input").all():
        box.set_checked(box.get_attribute("value") == "higher")
    assert {kind.split()[-1] for kind in (line.get_attribute("class") for line in dashboard.locator(SHOWN).all())} == {
        "higher"
    }
    shown, total = counted(dashboard)
    assert 0 < shown < total
    dashboard.select_option("select[name=group]", "Figures")
    dashboard.fill("input[name=words]", "vgg accuracy")
    fewer = counted(dashboard)
    assert 0 < fewer[0] < shown
    assert all("Fig." in head for head in dashboard.locator(".reproduction tbody:visible .item b").all_inner_texts())
    dashboard.reload()
    assert counted(dashboard) == fewer
    dashboard.fill("input[name=words]", "no such words")
    assert counted(dashboard)[0] == 0 and dashboard.locator(SHOWN).count() == 0


def test_an_item_can_be_linked(dashboard, site):
    dashboard.goto(f"{site}/{PAGE}#fig-11")
    assert dashboard.evaluate("document.querySelector(':target').innerText.includes('Fig. 11')")


def test_it_fits_a_phone(dashboard):
    dashboard.set_viewport_size({"width": 360, "height": 740})
    assert dashboard.evaluate("document.documentElement.scrollWidth") <= 360
