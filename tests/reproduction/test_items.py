"""The checklist: complete, agreed with the course, and judged by real images alone."""

import re

import pytest

from bloodcell_utils import course, paper, reproduction
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import pbc
from bloodcell_utils.experiments import balance, records
from bloodcell_utils.models import backbones
from bloodcell_utils.reproduction import comparisons, items

NAMES = [f"{kind} {n}" for kind, last in (("Table", 3), ("Fig.", 18), ("Eq.", 7)) for n in range(1, last + 1)]
CHAPTERS = {
    "dataset": "Table 1, Fig. 1",
    "augmentation": "Fig. 2",
    "convolution": "Fig. 4, Fig. 5, Eq. 1, Eq. 2, Eq. 3, Eq. 4",
    "architectures": "Table 2, Fig. 3, Fig. 8, Fig. 9",
    "features_svm": "Fig. 6, Fig. 7, Fig. 11",
    "fine_tuning": "Eq. 5, Eq. 6, Fig. 10, Fig. 12",
    "ablation": "Table 3",
    "confusion_matrix": "Eq. 7, Fig. 11, Fig. 12, Fig. 13, Fig. 14",
    "class_balance": "Fig. 17, Fig. 18",
    "feature_maps": "Fig. 15",
    "error_analysis": "Fig. 16",
}


@pytest.fixture
def everywhere(monkeypatch):
    """Every item has a chapter, whatever the course has so far."""
    monkeypatch.setattr(items, "chapters_of", lambda name: course.load().chapters[:1])


def lines(rows, name):
    return next(row.lines for row in rows if row.name == name)


def test_a_row_for_each_table_figure_and_equation():
    rows = reproduction.checklist(records.read_all())
    assert [row.name for row in rows] == NAMES
    assert all(row.what and row.lines for row in rows)
    assert all(line.kind in reproduction.KINDS and line.verdict for row in rows for line in row.lines)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_makes_again_what_it_should(chapter):
    assert sorted(course.chapter(chapter).paper) == sorted(CHAPTERS[chapter].split(", "))


def test_the_course_and_the_checklist_agree():
    named = {(item, chapter.name) for chapter in course.load().chapters for item in chapter.paper}
    listed = {(row.name, chapter.name) for row in reproduction.checklist([]) for chapter in row.chapters}
    assert named == listed
    assert {item for item, _ in named} == set(NAMES), "every item has a chapter, and no chapter another item"


def test_an_item_without_a_chapter_is_not_made_again(monkeypatch):
    monkeypatch.setattr(items, "chapters_of", lambda name: ())
    assert reproduction.tally(line for row in reproduction.checklist([]) for line in row.lines) == {"missing": 28}


def test_every_printed_number_is_compared_or_missing(everywhere):
    """Without records, what is missing is exactly what the paper prints and experiments measure."""
    rows = reproduction.checklist([])
    rates = sum(map(len, paper.TRUE_POSITIVE_RATE.values()))
    missing = {row.name: reproduction.tally(row.lines).get("missing", 0) for row in rows}
    assert missing["Table 3"] == sum(len(r) for network in paper.TABLE_3.values() for r in network.values())
    assert missing["Fig. 11"] + missing["Fig. 12"] == 4 + rates
    assert missing["Fig. 16"] == len(paper.CONFUSIONS)
    assert missing["Fig. 7"] == missing["Fig. 10"] == missing["Fig. 17"] == missing["Fig. 18"] == 2
    assert missing["Fig. 14"] == len(paper.FIG_14)


def test_what_is_missing_comes_with_one_command_and_what_it_needs(everywhere):
    for row in reproduction.checklist([]):
        for line in row.lines:
            if line.kind == "missing":
                assert re.search(r"`bloodcell run \w+ (--backbone \w+ )?--profile \w+`; needs ", line.verdict)
                assert ("Inception" in line.what) == ("weights of Inception-v3" in line.verdict)


def test_facts_of_the_data_and_of_the_networks(everywhere, monkeypatch):
    rows = reproduction.checklist([])
    assert [line.kind for line in lines(rows, "Table 1")] == ["equal"]
    assert [line.kind for line in lines(rows, "Table 2")] == ["equal", "different", "equal"]
    all_but_one = pbc.manifest().iloc[1:]
    monkeypatch.setattr(pbc, "manifest", lambda: all_but_one)
    assert [line.kind for line in lines(reproduction.checklist([]), "Table 1")] == ["different"]


def test_the_parameters_of_the_real_network():
    """Counted layer by layer: kernels and biases of 13 convolutions and 3 dense layers."""
    widths = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    convolutions = sum(9 * a * b + b for a, b in zip((3, *widths), widths, strict=False))
    dense = sum(
        a * b + b for a, b in ((7 * 7 * 512, 4096), (4096, backbones.BACKBONES["vgg16"].n_features), (4096, 1000))
    )
    assert paper.TABLE_2["vgg16"]["parameters"].other == convolutions + dense


