"""The player stands alone, speaks to everybody and stays small; the live slider shows the layer it stands on.

A grid of pictures follows its controls, and is drawn from values given in their order.
"""

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from small_network import network

from bloodcell_utils import plots
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import explain
from bloodcell_utils.interactive import frames

RNG = np.random.default_rng(0)
GREYS = [np.full((12, 16), level) for level in (0, 120, 255)]
LABELS = ["dark", "<middle> & 'quoted'", "bright {last}"]


def page(player, times=1):
    return BeautifulSoup(player._repr_html_() * times, "html.parser")


@pytest.fixture(scope="module")
def player():
    return frames.show_frames(GREYS, LABELS, "A grey square", title="level")


def test_it_needs_nothing_else(player):
    text = player._repr_html_()
    assert not re.findall(r"https?:|//[\w.]+\.\w+/|@import|url\(|fetch\(|\bsrc=(?!\"data:)|<link|\bimport\b", text)


def test_many_players_fit_on_one_page(player):
    document = page(player, 2)
    assert len(document.select(".bloodcell-frames")) == 2
    assert not document.select("[id]") and not document.select("[for], [name]")


def test_every_picture_is_there_and_says_what_it_shows(player):
    document = page(player)
    shown = document.select(".frame")
    assert [frame.p.get_text() for frame in shown] == LABELS
    assert [frame.img["alt"] for frame in shown] == [f"A grey square: {label}" for label in LABELS]
    assert [frame.has_attr("data-on") for frame in shown] == [True, False, False]
    assert all(frame.img["src"].startswith("data:image/webp;base64,UklGR") for frame in shown)


def test_it_is_worked_by_keyboard_and_has_no_dead_buttons(player):
    document = page(player)
    slider = document.select_one("input[type=range]")
    assert (slider["min"], slider["max"], slider["aria-label"]) == ("0", "2", "level")
    buttons = document.select("button[type=button]")
    assert [button["aria-label"] for button in buttons] == ["previous level", "play", "next level"]
    assert document.select_one(".controls").has_attr("hidden")  # until the script runs


def test_own_texts():
    document = page(frames.show_frames(GREYS, LABELS, ["one square", "two squares", "three squares"]))
    assert [tag["alt"] for tag in document.select("img")] == ["one square", "two squares", "three squares"]


def test_how_wide_it_is():
    assert [frames.show_frames(GREYS, LABELS, "A grey square", width=w).width for w in (None, 200)] == [320, 200]


def test_figures_and_colours():
    image = RNG.integers(0, 256, (10, 10, 3), dtype=np.uint8)
    player = frames.show_frames([plots.montage([image], columns=1, width=1), image], ["figure", "array"], "A picture")
    assert len(page(player).select("img")) == 2
    assert repr(player) == "<2 pictures, one a picture: figure to array>"


@pytest.mark.parametrize(
    "pictures, labels, alt, complaint",
    [
        ([], [], "nothing here", "0 picture"),
        (GREYS, LABELS[:2], "A grey square", "3 picture.*2 label"),
        (GREYS, LABELS, ["one square", "two squares"], "2 text"),
        (GREYS, LABELS, ["", "two squares", "three squares"], "needs a text"),
    ],
)
def test_what_is_missing(pictures, labels, alt, complaint):
    with pytest.raises(BloodcellError, match=complaint):
        frames.show_frames(pictures, labels, alt)


def test_large_pictures_are_compressed_or_refused():
    noise = [RNG.integers(0, 256, (120, 120, 3), dtype=np.uint8)]
    free = sum(map(len, frames.show_frames(noise, ["noise"], "Noise").pictures))
    assert sum(map(len, frames.show_frames(noise, ["noise"], "Noise", limit=free).pictures)) * 4 / 3 <= free
    with pytest.raises(BloodcellError, match="kB of 1; show fewer"):
        frames.show_frames(noise, ["noise"], "Noise", limit=1000)


