"""The eight cells: their order, their names and colours that every reader can tell apart."""

import itertools

import numpy as np
import pytest

from bloodcell_utils.cells import CELLS, CLASS_NAMES, FOLDERS, SUBTYPES, by_folder, titles

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(color):
    """Linear RGB in [0, 1] of #rrggbb (IEC 61966-2-1)."""
    encoded = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB (D65) of linear RGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / to_xyz.sum(1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_papers_order():
    assert CLASS_NAMES == (
        "neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte", "immature granulocyte", "erythroblast",
        "platelet",
    )  # fmt: skip
    assert FOLDERS == tuple("ig" if name == "immature granulocyte" else name for name in CLASS_NAMES)


def test_a_prefix_belongs_to_one_class():
    prefixes = [prefix for cell in CELLS for prefix in cell.subtypes]
    assert len(prefixes) == len(set(prefixes)) == len(SUBTYPES) == 13
    assert {SUBTYPES[prefix] for prefix in ("PMY", "MY", "MMY", "IG")} == {"ig"}
    assert {SUBTYPES[prefix] for prefix in ("SNE", "BNE", "NEUTROPHIL")} == {"neutrophil"}


def test_names_for_axes():
    assert by_folder("ig").name == "immature granulocyte" and by_folder("my own") is None
    assert titles(["ig", "my own"]) == ["immature granulocyte", "my own"]
    assert all(0 < len(cell.short) <= 4 for cell in CELLS) and len({cell.short for cell in CELLS}) == 8
    assert all(cell.nucleus and cell.cytoplasm for cell in CELLS)


def test_lab_of_known_colours():
    np.testing.assert_allclose(lab(linear("#ffffff")), [100, 0, 0], atol=0.1)
    np.testing.assert_allclose(lab(linear("#ff0000")), [53.2, 80.1, 67.2], atol=0.3)


@pytest.mark.parametrize(
    ("vision", "apart"), [("usual", 25), ("protanopia", 15), ("deuteranopia", 15), ("tritanopia", 15)]
)
def test_every_reader_can_tell_the_colours_apart(vision, apart):
    seen = {cell.name: lab(np.array(VISION[vision]) @ linear(cell.color)) for cell in CELLS}
    distance = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(seen, 2)}
    closest = min(distance, key=distance.get)
    assert distance[closest] >= apart, closest
