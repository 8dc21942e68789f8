"""What the course says of the real data set, checked on it; runs where BLOODCELL_DATA_DIR has the archive.

Settings are read when this file is loaded: later the tests have an environment of their own.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from written_out import functions

import bloodcell_utils
from bloodcell_utils import config, paper
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import FIELD_UM, audit, download, pbc, splits, wbcatt
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.evaluation import prediction
from bloodcell_utils.experiments import counterfactuals
from bloodcell_utils.models import backbones, features

DATA = Path(os.environ.get("BLOODCELL_DATA_DIR") or "nowhere")
WEIGHTS = Path(os.environ.get("BLOODCELL_WEIGHTS_DIR") or "nowhere")
WBCATT = Path(os.environ.get("BLOODCELL_WBCATT_DIR") or "nowhere")
HAS_DATA = (DATA / download.ARCHIVE).is_file() or (DATA / "PBC_dataset_normal_DIB").is_dir()
HAS_WEIGHTS = (WEIGHTS / backbones.backbone("vgg16").weights_file()).is_file()

pytestmark = pytest.mark.skipif(not HAS_DATA, reason="BLOODCELL_DATA_DIR does not name a folder with the PBC archive")


@pytest.fixture(scope="module")
def real():
    return pbc.index(DATA)


@pytest.fixture(scope="module")
def split(real):
    return splits.clean(real)


def test_table_1(real):
    assert {name: (real["class"] == name).sum() for name in FOLDERS} == paper.TABLE_1
    assert len(real) == 17_092


def test_subtypes(real):
    stages = real["subtype"].value_counts()
    assert stages[["SNE", "BNE", "NEUTROPHIL"]].tolist() == [1646, 1633, 50]
    assert stages[["MY", "MMY", "PMY", "IG"]].tolist() == [1137, 1015, 592, 151]


def test_names_are_those_of_the_official_release(real):
    official = pbc.official()
    assert real["path"].tolist() == official["path"].tolist()
    np.testing.assert_array_equal(real["batch"], official["batch"])


def test_copies_and_the_conflict(real):
    groups = audit.identical_groups(real)
    assert [len(group) for group in groups] == [2] * 17
    (conflict,) = audit.conflicts(real)
    assert sorted(conflict["path"]) == ["eosinophil/EO_225902.jpg", "neutrophil/BNE_191112.jpg"]
    kept, report = audit.clean(real)
    assert len(kept) == 17_074 and (len(report.copies), len(report.conflicting)) == (16, 2)


def test_the_second_batch(real):
    second = audit.second_batch(real)
    five = dict.fromkeys(("basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil"), 50)
    assert second["class"].value_counts().to_dict() == {**five, "erythroblast": 52, "ig": 151}
    assert len(second) == 453


def test_verify():
    result = pbc.verify(DATA)
    assert result.status in ("official", "re-encoded") and result.n_images == 17_092
    assert not result.missing and not result.extra and not result.unreadable


def test_the_hidden_file_of_the_archive_is_no_image(real):
    assert not real["path"].str.contains(".DS_", regex=False).any()


def test_the_clean_split(split):
    assert split["subset"].value_counts().to_dict() == {"train": 11_952, "validation": 2_561, "test": 2_561}
    assert split["sha256"].is_unique
    assert_stratified(split)


def test_the_cell_that_the_course_follows(split):
    row = splits.followed(split)
    assert split.loc[row, ["class", "subset", "path"]].tolist() == ["monocyte", "test", splits.FOLLOWED[1]]


def test_the_papers_split(real):
    result = splits.paper(real)
    assert result["subset"].value_counts().to_dict() == paper.SPLIT_FINE_TUNING
    assert result.groupby("sha256")["subset"].nunique().max() == 1
    assert_stratified(result)


def assert_stratified(split):
    sizes = split["subset"].value_counts()
    for stratum, rows in split.groupby(["class", "subtype"]):
        for name, n in sizes.items():
            assert abs((rows["subset"] == name).sum() - len(rows) * n / len(split)) <= 1, (stratum, name)


def test_images_of_both_batches_load(real, cache):
    some = real[real["class"] == "ig"].groupby("batch").head(5)
    images = load_images(some, 64, 0.8, progressbar=False)
    assert images.shape == (10, 64, 64, 3) and 100 < images.mean() < 240


def test_the_shipped_network_reads_cells_that_it_was_not_trained_on(split, cache):
    some = split[split["subset"] == "test"].groupby("class").head(25)
    table = bloodcell_utils.predict(load_images(some, 128, progressbar=False))
    named = table["answer"] != prediction.UNSURE
    right = table[list(FOLDERS)].to_numpy().argmax(axis=1) == pbc.labels(some)
    assert right.mean() > 0.95 and named.mean() > 0.85 and right[named].mean() > 0.98


@pytest.mark.skipif(not WBCATT.is_dir(), reason="BLOODCELL_WBCATT_DIR does not name a folder with WBCAtt's tables")
def test_the_attributes_belong_to_cells_of_pbc(real, monkeypatch):
    monkeypatch.setenv("BLOODCELL_WBCATT_DIR", str(WBCATT))
    known = wbcatt.attributes()
    assert len(known) == 10_298 and known.index.is_unique
    assert set(known.index) <= set(real["path"])
    for attribute, low, high in counterfactuals.PAIRS.values():
        assert {low, high} <= set(known[attribute])


@pytest.mark.skipif(not HAS_WEIGHTS, reason="BLOODCELL_WEIGHTS_DIR does not name a folder with the VGG-16 weights")
def test_vgg16_tells_real_cells_apart(split, cache, monkeypatch):
    """The nearest class mean of four images each; by chance one in eight is right."""
    monkeypatch.setenv("BLOODCELL_WEIGHTS_DIR", str(WEIGHTS))
    assert backbones.has_weights("vgg16")
    some = split[split["subset"] == "train"].groupby("class").head(6).sort_values("class")
    profile = config.profile("laptop", feature_size=96)
    X = features.extract(features.closeups(some, profile, progressbar=False), progressbar=False)["blocks"]
    X, y = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-6), pbc.labels(some)
    known = np.arange(len(y)) % 6 < 4
    means = np.stack([X[known & (y == c)].mean(axis=0) for c in range(8)])
    predicted = np.argmin(((X[~known, None] - means) ** 2).sum(axis=-1), axis=1)
    assert len(predicted) == 16 and (predicted == y[~known]).mean() > 3 / 8


def test_most_platelets_are_wider_than_the_textbook_says(split, cache):
    """As the chapter's list and the glossary say; their stain, not that of red cells, takes out red light."""
    some = load_images(split[split["class"] == "platelet"].head(80), 128, progressbar=False).astype(float)
    wide = []
    for image in some:
        density = -np.log10(image[..., 0].clip(1) / np.percentile(image[..., 0], 90))
        labels, _ = ndimage.label(density > 0.5 * np.percentile(density[54:74, 54:74], 90))
        middle = labels[60:68, 60:68]
        area = (labels == np.bincount(middle[middle > 0]).argmax()).sum() if middle.any() else 0
        wide.append(2 * np.sqrt(area / np.pi) * FIELD_UM / 128)
    assert 4 < np.median(wide) < 7


def test_eosinophils_answer_red_spots_first_but_not_alone(split, cache):
    written = functions("03_convolution")
    some = split.groupby("class").head(40)
    images = load_images(some, 128, 0.5, progressbar=False) / 255
    kernel = written["red_spot"](7)
    answers = np.array([written["relu"](written["convolve"](image, kernel)).mean() for image in images])
    median = some["class"].map(lambda name: np.median(answers[(some["class"] == name).to_numpy()]))
    ranked = median.groupby(some["class"]).first().sort_values(ascending=False)
    assert ranked.index[:3].tolist() == ["eosinophil", "basophil", "monocyte"]
    eosinophil = (some["class"] == "eosinophil").to_numpy()
    assert 0.8 < (answers[eosinophil, None] > answers[~eosinophil]).mean() < 0.97