def test_the_layers_of_a_network():
    model, image = network(), RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    player = frames.layer_frames(model, image)
    assert player.labels == tuple(explain.map_layers(model))
    assert "6 of the 6 maps of the layer first, each 16 by 16" in player.alts[0]


def test_the_live_slider():
    model, image = network(), RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    slider, picture = frames.layer_walk(model, image).children
    assert slider.options == tuple(explain.map_layers(model))
    first = picture.value
    slider.value = "second"
    assert "the layer second" in picture.value and picture.value != first
    slider.value = "first"
    assert picture.value == first


AXES = {"level": [0, 120.5, 255], "<kind>": {"as it is": 1, "half": 2}}


def drawn(level, divisor):
    return np.full((12, 16), level / divisor), f"level {level / divisor:g}"


@pytest.fixture(scope="module")
def square():
    return frames.grid(drawn, AXES, "A grey square", start={"level": 120.5, "<kind>": "half"}, title="Squares")


def test_a_grid_has_a_picture_for_every_combination(square):
    document = page(square)
    values = [level / divisor for level in AXES["level"] for divisor in (1, 2)]
    assert square.labels == tuple(f"level {value:g}" for value in values)
    assert [frame.p.get_text() for frame in document.select(".frame")] == list(square.labels)
    assert document.select("img")[3]["alt"] == "A grey square; level 120.5, <kind> half. level 60.25"
    assert repr(square) == "<6 pictures: 3 level x 2 <kind>>"


def test_a_grid_starts_where_it_is_told(square):
    document = page(square)
    assert [frame.has_attr("data-on") for frame in document.select(".frame")] == [False] * 3 + [True] + [False] * 2
    assert document.select_one("input")["value"] == "1"
    assert [option.get_text() for option in document.select("option") if option.has_attr("selected")] == ["half"]
    assert frames.grid(drawn, AXES, "A grey square").start == 0


def test_numbers_slide_and_texts_are_chosen_both_by_name(square):
    document = page(square, 2)
    assert not document.select("[id], [for], [name]"), "two on one page"
    slider, choice = document.select_one("input[type=range]"), document.select_one("select")
    assert (slider["min"], slider["max"], slider["aria-label"], slider["aria-valuetext"]) == (
        "0",
        "2",
        "level",
        "120.5",
    )
    assert json.loads(slider["data-values"]) == ["0", "120.5", "255"]
    assert choice["aria-label"] == "<kind>" and [o.get_text() for o in choice.select("option")] == ["as it is", "half"]
    assert [label.span.get_text() for label in document.select("label")][:2] == ["level", "<kind>"]
    assert document.select_one(".aloud")["aria-live"] == "polite"
    assert document.select_one(".controls").has_attr("hidden") and not document.select("button")


def test_what_all_pictures_share_is_kept_once_and_lies_over_them():
    above = plots.montage([np.zeros((8, 8, 3), np.uint8)], columns=1, width=1)
    shared = frames.grid(drawn, AXES, "A grey square", over=above)
    (image,) = page(shared).select(".over img")
    assert image.parent["aria-hidden"] == "true" and image["src"].startswith("data:image/webp;base64,UklGR")
    assert not page(frames.grid(drawn, AXES, "A grey square")).select(".over")
    with pytest.raises(BloodcellError, match="show fewer"):
        frames.grid(drawn, AXES, "A grey square", over=above, limit=len(shared.over) * 4 / 3 + 10)


@pytest.mark.parametrize(
    "axes, start, complaint",
    [
        ({}, None, "at least one axis"),
        ({"level": []}, None, "at least one value"),
        (AXES, {"level": 3}, "level = 3; it has level: 0, 120.5, 255"),
        (AXES, {"grey": 0}, "grey = 0"),
    ],
)
def test_a_grid_that_cannot_be(axes, start, complaint):
    with pytest.raises(BloodcellError, match=complaint):
        frames.grid(drawn, axes, "A grey square", start=start)
