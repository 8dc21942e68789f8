"""The curves of a training: complete in themselves, and readable without their slider."""

import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.interactive.curves import epoch_slider

EPOCHS = [
    {"epoch": n, "loss": 2 / n, "accuracy": 1 - 1 / (n + 1), "val_loss": 1 / n, "val_accuracy": 0.9, "seconds": 90.0}
    for n in range(1, 8)
]


def points(line):
    return np.array([pair.split(",") for pair in line["points"].split()], float)


def test_curves_hold_every_epoch_within_their_panel():
    soup = BeautifulSoup(epoch_slider(EPOCHS)._repr_html_(), "html.parser")
    for picture in soup.select(".bc-panels svg"):
        _, _, width, height = map(float, picture["viewbox"].split())
        for line in picture.select("polyline"):
            at = points(line)
            assert len(at) == len(EPOCHS) and (np.diff(at[:, 0]) > 0).all()
            assert (at > 0).all() and (at < [width, height]).all()
    loss = points(soup.select_one("polyline.bc-training"))
    assert (np.diff(loss[:, 1]) > 0).all(), "down on the page, as the loss falls"


def test_the_slider_waits_for_its_script_and_knows_the_time():
    soup = BeautifulSoup(epoch_slider(EPOCHS)._repr_html_(), "html.parser")
    assert soup.select_one("label").has_attr("hidden")
    data = json.loads(soup.find("script", type="application/json").string)
    assert data["minutes"] == [1.5, 3.0, 4.5, 6.0, 7.5, 9.0, 10.5] and data["loss"][1] == 1.0


def test_it_needs_nothing_else_and_a_page_may_hold_several():
    html = epoch_slider(EPOCHS)._repr_html_()
    assert not re.findall(r"https?:|@import|url\(|\bfetch\(|\bsrc=|<link", html)
    assert not BeautifulSoup(html * 2, "html.parser").select("[id], [for], [name]")


def test_a_curve_without_a_rise_and_one_without_a_second_epoch():
    level = [dict(EPOCHS[0], epoch=n) for n in (1, 2)]
    assert "nan" not in epoch_slider(level)._repr_html_()
    with pytest.raises(BloodcellError, match="at least two epochs"):
        epoch_slider(EPOCHS[:1])