def test_the_recorded_svm(make_record, everywhere):
    accuracy, *rates, missing = lines(reproduction.checklist([make_record("svm")]), "Fig. 11")
    assert accuracy.printed.startswith("87.4") and "abstract says 86" in accuracy.printed
    assert accuracy.measured.startswith("90.0") and accuracy.data == "PBC, 400 test images, laptop profile"
    assert [rate.what.rpartition(", ")[2] for rate in rates] == list(paper.TRUE_POSITIVE_RATE["svm", "vgg16"])
    assert (
        accuracy.kind == "inside" and missing.kind == "missing" and accuracy.note.startswith("svm.laptop, in brackets")
    )


def test_the_fullest_record_counts_and_drawn_cells_never(make_record, everywhere):
    def shown(*made, **options):
        return lines(reproduction.checklist(list(made), **options), "Fig. 11")[0]

    laptop = make_record("svm")
    full = make_record("svm", "full", models={"vgg16 last block": (0.8, {})})
    drawn = make_record("svm", "sample", "synthetic", {"vgg16 last block": (1.0, {})})
    assert shown(laptop, full, drawn).measured.startswith("80.0")
    assert shown(full, laptop, drawn).measured.startswith("80.0")
    assert shown(laptop, drawn).measured.startswith("90.0")
    assert shown(drawn).kind == "missing"
    rehearsed = shown(laptop, full, drawn, rehearsal=True)
    assert rehearsed.kind == "rehearsal" and rehearsed.measured.startswith("100.0")


def test_a_real_record_of_the_sample_profile_is_no_rehearsal(make_record, everywhere):
    """What counts is the images, not the name of the profile."""
    drawn = make_record("svm", "laptop", "synthetic")
    assert lines(reproduction.checklist([drawn]), "Fig. 11")[0].kind == "missing"


def test_settings_of_table_3(make_record, everywhere):
    models = {
        f"{images}, {blocks}, {seed}": (accuracy, {"images_per_class": images, "blocks": blocks, "seed": seed})
        for images, blocks, seed, accuracy in (
            (512, 1, 1, 0.9),
            (512, 1, 2, 0.94),
            (1024, 2, 1, 0.96),
            (256, 1, 1, 0.8),
        )
    }
    first, second, rest, inception = lines(reproduction.checklist([make_record("ablation", models=models)]), "Table 3")
    assert first.what == "VGG-16, 512 images a class, 1 block" and first.printed.startswith("92")
    assert first.measured.startswith("92.0") and first.measured.endswith("(mean of 2 seeds)")
    assert second.what.endswith("2 blocks") and second.measured.startswith("96.0")
    assert rest.count == 10 and "`bloodcell run ablation --profile workstation --add`" in rest.verdict
    assert inception.count == 20


def test_the_curves_of_figure_10(make_record, everywhere):
    details = {"history": [{"epoch": 1, "val_accuracy": 0.8}, {"epoch": 2, "val_accuracy": 0.9}], "best_epoch": 2}
    record = make_record("finetune", models={"vgg16 fine-tuned": (0.9, details)})
    curves, highest, missing = lines(reproduction.checklist([record]), "Fig. 10")
    assert (curves.kind, curves.measured) == ("made", "best of 2 epochs: 2") and curves.data.startswith("PBC")
    assert curves.printed == "best of 100 epochs: 80"
    assert highest.measured.startswith("90.0") and "Table 3 says 95.4" in highest.printed
    assert (highest.kind, highest.verdict) == ("smaller", "smaller setting: 2 epochs")
    assert missing.kind == "missing" and missing.what.startswith("Inception-v3")


def test_the_maps_of_figure_15(make_record, everywhere):
    assert lines(reproduction.checklist([]), "Fig. 15")[0].data.startswith("drawn cells")
    row = {"layer": "block3_conv1", "map": 38, "shown": 0.5, "mean": 0.625, "median": 0.75, "maps": 256, "more": 9}
    maps = {"cell": "a.jpg", "cells": 100, "compared": [row]}
    record = make_record("finetune", models={"vgg16 fine-tuned": (0.9, {"maps": maps})})
    (line,) = lines(reproduction.checklist([record]), "Fig. 15")
    assert line.what.startswith("VGG-16, block3_conv1, map 38") and line.data.startswith("100 neutrophils")
    assert "0.50 in one" in line.measured and "9 changed more" in line.measured


