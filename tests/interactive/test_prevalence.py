"""The threshold and the prevalence: complete in themselves, and counted on the page as they are in Python."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from bs4 import BeautifulSoup

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.interactive import prevalence
from bloodcell_utils.interactive.page import asset
from bloodcell_utils.interactive.prevalence import PREVALENCES, expected_counts, explore_threshold

RNG = np.random.default_rng(0)
POSITIVE = np.arange(300) % 6 == 0
SCORES = np.clip(RNG.normal(0.35 + 0.3 * POSITIVE, 0.15), 0, 1)


@pytest.fixture(scope="module")
def explored():
    soup = BeautifulSoup(explore_threshold(SCORES, POSITIVE)._repr_html_(), "html.parser")
    return soup, json.loads(soup.find("script", type="application/json").string)


def test_the_counts_of_a_threshold_by_hand():
    result = expected_counts(
        [0.9, 0.6, 0.2, 0.7, 0.1, 0.1, 0.1], [True, True, True, False, False, False, False], 0.6, prevalence=0.01
    )
    assert (result["found"], result["alarms"], result["specificity"]) == (2, 1, 0.75)
    assert result["sensitivity"] == pytest.approx(2 / 3)
    expected = {"tp": 20 / 3, "fn": 10 / 3, "fp": 247.5, "tn": 742.5}
    assert {name: result[name] for name in expected} == pytest.approx(expected)
    assert result["ppv"] == pytest.approx(20 / 3 / (20 / 3 + 247.5))
    assert result["npv"] == pytest.approx(742.5 / (742.5 + 10 / 3))


def test_predictive_values_follow_bayes_and_prevalence_alone():
    share = POSITIVE.mean()
    here = expected_counts(SCORES, POSITIVE, 0.5, prevalence=share)
    assert here["ppv"] == pytest.approx(here["found"] / (here["found"] + here["alarms"])), (
        "at the data's own prevalence"
    )
    values = [expected_counts(SCORES, POSITIVE, 0.5, prevalence=p)["ppv"] for p in PREVALENCES]
    assert values == sorted(values) and values[0] < 0.02


def test_where_all_are_called_positive_there_is_no_negative_predictive_value():
    result = expected_counts(SCORES, POSITIVE, 0, prevalence=0.5)
    assert np.isnan(result["npv"]) and result["ppv"] == 0.5


def test_the_page_is_given_every_score_and_wilsons_intervals(explored):
    _, data = explored
    assert data["positives"] == np.sort(np.round(10_000 * SCORES[POSITIVE])).astype(int).tolist()
    assert len(data["negatives"]) == 250 and data["stops"] == sorted(set(data["positives"]))
    found, alarms = (
        expected_counts(SCORES, POSITIVE, data["stops"][7] / 10_000, prevalence=0.1)[name]
        for name in ("found", "alarms")
    )
    ends = 100 * np.concatenate([metrics.wilson(found, 50), metrics.wilson(250 - alarms, 250)])
    assert data["intervals"][7] == pytest.approx(ends.round(1))


def test_a_button_goes_to_the_highest_threshold_that_finds_enough(explored):
    soup, data = explored
    targets = [target for target in prevalence.TARGETS if target != 0.99]  # of these 50, 99 % are all
    for button, target in zip(soup.select("button"), targets, strict=True):
        assert button.string == f"{100 * target:.0f} %"
        stop = int(button["data-stop"])
        reached = [
            expected_counts(SCORES, POSITIVE, data["stops"][i] / 10_000, prevalence=0.1)["sensitivity"]
            for i in (stop, stop + 1)
        ]
        assert reached[0] >= target > reached[1]


def test_no_two_buttons_do_the_same():
    many = np.arange(3000) % 6 == 0
    for scores, positive, buttons in ((SCORES, POSITIVE, 3), (RNG.random(3000), many, 4)):
        soup = BeautifulSoup(explore_threshold(scores, positive)._repr_html_(), "html.parser")
        assert len({button["data-stop"] for button in soup.select("button")}) == len(soup.select("button")) == buttons


def test_it_has_names_and_native_controls(explored):
    soup, _ = explored
    assert [slider["aria-label"] for slider in soup.select("input[type=range]")] == ["threshold", "prevalence"]
    assert soup.select_one(".bc-says")["aria-live"] == "polite"
    assert soup.select_one("svg")["role"] == "img" and soup.select_one("svg")["aria-label"]
    assert "basophils in blood" in soup.select_one(".bc-mark").get_text()
    assert soup.select_one(".bc-controls").has_attr("hidden"), "until the script runs"


def test_it_needs_nothing_else_and_a_page_may_hold_several():
    name = '</script><b onclick="x">'
    html = explore_threshold(SCORES, POSITIVE, name=name)._repr_html_()
    assert not re.findall(r"https?:|//[\w.]+\.\w+/|@import|url\(|\bfetch\(|\bsrc=|<link", html)
    soup = BeautifulSoup(html * 2, "html.parser")
    assert not soup.select("[id], [for], [name]") and not soup.find("b")


@pytest.mark.parametrize(
    "scores, positive",
    [
        (SCORES[1:], POSITIVE),
        (SCORES + 1, POSITIVE),
        (np.full(300, np.nan), POSITIVE),
        (SCORES, np.ones(300)),
        (SCORES, POSITIVE & False),
    ],
)
def test_what_cannot_be_counted(scores, positive):
    with pytest.raises(BloodcellError, match="needs"):
        explore_threshold(scores, positive)


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_the_page_counts_as_python_does(explored):
    _, data = explored
    script = asset("bloodcell_utils.interactive", "prevalence.js")
    counting = script[script.index("const count =") : script.index("const shapes")]
    settings = [(stop, share) for stop in data["stops"][::3] for share in PREVALENCES]
    counted = f"{json.dumps(settings)}.map((setting) => count(...setting))"
    program = f"const data = {json.dumps(data)};{counting}console.log(JSON.stringify({counted}))"
    answer = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=60).stdout
    for (stop, share), here in zip(settings, json.loads(answer), strict=True):
        there = expected_counts(SCORES, POSITIVE, stop / 10_000, prevalence=share)
        assert here == {name: None if np.isnan(value) else value for name, value in there.items()}
