"""Drawing a blood cell from its morphological parameters, as under a microscope (May Grünwald-Giemsa stain).

`draw` is told what the cell looks like (`specs.CellSpec`), never which kind it is. "What if this nucleus had one lobe
fewer?" is a change of one number. Colours are near the means of PBC (Acevedo et al. 2020), and a picture shows as much
of the slide as one of PBC's does.
"""

from cmath import rect
from math import pi, sqrt

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from .specs import WHITE, check, random_spec

FIELD_UM = 36.0  # what a picture shows, from side to side
_CAMERA = 8.0  # its pixels in a µm: where PBC's pictures are sharp to
_MIDDLE = complex(FIELD_UM, FIELD_UM) / 2
_RED_CELL, _SPECK, _HOF = (206, 169, 167), (70, 45, 120), (224, 190, 200)


def draw(spec, size=363, seed=0):
    """Draw the cell and its neighbours.

    Parameters
    ----------
    spec : CellSpec
    size : int
        Side in pixels, 32 to 1024 (PBC's pictures are 360 x 363); the same seed gives the same cell at every size.
    seed : int
        For what the parameters leave open: where lobes, granules and red cells lie. Each part of the picture has its
        own random numbers, so that changing one parameter leaves the rest as it is.

    Returns
    -------
    numpy.ndarray of uint8, shape (size, size, 3)
        RGB.

    Raises
    ------
    BloodcellError
        For a size out of range.
    """
    fine, home, (scene, blood, others, own, camera) = _begun(size, seed)
    side, stain, clear = size * fine, _stain(spec), spec.cell_diameter_um / 2 + 1.5
    platelets = [place for place, _ in _places(others, spec.platelets, 5, [(home, clear + 1.5)])]
    _, _, x, y = _window(side, _MIDDLE, FIELD_UM)
    density = _red_cells(spec, [(home, clear), *((place, 4.5) for place in platelets)], x, y, blood)
    image = stain(WHITE) * np.exp(density[..., None] * np.log(stain(_RED_CELL) / stain(WHITE)))
    image *= 1 + 0.005 * _noise(scene, 12, x, y, FIELD_UM / side)[..., None]
    for place in platelets:
        _paint(image, random_spec("PLATELET", others), place, stain, others)
    for place, dice in _places(others, spec.debris, 1, [(home, clear)]):
        rows, columns, across, down = _window(side, place, 1)
        speck = np.clip((0.15 + 0.35 * dice[0] - np.hypot(across, down[:, None])) * side / FIELD_UM + 0.5, 0, 1)
        image[rows, columns] += 0.8 * speck[..., None] * (stain(_SPECK) - image[rows, columns])
    _paint(image, spec, home, stain, own)
    return _photographed(_averaged(image, fine), spec, size / FIELD_UM, camera)


def draw_layers(spec, size=363, seed=0):
    """What `draw` shows of the cell in the middle, part by part: the truth that a segmentation is measured against.

    Parameters
    ----------
    spec : CellSpec
    size, seed : int
        As for `draw`: the same picture.

    Returns
    -------
    dict of str to numpy.ndarray of bool, shape (size, size)
        ``"cell"``, ``"nucleus"`` and ``"granules"``; nucleus and granules lie within the cell. A pixel belongs to a
        part that covers at least half of it.
    """
    fine, home, (_, _, _, own, _) = _begun(size, seed)
    blank, layers = np.zeros((size * fine, size * fine, 3), np.float32), {}
    rows, columns, parts = _paint(blank, spec, home, _stain(spec), own)
    for name, part in parts.items():
        cover = np.zeros(blank.shape[:2], np.float32)
        cover[rows, columns] = part
        layers[name] = _averaged(cover, fine) >= 0.5
    return layers


