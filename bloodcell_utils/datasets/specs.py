"""Blood cells in words and numbers: what can be said of one cell, and what each of the eight kinds looks like."""

from dataclasses import dataclass, field, fields
from numbers import Integral

import numpy as np

from ..cells import FOLDERS, SUBTYPES
from ..errors import BloodcellError

NUCLEUS_SHAPES = ("round", "kidney", "band", "segmented")
WHITE = (253, 228, 202)  # of the empty slide; mean of PBC's first batch


def _number(default, low, high, unit, about):
    return field(default=default, metadata={"low": low, "high": high, "unit": unit, "about": about})


@dataclass(frozen=True)
class CellSpec:
    """What one cell and its surroundings look like.

    A value out of its range raises `BloodcellError`. Ranges, units and meanings are also in the fields' ``metadata``.
    ``nucleus_shape`` is one of `NUCLEUS_SHAPES`; the lobes of a ``"segmented"`` nucleus hang on thin filaments.
    """

    cell_diameter_um: float = _number(12.0, 1, 25, "µm", "Diameter of the circle that the outline is deformed from")
    irregularity: float = _number(0.2, 0, 1, "", "Of the outline: 0 round, 1 like an amoeba")
    nucleus_ratio: float = _number(0.5, 0, 1, "", "Area of the nucleus / area of the cell, before the membrane cuts it")
    lobes: int = _number(1, 0, 5, "", "0 is a cell without nucleus; more than 1 show in a segmented nucleus only")
    nucleus_shape: str = "round"
    eccentricity: float = _number(0.2, 0, 1, "", "Of the nucleus: 0 in the middle, 1 at the membrane")
    chromatin: float = _number(0.5, 0, 1, "", "From 0 fine and even to 1 coarse clumps")
    nucleoli: int = _number(0, 0, 5, "", "Pale spots in the nucleus")
    vacuoles: int = _number(0, 0, 20, "", "Clear bubbles in the cytoplasm")
    granule_density: float = _number(0.0, 0, 8, "1/µm²", "Granules per area of the cell")
    granule_um: float = _number(0.3, 0.05, 2, "µm", "Mean diameter of a granule")
    granules_over_nucleus: float = _number(0.0, 0, 1, "", "Opacity of the granules that lie over the nucleus")
    nucleus_rgb: tuple = _number((82, 40, 134), 0, 255, "RGB", "Of the chromatin, in the standard stain as all colours")
    cytoplasm_rgb: tuple = _number((190, 165, 190), 0, 255, "RGB", "Between the granules")
    granule_rgb: tuple = _number((120, 60, 145), 0, 255, "RGB", "Of the granules")
    background_rgb: tuple = _number(WHITE, 1, 255, "RGB", "Of the empty slide")
    stain_hue: float = _number(0.0, -1, 1, "", "From -1 bluer (azure) to 1 redder (eosin)")
    stain_strength: float = _number(1.0, 0.5, 1.5, "", "Factor on optical density")
    exposure: float = _number(1.0, 0.5, 1.5, "", "Factor on light")
    focus_um: float = _number(0.08, 0, 3, "µm", "Standard deviation of the blur")
    red_cells: int = _number(20, 0, 60, "", "At most so many in and around the field")
    pallor: float = _number(0.7, 0, 1, "", "Of the red cells' centres: 0 none, 1 clear as the background")
    platelets: int = _number(0, 0, 10, "", "At most so many besides the cell")

    def __post_init__(self):
        if self.nucleus_shape not in NUCLEUS_SHAPES:
            raise BloodcellError(f"nucleus_shape is {self.nucleus_shape!r}; choose one of {', '.join(NUCLEUS_SHAPES)}.")
        for f in fields(self):
            if f.metadata:
                check(f.name, getattr(self, f.name), f.default, f.metadata["low"], f.metadata["high"])


def _document(f):
    low, high, unit, about = f.metadata.values()
    kind, limits = f"{f.type.__name__}, default {f.default}", f"{low} to {high} {unit}".rstrip()
    return f"    {f.name} : {kind}\n        {about} ({limits})"


_ATTRIBUTES = "\n".join(_document(f) for f in fields(CellSpec) if f.metadata)
CellSpec.__doc__ = f"{CellSpec.__doc__ or ''}\n    Attributes\n    ----------\n{_ATTRIBUTES}"


def random_spec(subtype, rng):
    """Draw the parameters of one cell.

    Parameters
    ----------
    subtype : str
        A prefix of PBC's file names (``"SNE"``), or a class folder (``"ig"``), which picks one of its sub-types.
    rng : numpy.random.Generator

    Returns
    -------
    CellSpec

    Raises
    ------
    BloodcellError
        For an unknown name; the message lists those that exist.
    """
    ranges = zip(fields(CellSpec), _KINDS[pick_subtype(subtype, rng)] + _SLIDE, strict=True)
    return CellSpec(*[_between(value, f.default, rng) for f, value in ranges])


_BLACK, _DENSE = ((48, 22, 114), (80, 38, 136)), ((64, 27, 130), (88, 38, 145))
_LOOSE, _VEILED = ((82, 35, 138), (105, 48, 154)), ((92, 50, 135), (116, 70, 155))
_PINK, _ROSE = ((212, 176, 188), (228, 200, 202)), ((176, 128, 174), (218, 176, 200))
_SKY, _GREY = ((152, 146, 200), (192, 178, 208)), ((160, 136, 184), (194, 168, 198))
_DEEP, _MIXED = ((156, 128, 184), (194, 158, 194)), ((168, 142, 186), (210, 176, 194))
_PALE, _BLUE_TO_PINK = ((176, 148, 188), (218, 184, 196)), ((134, 124, 182), (208, 180, 190))
_LILAC, _DUST = ((160, 124, 176), (204, 172, 194)), ((140, 90, 155), (185, 130, 175))
_EOSIN, _INK = ((174, 84, 112), (204, 116, 128)), ((60, 26, 116), (84, 38, 134))
_AZURE, _FAINT = ((100, 50, 140), (140, 80, 160)), ((115, 65, 150), (165, 110, 170))
_HAZE, _PURPLE = ((130, 95, 165), (160, 120, 180)), ((92, 44, 142), (132, 72, 160))