def test_two_seeds_of_a_training(make_record, everywhere):
    details = {"history": [{"epoch": 1, "val_accuracy": 0.8}], "best_epoch": 1}
    seeds = {"vgg16 fine-tuned": (0.9, details), "vgg16 fine-tuned, seed 2020": (0.94, details)}
    record = make_record("finetune", models=seeds | {"vgg16 fine-tuned, eight symmetries, seed 2020": (0.5, {})})
    rows = reproduction.checklist([record])
    accuracy, *_ = lines(rows, "Fig. 12")
    assert accuracy.measured.startswith("92.0") and accuracy.measured.endswith("(mean of 2 seeds)")
    named = [line.what for line in lines(rows, "Fig. 10") if line.what.endswith("curves")]
    assert named == ["VGG-16 fine-tuned: curves", "VGG-16 fine-tuned, seed 2020: curves"]


@pytest.mark.parametrize(
    ("cubic", "verdict"),
    [([0.90, 0.88, 0.91], "do not support a choice"), ([0.95, 0.96, 0.97], "prefer the cubic kernel")],
)
def test_whether_the_folds_choose_the_kernel(make_record, everywhere, cubic, verdict):
    details = {"cross_validation": {"rbf": [0.9, 0.9, 0.9], "cubic": cubic}}
    record = make_record("svm", models={"vgg16 last block": (0.9, details)})
    mean, kernel, missing = lines(reproduction.checklist([record]), "Fig. 7")
    assert mean.printed.startswith("87") and mean.measured.startswith(f"{100 * sum(cubic) / 3:.1f}")
    assert verdict in kernel.verdict and missing.kind == "missing"


def test_our_folds_do_not_support_the_papers_choice_of_the_cubic_kernel():
    """What the chapter on features says of our own run."""
    scores = records.load_record("svm", "laptop").models["vgg16 last block"]["cross_validation"]
    assert comparisons._choice(scores) == "our folds do not support a choice"
    assert sum(scores["rbf"]) > sum(scores["cubic"])


def test_rates_beside_two_earlier_works(make_record, everywhere):
    record = make_record("finetune", models={"vgg16 fine-tuned": (0.9, {})})
    ours, *others = lines(reproduction.checklist([record]), "Fig. 14")
    assert "monocyte 95.31" in ours.printed and "lymphocyte over 90" in ours.printed
    assert ours.measured.count("90.0") == len(paper.FIG_14)
    assert [line.what for line in others] == list(paper.EARLIER_WORKS)
    assert all(line.verdict == "its rates are not given in the text" for line in others)


def test_the_pairs_of_figure_16(make_record, everywhere):
    record = make_record("finetune", models={"vgg16 fine-tuned": (0.9, {})})
    pairs = lines(reproduction.checklist([record]), "Fig. 16")
    assert len(pairs) == len(paper.CONFUSIONS)
    confusion = record.confusion("vgg16 fine-tuned")
    for line, (true, predicted) in zip(pairs, paper.CONFUSIONS, strict=True):
        i, j = FOLDERS.index(true), FOLDERS.index(predicted)
        assert line.measured.startswith(f"{100 * confusion[i, j] / confusion[i].sum():.1f}")


def test_the_arms_are_those_of_the_experiment():
    assert set(comparisons.ARMS) <= set(balance.ARMS)


def test_what_balancing_adds(make_record, everywhere):
    arms = {f"{arm} {seed}": (share, {"arm": arm, "seed": seed})
            for arm, share in (zip(comparisons.ARMS, (0.9, 0.96), strict=True)) for seed in (1, 2, 3)}  # fmt: skip
    rows = reproduction.checklist([make_record("balance", models=arms)])
    natural, gain, lower, missing = lines(rows, "Fig. 18")
    assert natural.measured.startswith("90.0") and natural.measured.endswith("(mean of 3 seeds)")
    assert gain.printed.startswith("2.3") and gain.measured.startswith("6.0") and gain.kind == "higher"
    assert "section 5.2 less section 6.3" in gain.printed
    assert lower.measured.startswith(f"{len(paper.FALL_UNBALANCED)} (") and missing.what.startswith("Inception-v3")
    curves, missing = lines(rows, "Fig. 17")
    assert curves.measured.startswith("balanced 90.0 %, unbalanced 90.0 %") and missing.what.startswith("Inception-v3")


def test_curves_that_were_not_recorded_are_missing(make_record, everywhere):
    arms = {arm: (0.9, {"arm": arm, "history": []}) for arm in comparisons.ARMS}
    vgg, _ = lines(reproduction.checklist([make_record("balance", models=arms)]), "Fig. 17")
    assert vgg.kind == "missing" and vgg.verdict.startswith("curves not recorded; not measured yet: `bloodcell run")


def test_a_gain_needs_predictions_of_the_same_images(make_record, everywhere):
    arms = {"u": (0.9, {"arm": comparisons.ARMS[0]}), "a": (0.96, {"arm": comparisons.ARMS[1]})}
    record = make_record("balance", models=arms)
    object.__setattr__(record, "predictions", None)
    assert not any("balancing adds" in line.what for line in lines(reproduction.checklist([record]), "Fig. 18"))
