"""Figures of the chapter on convolution: a kernel at work, what it answers, and what pooling and softmax make of it."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..cells import FOLDERS, titles
from .style import MEASURED, NEUTRAL, PRINTED, SERIES, bare, colors, figure, short

ANSWERS = plt.get_cmap("RdBu_r", 25)  # in steps: a picture of noise in all colours is a large file


def sliding(image, response, steps) -> Figure:
    """A map as it grows while the kernel slides over the image, row by row.

    Parameters
    ----------
    image : numpy.ndarray of float in [0, 1], shape (height, width)
    response : numpy.ndarray of float, shape (height - k + 1, width - k + 1)
        The whole map.
    steps : sequence of int
        Numbers computed so far, one panel each.
    """
    k = len(image) - len(response) + 1
    reach = np.abs(response).max()
    fig, axes = figure(10, 2.9, 1, columns=1 + len(steps))
    axes[0].imshow(image, interpolation="nearest", cmap="gray_r", vmin=0, vmax=1)
    axes[0].set_xlabel("the image")
    for ax, done, color in zip(axes[1:], steps, (PRINTED, *SERIES[1:]), strict=False):
        seen = np.where(np.arange(response.size).reshape(response.shape) < done, response, np.nan)
        ax.imshow(seen, interpolation="nearest", cmap=ANSWERS, vmin=-reach, vmax=reach)
        ax.set_facecolor("#EEEEEE")
        ax.set_xlabel(f"{done:,} number{'s' * (done > 1)}")
        row, column = divmod(done - 1, response.shape[1])
        if done < response.size:
            axes[0].add_patch(Rectangle((column - 0.5, row - 0.5), k, k, fill=False, ec=color, lw=2.5))
            ax.plot(column, row, "s", ms=5, mfc="none", mec=color, mew=2)
    bare(axes)
    return fig


def responses(images, maps, kernels=None) -> Figure:
    """What kernels answer to images: a row for each image, a column for each kernel with one scale of colours.

    Parameters
    ----------
    images : dict of str to numpy.ndarray, shape (height, width) or (height, width, 3)
        Name of the row, and the picture; grey pictures are shown with 1 as black.
    maps : dict of str to sequence of numpy.ndarray of float, shape (height, width)
        Name of the kernel, and its map of each image. Red is yes, blue is the opposite, white is no answer.
    kernels : dict of str to numpy.ndarray of float, shape (k, k), optional
        Drawn, enlarged, in a corner of the first map of that name.
    """
    columns = 1 + len(maps)
    fig, axes = figure(min(2.5 * columns, 10), 2.5 * len(images) + 0.3, len(images), columns=columns, squeeze=False)
    for ax, (name, image) in zip(axes[:, 0], images.items(), strict=True):
        ax.imshow(image, interpolation="nearest", cmap="gray_r", vmin=0, vmax=1)
        ax.set_ylabel(name)
    for column, (name, answers) in zip(axes.T[1:], maps.items(), strict=True):
        reach = max(np.abs(answer).max() for answer in answers) or 1
        for ax, answer in zip(column, answers, strict=True):
            picture = ax.imshow(answer, interpolation="nearest", cmap=ANSWERS, vmin=-reach, vmax=reach)
        column[0].set_title(name)
        if kernels and name in kernels:
            corner = column[0].inset_axes((0.01, 0.77, 0.22, 0.22))
            reach = np.abs(kernels[name]).max()
            corner.imshow(kernels[name], cmap=ANSWERS, vmin=-reach, vmax=reach)
            corner.set(xticks=[], yticks=[])
            corner.spines[:].set_visible(True)
        bar = fig.colorbar(picture, ax=list(column), location="bottom", shrink=0.75, aspect=30, pad=0.02)
        bar.ax.tick_params(labelsize=8)
        bar.set_label("answer", fontsize=8)
    bare(axes.flat)
    return fig


def tuning(sizes, curves) -> Figure:
    """How strongly spot kernels of several sizes answer granules of several sizes; each curve has its maximum at 1.

    Parameters
    ----------
    sizes : sequence of float
        Diameters of the kernels' centres in µm.
    curves : dict of float to sequence of float
        Diameter of the granules in µm, and the answer of every kernel.
    """
    fig, ax = figure(7, 3.2)
    for (granule, answers), color in zip(curves.items(), SERIES, strict=False):
        answers = np.asarray(answers) / np.max(answers)
        ax.plot(sizes, answers, "-o", ms=4, color=color, label=f"{granule:g} µm")
        ax.plot(sizes[np.argmax(answers)], 1, "o", ms=11, mfc="none", mec=color, mew=2)
    ax.set(xlabel="centre of the kernel (µm)", ylabel="answer / strongest answer", ylim=(0, 1.08))
    fig.legend(title="granules", loc="outside right center")
    return fig


def shifts(before, after, names) -> Figure:
    """Maps of an image and of the same image moved a little, and how much of each map has changed.

    Parameters
    ----------
    before, after : sequence of numpy.ndarray of float, shape (height, width)
        The same kinds of maps, of the image and of the moved image.
    names : sequence of str
    """
    fig, axes = figure(1.65 * len(names), 5.2, 3, columns=len(names), height_ratios=(1, 1, 0.9), squeeze=False)
    changed = [100 * np.linalg.norm(a - b) / np.linalg.norm(b) for b, a in zip(before, after, strict=True)]
    for column, b, a, name in zip(axes.T, before, after, names, strict=True):
        for ax, x in zip(column, (b, a), strict=False):
            ax.imshow(x, interpolation="nearest", cmap=plt.get_cmap("Reds", 17), vmin=0, vmax=max(b.max(), a.max()))
        column[0].set_title(name)
    for ax, name in zip(axes[:, 0], ("as it is", "moved"), strict=False):
        ax.set_ylabel(name)
    bare(axes[:2].flat)
    for ax in axes[2]:
        ax.remove()
    ax = fig.add_subplot(axes[2, 0].get_gridspec()[2, :])
    ax.spines[["top", "right"]].set_visible(False)
    ax.bar_label(ax.bar(range(len(names)), changed, 0.5, color=MEASURED), fmt="%.0f %%", padding=2)
    ax.set(xticks=[], xlim=(-0.5, len(names) - 0.5), ylabel="changed (%)")
    ax.margins(y=0.2)
    return fig


def softmax(logits, probabilities) -> Figure:
    """Logits of several images on the left, the probabilities made from them on the right.

    Parameters
    ----------
    logits, probabilities : dict of str to array-like of float, shape (k,)
        Name of the image, and what the last layer computed for it, before and after softmax.
    """
    fig, axes = figure(9, 2.6 * len(logits), len(logits), columns=2, squeeze=False, sharex=True, sharey="col")
    names, palette = [short(c) for c in FOLDERS], colors(FOLDERS)
    for (left, right), (name, values) in zip(axes, logits.items(), strict=True):
        left.bar(names, values, color=palette)
        left.axhline(0, color=NEUTRAL, lw=0.8)
        left.set_ylabel(f"{name}\nlogit")
        shares = 100 * np.asarray(probabilities[name])
        right.bar_label(right.bar(names, shares, color=palette), fmt="%.1f", fontsize=8, padding=2)
        right.set(ylabel="probability (%)", ylim=(0, 112))
    return fig


def feature_by_class(values, y, label) -> Figure:
    """One feature of many images, a dot an image, sorted by class; a bar marks the median.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (n,)
    y : numpy.ndarray of int, shape (n,)
    label : str
        What the feature is, with its unit.
    """
    fig, ax = figure(8, 3.6)
    rng = np.random.default_rng(0)
    for i, color in enumerate(colors(FOLDERS)):
        mine = values[y == i]
        ax.scatter(mine, i + rng.uniform(-0.25, 0.25, len(mine)), s=12, color=color, edgecolor="black", lw=0.2)
        if len(mine):
            ax.plot([np.median(mine)] * 2, [i - 0.36, i + 0.36], color="black", lw=2)
    ax.set(yticks=range(len(FOLDERS)), yticklabels=titles(FOLDERS), xlabel=label)
    ax.invert_yaxis()
    return fig
