"""A cell under your hands: sliders for its morphology, its picture, and what a network says, live in a notebook.

The published page has no Python behind it; there `parameter_slider` shows the same with pictures that were
drawn beforehand.
"""

from dataclasses import fields
from functools import cache

import numpy as np

from .. import plots
from ..cells import CELLS, FOLDERS, SUBTYPES
from ..datasets.pictures import resize
from ..datasets.specs import NUCLEUS_SHAPES, CellSpec, pick_subtype, shown, words
from ..datasets.synthetic import draw
from ..errors import BloodcellError
from ..evaluation import counterfactuals
from .frames import img, show_frames
from .page import render

GROUPS = {
    "cell": ("cell_diameter_um", "irregularity", "vacuoles", "frosting", "hof", "cytoplasm_rgb"),
    "nucleus": ("nucleus_shape", "nucleus_ratio", "lobes", "lobe_link", "indentation", "eccentricity", "chromatin",
                "nucleoli", "nucleus_rgb"),
    "granules": ("granule_density", "granule_um", "granule_spread", "granules_over_nucleus", "granule_rgb"),
    "slide": ("stain_hue", "stain_strength", "exposure", "focus_um", "sharpening", "noise", "red_cells", "pallor",
              "platelets", "debris", "background_rgb"),
}  # fmt: skip
_FIELDS = {f.name: f for f in fields(CellSpec)}


def cell_builder(start="SNE", answer=counterfactuals.pretrained_proba):
    """Move sliders, see the cell and what a network says of it.

    Parameters
    ----------
    start : str
        The first preset: a sub-type or a class folder.
    answer : callable
        From images (n, 128, 128, 3) to probabilities (n, 8).

    Returns
    -------
    ipywidgets.VBox
    """
    import ipywidgets as w

    start = start if start in SUBTYPES else pick_subtype(start, np.random.default_rng(0))
    spec = counterfactuals.preset(start)
    controls = {name: _control(w, name, getattr(spec, name)) for group in GROUPS.values() for name in group}
    kinds = w.Dropdown(options=[(f"{SUBTYPES[name]}: {name}", name) for name in SUBTYPES], value=start,
                       description="preset")  # fmt: skip
    number = w.BoundedIntText(value=0, min=0, max=9999, description="drawing")
    shows_heat = w.Checkbox(value=False, description="where it looks (Grad-CAM)")
    moved = w.Dropdown(options=counterfactuals.PARAMETERS, value="lobes", description="move")
    flip = w.Button(description="what flips it?", tooltip="Move this parameter from end to end")
    picture, bars, strip = w.HTML(), w.HTML(), w.HTML()
    loading = False

    def current():
        return CellSpec(**{name: _value(name, control.value) for name, control in controls.items()})

    def show(_=None):
        if loading:
            return
        image = draw(current(), counterfactuals.SIZE, number.value)
        probabilities = np.asarray(answer(image[None]))[0]
        if shows_heat.value:
            image = _warm(image)
        picture.value = img(resize(image, 384), f"The cell; most probable: {FOLDERS[probabilities.argmax()]}")
        bars.value = render(__package__, "bars.html", shown=zip(CELLS, probabilities, strict=True))

    def load(_=None):
        nonlocal loading
        loading, spec = True, counterfactuals.preset(kinds.value)
        try:
            for name, control in controls.items():
                value = getattr(spec, name)
                control.value = shown(value) if isinstance(value, tuple) else value
        finally:
            loading = False
        show()

    def search(_=None):
        flip.disabled, strip.value = True, "drawing …"
        try:
            found = counterfactuals.sweep(answer, current(), moved.value, seed=number.value)
            alt = f"The cell with {words(moved.value)} from {shown(found.values[0])} to {shown(found.values[-1])}"
            strip.value = img(plots.film_strip(found), alt)
        finally:
            flip.disabled = False

    for control in (*controls.values(), shows_heat, number):
        control.observe(show, "value")
    kinds.observe(load, "value")
    flip.on_click(search)
    show()
    tabs = w.Tab([w.VBox([controls[name] for name in group]) for group in GROUPS.values()], titles=tuple(GROUPS))
    seen = w.VBox([picture, bars])
    return w.VBox([w.HBox([kinds, number, shows_heat]), w.HBox([seen, tabs]), w.HBox([moved, flip]), strip])


def parameter_slider(spec, parameter, answer=counterfactuals.pretrained_proba):
    """One parameter from end to end behind a slider, for a published page.

    Parameters
    ----------
    spec : CellSpec
    parameter : str
    answer : callable
        As for `cell_builder`.

    Returns
    -------
    frames.Frames
    """
    found = counterfactuals.sweep(answer, spec, parameter)
    labels = [
        f"{words(parameter)} {shown(value)}: {FOLDERS[p.argmax()]} {p.max():.0%}"
        for value, p in zip(found.values, found.probabilities, strict=True)
    ]
    pictures = [resize(image, 320) for image in found.images]
    return show_frames(pictures, labels, "The same cell", title=words(parameter), width=320)


def _control(w, name, value):
    field, style = _FIELDS[name], {"description_width": "9.5rem"}
    shared = {"description": words(name), "style": style, "layout": w.Layout(width="26rem")}
    if name == "nucleus_shape":
        return w.Dropdown(options=NUCLEUS_SHAPES, value=value, **shared)
    if isinstance(field.default, tuple):
        return w.ColorPicker(value=shown(value), concise=False, **shared)
    low, high, _, about = field.metadata.values()
    ends = {"min": low, "max": high, "value": value, "tooltip": about, "continuous_update": False}
    if isinstance(field.default, int):
        return w.IntSlider(**ends, **shared)
    return w.FloatSlider(**ends, step=(high - low) / 100, readout_format=".2f", **shared)


def _value(name, setting):
    """The value that a control is set to; a colour that is no #rrggbb is refused with the parameter's name."""
    default = _FIELDS[name].default
    if not isinstance(default, tuple):
        return setting
    try:
        levels = tuple(bytes.fromhex(setting.removeprefix("#")))
    except ValueError as err:
        raise BloodcellError(f"{name} is {setting!r}; write a colour as #rrggbb.") from err
    return tuple(max(level, _FIELDS[name].metadata["low"]) for level in levels)


def _warm(image):
    """The image with the places that speak for the answer; Keras is loaded when they are asked for."""
    from ..evaluation import prediction

    return prediction.overlay_heatmap(image, _network())


@cache
def _network():
    from ..models import pretrained

    return pretrained.network()
