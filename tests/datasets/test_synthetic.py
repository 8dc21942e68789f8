"""Drawing: the same cell at every size, one parameter at a time."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloodcell_utils.cells import FOLDERS, SUBTYPES
from bloodcell_utils.datasets.specs import CellSpec, random_spec
from bloodcell_utils.datasets.synthetic import FIELD_UM, draw, draw_layers
from bloodcell_utils.errors import BloodcellError


def difference(a, b):
    return np.abs(a.astype(float) - b).mean()


@settings(max_examples=8)
@given(st.sampled_from(sorted(SUBTYPES)), st.integers(32, 200), st.integers(0, 2**32))
def test_every_size_gives_an_rgb_picture_and_the_same_one_again(subtype, size, seed):
    spec = random_spec(subtype, np.random.default_rng(seed))
    image = draw(spec, size, seed)
    assert image.shape == (size, size, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image, draw(spec, size, seed))


@pytest.mark.parametrize("name", [*SUBTYPES, *FOLDERS])
def test_every_kind_is_drawn_and_no_two_cells_are_alike(name):
    first, second = (random_spec(name, np.random.default_rng(seed)) for seed in (1, 2))
    assert first != second
    image = draw(first, 64, 1)
    assert image.std() > 10
    assert difference(image, draw(first, 64, 2)) > 1


def test_a_larger_picture_shows_the_same_cell():
    spec = random_spec("MO", np.random.default_rng(0))
    small, large = draw(spec, 128, 5), draw(spec, 256, 5)
    assert difference(small, large.reshape(128, 2, 128, 2, 3).mean((1, 3))) < 2


@pytest.mark.parametrize("change", [{"lobes": 2}, {"granule_density": 4.0}, {"vacuoles": 6}, {"chromatin": 0.0}])
def test_changing_one_parameter_leaves_the_neighbourhood_as_it_is(change):
    spec = CellSpec(nucleus_shape="segmented", lobes=3, nucleus_ratio=0.4, granule_density=2.0, vacuoles=2, focus_um=0)
    before, after = draw(spec, 128, 3), draw(replace(spec, **change), 128, 3)
    changed = np.argwhere((before != after).any(-1))
    assert len(changed) and np.abs(changed - 64).max() < 40


def test_a_nucleus_has_the_area_that_was_asked_for():
    bare = CellSpec(
        cell_diameter_um=14, irregularity=0, lobes=0, red_cells=0, focus_um=0, cytoplasm_rgb=(250, 220, 200)
    )
    for shape, lobes in [("round", 1), ("kidney", 1), ("band", 1), ("segmented", 4)]:
        spec = replace(bare, nucleus_shape=shape, lobes=lobes, nucleus_ratio=0.35, eccentricity=0, chromatin=0)
        area = (draw(spec, 256, 4)[..., 1] < 140).sum() * (FIELD_UM / 256) ** 2
        assert area == pytest.approx(0.35 * np.pi * 7**2, rel=0.2), shape


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("end", ["low", "high"])
def test_the_ends_of_every_range_can_be_drawn(end):
    for f in fields(CellSpec):
        if f.metadata:
            value = f.metadata[end]
            draw(CellSpec(**{f.name: (value,) * 3 if isinstance(f.default, tuple) else value}), 32)


def test_light_and_stain_do_what_they_say():
    spec = CellSpec(red_cells=5, platelets=0)
    usual = draw(spec, 64, 1).astype(float)
    assert draw(replace(spec, exposure=0.8), 64, 1).mean() == pytest.approx(0.8 * usual.mean(), rel=0.02)
    assert draw(replace(spec, stain_strength=1.4), 64, 1).min() < usual.min()
    redder, bluer = (draw(replace(spec, stain_hue=hue), 64, 1).astype(float).mean((0, 1)) for hue in (1, -1))
    assert redder[0] - redder[2] > bluer[0] - bluer[2] + 5


@pytest.mark.parametrize("size", [31, 1025, 64.5])
def test_an_impossible_size_is_refused(size):
    with pytest.raises(BloodcellError, match="size is .*32 to 1024"):
        draw(CellSpec(), size)


@settings(max_examples=8)
@given(st.sampled_from(sorted(SUBTYPES)), st.integers(32, 200), st.integers(0, 2**32))
def test_the_layers_lie_within_the_cell(subtype, size, seed):
    spec = random_spec(subtype, np.random.default_rng(seed))
    parts = draw_layers(spec, size, seed)
    assert list(parts) == ["cell", "nucleus", "granules"]
    assert all(part.shape == (size, size) and part.dtype == bool for part in parts.values())
    assert parts["cell"].any() and not (parts["nucleus"] & ~parts["cell"]).any()
    assert not (parts["granules"] & ~parts["cell"]).any()
    assert parts["nucleus"].any() == (subtype != "PLATELET")


def test_the_layers_are_those_of_the_picture():
    spec = CellSpec(cell_diameter_um=14, nucleus_ratio=0.4, red_cells=0, focus_um=0, granule_density=1.0, noise=0)
    parts, image = draw_layers(spec, 256, 2), draw(spec, 256, 2).astype(float)
    green = [image[mask][:, 1].mean() for mask in (parts["nucleus"], parts["cell"] & ~parts["nucleus"], ~parts["cell"])]
    assert green[0] + 50 < green[1] < green[2] - 30
    area = (FIELD_UM / 256) ** 2
    assert parts["cell"].sum() * area == pytest.approx(np.pi * 7**2, rel=0.1)
    assert parts["nucleus"].sum() * area == pytest.approx(0.4 * np.pi * 7**2, rel=0.2)
    without = draw_layers(replace(spec, granule_density=0.0), 256, 2)
    assert parts["granules"].any() and not without["granules"].any()


def test_lobes_hang_together_as_they_are_told():
    from scipy.ndimage import label

    spec = CellSpec(cell_diameter_um=15, nucleus_ratio=0.3, nucleus_shape="segmented", lobes=4, irregularity=0)
    pieces = [
        [label(draw_layers(replace(spec, lobe_link=link), 363, seed)["nucleus"])[1] for seed in range(6)]
        for link in (0.0, 0.6)
    ]
    assert np.mean(pieces[0]) > 1.5 and set(pieces[1]) == {1}


def test_a_small_picture_is_no_sharper_than_a_large_one_scaled_down():
    for name in ("MO", "LY", "SNE"):
        spec = random_spec(name, np.random.default_rng(1))
        small, large = draw(spec, 96, 5).astype(float), draw(spec, 288, 5).reshape(96, 3, 96, 3, 3).mean((1, 3))
        edges = [np.abs(np.diff(image[30:66, 30:66], axis=0)).mean() for image in (small, large)]
        assert edges[0] < 1.25 * edges[1]


@pytest.mark.parametrize(
    "change",
    [{"frosting": 1.0}, {"hof": 1.0}, {"debris": 15}, {"sharpening": 3.0}, {"noise": 5.0}, {"indentation": 1.0},
     {"granule_spread": 0.3}],
)  # fmt: skip
def test_every_parameter_is_seen(change):
    spec = CellSpec(nucleus_shape="kidney", indentation=0.0, granule_density=2.0, eccentricity=0.6, debris=0)
    assert (draw(spec, 128, 1) != draw(replace(spec, **change), 128, 1)).any()
