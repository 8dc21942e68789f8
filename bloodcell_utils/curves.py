"""The learning curves of a training, to move along epoch by epoch: on a page without Python, or in a notebook."""

import json

import numpy as np
from matplotlib.ticker import MaxNLocator

from .errors import BloodcellError
from .page import Page, asset

WIDE, TALL, LEFT, BELOW, EDGE = 360, 220, 44, 34, 8  # of a panel; of the room for its scales; around the rest
PANELS = {"loss": ("cross-entropy", 1), "accuracy": ("accuracy (%)", 100)}  # axis title, factor
SETS = {"": "training", "val_": "validation"}


def scrub(epochs):
    """Loss and accuracy with a slider over the epochs; what is said below it changes with the epoch.

    Parameters
    ----------
    epochs : list of dict
        `training.History.epochs`, or ``history`` of a model in a record; at least two.

    Returns
    -------
    page.Page

    Raises
    ------
    BloodcellError
        If there is nothing to move along.
    """
    if len(epochs) < 2:
        raise BloodcellError(f"A slider needs at least two epochs to move along; this training has {len(epochs)}.")
    keys = [prefix + name for prefix in SETS for name in PANELS]
    data = {key: [epoch[key] for epoch in epochs] for key in keys}
    data["minutes"] = (np.cumsum([epoch["seconds"] for epoch in epochs]) / 60).round(1).tolist()
    legend = "".join(f'<li><i class="bc-{name}"></i>{name}</li>' for name in SETS.values())
    html = (
        '<div class="bc-curves" role="group" aria-label="A training, epoch by epoch">'
        f"<style>{asset('curves.css')}</style>"
        f'<div class="bc-panels">{"".join(_panel(epochs, name) for name in PANELS)}</div>'
        f'<ul class="bc-legend">{legend}</ul>'
        f'<label hidden><span>epoch</span><input type="range" min="0" max="{len(epochs) - 1}" value="{len(epochs) - 1}"'
        ' step="1"><output aria-hidden="true"></output></label>'
        '<p class="bc-says" aria-live="polite"></p>'
        f'<script type="application/json">{json.dumps(data)}</script>'
        f"<script>{{{asset('curves.js')}}}</script></div>"
    )
    return Page(html, f"{len(epochs)} epochs of a training, to move a slider over")


def _panel(epochs, name):
    """One of the two pictures: scales, the whole curves pale, and the same curves to be cut off at an epoch."""
    title, factor = PANELS[name]
    values = {prefix: [factor * epoch[prefix + name] for epoch in epochs] for prefix in SETS}
    heights = MaxNLocator(5).tick_values(*_ends(np.concatenate(list(values.values()))))
    numbers = [n for n in MaxNLocator(6, integer=True).tick_values(1, len(epochs)) if 1 <= n <= len(epochs)]

    def across(epoch):
        return round(LEFT + (WIDE - LEFT - EDGE) * (epoch - 1) / (len(epochs) - 1), 1)

    def up(value):
        return round(EDGE + (TALL - BELOW - EDGE) * (heights[-1] - value) / (heights[-1] - heights[0]), 1)

    spoken = ", ".join(f"{SETS[prefix]} {of[0]:.3g} to {of[-1]:.3g}" for prefix, of in values.items())
    out = [f'<svg viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{title} from first to last epoch: {spoken}">']
    for value in heights:
        out.append(f'<path class="bc-grid" d="M{LEFT} {up(value)}H{WIDE - EDGE}"/>')
        out.append(f'<text x="{LEFT - 6}" y="{up(value) + 4}" text-anchor="end">{value:g}</text>')
    for number in numbers:
        out.append(f'<text x="{across(number)}" y="{TALL - BELOW + 14}" text-anchor="middle">{number:g}</text>')
    out.append(f'<text x="{(LEFT + WIDE) / 2}" y="{TALL - 4}" text-anchor="middle">epoch</text>')
    out.append(f'<text transform="translate(10 {TALL / 2 - 10}) rotate(-90)" text-anchor="middle">{title}</text>')
    for prefix, of in values.items():
        points = " ".join(f"{across(i)},{up(value)}" for i, value in enumerate(of, 1))
        for part in ("bc-whole", "bc-past"):
            out.append(f'<polyline class="{part} bc-{SETS[prefix]}" points="{points}"/>')
    out.append(f'<path class="bc-now" d="M0 {EDGE}V{TALL - BELOW}" transform="translate({across(len(epochs))})"/>')
    return "".join([*out, "</svg>"])


def _ends(values):
    """The least and the greatest value; apart, even if all are equal."""
    low, high = float(np.min(values)), float(np.max(values))
    return (low, high) if high > low else (low - 0.5, high + 0.5)
