"""The learning curves of a training, to move along epoch by epoch: on a page without Python, or in a notebook."""

import numpy as np
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import nonsingular

from ..errors import BloodcellError
from .page import Page, render

WIDE, TALL, LEFT, BELOW, EDGE = 360, 220, 44, 34, 8  # of a panel; of the room for its scales; around the rest
PANELS = {"loss": ("cross-entropy", 1), "accuracy": ("accuracy (%)", 100)}  # axis title, factor
SETS = {"": "training", "val_": "validation"}


def epoch_slider(epochs):
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
    html = render(
        __package__,
        "curves.html",
        panels=[_panel(epochs, name) for name in PANELS],
        sets=SETS.values(),
        last=len(epochs) - 1,
        data=data,
        wide=WIDE,
        tall=TALL,
        left=LEFT,
        below=BELOW,
        edge=EDGE,
    )
    return Page(html, f"{len(epochs)} epochs of a training, to move a slider over")


def _panel(epochs, name):
    """What stands where in one of the two pictures: its scales, and the curves."""
    title, factor = PANELS[name]
    values = {prefix: [factor * epoch[prefix + name] for epoch in epochs] for prefix in SETS}
    drawn = np.concatenate(list(values.values()))
    heights = MaxNLocator(5).tick_values(*nonsingular(drawn.min(), drawn.max(), expander=0.5))  # all may be equal
    numbers = [n for n in MaxNLocator(6, integer=True).tick_values(1, len(epochs)) if 1 <= n <= len(epochs)]

    def across(epoch):
        return round(LEFT + (WIDE - LEFT - EDGE) * (epoch - 1) / (len(epochs) - 1), 1)

    def up(value):
        return round(EDGE + (TALL - BELOW - EDGE) * (heights[-1] - value) / (heights[-1] - heights[0]), 1)

    return {
        "title": title,
        "spoken": ", ".join(f"{SETS[prefix]} {of[0]:.3g} to {of[-1]:.3g}" for prefix, of in values.items()),
        "heights": [(value, up(value)) for value in heights],
        "numbers": [(number, across(number)) for number in numbers],
        "lines": [
            (SETS[prefix], " ".join(f"{across(i)},{up(value)}" for i, value in enumerate(of, 1)))
            for prefix, of in values.items()
        ],
        "end": across(len(epochs)),
    }
