"""A cell under your hands: sliders for its morphology, its picture, and what a network says, live in a notebook.

The published page has no Python behind it; there `film` shows the same with pictures that were drawn beforehand.
"""

from dataclasses import fields

import numpy as np

from . import counterfactuals, plots
from .cells import CELLS, FOLDERS, SUBTYPES
from .datasets.loading import resize
from .datasets.specs import NUCLEUS_SHAPES, CellSpec, pick_subtype, shown, words
from .datasets.synthetic import draw
from .errors import BloodcellError
from .widgets import frames, img

GROUPS = {
    "cell": ("cell_diameter_um", "irregularity", "vacuoles", "frosting", "hof", "cytoplasm_rgb"),
    "nucleus": ("nucleus_shape", "nucleus_ratio", "lobes", "lobe_link", "indentation", "eccentricity", "chromatin",
                "nucleoli", "nucleus_rgb"),
    "granules": ("granule_density", "granule_um", "granule_spread", "granules_over_nucleus", "granule_rgb"),
    "slide": ("stain_hue", "stain_strength", "exposure", "focus_um", "sharpening", "noise", "red_cells", "pallor",
              "platelets", "debris", "background_rgb"),
}  # fmt: skip
_FIELDS = {f.name: f for f in fields(CellSpec)}


def cell_builder(start="SNE", answer=counterfactuals.usual, warm=None, seed=0):
    """Move sliders, see the cell and what a network says of it.

    Parameters
    ----------
    start : str
        The first preset: a sub-type or a class folder.
    answer : callable
        From images (n, 128, 128, 3) to probabilities (n, 8).
    warm : callable, optional
        From an image to that image with the places that speak for the answer; default: `reader.warmed` with the shipped
        network, which loads Keras when the box is ticked for the first time.
    seed : int
        Of the drawing.

    Returns
    -------
    ipywidgets.VBox
    """
    import ipywidgets as w

    warm = warm or _grad_cam()
    start = start if start in SUBTYPES else pick_subtype(start, np.random.default_rng(seed))
    spec = counterfactuals.preset(start)
    controls = {name: _control(w, name, getattr(spec, name)) for group in GROUPS.values() for name in group}
    kinds = w.Dropdown(options=[(f"{SUBTYPES[name]}: {name}", name) for name in SUBTYPES], value=start,
                       description="preset")  # fmt: skip
    number = w.BoundedIntText(value=seed, min=0, max=9999, description="drawing")
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
            image = warm(image)
        picture.value = img(resize(image, 384), f"The cell; most probable: {FOLDERS[probabilities.argmax()]}")
        bars.value = _bars(probabilities)

    def load(_=None):
        nonlocal loading
        loading, spec = True, counterfactuals.preset(kinds.value)
        try:
            for name, control in controls.items():
                control.value = _setting(getattr(spec, name))
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


def film(spec, parameter, answer=counterfactuals.usual, shares=None, seed=0):
    """One parameter from end to end behind a slider, for a published page.

    Parameters
    ----------
    spec : CellSpec
    parameter : str
    answer : callable
    shares : sequence of float, optional
        As for `counterfactuals.sweep`.
    seed : int

    Returns
    -------
    widgets.Frames
    """
    found = counterfactuals.sweep(answer, spec, parameter, shares, seed)
    labels = [
        f"{words(parameter)} {shown(value)}: {FOLDERS[p.argmax()]} {p.max():.0%}"
        for value, p in zip(found.values, found.probabilities, strict=True)
    ]
    return frames([resize(image, 320) for image in found.images], labels, "The same cell", words(parameter), width=320)


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


def _setting(value):
    """What a control is set to for a value of a spec."""
    return shown(value) if isinstance(value, tuple) else value


def _value(name, setting):
    """The inverse of `_setting`; a colour that is no #rrggbb is refused with the parameter's name."""
    default = _FIELDS[name].default
    if not isinstance(default, tuple):
        return setting
    try:
        levels = tuple(bytes.fromhex(setting.removeprefix("#")))
    except ValueError as err:
        raise BloodcellError(f"{name} is {setting!r}; write a colour as #rrggbb.") from err
    return tuple(max(level, _FIELDS[name].metadata["low"]) for level in levels)


def _bars(probabilities):
    rows = "".join(
        f'<div style="display:flex;align-items:center;gap:.5rem"><span style="width:11rem">{cell.name}</span>'
        f'<span style="background:{cell.color};height:.8rem;width:{120 * p:.0f}px"></span><span>{p:.0%}</span></div>'
        for cell, p in zip(CELLS, probabilities, strict=True)
    )
    return f'<div role="img" aria-label="probabilities">{rows}</div>'


def _grad_cam():
    model = None

    def warm(image):
        nonlocal model
        from . import reader, shipped

        model = model or shipped.network()
        return reader.warmed(image, model)

    return warm
