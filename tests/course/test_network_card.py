"""The card of the shipped network: its records' numbers, a row for what waits, questions for what no record knows."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from markdown_it import MarkdownIt

from bloodcell_utils import config
from bloodcell_utils.course import network_card
from bloodcell_utils.course.model_card import rate
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments import load_record, records

BEST = load_record("compact_best", "laptop")


@pytest.fixture
def folder(tmp_path):
    """The record of the shipped network alone."""
    for path in config.results_dir().glob("compact_best.laptop.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def add(folder, name, models):
    replace(BEST, experiment=name, models=models, predictions=None).write(folder)


def test_what_is_not_measured_says_so(folder):
    card = network_card.card(folder)
    main = next(iter(BEST.models.values()))
    assert rate(main["named"], main["n_test"]) in card
    assert rate(np.trace(main["confusion"]), main["n_test"]) in card
    assert card.count("| not measured yet |") == len(network_card.STRANGERS)
    assert all(f"**{title}.** Not measured yet." in card for title in network_card.LATER.values())
    assert "bloodcell run strangers" in network_card.checklist(folder=folder)


def test_later_records_fill_their_rows(folder):
    one = records.measure(np.diag([3] * 8) + np.eye(8, k=1, dtype=int))
    cells = {"n": 400, "named": 20, "wrong": 20}
    groups = {"single red cells of BCCD": cells, "drawn": {"n": 9, "named": 0, "wrong": 0}}
    add(folder, "strangers", {"shipped network": one | {"groups": groups}})
    abroad = {"home": {"n": 9, "right": 8, "balanced": 0.875}, "far | a": {"n": 31, "right": 24, "balanced": None}}
    add(folder, "shift", {"shipped network": one | {"groups": abroad}})
    add(folder, "adapt", {"as it is": one | {"groups": abroad}, "new | head": one | {"groups": abroad}})
    add(folder, "calibration", {"a": one})
    card = network_card.card(folder)
    assert "| single red cells of BCCD | 400 | 20 (5.0 %) | 20 |" in card and "| drawn | 9 | 0 (0.0 %) | 0 |" in card
    assert card.count("| not measured yet |") == len(network_card.STRANGERS) - 1
    assert f"| home | {rate(8, 9)} | 87.5 % |" in card and f"| far &#124; a | {rate(24, 31)} | – |" in card
    assert f"| new &#124; head, home | {rate(8, 9)} |" in card and "Not measured yet." not in card
    assert f"far &#124; a: {rate(24, 31)}" in network_card.checklist(folder=folder)
    assert "Of 409 pictures 20 were named, 20 wrongly" in network_card.checklist(folder=folder)


def test_it_is_markdown_without_headings(folder):
    for text in (network_card.card(folder), network_card.checklist({"use": "for a | b *c* d e"}, folder)):
        html = MarkdownIt().enable("table").render(text)
        assert "<table>" in html and "<h" not in html.replace("<hr", "")
        assert "{{" not in text and "None" not in text


def test_what_is_missing():
    left = network_card.missing({})
    assert set(left) < set(network_card.ITEMS) and "rates" not in left
    mine = {"use": "a sentence of five words", "harm": "none", "blind": ...}
    assert list(network_card.missing(mine)) == list(left)[1:]


def test_the_network_without_its_record(tmp_path):
    with pytest.raises(BloodcellError, match="bloodcell run compact_best --profile laptop"):
        network_card.card(tmp_path)
