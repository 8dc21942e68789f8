"""Figures: they draw, carry the numbers that they were given, label their axes, and leave nothing open in pyplot."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bloodcell_utils import plots
from bloodcell_utils.cells import CELLS, FOLDERS
from bloodcell_utils.evaluation import error_analysis, metrics
from bloodcell_utils.evaluation.counterfactuals import Sweep
from bloodcell_utils.experiments import records

RNG = np.random.default_rng(0)
CONFUSION = np.diag(np.full(8, 40)) + RNG.integers(0, 4, (8, 8))


IMAGES = RNG.integers(0, 256, (9, 12, 12, 3), dtype=np.uint8)
GREY, EDGES = RNG.random((20, 20)), np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
MAP = RNG.normal(size=(18, 18))
MAPS = (("Conv2D", "block1", (64, 64, 32)), ("MaxPooling2D", "block1", (32, 32, 32)), ("Dense", "head", (8,)))
LAYERS = pd.DataFrame([{"kind": k, "block": b, "output": o, "trunk": True} for k, b, o in MAPS])
BLOCKS = pd.DataFrame({"parameters": [10, 90], "trainable": [0, 90], "multiply_adds": [900, 90]}, ["block1", "head"])
BRANCHES = pd.DataFrame(
    {"kind": ["1 × 1", "pooling", "convolution"], "label": ["1 × 1", "maximum of 3 × 3, step 2", "3 × 3"],
     "parent": [-1, -1, 0], "channels": [8, 4, 16], "out": [False, True, True]}
)  # fmt: skip
SHARES = pd.DataFrame({"share": [0.6, 0.1], "low": [0.5, 0.05], "high": [0.7, 0.2]}, ["neutrophil", "basophil"])
RELIABLE = {"n": [5, 40], "right": [3, 38], "confidence": [0.62, 0.94]}
ROW = {"model": "m", "data": "d", "accuracy": 0.9, "accuracy_ci95": [0.85, 0.95], "printed_percent": None}
ARMS = {str(i): {"arm": "ab"[i % 2], **records.measure(CONFUSION)} for i in range(4)}
FEW = {str(i): {"images_per_class": n, "accuracy": 0.9 + i / 100} for i, n in enumerate((16, 16, 256))} | {"other": {}}
WRONG_NAMES = {
    f"{learner} {rate} {noise}": {"learner": learner, "noise": noise if rate else None, "rate": rate, "accuracy": 0.9,
                                  "n_test": 50, "right_by_noisy_names": round(45 * (1 - rate))}
    for learner in ("a", "b") for noise in ("any", "neighbours") for rate in (0, 0.1, 0.2)
}  # fmt: skip
PRINTED = {"neutrophil": 99.6, "basophil": None}
ROADS = {"one": [("block1", False), ("machine", True), ("8", None)], "two": [("block1", True), ("8", None)]}
EPOCHS = [{"epoch": i, "loss": 2 / i, "accuracy": 0.5, "val_loss": 2.1 / i, "val_accuracy": 0.4} for i in (1, 2, 3)]

ARMS_OVER_TIME = {name: run | {"history": EPOCHS} for name, run in ARMS.items()}
SWEEP = Sweep("lobes", [1, 2, 5], IMAGES[:3], np.eye(8)[[0, 0, 4]])
EFFECTS = pd.DataFrame(RNG.normal(0, 5, (8, 3)), FOLDERS, ["lobes", "hof", "nucleus_rgb"])
DRAWN_REAL = pd.DataFrame(
    {"class": ["ig", "monocyte"], "parameter": ["hof", "lobes"], "drawn": [1.0, -2.0], "real": [0.5, -1.0]}
)

PATHS = ["ig/MMY_1.jpg", "ig/PMY_2.jpg", "neutrophil/BNE_3.jpg", "neutrophil/BNE_4.jpg", "platelet/PLATELET_5.jpg"]
TRUE, CALLED = [5, 5, 0, 0, 7], [0, 5, 5, 0, 7]

CELLS_OF_A_GRID = [(8, 1, 0.5), (8, 2, 0.6), (16, 1, 0.7), (16, 2, 0.75), (8, 2, 0.65)]
GRID = pd.DataFrame(CELLS_OF_A_GRID, columns=["images_per_class", "blocks", "accuracy"])
GRID = GRID.assign(low=GRID["accuracy"] - 0.03, high=GRID["accuracy"] + 0.02)

FIGURES = {
    "montage": lambda table: plots.montage(IMAGES, [str(i) for i in range(9)], columns=4),
    "class_counts": lambda table: plots.class_counts({"all": table, "some": table.iloc[::2]}),
    "cuts": lambda table: plots.cuts(IMAGES[:2], [GREY[:12, :12] > 0.5] * 2, [GREY[:12, :12] > 0.4] * 2, names="ab"),
    "accuracy_grid": lambda table: plots.accuracy_grid({"here": GRID, "there": GRID[:3]}, (16, 2)),
    "best_of_many": lambda table: plots.best_of_many([0.95, 0.96, 0.95], 0.94, 0.955),
    "grid_curves": lambda table: plots.grid_curves({"here": GRID}),
    "decisions": lambda table: plots.decisions([("is it?", "no", "it is not"), ("so?", "yes", "yes")], "else", here=2),
    "batches": lambda table: plots.batches(table),
    "image_levels": lambda table: plots.image_levels(IMAGES[:2], ["one", "two"]),
    "feature_maps": lambda table: plots.feature_maps(IMAGES[0], RNG.random((4, 4, 30)), "a layer"),
    "map_pairs": lambda table: plots.map_pairs(IMAGES[:2], {"map 3": RNG.random((2, 2, 4, 4))}, ["one", "two"]),
    "heat_maps": lambda table: plots.heat_maps(IMAGES[:2], {"heat": RNG.random((2, 12, 12))}, ["one", "two"]),
    "fold_accuracies": lambda table: plots.fold_accuracies({"a": [0.8, 0.9], "b": [0.7, 0.75]}, 0.85),
    "accuracies": lambda table: plots.accuracies([ROW, ROW | {"printed_percent": 87.4}]),
    "film_strip": lambda table: plots.film_strip(SWEEP),
    "effects": lambda table: plots.effects(EFFECTS, title="a network"),
    "drawn_and_real": lambda table: plots.drawn_and_real(DRAWN_REAL),
    "few_images": lambda table: plots.few_images(FEW, 96.2, 1000),
    "wrong_names": lambda table: plots.wrong_names(WRONG_NAMES),
    "corruptions": lambda table: plots.corruptions({"a": [{"as it is": 0.99, "darker": 0.9}], "b": [{"darker": 0.1}]}),
    "confusion_matrix": lambda table: plots.confusion_matrix(CONFUSION),
    "confusion_matrices": lambda table: plots.confusion_matrices({"a": CONFUSION, "b": None, "c": CONFUSION}),
    "subtype_errors": lambda table: plots.subtype_errors({"a": error_analysis.errors_by_subtype(PATHS, TRUE, CALLED)}),
    "maturation": lambda table: plots.maturation({"a": error_analysis.answers_by_stage(PATHS, CALLED)}),
    "scorecard": lambda table: plots.scorecard(TRUE, {"a": CALLED, "b": TRUE}, {"b": [True, *[False] * 4]}),
    "shared_mistakes": lambda table: plots.shared_mistakes({"a": error_analysis.shared_errors(TRUE, CALLED, CALLED)}),
    "printed_rates": lambda table: plots.printed_rates(CONFUSION, PRINTED, {"basophil": 90}, unknown=["another"]),
    "per_class_rates": lambda table: plots.per_class_rates(CONFUSION),
    "mean_rates": lambda table: plots.mean_rates({"a": metrics.mean_sd(CONFUSION)}),
    "sliding": lambda table: plots.sliding(GREY, MAP, [1, 100, MAP.size]),
    "responses": lambda table: plots.responses({"a": GREY, "b": GREY}, {"k": [MAP, MAP]}, {"k": EDGES}),
    "tuning": lambda table: plots.tuning([1, 2, 3], {0.5: [1, 3, 2], 0.7: [1, 2, 3]}),
    "shifts": lambda table: plots.shifts([MAP**2, MAP[:1, :1] ** 2], [MAP**2, MAP[:1, :1] ** 2], ["a", "b"]),
    "softmax": lambda table: plots.softmax({"x": np.arange(8)}, {"x": np.full(8, 1 / 8)}),
    "feature_by_class": lambda table: plots.feature_by_class(RNG.random(40), np.arange(40) % 7, "answer"),
    "network": lambda table: plots.network(LAYERS, "a network"),
    "modules": lambda table: plots.modules({"one": BRANCHES, "two": BRANCHES}),
    "weights_and_work": lambda table: plots.weights_and_work(BLOCKS, "a network"),
    "receptive_fields": lambda table: plots.receptive_fields(IMAGES[0], {"block1": 5, "block2": 500}, 0.1),
    "two_roads": lambda table: plots.two_roads(IMAGES[0], ROADS),
    "trained_blocks": lambda table: plots.trained_blocks({"1 of 2": BLOCKS}),
    "arm_curves": lambda table: plots.arm_curves({"a": ARMS_OVER_TIME, "b": None}),
    "arm_rates": lambda table: plots.arm_rates(ARMS),
    "arm_scores": lambda table: plots.arm_scores(ARMS),
    "learning_curves": lambda table: plots.learning_curves(EPOCHS, printed=96.2),
    "descents": lambda table: plots.descents({"0.1": [2, 1, 0.5], "1": [2, 3, 4]}),
    "reliability": lambda table: plots.reliability({"a": RELIABLE, "b": RELIABLE}),
    "coverage_risk": lambda table: plots.coverage_risk({"a": ([1, 2, 9], [0, 0, 3]), "b": ([1, 4], [1, 1])}),
    "roc_curves": lambda table: plots.roc_curves({"a": ([0, 0, 1], [0, 0.9, 1]), "b": ([0, 1], [0, 1])}),
    "shares": lambda table: plots.shares({"100 cells": SHARES, "400 cells": SHARES / 2}, SHARES["share"]),
    "votes": lambda table: plots.votes(np.arange(8)),
}


def texts(fig):
    fig.canvas.draw()
    return " ".join(text.get_text() for text in fig.findobj(plt.Text))


def test_every_figure_of_the_module_is_tried_here():
    assert set(plots.__all__) == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_it_draws_and_closes(name, table):
    fig = FIGURES[name](table)
    assert isinstance(fig, Figure)
    assert texts(fig).strip()
    assert not plt.get_fignums()


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"montage"}))
def test_axes_are_labelled(name, table):
    fig = FIGURES[name](table)
    with_axes = [ax for ax in fig.axes if ax.axison and not ax.images]  # a picture needs none
    assert all(ax.get_xlabel() or ax.get_ylabel() for ax in with_axes)


def test_a_matrix_shows_every_count():
    shown = texts(plots.confusion_matrix(CONFUSION)).split()
    assert {str(n) for n in CONFUSION[CONFUSION > 0]} <= set(shown)


def test_a_matrix_in_percent_shows_shares_of_the_row():
    shown = texts(plots.confusion_matrices({"half": np.array([[1, 1], [0, 4]])}, ["a", "b"], percent=True)).split()
    assert shown.count("50.0") == 2 and shown.count("100.0") == 1


def test_what_is_not_measured_says_so():
    shown = texts(plots.confusion_matrices({"here": CONFUSION, "missing": None}))
    assert shown.count("not measured yet") == 1
    assert str(CONFUSION[0, 0]) in shown.split()


def test_a_panel_without_curves_says_that_it_was_not_measured():
    fig = plots.arm_curves({"a": ARMS_OVER_TIME, "b": None})
    assert len(fig.axes[0].lines) == len(ARMS) + 2 and not fig.axes[1].lines  # each seed, and a mean for both arms
    assert texts(fig).count("not measured yet") == 1


def test_every_arm_has_a_curve():
    four = {str(i): {"arm": "abcd"[i], "history": EPOCHS} for i in range(4)}
    fig = plots.arm_curves({"a": four})
    assert len({line.get_color() for line in fig.axes[0].lines}) == 4 and len(fig.legends[0].texts) == 4


def test_what_was_cut_wrongly_is_coloured_and_the_image_kept():
    image, found, truth = np.zeros((2, 2, 3), np.uint8), np.eye(2) > 0, np.ones((2, 2)) > [[0, 1], [1, 1]]
    (shown,) = plots.cuts([image], [found], [truth]).axes[0].images
    too_much, missed = shown.get_array()[0, 0], shown.get_array()[0, 1]
    assert too_much.any() == (found & ~truth)[0, 0] and missed.any() == (truth & ~found)[0, 1] and not image.any()


def test_a_rate_that_is_not_printed_has_no_mark():
    shown = texts(plots.printed_rates(CONFUSION, PRINTED, {"basophil": 90}, unknown=["another"]))
    assert "over 90" in shown and "another: not given in the text" in shown


def test_mistakes_by_subtype_have_their_counts():
    shown = texts(plots.subtype_errors({"a": error_analysis.errors_by_subtype(PATHS, TRUE, CALLED)}))
    assert "band neutrophil" in shown and "1 of 2, 1 as immature granulocyte" in shown


def test_a_scorecard_names_what_is_wrong():
    fig = plots.scorecard(TRUE, {"a": CALLED, "b": TRUE}, {"b": np.arange(5) == 0})
    shown = texts(fig)
    assert "a\n3 of 5 right" in shown and "b\n5 of 5 right" in shown
    assert [text.get_text() for text in fig.axes[0].texts] == ["IG", "NEU"]  # what it was called, in class order
    assert len(fig.axes[0].lines) == 1


def test_the_stages_are_drawn_in_order():
    fig = plots.maturation({"a": error_analysis.answers_by_stage(PATHS, CALLED)})
    assert [label.get_text() for label in fig.axes[0].get_yticklabels()] == [
        "promyelocyte (1)", "myelocyte (0)", "metamyelocyte (1)", "band neutrophil (2)", "segmented neutrophil (0)"
    ]  # fmt: skip


def test_counts_and_colours_of_the_classes(table):
    fig = plots.class_counts({"all": table})
    shown = texts(fig)
    assert all(f"{n:,}" in shown for n in table["class"].value_counts())
    bars = [plt.matplotlib.colors.to_hex(bar.get_facecolor()).upper() for bar in fig.axes[0].patches]
    assert bars == [cell.color for cell in CELLS]


def test_maps_share_a_scale():
    maps = np.stack([np.full((4, 4), level) for level in (1.0, 5.0)], axis=-1)
    fig = plots.feature_maps(IMAGES[0], maps, "two maps", indices=[1, 0])
    sheet = next(ax.images[0] for ax in fig.axes if ax.images and ax.images[0].get_array().ndim == 2)
    assert sheet.get_clim() == (0, 5)
    shown = sheet.get_array().compressed()
    assert shown[0] == 5 and set(shown) == {1, 5}  # in the order that was asked for

    before, after = np.zeros((1, 4, 4)), np.full((1, 4, 4), 3.0)
    fig = plots.map_pairs(IMAGES[:1], {"map 3": (before, after)}, ["one"])
    assert [ax.images[0].get_clim() for ax in fig.axes[1:3]] == [(0, 3), (0, 3)]


def test_intervals_hold_their_counts():
    shown = texts(plots.per_class_rates(CONFUSION))
    assert all(f"{CONFUSION[i, i]}/{CONFUSION[i].sum()}" in shown for i in range(8))


def test_a_grid_shows_every_cell_with_its_interval():
    shown = texts(plots.accuracy_grid({"here": GRID}, (16, 2)))
    assert all(
        f"{100 * a:.1f}\n{100 * (a - 0.03):.1f} to {100 * (a + 0.02):.1f}" in shown for a in (0.5, 0.6, 0.7, 0.75)
    )
    assert "65.0" not in shown, "of two seeds the first"
    assert "8" in shown.split() and "16" in shown.split()


def test_a_grid_frames_what_was_chosen_and_prints_in_bold_what_is_as_good_as_the_best():
    fig = plots.accuracy_grid({"here": GRID.assign(like_best=GRID["accuracy"] > 0.68)}, (16, 2))
    (frame,) = (patch for patch in fig.axes[0].patches if not patch.get_fill())
    assert frame.get_xy() == pytest.approx((1.03, 1.03))
    bold = [t.get_text().split("\n")[0] for t in fig.axes[0].texts if t.get_fontweight() == "bold"]
    assert bold == ["70.0", "75.0"]


def test_classes_of_the_readers_own(table):
    own = table.replace({"class": {folder: f"own {i}" for i, folder in enumerate(FOLDERS)}})
    assert "own 3" in texts(plots.class_counts({"mine": own}, [f"own {i}" for i in range(8)]))


def test_the_name_of_a_class_is_no_formula():
    names = ["$\\frac{$", "a$b$c"]
    fig = plots.confusion_matrix(np.eye(2, dtype=int), names)
    fig.savefig(io.BytesIO(), format="svg")
    assert {text.get_text() for text in fig.axes[0].get_xticklabels()} == set(names)
