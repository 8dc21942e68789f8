"""What the paper prints adds up where it should, and where it does not the course can show it."""

from pathlib import Path

import pytest

from bloodcell_utils import paper
from bloodcell_utils.cells import FOLDERS

ROOT = Path(__file__).parents[1]


def test_table_1_is_in_class_order_and_adds_up():
    assert tuple(paper.TABLE_1) == FOLDERS
    assert sum(paper.TABLE_1.values()) == paper.N_IMAGES == 17_092


@pytest.mark.parametrize("split", [paper.SPLIT_SVM, paper.SPLIT_FINE_TUNING])
def test_splits_use_every_image(split):
    assert sum(split.values()) == paper.N_IMAGES
    assert split["test"] == 1_919


def test_table_3_has_a_value_for_every_setting():
    sizes = [512, 1024, 2048, 4096]
    blocks = {"vgg16": [1, 2, 4], "inception_v3": [1, 2, 4, 6, 8]}
    for network, rows in paper.TABLE_3.items():
        assert list(rows) == sizes
        assert all(list(row) == blocks[network] for row in rows.values())
        assert all(90 < value < 97 for row in rows.values() for value in row.values())
    assert {network: sum(map(len, rows.values())) for network, rows in paper.TABLE_3.items()} == {
        "vgg16": 12,
        "inception_v3": 20,
    }


@pytest.mark.parametrize("network", paper.TABLE_3)
def test_the_chosen_setting_is_not_the_best_of_table_3(network):
    size, blocks = paper.TABLE_3_CHOSEN[network]
    best = max(value for row in paper.TABLE_3[network].values() for value in row.values())
    assert paper.TABLE_3[network][size][blocks] < best


def test_printed_rates_are_multiples_of_a_256th_but_one():
    rates = [rate for rates in paper.TRUE_POSITIVE_RATE.values() for rate in rates.values()]
    assert len(rates) == 11
    assert all(paper.as_count(rate) is not None for rate in rates)
    no_multiple = [pair for pair, rate in paper.CONFUSIONS.items() if paper.as_count(rate) is None]
    assert no_multiple == [("basophil", "eosinophil")]


@pytest.mark.parametrize("percent", [99.22, 76.17, 76.56, 99.61, 95.31, 98.83, 98.44, 87.89])
def test_no_natural_test_set_explains_the_rates(percent):
    """Shares of 1,919 images in proportion to Table 1 would print other numbers for most classes."""
    natural = {name: round(n * paper.SPLIT_SVM["test"] / paper.N_IMAGES) for name, n in paper.TABLE_1.items()}
    quoted = {(c, r) for rates in paper.TRUE_POSITIVE_RATE.values() for c, r in rates.items() if r == percent}
    assert any(paper.as_count(rate, natural[name]) is None for name, rate in quoted)


@pytest.mark.parametrize(
    ("percent", "count"), [(99.61, 255), (3.12, 8), (3.13, 8), (0.39, 1), (100, 256), (2.58, None)]
)
def test_counts_behind_percentages(percent, count):
    assert paper.as_count(percent) == count


def test_every_count_of_256_is_found_from_its_print():
    for count in range(257):
        assert paper.as_count(round(100 * count / 256, 2)) == count


def test_what_is_printed_of_a_network_and_of_one_that_the_paper_has_not():
    printed = {key: paper.printed_accuracy(*key) for key in paper.ACCURACY}
    assert printed == {key: accuracy.value for key, accuracy in paper.ACCURACY.items()}
    assert printed["svm", "vgg16"] == 87.4 and printed["fine_tuned", "vgg16"] == 96.2
    assert paper.printed_accuracy("svm", "compactnet") is paper.printed_accuracy("control", "vgg16") is None


def test_numbers_of_the_text_agree_with_each_other():
    """Validation images are eight times 512; rates lie above their bounds; what 6.3 prints is a test accuracy."""
    assert paper.SPLIT_FINE_TUNING["validation"] == 8 * 512
    for key, bounds in paper.RATE_ABOVE.items():
        known = paper.TRUE_POSITIVE_RATE[key]
        assert all(known[name] > bounds[name] for name in bounds if name in known)
    assert {*paper.FIG_14} <= {
        *paper.TRUE_POSITIVE_RATE["fine_tuned", "vgg16"],
        *paper.RATE_ABOVE["fine_tuned", "vgg16"],
    }
    assert {printed.place for (design, _), printed in paper.ACCURACY.items() if "unbalanced" in design} == {
        "section 6.3"
    }
    for network, printed in paper.BEST_VALIDATION.items():
        images, blocks = paper.TABLE_3_CHOSEN[network]
        assert printed.other == paper.TABLE_3[network][images][blocks] != printed.value


def test_a_group_called_small_is_larger_than_one_called_large():
    assert paper.TABLE_1["ig"] > paper.TABLE_1["platelet"] and "ig" in paper.FALL_UNBALANCED


def test_what_the_page_quotes_is_what_is_kept_here():
    page = " ".join((ROOT / "book" / "reproduction.md").read_text("utf-8").split())
    svm, tuned = ([paper.ACCURACY[design, network] for network in paper.TABLE_2] for design in ("svm", "fine_tuned"))
    curves = list(paper.BEST_VALIDATION.values())
    share = paper.SPLIT_FINE_TUNING["train"] / paper.N_IMAGES
    left = [round(share * paper.TABLE_1[name]) for name in ("lymphocyte", "basophil")]
    filled = [n * (1 + paper.HYPERPARAMETERS["versions"]) for n in left]
    for numbers in (
        "{} and {} %".format(*(f"{p.other:g}" for p in svm)), "{} and {} %".format(*(f"{p.value:g}" for p in svm)),
        f"{tuned[1].value:g} % in section 5.2 and {tuned[1].other:g} %",
        "{:g} and {:g} %".format(*(p.value for p in curves)),
        "{:g} and {:g} % in Table 3".format(*(p.other for p in curves)),
        "folds give {:g} and {:g} %".format(*(p.value for p in paper.CROSS_VALIDATION.values())),
        "about {} lymphocytes and {} basophils".format(*left), "{:,} and {:,}, fewer than 4,096".format(*filled),
        f"{paper.TABLE_1['ig']:,} of them, and {paper.TABLE_1['platelet']:,} platelets",
    ):  # fmt: skip
        assert numbers in page, numbers
    assert max(filled) < paper.HYPERPARAMETERS["images_per_class"] == 4096
    assert all(folds.value <= p.value for folds, p in zip(paper.CROSS_VALIDATION.values(), svm, strict=True))


def test_disagreements_keep_both_values():
    both = [printed for printed in paper.ACCURACY.values() if printed.other is not None]
    assert len(both) == 3 and all(printed.note and printed.other != printed.value for printed in both)
    assert paper.TABLE_2["vgg16"]["parameters"].other == 138_357_544
    assert all(set(rates) <= set(FOLDERS) for rates in paper.TRUE_POSITIVE_RATE.values())
