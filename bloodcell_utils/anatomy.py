"""What a network is made of: its layers, blocks and modules, what each weighs, how much it works and how far it sees.

Everything is read from the model itself, with random weights as well as with trained ones. The unit of work is the
multiply-add of one image: a weight times a number, added to a sum.
"""

import numpy as np
import pandas as pd

from .backbones import backbone
from .errors import BloodcellError
from .runtime import load_keras


def layers(model, name):
    """Every layer of a classifier, in the order in which an image passes them.

    Parameters
    ----------
    model : keras.Model
        From `backbones.classifier`.
    name : str
        Its backbone.

    Returns
    -------
    pandas.DataFrame
        Indexed by the layer's name: ``block``, ``kind`` (Keras' class), ``output`` (shape without the images' axis),
        ``parameters``, ``trainable`` (parameters that training changes), ``multiply_adds``, ``reach`` and ``step``
        (side in pixels of the image that one number depends on, and between two neighbouring numbers; padding not
        counted; infinite behind the last map), ``trunk`` (whether all that reaches the output passes here).
    """
    spec = backbone(name)
    steps = list(model.operations)
    inputs = _inputs(steps)
    trunk, spans = _trunk(steps, inputs), _spans(steps, inputs)
    block = dict(zip((step.name for step in steps), _blocks(steps, inputs, trunk, spec), strict=True))
    rows = []
    for layer in steps:
        weights = getattr(layer, "weights", [])
        places = int(np.prod(layer.output.shape[1:-1]))
        reach, step = spans[layer.name]
        rows.append({
            "layer": layer.name,
            "block": block[layer.name],
            "kind": type(layer).__name__,
            "output": tuple(layer.output.shape[1:]),
            "parameters": sum(int(np.prod(w.shape)) for w in weights),
            "trainable": sum(int(np.prod(w.shape)) for w in getattr(layer, "trainable_weights", [])),
            "multiply_adds": sum(places * int(np.prod(w.shape)) for w in weights if len(w.shape) > 1),
            "reach": max(reach),
            "step": max(step),
            "trunk": layer.name in trunk,
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("layer")


def blocks(model, name):
    """The blocks of a classifier, as the paper counts them, and what is before and behind them.

    Parameters
    ----------
    model : keras.Model
        From `backbones.classifier`.
    name : str
        Its backbone.

    Returns
    -------
    pandas.DataFrame
        Indexed by block: VGG-16 has ``block1`` to ``block5``, Inception-v3 a ``stem`` and ``mixed0`` to ``mixed10``;
        then the ``head``. Columns ``convolutions`` (how many), ``output``, ``parameters``, ``trainable`` and
        ``multiply_adds`` (sums), ``reach`` (of the last map before pooling; see `layers`).
    """
    table = layers(model, name)
    rows = {}
    for block, part in table.groupby("block", sort=False):
        maps = part[~part["kind"].str.contains("Pooling")]
        rows[block] = {
            "convolutions": int(part["kind"].str.contains("Conv").sum()),
            "output": part["output"].iloc[-1],
            **part[["parameters", "trainable", "multiply_adds"]].sum().to_dict(),
            "reach": maps["reach"].iloc[-1],
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("block")


def module(model, name):
    """The branches of an inception module; a convolution, its normalisation and its activation count as one.

    Parameters
    ----------
    model : keras.Model
        Inception-v3, with or without a head.
    name : str
        The module's last layer, for example ``"mixed0"``.

    Returns
    -------
    pandas.DataFrame
        A row for each convolution and pooling, in the order of the branches: ``layer``, ``kind`` (``"1 × 1"``,
        ``"convolution"`` or ``"pooling"``), ``label``, ``parent`` (the row that it reads; -1 is the input of the
        module), ``channels``, ``out`` (whether it is concatenated at the end).

    Raises
    ------
    BloodcellError
        If there is no such layer, or nothing is concatenated in it.
    """
    steps = list(model.operations)
    inputs = _inputs(steps)
    end = next((i for i, step in enumerate(steps) if step.name == name and len(inputs[name]) > 1), None)
    if end is None:
        raise BloodcellError(f"{name!r} is no module of this network; try 'mixed0'.")
    trunk = _trunk(steps, inputs)
    source = next(step.name for step in reversed(steps[:end]) if step.name in trunk)
    layer_of = {step.name: step for step in steps}
    rows, place = [], {}

    def visit(layer, out):
        """The row of a layer, after the rows that it reads; what is merged or passed on has no row of its own."""
        if layer == source:
            return -1
        step = layer_of[layer]
        kept = _describe(step)
        if kept is None:
            return [visit(before, out) for before in inputs[layer]][-1]
        if layer not in place:
            parent = visit(inputs[layer][0], False)
            place[layer] = len(rows)
            kind, label = kept
            channels = step.output.shape[-1]
            rows.append({"layer": layer, "kind": kind, "label": label, "parent": parent, "channels": channels})
            rows[-1]["out"] = out
        return place[layer]

    visit(name, True)
    return pd.DataFrame(rows)


def _describe(step):
    """Kind and label of a convolution or a pooling, else None."""
    kind = type(step).__name__
    if "Conv" in kind:
        size = " × ".join(map(str, step.kernel_size))
        kind = "1 × 1" if max(step.kernel_size) == 1 else "convolution"
    elif "Pooling" in kind:
        size = f"{'average' if 'Average' in kind else 'maximum'} of {' × '.join(map(str, step.pool_size))}"
        kind = "pooling"
    else:
        return None
    return kind, size + (", step 2" if max(step.strides) == 2 else "")


def _inputs(steps):
    """For each step, by name: the names of the steps whose results it takes."""
    maker = {id(step.output): step.name for step in steps}
    first = load_keras().layers.InputLayer

    def taken(step):
        tensors = [] if isinstance(step, first) else step.input
        return [maker[id(t)] for t in (tensors if isinstance(tensors, (list, tuple)) else [tensors])]

    return {step.name: taken(step) for step in steps}


def _trunk(steps, inputs):
    """Names of the steps that all must pass: when they are done, nothing else waits to be used."""
    uses = {step.name: sum(step.name in taken for taken in inputs.values()) for step in steps}
    waiting, trunk = set(), set()
    for step in steps:
        for before in inputs[step.name]:
            uses[before] -= 1
        waiting = {before for before in waiting if uses[before]}
        if not waiting:
            trunk.add(step.name)
        waiting.add(step.name)
    return trunk


def _spans(steps, inputs):
    """For each step: reach and step of its numbers in pixels of the image, (height, width) each."""
    spans = {}
    for step in steps:
        before = [spans[taken] for taken in inputs[step.name]] or [((1, 1), (1, 1))]
        reach, stride = (np.max([span[i] for span in before], axis=0).astype(float) for i in (0, 1))
        if len(step.output.shape) < 4:
            reach = np.array([np.inf, np.inf])
        elif hasattr(step, "strides"):
            size = np.array(getattr(step, "kernel_size", None) or step.pool_size)
            size = 1 + (size - 1) * getattr(step, "dilation_rate", 1)
            reach, stride = reach + (size - 1) * stride, stride * step.strides
        spans[step.name] = (tuple(reach), tuple(stride))
    return spans


def _blocks(steps, inputs, trunk, spec):
    """The block of each step."""
    names = [step.name for step in steps]
    pools = [end.split("_")[0] + "_pool" for end in spec.blocks]
    ends = [names.index(pool if pool in names else end) for pool, end in zip(pools, spec.blocks, strict=True)]
    labels = [end.split("_")[0] for end in spec.blocks]
    if len(inputs[spec.blocks[0]]) > 1:  # the first block is a module; what is before it is none
        ends.insert(0, max(i for i in range(ends[0]) if names[i] in trunk))
        labels.insert(0, "stem")
    return [[*labels, "head"][np.searchsorted(ends, i)] for i in range(len(names))]