# The fields of CellSpec in its order: first the cell's, then the slide's. A pair is a range to draw from.
# fmt: off
_KINDS = {
    #       diameter     irregular  ratio       lobes   shape        eccentric chromatin  nucleoli vacuoles
    #       granules: density, µm, over nucleus       colours of nucleus, cytoplasm, granules
    "SNE": ((11.5, 15), (0, .45), (.32, .45), (2, 5), "segmented", (0, .6), (.55, 1), 0, 0,
            (1, 4.5), (.2, .34), 0, _DENSE, _PINK, _DUST),
    "BNE": ((11.5, 15), (0, .45), (.32, .45), 1, "band", (0, .6), (.55, 1), 0, 0,
            (1, 4.5), (.2, .34), 0, _DENSE, _PINK, _DUST),
    "EO": ((12.5, 16), (0, .45), (.28, .42), (2, 3), "segmented", (.1, .8), (.4, .8), 0, 0,
           (2.8, 5), (.6, .85), 0, _DENSE, _PINK, _EOSIN),
    "BA": ((11.5, 15), (.1, .6), (.4, .6), (1, 3), "segmented", (0, .6), (.2, .6), 0, 0,
           (1.5, 3.6), (.5, .8), (.6, 1), _VEILED, _ROSE, _INK),
    "LY": ((8.5, 13), (0, .5), (.62, .9), 1, "round", (0, .9), (.15, .6), 0, 0,
           (0, .12), (.3, .5), 0, _DENSE, _SKY, _AZURE),
    "MO": ((13.5, 18.5), (.1, 1), (.4, .6), 1, "kidney", (0, .8), (.1, .6), 0, (0, 8),
           (.5, 2.5), (.18, .3), 0, _LOOSE, _GREY, _HAZE),
    "PMY": ((14, 20), (0, .6), (.55, .75), 1, "round", (.3, 1), (0, .35), (1, 3), 0,
            (1, 4.5), (.25, .45), (.3, .9), _LOOSE, _DEEP, _AZURE),
    "MY": ((12, 17), (0, .6), (.42, .6), 1, "round", (.3, 1), (.3, .75), 0, 0,
           (1, 4.5), (.25, .45), (0, .5), _LOOSE, _MIXED, _AZURE),
    "MMY": ((12, 16), (0, .6), (.38, .52), 1, "kidney", (.3, 1), (.45, .9), 0, 0,
            (1, 4.5), (.25, .45), (0, .5), _LOOSE, _PALE, _FAINT),
    "ERB": ((7.5, 12), (0, .45), (.3, .62), 1, "round", (0, .7), (.3, 1), 0, 0,
            0, .3, 0, _BLACK, _BLUE_TO_PINK, _AZURE),
    "PLATELET": ((2.8, 5.8), (.3, 1), 0, 0, "round", 0, 0, 0, 0,
                 (3, 6), (.4, .7), 0, _DENSE, _LILAC, _PURPLE),
}
# fmt: on
_SLIDE = (WHITE, (-0.5, 0.5), (0.85, 1.15), (0.95, 1.01), (0.03, 0.18), (8, 32), (0.2, 1.0), (0, 2))


def pick_subtype(name, rng):
    """A sub-type that `random_spec` can draw.

    Parameters
    ----------
    name : str
        A sub-type, or a class folder, which picks one of its sub-types.
    rng : numpy.random.Generator

    Returns
    -------
    str

    Raises
    ------
    BloodcellError
        For an unknown name.
    """
    folder = SUBTYPES.get(name, name)
    kinds = [name] if name in _KINDS else [kind for kind in _KINDS if SUBTYPES[kind] == folder]
    if not kinds:
        raise BloodcellError(f"There is no cell {name!r}; choose one of {', '.join([*SUBTYPES, *FOLDERS])}.")
    return kinds[rng.integers(len(kinds))]


def _between(value, like, rng):
    """A value from a range, a whole number or a colour where `like` is one; what is no range is the value."""
    if not isinstance(value, tuple) or len(value) != 2:
        return value
    if isinstance(like, int):
        return int(rng.integers(value[0], value[1] + 1))
    mix = np.add(value[0], rng.random() * np.subtract(value[1], value[0])).round(3)
    return tuple(mix.tolist()) if isinstance(like, tuple) else float(mix)


def check(name, value, like, low, high):
    """Refuse a value that is not what it should be.

    Parameters
    ----------
    name : str
        For the message.
    value : object
    like : int, float or tuple
        A value of the right kind: a whole number, a number, or three numbers.
    low, high : float
        Range, both ends included.

    Raises
    ------
    BloodcellError
    """
    numbers = value if isinstance(like, tuple) else (value,)
    try:
        good = all(low <= x <= high for x in numbers) and (not isinstance(like, int) or isinstance(value, Integral))
        good = good and (not isinstance(like, tuple) or len(numbers) == 3)
    except (TypeError, ValueError):
        good = False
    if not good:
        what = {tuple: "three numbers", int: "a whole number", float: "a number"}[type(like)]
        raise BloodcellError(f"{name} is {value!r}; it must be {what} from {low} to {high}.")
