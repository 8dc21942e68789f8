"""What chapters say in words of a record: a record that is measured anew may make them wrong."""

import numpy as np
import pandas as pd

from bloodcell_utils import cells, paper
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.experiments import balance, load_record


def answers(experiment):
    return load_record(experiment, "laptop").predictions


def test_at_equal_pixels_frozen_and_fine_tuned_cannot_be_told_apart_and_two_seeds_can():
    tuned, few, many = (answers(name) for name in ("finetune", "control", "svm"))
    few, many = (frozen.merge(tuned, on=["path", "true"], validate="1:1") for frozen in (few, many))
    at_64 = metrics.mcnemar(few["true"], few["imagenet vgg16 all blocks"], few["vgg16 fine-tuned"])
    at_144 = metrics.mcnemar(many["true"], many["vgg16 all blocks"], many["vgg16 fine-tuned"])
    assert at_64["p_value"] > 0.05 > 0.001 > at_144["p_value"]
    patient, full = load_record("finetune", "workstation"), load_record("svm", "workstation").predictions
    columns = {"vgg16 fine-tuned": tuned, "imagenet vgg16 all blocks": few, "vgg16 all blocks": many}

    def p_value(name, other, column):
        both = patient.predictions.merge(other[["path", column]].rename(columns={column: "other"}), on="path")
        return metrics.mcnemar(both["true"], both[name], both["other"])["p_value"]

    seeds = [name for name, model in patient.models.items() if "history" in model]
    assert len(seeds) == 2
    for name in seeds:
        for column, other in columns.items():
            assert (p_value(name, other, column) > 0.05) == (other is many), "better than with few pixels alone"
        assert p_value(name, full, "vgg16 all blocks") > 0.05
    eight = [name for name in patient.models if name not in seeds]
    assert p_value(eight[0], many, "vgg16 all blocks") < 0.05 < p_value(eight[1], many, "vgg16 all blocks")
    assert min(p_value(name, full, "vgg16 all blocks") for name in eight) > 0.05
    grid = answers("ablation")
    *_, again = grid.columns
    first = again.replace("seed 2020", "seed 2019")
    assert metrics.mcnemar(grid["true"], grid[first], grid[again])["p_value"] < 0.05


def test_two_kernels_differ_by_less_than_two_folds():
    folds = load_record("svm", "laptop").models["vgg16 last block"]["cross_validation"]
    means = [np.mean(found) for found in folds.values()]
    assert abs(np.subtract(*means)) < min(np.std(found) for found in folds.values())


def test_specificity_moves_with_the_mixture_of_the_others():
    """Half of the false basophils are immature granulocytes, which healthy blood hardly has."""
    confusion, basophil = (
        load_record("finetune", "laptop").confusion("vgg16 fine-tuned"),
        cells.FOLDERS.index("basophil"),
    )
    false = np.delete(confusion[:, basophil], basophil)
    assert confusion[cells.FOLDERS.index("ig"), basophil] == max(false) > 0.4 * false.sum()


def test_more_images_alone_lose_with_one_seed_and_proportions_alone_with_none():
    runs = pd.DataFrame(load_record("balance", "laptop").models.values())
    score = runs.pivot(index="seed", columns="arm", values="balanced_accuracy")
    more = score["unbalanced, equal size"] - score["unbalanced, as it is"]
    proportions = score["balanced by augmentation"] - score["unbalanced, equal size"]
    assert more.min() < 0 < more.max() and proportions.min() > 0


def test_with_patience_natural_proportions_cannot_be_told_from_balance_at_as_many_steps():
    record = load_record("balance", "workstation")
    runs = pd.DataFrame(record.models.values())
    score = runs.pivot(index="seed", columns="arm", values="balanced_accuracy")
    assert (score["balanced by augmentation"] > score["unbalanced, as it is"]).all()
    for seed in score.index[score["unbalanced, equal size"].notna()]:
        answers = [record.predictions[f"{arm}, seed {seed}"] for arm in list(balance.ARMS)[:2]]
        assert metrics.mcnemar(record.predictions["true"], *answers)["p_value"] > 0.05
        found = score.loc[seed]
        assert found["unbalanced, equal size"] - found["unbalanced, as it is"] > 0.5 * (
            found["balanced by augmentation"] - found["unbalanced, as it is"]
        )


def test_printed_folds_promise_no_more_than_the_printed_test():
    for network, folds in paper.CROSS_VALIDATION.items():
        assert folds.value <= paper.ACCURACY["svm", network].value


def test_the_two_maps_of_figure_15_changed_and_dozens_changed_more():
    looked = load_record("finetune", "workstation").models["vgg16 fine-tuned"]["maps"]
    for one in looked["compared"]:
        assert one["mean"] < one["median"] and 24 <= one["more"] < one["maps"] / 2


def test_a_patient_grid_rises_with_different_cells_at_equal_steps_and_a_brief_one_does_not():
    record = load_record("ablation", "workstation")
    grid, answers_there = {}, record.predictions
    for name, model in record.models.items():
        if model["seed"] == 2019:
            grid[model["images_per_class"], model["blocks"]] = name
    short, long = (
        {
            len(m["history"]) * m["repeats"] * m["images_per_class"]
            for m in load_record("ablation", name).models.values()
        }
        for name in ("laptop", "workstation")
    )
    assert len(short) == len(long) == 1 and long == {8 * images for images in short}, "eight times as many images"
    for few, many in ((512, 1024), (1024, 2048)):
        for blocks in (1, 2, 4):
            pair = [answers_there[grid[images, blocks]] for images in (few, many)]
            assert (pair[0] == answers_there["true"]).sum() < (pair[1] == answers_there["true"]).sum()
            assert metrics.mcnemar(answers_there["true"], *pair)["p_value"] < 0.05
    for blocks in (1, 2, 4):
        copies = [answers_there[grid[images, blocks]] for images in (2048, 4096)]
        assert metrics.mcnemar(answers_there["true"], *copies)["p_value"] > 0.05, "hardly any cell was added"
        history = record.models[grid[512, blocks]]["history"]
        assert min(epoch["accuracy"] for epoch in history[len(history) // 2 :]) > 0.99, "known by heart"
    brief = load_record("ablation", "laptop").models.values()
    few, many = (max(m["accuracy"] for m in brief if m["images_per_class"] == images) for images in (512, 1024))
    assert many < few