def _begun(size, seed):
    """How many times finer to draw, where the cell lies, and the random numbers of each part of the picture."""
    check("size", size, 363, low=32, high=1024)
    fine = -(-96 // size)  # small pictures are drawn larger and averaged, or granules would flicker
    dice = np.random.default_rng(seed).spawn(5)
    return fine, _MIDDLE + complex(*dice[0].normal(0, 0.8, 2).clip(-2, 2)), dice


def _averaged(image, fine):
    """Each square of `fine` x `fine` pixels as one."""
    size = len(image) // fine
    return image.reshape(size, fine, size, fine, *image.shape[2:]).mean((1, 3)) if fine > 1 else image


def _photographed(image, spec, pixels_per_um, rng):
    """Through lens and camera: blur, sharpening, light and noise; a small picture is one that was scaled down."""
    scale = min(1, pixels_per_um / _CAMERA)
    if (blur := np.hypot(spec.focus_um * pixels_per_um, 0.3 * (1 - scale**2) ** 0.5)) > 0.2:
        image = gaussian_filter(image, (blur, blur, 0), truncate=2.5)
    reach = 0.22 * pixels_per_um
    if sharpening := spec.sharpening * np.clip(reach - 0.5, 0, 1):
        image = image + sharpening * (image - gaussian_filter(image, (reach, reach, 0), truncate=2.5))
    image = image * spec.exposure + spec.noise * scale * rng.standard_normal(image.shape, np.float32)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def _stain(spec):
    """From a colour of the standard stain to its colour on this slide; densities scale (Beer and Lambert)."""
    power = spec.stain_strength * np.exp(spec.stain_hue * np.array([-0.2, 0.0, 0.16]))
    return lambda rgb: (spec.background_rgb * np.divide(rgb, WHITE) ** power).astype(np.float32)


def _window(side, place, reach):
    """Rows and columns within reach of a place, and their x and y in µm from it."""
    at = (np.arange(side, dtype=np.float32) + 0.5) * (FIELD_UM / side)
    columns, rows = (slice(*np.searchsorted(at, (c - reach, c + reach))) for c in (place.real, place.imag))
    return rows, columns, at[columns] - place.real, at[rows] - place.imag


def _noise(rng, grain, x, y, pixel):
    """Smooth noise, mean 0, variance 1. The grain is in µm, so that a larger picture or cell shows the same noise.

    What is finer than a pixel averages out.
    """
    grain, fine = max(grain, 1.1 * pixel), grain

    def taps(at):
        behind, between = np.divmod(at / grain, 1)
        weights = (1 - ((between[:, None] - np.arange(-1, 3, dtype=np.float32)) / 2) ** 2) ** 3
        return (behind.astype(int)[:, None] + range(-1, 3)) % 64, weights / np.sqrt((weights**2).sum(1, keepdims=True))

    (rows, down), (columns, across) = taps(y), taps(x)
    knots = (rng.random((64, 64), np.float32) - 0.5) * sqrt(12)
    # Not a matrix product: BLAS would wake all its threads for so little, which is far slower on a busy machine.
    return np.einsum("jk,ijk->ij", across, np.einsum("ik,ikj->ij", down, knots[rows])[:, columns]) * (fine / grain)


def _places(rng, count, apart, taken):
    """Up to `count` random places apart from each other and from those taken, each with six dice of its own.

    `taken` lists places and how far to stay away from each.
    """
    chosen, taken = [], list(taken)
    for x, y, *dice in rng.random((180, 8)).tolist():
        if len(chosen) >= count:
            break
        place = complex(x, y) * (FIELD_UM + 6) - (3 + 3j)
        if all(abs(place - other) > gap for other, gap in taken):
            chosen.append((place, dice))
            taken.append((place, apart))
    return chosen


def _red_cells(spec, taken, x, y, rng):
    """Optical density of the red cells, 1 in the thick of one; the overlap of two is darker."""
    dents, apart = _noise(rng, 2.5, x, y, FIELD_UM / len(x)), rng.uniform(5, 7.2)
    density = np.zeros((len(y), len(x)), np.float32)
    for place, dice in _places(rng, spec.red_cells, apart, taken):
        rows, columns, across, down = _window(len(x), place, 5)
        z = across + 1j * down[:, None]
        rho = np.abs(z + rect(0.09 * dice[0], 2 * pi * dice[1]) * z.conj()) / (3.2 + 0.8 * dice[2])
        rho += 0.03 * dents[rows, columns]
        hollow = spec.pallor * (0.7 + 0.3 * dice[3]) / (1 + (rho / (0.38 + 0.17 * dice[4])) ** 6)
        cell = _smooth((1 - rho) * 5 + 0.5) * (1 - hollow) * (0.85 + 0.2 * dice[5])
        below = density[rows, columns]
        density[rows, columns] = np.maximum(below, cell) + 0.4 * np.minimum(below, cell)
    return density


def _smooth(x):
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _paint(image, spec, place, stain, rng):
    """Put one cell over what is there: cytoplasm, vacuoles, nucleus, granules.

    Returns the rows and columns that were painted, and how much of each pixel there the cell, its nucleus and its
    granules cover.
    """
    rng, nucleus_rng, granule_rng = rng.spawn(3)
    side, radius = len(image), spec.cell_diameter_um / 2
    reach = radius * (1.2 + 0.4 * spec.irregularity) + 0.5
    rows, columns, x, y = _window(side, place, reach)
    z = x + 1j * y[:, None]

    def noise(grain):
        return _noise(rng, grain, x, y, FIELD_UM / side)

    def cover(distance):
        return np.clip(0.5 - distance * (side / FIELD_UM), 0, 1)

    def blend(alpha, rgb):
        image[rows, columns] += alpha[..., None] * (rgb - image[rows, columns])

    outline = 0.07 * radius * noise(4) + 0.03 * radius * noise(1.5)
    ragged = (0.4 + 2 * spec.irregularity) * outline + 0.2 * spec.irregularity * noise(0.5)
    membrane = np.abs(z + _somewhere(rng, 0.08) * z.conj()) - radius + ragged
    body = cover(membrane)
    shade = 1 + 0.025 * noise(2) + (0.02 + 0.09 * spec.frosting) * noise(0.35)
    shade = shade - 0.12 * np.maximum(0, 1 + membrane / 0.7)
    bubbles = [(_somewhere(rng, radius), rng.uniform(0.25, 0.75)) for _ in range(spec.vacuoles)]
    cytoplasm = stain(spec.cytoplasm_rgb) * shade[..., None]
    inside, rng = np.zeros_like(body), nucleus_rng
    if spec.lobes and spec.nucleus_ratio:
        coarse, fine = noise(0.6), noise(0.2)
        bays = (0.1 if spec.nucleus_shape == "kidney" else 0.05) * noise(1.6)
        nucleus = np.maximum(_nucleus(spec, z, bays, rng), membrane + 0.3)
        inside = cover(nucleus)
        lumps = (0.5 - 0.3 * spec.chromatin) * fine + 0.35 * spec.chromatin * coarse
        light = np.clip(0.32 - 0.2 * spec.chromatin + lumps, 0, 1.3) * np.clip(0.2 - nucleus / 0.5, 0, 1)
        for _ in range(spec.nucleoli):
            light += np.clip(0.9 - np.abs(z - _somewhere(rng, 0.5 * radius)) / rng.uniform(0.9, 1.4), 0, 0.6)
        hof = spec.hof * np.clip(1 - nucleus / 2, 0, 1) * np.clip(-membrane / 3, 0, 1)
        cytoplasm += 0.7 * hof[..., None] * (stain(_HOF) - cytoplasm)
        chromatin = [stain(np.add(spec.nucleus_rgb, shade).clip(5, 253)) for shade in ((-25, -29, -14), (52, 50, 28))]
    blend(0.96 * body, cytoplasm)
    for centre, size in bubbles:
        blend(0.8 * body * cover(np.abs(z - centre) - size), stain(WHITE))
    if inside.any():
        dark, pale = chromatin
        blend(inside, dark + light[..., None] * (pale - dark))

    granules = np.zeros_like(body)
    if count := int(spec.granule_density * pi * reach**2 * spec.granule_spread**2):
        far, turn, big, dark = granule_rng.random((count, 4)).T
        centres = reach * spec.granule_spread * np.sqrt(far) * np.exp(2j * pi * turn)
        seen, gap, tone = body > 0, np.ones_like(body), np.ones_like(body)
        tree = cKDTree(np.stack([centres.real, centres.imag], 1))
        away, nearest = tree.query(np.stack([z.real[seen], z.imag[seen]], 1), distance_upper_bound=spec.granule_um)
        nearest = nearest.clip(max=count - 1)  # no granule near: the query answers `count`, at infinity
        gap[seen] = away - spec.granule_um * (0.32 + 0.38 * big[nearest])
        tone[seen] = 0.84 + 0.32 * dark[nearest]
        granules = cover(gap) * body * (1 - inside * (1 - spec.granules_over_nucleus))
        blend(0.9 * granules, stain(spec.granule_rgb) * tone[..., None])
    return rows, columns, {"cell": body, "nucleus": inside, "granules": granules}


def _nucleus(spec, z, bays, rng):
    """Distance in µm from the nucleus' outline, negative inside: discs along a path, melted into one another."""
    turn, away = _somewhere(rng, 1), _somewhere(rng, 1)
    centres, radii = _skeleton(spec, rng)
    centres = ((centres - np.average(centres, weights=radii**2)) * turn / abs(turn)).astype(np.complex64)

    def distance(at):
        gaps = np.minimum(np.abs(at[..., None] - centres) - radii, 6)  # or the exponential underflows
        return -np.log(np.exp(-14 * gaps).sum(-1)) / 14

    ruler = np.linspace(-2.5, 2.5, 51, dtype=np.float32)
    area = (distance(ruler + 1j * ruler[:, None]) < 0).sum() * 0.1**2
    radius = spec.cell_diameter_um / 2
    scale = radius * sqrt(pi * spec.nucleus_ratio / area)
    shift = spec.eccentricity * max(0, radius - sqrt(area / pi) * scale) * away / abs(away)
    return (distance((z - shift) / scale) + bays) * scale


def _skeleton(spec, rng):
    """Centres (complex, scale free) and radii (float32) of the discs that make up the nucleus."""
    dice = rng.random((5, 4))
    long, wide = dice[0, :2]
    if spec.nucleus_shape == "round":
        return np.linspace(-0.25, 0.25, 3) * long, np.ones(3, np.float32)
    if spec.nucleus_shape in ("kidney", "band"):
        half, width = 1.4 + 1.0 * long, 0.38 + 0.22 * wide
        if spec.nucleus_shape == "kidney":
            half, width = 0.35 + 1.15 * spec.indentation + 0.2 * long, 0.72 + 0.2 * wide
        bend = np.linspace(-1, 1, 13)
        return np.exp(1j * half * bend), (width * (0.9 + 0.15 * bend**2)).astype(np.float32)
    angle, away, big, way = dice[: spec.lobes].T
    step = 2 * pi / (spec.lobes + 0.4)
    lobes = (0.85 + 0.35 * away) * np.exp(1j * step * (np.arange(spec.lobes) + 0.24 * angle))
    radii = np.sin(min(step, 2.2) / 2) * (0.62 + 0.3 * big)
    halves = 0.35 * radii * np.exp(1j * pi * way)
    links = [a + (b - a) * np.linspace(0, 1, 9) for a, b in zip(lobes[:-1], lobes[1:], strict=True) if spec.lobe_link]
    centres = np.concatenate([lobes - halves, lobes + halves, *links])
    link = np.full(9 * len(links), max(0.05, spec.lobe_link * radii.min()))
    return centres, np.concatenate([radii, radii, link]).astype(np.float32)


def _somewhere(rng, reach):
    """A random complex number at most `reach` from 0."""
    return rect(reach * sqrt(rng.random()), 2 * pi * rng.random())
