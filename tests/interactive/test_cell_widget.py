"""The cell under the reader's hands: what a slider does is seen, and a preset moves them all at once."""

import ipywidgets
import numpy as np
import pytest
from bs4 import BeautifulSoup

from bloodcell_utils.datasets.specs import CellSpec
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import counterfactuals
from bloodcell_utils.interactive import cell_widget as builder


class Answers:
    """Says neutrophil to dark pictures; counts how often it is asked."""

    asked = 0

    def __call__(self, images):
        self.asked += 1
        dark = images.mean(axis=(1, 2, 3)) / 255
        return np.column_stack([1 - dark, dark, *np.zeros((6, len(images)))])


def parts(box):
    """Every widget by its description; pictures in order."""
    found, pictures, todo = {}, [], [box]
    while todo:
        widget = todo.pop(0)
        todo = [*getattr(widget, "children", ()), *todo]
        if isinstance(widget, ipywidgets.HTML):
            pictures.append(widget)
        elif getattr(widget, "description", ""):
            found[widget.description] = widget
    return found, pictures


@pytest.fixture
def built(monkeypatch):
    monkeypatch.setattr(builder, "_warm", lambda image: 255 - image)
    answers = Answers()
    controls, (picture, bars, strip) = parts(builder.cell_builder("SNE", answers))
    return answers, controls, picture, bars, strip


def test_every_parameter_has_a_control(built):
    assert {name for group in builder.GROUPS.values() for name in group} == set(CellSpec.__dataclass_fields__)
    assert len(built[1]) == len(CellSpec.__dataclass_fields__) + 5


def test_a_slider_changes_the_picture_and_asks_once(built):
    answers, controls, picture, bars, _ = built
    before, asked = picture.value, answers.asked
    controls["cell diameter (µm)"].value = 6.0
    assert picture.value != before and answers.asked == asked + 1
    assert "neutrophil" in bars.value and BeautifulSoup(picture.value, "html.parser").img["alt"].startswith("The cell;")


def test_a_preset_moves_all_sliders_and_asks_once(built):
    answers, controls, picture, _, _ = built
    asked = answers.asked
    controls["preset"].value = "LY"
    assert answers.asked == asked + 1
    assert controls["nucleus shape"].value == "round" and controls["nucleus ratio"].value > 0.6


def test_the_first_preset_comes_back(built):
    _, controls, picture, _, _ = built
    before = picture.value
    controls["drawing"].value = 7
    controls["preset"].value = "LY"
    controls["preset"].value = "SNE"
    controls["drawing"].value = 0
    assert picture.value == before


def test_where_it_looks(built):
    _, controls, picture, _, _ = built
    before = picture.value
    controls["where it looks (Grad-CAM)"].value = True
    assert picture.value != before


def test_what_flips_it_draws_a_strip(built):
    _, controls, _, _, strip = built
    controls["move"].value = "exposure"
    controls["what flips it?"].click()
    assert "exposure from 0.975 to 1.02" in BeautifulSoup(strip.value, "html.parser").img["alt"]
    assert not controls["what flips it?"].disabled


def test_a_colour_that_is_none_is_refused_by_name():
    assert builder._value("nucleus_rgb", "#102030") == (16, 32, 48)
    with pytest.raises(BloodcellError, match="nucleus_rgb is 'blue'; write a colour as #rrggbb"):
        builder._value("nucleus_rgb", "blue")


def test_the_film_stands_alone():
    film = builder.parameter_slider(counterfactuals.preset("SNE"), "lobes", Answers())
    assert len(film.pictures) == 6 and film.labels[0].startswith("lobes 0: ")
    assert film.title == "lobes"
