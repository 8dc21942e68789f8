"""Three things to try on a page without Python: change a cell, bend a border, walk downhill.

Each is a `frames.grid`: every picture is drawn beforehand from the data of the run. ``limit`` is that of
`frames.show_frames`.
"""

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from ..cells import FOLDERS
from ..config import SEED
from ..datasets import augment
from ..models.kernel_svm import KernelSVM
from ..plots.style import MEASURED, PRINTED, colors, figure, short
from ..training import descent
from .frames import grid

FLIPS = {"none": (), "left-right": ("horizontal",), "up-down": ("vertical",)}
LEVELS = {"as they are": (1, 1), "darker": (0.8, 1), "brighter": (1.2, 1), "less contrast": (1, 0.6),
          "more contrast": (1, 1.4)}  # fmt: skip
PRICES, GAMMAS = (0.01, 0.1, 1, 10, 100), (0.01, 0.1, 1, 10, 100)
CUBIC_LIMIT = 1  # gamma; above it the solver takes long, and a cubic border bends no further
RATES, MOMENTA = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100), (0, 0.5, 0.9)
STEPS, DECAY = 40, 0.05
NEAR = 0.05  # share of the way down that may be left on arrival
SIDE = 144  # pixels: of each of the two pictures of a cell


def explore_augmentation(image):
    """One cell to turn, flip and light otherwise, beside the same picture standardised.

    Parameters
    ----------
    image : numpy.ndarray of uint8, shape (height, width, 3)

    Returns
    -------
    frames.Frames
    """
    image = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS))

    def draw(rotation, flips, levels):
        brightness, contrast = levels
        lit = brightness * (image.mean() + contrast * (image - image.mean()))  # spread about their mean
        lit = lit.round().clip(0, 255).astype(np.uint8)
        changed = augment.transform(lit, "horizontal" in flips, "vertical" in flips, rotation=rotation)
        standardised = augment.standardise(changed)
        shown = (128 + 48 * standardised).clip(0, 255).astype(np.uint8)
        gap = np.full((SIDE, SIDE // 16, 3), 255, np.uint8)
        says = (
            f"Left: mean level {changed.mean():.0f}, deviation {changed.std():.0f}. "
            f"Right, standardised: mean {abs(standardised.mean()):.1f}, deviation {standardised.std():.1f}."
        )
        return np.hstack([changed, gap, shown]), says

    axes = {"rotation (°)": [0, 20, 40, 60], "flip": FLIPS, "levels": LEVELS}
    alt = "A cell as it was changed, and beside it the same picture standardised"
    return grid(draw, axes, alt, title="Augmentation", width=460)


def explore_borders(X, y, classes=FOLDERS, *, limit=250_000):
    """The borders of a support vector machine in two dimensions, by kernel, price of errors and gamma.

    Half of the cells are learnt from, and drawn; the other half is held out. The plane of the first two principal
    components is that of the learning half.

    Parameters
    ----------
    X : numpy.ndarray of float, shape (n, d)
    y : numpy.ndarray of int, shape (n,)
    classes : sequence of str
        Class folders.
    limit : int

    Returns
    -------
    frames.Frames
    """
    from sklearn.decomposition import PCA

    seen, held = slice(0, None, 2), slice(1, None, 2)
    plane = PCA(2, whiten=True, random_state=SEED).fit(X[seen])
    flat, unseen = (plane.transform(X[rows]).astype(np.float32) for rows in (seen, held))
    dots, corners, paint = _map(flat, y[seen], classes)

    def draw(kernel, price, gamma):
        if kernel == "cubic" and gamma > CUBIC_LIMIT:
            return paint(None), "Not fitted: a cubic border bends no further, and finding it would take long."
        machine = KernelSVM(kernel, C=price, gamma=gamma).fit(flat, y[seen])
        right = [100 * machine.score(*of) for of in ((flat, y[seen]), (unseen, y[held]))]
        says = f"Learnt from: {right[0]:.0f} % right. Held out: {right[1]:.0f} % right. "
        says += f"{len(machine.support_)} of {len(flat)} cells are support vectors."
        return paint(machine.predict(corners)), says

    axes = {"kernel": {"RBF": "rbf", "cubic": "cubic"}, "C": PRICES, "γ": GAMMAS}
    alt = "The plane in which the cells differ most, cut into regions by a support vector machine; the cells as dots"
    return grid(draw, axes, alt, start={"C": 1, "γ": 1}, title="Kernel, C and γ", over=dots, width=480, limit=limit)


def explore_learning_rate(X, positive, *, limit=250_000):
    """The way downhill of a logistic regression with two weights, by learning rate and momentum.

    Parameters
    ----------
    X : numpy.ndarray of float, shape (n, d)
        Features of two kinds of cells; their first two principal components are used.
    positive : numpy.ndarray of bool, shape (n,)
        Whether a cell is of the one kind.
    limit : int

    Returns
    -------
    frames.Frames
    """
    from sklearn.decomposition import PCA

    flat = PCA(2, random_state=SEED).fit_transform(X)
    flat *= 2 / flat.std(axis=0).max()  # one weight moves the loss more than the other: the valley is long and narrow
    bottom = descent.descend(flat, positive, 0.2, start=(0, 0), momentum=0.5, steps=2000, decay=DECAY)[-1]
    along = bottom / np.hypot(*bottom)
    start = np.array([3.5 * along[1], -3.5 * along[0]]) - 2.5 * along  # wrong in both directions, whatever their signs
    lowest = descent.loss(bottom, flat, positive, decay=DECAY)
    valley, fig, way, curve = _valley(flat, positive, start, bottom)

    def draw(rate, momentum):
        path = descent.descend(flat, positive, rate, start=start, momentum=momentum, steps=STEPS, decay=DECAY)
        losses = descent.loss(path, flat, positive, decay=DECAY)
        way.set_data(*path.clip(-1e6, 1e6).T)
        curve.set_data(np.arange(len(losses)), losses.clip(max=1e6))
        last = f"{losses[-1]:.2f}" if losses[-1] < 1000 else "over 1,000"
        return fig, f"{_describe(losses, lowest)} Loss {losses[0]:.2f} at first, {last} at the end."

    axes = {"learning rate": RATES, "momentum": MOMENTA}
    alt = "A valley of the loss over two weights with the way of gradient descent, and the loss after each step"
    return grid(draw, axes, alt, title="Learning rate and momentum", over=valley, width=460, limit=limit)


def _describe(losses, lowest):
    """What became of a descent, in words: from the losses at the start and after each step, and the least there is."""
    losses = np.asarray(losses)
    left = (losses - lowest) / (losses[0] - lowest)
    if left[-1] > 1:
        return "Diverges: it ends higher than it began."
    rises = int((np.diff(losses) > 1e-9).sum())
    if left[-1] > NEAR:
        if rises > len(losses) / 5:
            return f"Oscillates: {rises} of {len(losses) - 1} steps lead up."
        return f"Too slow: {100 * left[-1]:.0f} % of the way down is left."
    arrived = int(np.flatnonzero(left > NEAR).max()) + 1
    return f"Arrives with step {arrived} of {len(losses) - 1}; {rises} steps lead up."


def _map(X, y, classes):
    """A figure of cells in a plane, the points of a coarse grid in it, and what colours these, for under the figure."""
    fig, ax = figure(4.8, 4.6, dpi=100)
    low, high = X.min(axis=0), X.max(axis=0)
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    palette = colors(classes)
    for c, color in enumerate(palette):
        ax.scatter(*X[y == c].T, s=14, color=color, edgecolor="black", lw=0.3, label=short(classes[c]))
    ax.set(xlabel="first component", ylabel="second component", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    fig.legend(loc="outside lower center", ncols=4, markerscale=2, columnspacing=1, handletextpad=0.2)
    _settle(fig)
    width, height = (int(size * fig.dpi) // 4 for size in fig.get_size_inches())
    box = ax.get_position()
    left, right = round(box.x0 * width), round(box.x1 * width)
    top, bottom = round((1 - box.y1) * height), round((1 - box.y0) * height)
    across = np.linspace(low[0], high[0], right - left)
    down = np.linspace(high[1], low[1], bottom - top)
    corners = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2).astype(np.float32)
    pale = np.array([255 * (0.65 + 0.35 * np.array(to_rgb(color))) for color in palette]).round().astype(np.uint8)

    def paint(named):
        canvas = np.full((height, width, 3), 255, np.uint8)
        if named is not None:
            canvas[top:bottom, left:right] = pale[named].reshape(bottom - top, right - left, 3)
        return canvas

    return fig, corners, paint


def _valley(X, positive, start, bottom):
    """A figure of the loss over two weights; one of the same shape to lie under it; and the two lines to draw there."""
    fig, (plane, steps) = figure(4.6, 5.4, 2, columns=1, height_ratios=(2, 1), dpi=100)
    reach = 1.7 * max(np.abs(start - bottom))
    across, up = (np.linspace(at - reach, at + reach, 90) for at in bottom)
    height = descent.loss(np.stack(np.meshgrid(across, up), axis=-1), X, positive, decay=DECAY)
    plane.contour(across, up, height, 16, colors="grey", linewidths=0.7)
    plane.plot(*bottom, "*", ms=13, color=PRINTED, label="lowest point")
    plane.plot(*start, "s", ms=7, color="black", label="start")
    plane.set(xlim=across[[0, -1]], ylim=up[[0, -1]], xlabel="first weight", ylabel="second weight")
    plane.legend(loc="upper right", frameon=True)
    first, lowest = (float(descent.loss(at, X, positive, decay=DECAY)) for at in (start, bottom))
    steps.axhline(lowest, color=PRINTED, ls=":", lw=1.5)
    steps.set(xlim=(-0.5, STEPS + 0.5), ylim=(0, 1.6 * first), xlabel="step", ylabel="loss")
    _settle(fig)
    under, axes = figure(4.6, 5.4, 2, columns=1, dpi=100)
    _settle(under)
    lines = []
    for ax, model in zip(axes, (plane, steps), strict=True):
        ax.set(position=model.get_position(), xlim=model.get_xlim(), ylim=model.get_ylim())
        ax.axis("off")
        lines += ax.plot([], [], "o-", ms=3.5, lw=1.2, color=MEASURED)
    return fig, under, *lines


def _settle(fig):
    """Let the layout be found once; the same figure is then drawn many times."""
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
