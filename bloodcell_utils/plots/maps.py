"""Figures of what a network computes on the way: the maps of a layer, before and after, and where heat lies."""

import numpy as np
from matplotlib.figure import Figure

from .style import bare, figure

MAPS, HEAT = "viridis", "inferno"


def feature_maps(image, maps, title="", *, indices=None, width=9.0) -> Figure:
    """An image beside maps of one layer, all on one scale.

    Parameters
    ----------
    image : numpy.ndarray, shape (height, width, 3)
    maps : numpy.ndarray of float, shape (rows, columns, maps)
        Of one layer, for example ``explain.feature_maps(model, images, layer)[0]``.
    title : str
    indices : sequence of int, optional
        Maps to show, counted from 0; default: the 24 with the highest mean.
    width : float, in inches
    """
    if indices is None:
        indices = np.sort(np.argsort(-maps.mean(axis=(0, 1)), kind="stable")[:24])
    columns, rows = 8, -(-len(indices) // 8)
    sheet, step = _sheet(maps[..., indices], columns)
    side = (width - 0.9) / (columns + rows)
    fig, (ax, grid) = figure(width, rows * side + 0.6, 1, columns=2, width_ratios=(rows, columns), dpi=80)
    ax.imshow(image)
    grid.imshow(shown := np.ma.masked_invalid(sheet), cmap=MAPS, vmin=0, vmax=shown.max() or 1, interpolation="none")
    for i, index in enumerate(indices):
        where = (i % columns * step, i // columns * step - 1)
        grid.annotate(str(index), where, fontsize=7, annotation_clip=False)
    bare((ax, grid))
    fig.colorbar(grid.images[0], ax=grid, shrink=0.85, pad=0.01, label="answer").ax.tick_params(labelsize=7)
    ax.set_title(title, fontsize=9, loc="left")
    return fig


def map_pairs(images, pairs, names) -> Figure:
    """Images, and under each the same map before and after training (Fig. 15 of the paper).

    Parameters
    ----------
    images : sequence of numpy.ndarray, shape (height, width, 3)
    pairs : dict of str to tuple of numpy.ndarray
        Name of a map, and its values before and after, each of shape (n, rows, columns). A pair shares one scale.
    names : sequence of str
    """
    fig, axes = _under_images(images, names, 2 * len(pairs), beside=1.4, side=1.6, dpi=72)
    for i, (name, pair) in enumerate(pairs.items()):
        highest, both = max(maps.max() for maps in pair) or 1, axes[2 * i : 2 * i + 2]
        for row, maps, when in zip(both, pair, ("before", "after"), strict=True):
            for ax, one in zip(row, maps, strict=True):
                shown = ax.imshow(one, cmap=MAPS, vmin=0, vmax=highest)
            row[0].set_ylabel(f"{name}\n{when}", fontsize=8)
        fig.colorbar(shown, ax=both, shrink=0.8, pad=0.01, label="answer of the filter").ax.tick_params(labelsize=7)
    return fig


def heat_maps(images, heats, names) -> Figure:
    """Images, and under each one row a set of heat maps, laid over the image in grey.

    Parameters
    ----------
    images : sequence of numpy.ndarray of uint8, shape (height, width, 3)
    heats : dict of str to numpy.ndarray of float
        Name of a row, and heat from 0 to 1 of the shape (n, height, width), for example from `explain.grad_cam`.
    names : sequence of str
    """
    fig, axes = _under_images(images, names, len(heats), beside=1.1, side=1.1, dpi=64)
    for row, (name, heat) in zip(axes, heats.items(), strict=True):
        row[0].set_ylabel(name, fontsize=8)
        for ax, image, one in zip(row, images, heat, strict=True):
            ax.imshow(np.asarray(image, float).mean(axis=-1), cmap="gray", vmin=0, vmax=255)
            # Where there is no heat the cell shows through.
            shown = ax.imshow(one, cmap=HEAT, vmin=0, vmax=1, alpha=0.15 + 0.6 * np.sqrt(one))
    fig.colorbar(shown, ax=axes, shrink=0.8, pad=0.01, label="heat (share of its maximum)").ax.tick_params(labelsize=7)
    return fig


def _sheet(maps, columns):
    """Maps side by side in one array, nan between them, and how far apart they start; small maps are enlarged."""
    height, width, n = maps.shape
    times = max(1, 48 // max(height, width))
    gap = max(1, times * max(height, width) // 5)
    step = times * max(height, width) + gap
    sheet = np.full((-(-n // columns) * step, columns * step), np.nan, np.float32)
    for i in range(n):
        y, x = i // columns * step, i % columns * step
        sheet[y : y + times * height, x : x + times * width] = np.kron(maps[..., i], np.ones((times, times)))
    return sheet[:-gap, :-gap], step


def _under_images(images, names, rows, *, beside, side, dpi):
    """Rows of bare axes under a row of images; ``beside`` are the inches for what is written left and right."""
    side = min((9.0 - beside) / len(images), side)
    size = (side * len(images) + beside, side * (1 + rows) + 0.3)
    fig, axes = figure(*size, 1 + rows, columns=len(images), squeeze=False, dpi=dpi)
    for ax, image, name in zip(axes[0], images, names, strict=True):
        ax.imshow(image)
        ax.set_title(name, fontsize=8)
    axes[0, 0].set_ylabel("cell", fontsize=8)
    bare(axes.flat)
    return fig, axes[1:]
