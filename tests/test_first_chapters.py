"""What the first four chapters say in words and do not print: each from a record, the manifest or the paper."""

from itertools import combinations

import numpy as np
import pytest
from written_out import functions

from bloodcell_utils import datasets, experiments, paper
from bloodcell_utils.cells import FOLDERS


def test_one_of_the_two_hard_pairs_is_hard_for_the_recorded_model():
    matrix = experiments.load_record("svm", "laptop").confusion("vgg16 all blocks")
    pairs = combinations(range(8), 2)
    either_way = {frozenset((FOLDERS[i], FOLDERS[j])): matrix[i, j] + matrix[j, i] for i, j in pairs}
    first, second, *others = sorted(either_way, key=either_way.get, reverse=True)
    assert first == {"neutrophil", "ig"} and second == {"monocyte", "ig"}
    assert either_way[frozenset({"lymphocyte", "erythroblast"})] <= 2 < either_way[others[0]]


def test_the_second_batch_is_what_has_no_stage():
    official = datasets.official()
    staged = official[official["class"].isin(["neutrophil", "ig"])]
    assert set(staged.loc[staged["batch"] == 2, "subtype"]) == {"NEUTROPHIL", "IG"}
    assert not staged.loc[staged["batch"] == 1, "subtype"].isin(["NEUTROPHIL", "IG"]).any()


@pytest.mark.parametrize("folder", ["lymphocyte", "basophil"])
def test_only_before_the_validation_images_are_set_aside_do_four_versions_suffice(folder):
    asked = paper.HYPERPARAMETERS
    share = paper.TABLE_1[folder] / paper.N_IMAGES * (1 + asked["versions"])
    assert share * paper.SPLIT_FINE_TUNING["train"] < asked["images_per_class"]
    assert share * paper.SPLIT_SVM["train"] > asked["images_per_class_svm"]
    others = sorted(set(paper.TABLE_1) - {"lymphocyte", "basophil"}, key=paper.TABLE_1.get)
    assert paper.TABLE_1[folder] < paper.TABLE_1[others[0]], "the two smallest classes"


def test_neither_a_sum_nor_a_factor_is_left_and_a_power_is():
    standardised = functions("02_augmentation")["standardised"]
    image = np.random.default_rng(0).uniform(60, 250, (16, 16, 3))
    np.testing.assert_allclose(standardised(0.8 * image + 7), standardised(image), atol=1e-9)
    assert np.abs(standardised(255 * (image / 255) ** 1.25) - standardised(image)).max() > 0.1
