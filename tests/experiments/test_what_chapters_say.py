"""Sentences of the chapters on mistakes, the compact network and counterfactuals: true of the committed records.

Whoever measures again and gets another picture learns here which sentences no longer hold.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from bloodcell_utils import evaluation, paper
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.experiments import load_record

BAS, EOS, IG = (FOLDERS.index(name) for name in ("basophil", "eosinophil", "ig"))


@pytest.fixture(scope="module")
def answers():
    records = [load_record(name, "laptop").predictions for name in ("svm", "finetune", "compact_best")]
    return records[0].merge(records[1], on=["path", "true"]).merge(records[2], on=["path", "true"])


def test_better_networks_cross_the_line_less_often_and_it_is_more_of_what_is_left(answers):
    kind, true = answers["path"].str.extract(r"/([A-Z]+)_", expand=False), answers["true"]
    crossed, wrong = [], []
    for name in ("vgg16 last block", "vgg16 fine-tuned", "vgg16 all blocks", "one view", "eight symmetries"):
        mistaken = answers[name] != true
        wrong.append(mistaken.sum())
        crossed.append((mistaken & kind.isin(["MMY", "BNE"]) & answers[name].isin([0, IG])).sum())
    assert wrong == sorted(wrong, reverse=True) and crossed == sorted(crossed, reverse=True)
    share = np.divide(crossed, wrong)
    assert share[0] < share[1] < share[3] and share[2] <= share[3]


def test_basophils_are_not_called_eosinophils_and_young_granulocytes_are_called_basophils(answers):
    kind, true = answers["path"].str.extract(r"/([A-Z]+)_", expand=False), answers["true"]
    for name in ("vgg16 all blocks", "vgg16 fine-tuned", "one view"):
        assert not ((true == BAS) & (answers[name] == EOS)).any()
        assert set(kind[(true == IG) & (answers[name] == BAS)]) <= {"PMY", "MY"}
    assert ((true == IG) & (answers["vgg16 fine-tuned"] == BAS)).sum() > 0


def test_nearly_all_neutrophils_that_are_taken_for_immature_ones_are_bands(answers):
    kind, called = answers["path"].str.extract(r"/([A-Z]+)_", expand=False), answers["vgg16 fine-tuned"]
    neutrophils = kind[answers["true"] == FOLDERS.index("neutrophil")]
    assert (neutrophils == "BNE").mean() == pytest.approx(0.5, abs=0.05)
    assert (neutrophils[called == IG] == "BNE").mean() > 0.9


def test_the_mixture_explains_a_part_of_the_second_batch_and_not_all():
    alone = load_record("compact_few", "laptop").models["first batch alone"]
    home, second = np.array(alone["confusion"]), np.array(alone["second_batch"])
    expected = (np.diag(home) / home.sum(axis=1)) @ second.sum(axis=1) / second.sum()
    assert evaluation.wilson(np.trace(second), second.sum())[1] < expected < alone["accuracy"]


def test_the_right_end_of_the_learning_curve_is_short_of_epochs():
    few = load_record("compact_few", "laptop")
    curve = [model for model in few.models.values() if "images_per_class" in model]
    patient = load_record("compact_best", "laptop").models["one view"]
    assert max(model["accuracy"] for model in curve) < patient["accuracy"]
    trained = load_record("compact", "laptop").models
    lengths = [[m for m in trained.values() if m["training"] == name] for name in ("short", "long", "longest")]
    for three in zip(*lengths, strict=True):  # of one seed
        assert three[0]["accuracy"] < three[1]["accuracy"] < three[2]["accuracy"] < patient["accuracy"]
        epochs = [model["settings"]["epochs"] for model in three]
        cost = np.diff(epochs) / np.diff([model["accuracy"] for model in three])
        assert cost[0] < cost[1], "each point costs more epochs than the one before"
    most = max(curve, key=lambda model: model["n_train"])
    assert most["settings"]["epochs"] < patient["settings"]["epochs"] / 2
    assert max(model["accuracy"] for model in curve) < min(model["accuracy"] for model in lengths[-1])
    few_hundred, dozens = ([m["accuracy"] for m in curve if m["images_per_class"] == n] for n in (256, 64))
    assert max(dozens) < paper.ACCURACY["fine_tuned", "vgg16"].value / 100 < min(few_hundred)
    assert len(range(0, few.split["validation"], 5)) >= min(model["n_train"] for model in curve)


def test_compression_costs_every_training_most_and_blur_one_of_them_much():
    trained = [m for m in load_record("compact", "laptop").models.values() if m["corruptions"]]
    cost = pd.DataFrame(
        [{day: m["accuracy"] - n / m["n_test"] for day, n in m["corruptions"].items()} for m in trained]
    )
    assert len(trained) == 3 and {m["training"] for m in trained} == {"long"}
    assert (cost.idxmax(axis=1) == "JPEG at quality 20").all() and cost["15 % brighter"].min() > 0.02
    blur = sorted(cost.pop("out of focus"))
    assert blur[1] < 0.015 < 0.03 < blur[2]
    assert cost.drop(columns=["JPEG at quality 20", "15 % brighter"]).max().max() < 0.015


def test_the_long_training_was_not_sure_enough_and_its_temperature_mends_it():
    one = load_record("compact_best", "laptop").models["one view"]
    distances = []
    for table in one["reliability"].values():
        n, right, sure = (np.array(table[key]) for key in ("n", "right", "confidence"))
        assert n.sum() == one["n_test"] and right.sum() == round(one["accuracy"] * one["n_test"])
        distances.append(np.abs(n * sure - right).sum() / n.sum())
    assert distances == pytest.approx(one["calibration_error"], abs=1e-5)
    trained = one["reliability"]["as trained"]
    assert one["temperature"] < 1 and all(np.divide(trained["right"], trained["n"]) > trained["confidence"])


def test_drawings_and_photographs_agree_no_more_often_than_a_coin_may():
    model = load_record("counterfactuals", "laptop").models["shipped network"]
    drawn, real = pd.DataFrame(model["drawn_effects"]).T, pd.DataFrame(model["real_effects"])
    moved = [drawn.loc[kind, name] for kind, name in zip(real["class"], real["parameter"], strict=True)]
    agree = np.sign(moved) == np.sign(real["difference"])
    assert binomtest(int(agree.sum()), len(agree)).pvalue > 0.05
    asked = np.array(load_record("drawn", "laptop").models["trained on real cells"]["drawn"])
    named = dict(zip(FOLDERS, np.diag(asked) / asked.sum(axis=1), strict=True))
    assert [kind for kind in FOLDERS if named[kind] <= 0.5] == ["lymphocyte"]
    allowed = agree[real["class"] != "lymphocyte"]
    assert binomtest(int(allowed.sum()), len(allowed)).pvalue > 0.05


def test_averages_help_and_harm_and_most_cells_are_neutrophils():
    ways = load_record("adapt", "laptop").models
    stayed = load_record("shift", "laptop").models["stayed at home"]["groups"]

    def gained(way, before):
        return {name: counts["right"] - before[name]["right"] for name, counts in ways[way]["groups"].items()}

    travelled = gained("statistics recomputed", ways["as it is"]["groups"])
    assert travelled["jiangxi"] < 0 and travelled["cellavision"] < 0 < travelled["bccd"]
    assert min(gained("stayed at home, statistics recomputed", stayed).values()) > 0
    confusion = {name: np.array(counts["confusion"]) for name, counts in stayed.items()}
    for name in ("jiangxi", "bccd"):
        assert confusion[name][0].sum() > confusion[name].sum() / 2
    favourite = {}
    for name, matrix in confusion.items():
        into = (matrix - np.diag(np.diag(matrix))).sum(axis=0)
        favourite[name] = into.max() / into.sum()
    assert 0.3 < favourite["home"] < 0.4 and favourite["bccd"] > 0.8


def test_who_averages_forgives_random_names_and_the_count_does_not():
    models = load_record("label_noise", "laptop").models
    runs = pd.DataFrame(models.values())
    runs["by_noisy"] = runs["right_by_noisy_names"] / runs["n_test"]
    means = runs.assign(noise=runs["noise"].fillna("none")).groupby(["learner", "noise", "rate"])
    accuracy, by_noisy = means["accuracy"].mean(), means["by_noisy"].mean()
    learners = ("logistic regression", "nearest neighbour")
    lost = {name: accuracy[name, "none", 0] - accuracy[name, "any", 0.2] for name in learners}
    assert accuracy["CompactNet", "none", 0] - accuracy["CompactNet", "any", 0.1] < 0.01, "trained briefly"
    assert lost["logistic regression"] < 0.02 and 0.15 < lost["nearest neighbour"] < 0.2
    regression = accuracy["logistic regression"] - by_noisy["logistic regression"]
    assert regression["any", 0.2] > 5 * lost["logistic regression"]
    assert accuracy["logistic regression", "neighbours", 0.2] < accuracy["logistic regression", "any", 0.2] - 0.03
    words = pd.DataFrame(models["logistic regression, 0% wrong"]["attributes"]).set_index("attribute")
    gain = (words["right"] - words["right_by_class"]).sort_values()
    assert {"cell_size", "cell_shape", "nucleus_shape", "cytoplasm_vacuole", "cytoplasm_colour"} == set(gain.index[-5:])
