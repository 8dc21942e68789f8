"""The card of the shipped networks: numbers of records, a row for what waits, questions for what no record knows."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from markdown_it import MarkdownIt

from bloodcell_utils import config
from bloodcell_utils.course import network_card
from bloodcell_utils.course.model_card import rate
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments import load_record, records, shift

BEST = load_record("compact_best", "laptop")


@pytest.fixture
def folder(tmp_path):
    """The record of the network that stayed at home alone."""
    for path in config.results_dir().glob("compact_best.laptop.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def add(folder, name, models):
    replace(BEST, experiment=name, models=models, predictions=None).write(folder)


def test_what_is_not_measured_says_so(folder):
    card = network_card.card(folder)
    home = next(iter(BEST.models.values()))
    assert rate(np.trace(home["confusion"]), home["n_test"]) in card
    assert rate(home["named"], home["n_test"]) not in card, "alone it is not asked"
    assert card.count("| not measured yet |") == len(network_card.STRANGERS) + 2
    assert all(f"**{title}.** Not measured yet." in card for title in network_card.LATER.values())
    asked = network_card.checklist(folder=folder)
    assert "bloodcell run strangers" in asked and asked.count("bloodcell run travelled") == len(network_card.TOGETHER)


def test_both_networks_have_their_numbers(folder):
    home = next(iter(BEST.models.values()))
    confusion = np.diag([9] * 8) + 2 * np.eye(8, k=5, dtype=int)
    both = {**home, **records.measure(confusion), "named": 70, "named_right": 68, "threshold": 0.876}
    alone = {**home, **records.measure(np.diag([7] * 8) + np.eye(8, k=1, dtype=int)), "corruptions": {"fog": 42}}
    seed = BEST.seed
    models = {f"alone, seed {seed}": alone, f"with the one from home, seed {seed}": both}
    add(folder, "travelled", models | {f"with the one from home, seed {seed + 1}": home})
    card, asked = network_card.card(folder), network_card.checklist(folder=folder)
    n = int(confusion.sum())
    assert f"both together, as they are asked | {rate(72, n)}" in card and f"alone | {rate(56, 63)}" in card
    assert f"Named: {rate(70, n)}; of these wrong: {rate(2, 70)}" in card and "for a name was 0.876" in card
    assert "travelled: fog: 66.7 %" in card and "bloodcell run travelled" not in card + asked
    assert f"No name for {rate(n - 70, n)}; of those named wrong: {rate(2, 70)}" in asked
    assert f"| {rate(72, n)}; least for `{BEST.classes[0]}`: {rate(9, 11)} |" in asked


def test_later_records_fill_their_rows(folder):
    one = records.measure(np.diag([3] * 8) + np.eye(8, k=1, dtype=int))
    cells = {"n": 400, "named": 20, "wrong": 20}
    groups = {"single red cells of BCCD": cells, "drawn": {"n": 9, "named": 0, "wrong": 0}}
    add(folder, "strangers", {"shipped network": one | {"groups": groups}})
    abroad = {"home": {"n": 9, "right": 8, "balanced": 0.875}, "far | a": {"n": 31, "right": 24, "balanced": None}}
    add(folder, "shift", {shift.AWAY: one | {"groups": {"far | a": cells | {"right": 1, "balanced": 0.5}}},
                          shift.BOTH: one | {"groups": abroad}})  # fmt: skip
    add(folder, "adapt", {"as it is": one | {"groups": abroad}, "new | head": one | {"groups": abroad}})
    add(folder, "calibration", {"a": one})
    card = network_card.card(folder)
    assert "| single red cells of BCCD | 400 | 20 (5.0 %) | 20 |" in card and "| drawn | 9 | 0 (0.0 %) | 0 |" in card
    assert card.count("| not measured yet |") == len(network_card.STRANGERS) + 1
    assert f"| both, home | {rate(8, 9)} | 87.5 % |" in card and f"| both, far &#124; a | {rate(24, 31)} | – |" in card
    assert f"| new &#124; head, home | {rate(8, 9)} |" in card and "Not measured yet." not in card
    assert f"| home: {rate(8, 9)}; far &#124; a: {rate(24, 31)} |" in network_card.checklist(folder=folder)
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
