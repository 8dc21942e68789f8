"""Figures of what a network is made of, from the tables of `models.summary`: maps, modules, weights, work and reach."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon, Rectangle

from .style import ARROW, BESIDE, FROZEN, MEASURED, NEUTRAL, PRINTED, bare, figure, node

KINDS = {"convolution": MEASURED, "1 × 1": "#56B4E9", "pooling": "#E69F00", "module": "#009E73", "dense": "#CC79A7"}
_SLANT = 0.28  # how far a box recedes to the right and up, for each pixel of its depth


def network(table, title="") -> Figure:
    """The maps of a network from the image to the classes, to scale: a box as high as its map, as long as its channels.

    Parameters
    ----------
    table : pandas.DataFrame
        From `summary.layer_table`.
    title : str
    """
    boxes = [box for box in map(_box, table[table["trunk"]].itertuples()) if box]
    tall = max(side for *_, side, _ in boxes)
    length = 4.5 * tall / sum(channels for *_, channels in boxes)  # of one channel, in pixels of the drawing
    fig, ax = figure(10, 3)
    x, labels = 0.0, {}
    for i, (kind, block, side, channels) in enumerate(boxes):
        if block not in labels:
            x = max(x + 0.12 * tall, labels[boxes[i - 1][1]][0] + 0.4 * tall) if i else 0.0
        start, _, shape = labels.get(block, (x, x, []))
        _slab(ax, x, channels * length, side, max(side, 0.025 * tall), KINDS[kind])
        labels[block] = (start, x + channels * length, [*shape, (side, channels)])
        behind = boxes[i + 1][1] if i + 1 < len(boxes) else None
        x += channels * length + (0.03 * tall if behind == block else _SLANT * side)
    for block, (start, end, shapes) in labels.items():
        side, channels = shapes[-1]
        shape = f"{side} × {side}\n{channels:,} maps" if side > 1 else " → ".join(f"{n:,}" for _, n in shapes)
        small = 7 if len(labels) > 8 else 8
        ax.text((start + end) / 2, -0.56 * tall, f"{block}\n{shape}", va="top", ha="center", fontsize=small)
    used = dict.fromkeys(kind for kind, *_ in boxes)
    fig.legend(handles=[Patch(color=KINDS[kind], label=kind) for kind in used], loc="outside lower center", ncols=5)
    ax.set(title=title, aspect="equal", xlim=(-0.1 * tall, x + 0.2 * tall), ylim=(-0.95 * tall, 0.85 * tall))
    ax.axis("off")
    return fig


def two_roads(image, roads) -> Figure:
    """The ways from an image to a name, a row each: what is frozen, and what learns from cells (the paper's Fig. 3).

    Parameters
    ----------
    image : numpy.ndarray, shape (height, width, 3)
    roads : dict of str to list of (str, bool or None)
        From `summary.roads`.
    """
    fig, axes = figure(9, 3.4, 1, columns=2, width_ratios=(1, 6.2))
    axes[0].imshow(image, interpolation="nearest")
    bare(axes[:1])
    ax, far = axes[1], max(map(len, roads.values()))
    colors = {True: PRINTED, False: FROZEN, None: "#EEEEEE"}
    for row, (title, stages) in enumerate(roads.items()):
        y, wide = -2 * row, far / len(stages)
        ax.text(0, y + 0.75, title, fontsize=10, fontweight="bold")
        for i, (label, learns) in enumerate(stages):
            node(ax, ((i + 0.5) * wide, y), label, color=colors[learns], width=0.8 * wide, height=0.9)
            ax.annotate("", ((i + 0.1) * wide, y), ((i - 0.1) * wide, y), arrowprops=ARROW, zorder=1)
    ax.set(xlim=(-0.5, far), ylim=(-2 * len(roads) + 1.2, 1.2))
    ax.axis("off")
    handles = [Patch(color=FROZEN, label="frozen"), Patch(color=PRINTED, label="learns from cells")]
    fig.legend(handles=handles, loc="outside lower right", ncols=2)
    return fig


def weights_and_work(blocks, title="") -> Figure:
    """Where the parameters of a network are, and where its work is done, block by block.

    Parameters
    ----------
    blocks : pandas.DataFrame
        From `summary.block_table`.
    title : str
    """
    fig, axes = figure(9, 0.3 * len(blocks) + 1.2, 1, columns=2, sharey=True)
    palette = [KINDS["dense"] if block == "head" else KINDS["convolution"] for block in blocks.index]
    units = {"parameters": ("parameters (million)", 1e6), "multiply_adds": ("multiply-adds an image (billion)", 1e9)}
    for ax, (column, (label, unit)) in zip(axes, units.items(), strict=True):
        values, total = blocks[column] / unit, blocks[column].sum() / unit
        bars = ax.barh(range(len(blocks)), values, color=palette)
        ax.bar_label(bars, [f"{100 * value / total:.1f} %" for value in values], padding=3, fontsize=8)
        ax.set(xlabel=f"{label}, {total:.1f} in all", yticks=range(len(blocks)), yticklabels=blocks.index)
        ax.margins(x=0.16)
    axes[0].invert_yaxis()
    fig.suptitle(title, fontsize=10)
    return fig


def modules(branches) -> Figure:
    """Inception modules side by side, from their input at the bottom to the concatenation at the top.

    Parameters
    ----------
    branches : dict of str to pandas.DataFrame
        Title, and its table from `summary.module_table`.
    """
    rows = max(_levels(table).max() for table in branches.values()) + 2
    columns = [int(table["out"].sum()) for table in branches.values()]
    fig, axes = figure(10, 0.66 * rows + 0.5, 1, columns=len(branches), width_ratios=columns, squeeze=False)
    for ax, (title, table), n in zip(axes.flat, branches.items(), columns, strict=True):
        levels, across = _levels(table), _columns(table)
        top = rows - 1
        for i, branch in table.iterrows():
            low = (across[branch["parent"]], levels[branch["parent"]]) if branch["parent"] >= 0 else (across[i], 0)
            _arrow(ax, low, (across[i], levels[i]))
            if branch["out"]:
                _arrow(ax, (across[i], levels[i]), (across[i], top))
            label = f"{branch['label']}\n{branch['channels']:,} maps".replace(" of ", "\n").replace(", ", "\n")
            node(ax, (across[i], levels[i]), label, color=KINDS[branch["kind"]], width=0.86)
        merged = int(table.loc[table["out"], "channels"].sum())
        node(ax, ((n - 1) / 2, 0), "input", color="#DDDDDD", width=n - 0.14)
        node(ax, ((n - 1) / 2, top), f"side by side: {merged:,} maps", color=KINDS["module"], width=n - 0.14)
        ax.set(title=title, xlim=(-0.6, n - 0.4), ylim=(-0.5, rows - 0.5))
        ax.axis("off")
    return fig


def receptive_fields(image, reach, um_per_pixel) -> Figure:
    """How much of an image one number of each block depends on, drawn around the middle.

    Parameters
    ----------
    image : numpy.ndarray, shape (size, size, 3)
        As large as the network's input.
    reach : dict of str to float
        Block, and side of its field in pixels.
    um_per_pixel : float
    """
    size = len(image)
    fig, (left, right) = figure(9, 3.6, 1, columns=2, width_ratios=(1, 1.3))
    step = 1 + size // 256  # finer than this the picture only makes the page heavier
    coarse = image[::step, ::step]
    left.imshow(coarse, extent=(0, size, size, 0), interpolation="bilinear")
    bare([left])
    palette = plt.get_cmap("viridis")(np.linspace(0, 0.95, len(reach)))
    for side, color in zip(reach.values(), palette, strict=True):
        if side <= size:
            corner = (size - side) / 2
            for line, width in (("white", 3.5), (color, 2)):
                left.add_patch(Rectangle((corner, corner), side, side, fill=False, ec=line, lw=width))
    values = np.array(list(reach.values())) * um_per_pixel
    bars = right.barh(range(len(values)), values, color=palette)
    labels = [f"{um:.1f} µm ({side:.0f} px)" for um, side in zip(values, reach.values(), strict=True)]
    right.bar_label(bars, labels, padding=3, fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
    right.axvline(size * um_per_pixel, color=NEUTRAL, ls="--", lw=1, zorder=0)
    right.annotate("the whole image", (size * um_per_pixel, -0.6), (4, 0), textcoords="offset points", fontsize=8,
                   color=NEUTRAL)  # fmt: skip
    right.set(yticks=range(len(values)), yticklabels=list(reach), xlabel="one number depends on (µm)")
    right.invert_yaxis()
    right.margins(x=0.3)
    return fig


def trained_blocks(plans) -> Figure:
    """Which blocks train and which stay frozen, a row for each plan.

    Parameters
    ----------
    plans : dict of str to pandas.DataFrame
        Name of the plan, and `summary.block_table` of the unfrozen model.
    """
    names = list(next(iter(plans.values())).index)
    fig, ax = figure(9, 0.42 * len(plans) + 1)
    for i, table in enumerate(plans.values()):
        for j, trained in enumerate(table["trainable"] > 0):
            ax.add_patch(Rectangle((j - 0.47, i - 0.42), 0.94, 0.84, color=PRINTED if trained else FROZEN))
        trains, whole = table[["trainable", "parameters"]].sum() / 1e6
        ax.annotate(f"{trains:.1f} of {whole:.1f} million train", (1.01, i), **BESIDE)
    ax.set(xticks=range(len(names)), xticklabels=names, xlim=(-0.5, len(names) - 0.5))
    ax.set(xlabel="from the image to the answer", ylabel="blocks that train")
    ax.set(yticks=range(len(plans)), yticklabels=list(plans), ylim=(len(plans) - 0.45, -0.55))
    ax.tick_params(length=0, labelsize=8)
    ax.spines[:].set_visible(False)
    handles = [Patch(color=PRINTED, label="trains"), Patch(color=FROZEN, label="frozen")]
    fig.legend(handles=handles, loc="outside upper right", ncols=2)
    return fig


def _box(layer):
    """Kind, block, side and channels of what is drawn as a box, else None."""
    kinds = {"Conv": "convolution", "Pooling2D": "pooling", "Concatenate": "module", "Dense": "dense"}
    kind = next((name for part, name in kinds.items() if part in layer.kind), None)
    if kind is None or "Global" in layer.kind:
        return None
    return kind, layer.block, layer.output[0] if len(layer.output) > 1 else 1, layer.output[-1]


def _slab(ax, x, width, side, height, color):
    """A box seen from the front, a little from the right and above."""
    front = np.array([(x, -height / 2), (x + width, -height / 2), (x + width, height / 2), (x, height / 2)])
    back = front + _SLANT * side
    top, right = (front[3], front[2], back[2], back[3]), (front[1], back[1], back[2], front[2])
    for corners, strength in ((front, 1.0), (top, 0.55), (right, 0.75)):
        ax.add_patch(Polygon(corners, closed=True, fc="white", ec="none"))
        ax.add_patch(Polygon(corners, closed=True, fc=color, alpha=strength, ec="white", lw=0.6))


def _levels(table):
    """Steps from the input, by row."""
    levels = []
    for parent in table["parent"]:
        levels.append(1 + (levels[parent] if parent >= 0 else 0))
    return np.array(levels)


def _columns(table):
    """Where each row is drawn from left to right: what is concatenated in turn, what it reads below it."""
    across = np.full(len(table), np.nan)
    across[table["out"]] = np.arange(table["out"].sum())
    for i in reversed(range(len(table))):
        above = across[table["parent"] == i]
        across[i] = above.mean() if len(above) else across[i]
    return across


def _arrow(ax, start, end):
    (x, y), (to, top) = start, end
    ax.annotate("", (to, top - 0.34), (x, y + 0.34), arrowprops=ARROW, zorder=1)
