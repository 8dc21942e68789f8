"""The checklist: complete, agreed with the course, and judged by real images alone."""

import re

import pytest

from bloodcell_utils import course, paper, reproduction
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import pbc
from bloodcell_utils.experiments import balance, records
from bloodcell_utils.models import backbones
from bloodcell_utils.reproduction import items

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
    assert missing["Fig. 17"] == missing["Fig. 18"] == 1


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
    assert accuracy.kind == "inside" and missing.kind == "missing" and accuracy.note == "svm.laptop: 32 px."


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
    assert rest.count == 10 and "`bloodcell run ablation --profile full`" in rest.verdict
    assert inception.count == 20


def test_the_curves_of_figure_10(make_record, everywhere):
    details = {"history": [{"epoch": 1}, {"epoch": 2}], "best_epoch": 2}
    (curves,) = lines(
        reproduction.checklist([make_record("finetune", models={"vgg16 fine-tuned": (0.9, details)})]), "Fig. 10"
    )
    assert (curves.kind, curves.measured) == ("made", "2 epochs, best: 2") and curves.data.startswith("PBC")


def test_the_pairs_of_figure_16(make_record, everywhere):
    record = make_record("finetune", models={"vgg16 fine-tuned": (0.9, {})})
    pairs = lines(reproduction.checklist([record]), "Fig. 16")
    assert len(pairs) == len(paper.CONFUSIONS)
    confusion = record.confusion("vgg16 fine-tuned")
    for line, (true, predicted) in zip(pairs, paper.CONFUSIONS, strict=True):
        i, j = FOLDERS.index(true), FOLDERS.index(predicted)
        assert line.measured.startswith(f"{100 * confusion[i, j] / confusion[i].sum():.1f}")


def test_the_arms_are_those_of_the_experiment():
    assert set(items.ARMS) <= set(balance.ARMS)


def test_what_balancing_adds(make_record, everywhere):
    arms = {f"{arm} {seed}": (share, {"arm": arm, "seed": seed})
            for arm, share in (zip(items.ARMS, (0.9, 0.96), strict=True)) for seed in (1, 2, 3)}  # fmt: skip
    natural, gain = lines(reproduction.checklist([make_record("balance", models=arms)]), "Fig. 17")
    assert natural.measured.startswith("90.0") and natural.measured.endswith("(mean of 3 seeds)")
    assert gain.printed.startswith("2.3") and gain.measured.startswith("6.0") and gain.kind == "higher"
    assert "Fig. 12" in gain.printed and "Fig. 17" in gain.printed


def test_a_gain_needs_predictions_of_the_same_images(make_record, everywhere):
    arms = {"u": (0.9, {"arm": items.ARMS[0]}), "a": (0.96, {"arm": items.ARMS[1]})}
    record = make_record("balance", models=arms)
    object.__setattr__(record, "predictions", None)
    assert len(lines(reproduction.checklist([record]), "Fig. 17")) == 1
