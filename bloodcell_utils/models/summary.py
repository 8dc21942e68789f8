"""What a network is made of: its layers, blocks and modules, what each weighs, how much it works and how far it sees.

Everything is read from the model itself, with random weights as well as with trained ones. The unit of work is the
multiply-add of one image: a weight times a number, added to a sum.
"""

import numpy as np
import pandas as pd

from ..errors import BloodcellError
from .backbones import backbone
from .runtime import load_keras


def layer_table(model, name):
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
    steps = list(model.operations)
    inputs = _inputs(steps)
    trunk, spans, rows = _trunk(inputs), _spans(steps, inputs), []
    for layer, block in zip(steps, _blocks(inputs, trunk, backbone(name)), strict=True):
        weights = getattr(layer, "weights", [])
        places = int(np.prod(layer.output.shape[1:-1]))
        reach, step = spans[layer.name]
        rows.append({
            "layer": layer.name,
            "block": block,
            "kind": type(layer).__name__,
            "output": tuple(layer.output.shape[1:]),
            "parameters": sum(int(np.prod(w.shape)) for w in weights),
            "trainable": sum(int(np.prod(w.shape)) for w in getattr(layer, "trainable_weights", [])),
            "multiply_adds": sum(places * int(np.prod(w.shape)) for w in weights if len(w.shape) > 1),
            "reach": reach.max(),
            "step": step.max(),
            "trunk": layer.name in trunk,
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("layer")


def block_table(model, name):
    """The blocks of a classifier, and what is before and behind them.

    Parameters
    ----------
    model : keras.Model
    name : str
        As for `layer_table`.

    Returns
    -------
    pandas.DataFrame
        Indexed by block: VGG-16 has ``block1`` to ``block5``, Inception-v3 a ``stem`` and ``mixed0`` to ``mixed10``;
        then the ``head``. Columns ``convolutions`` (how many), ``output``, ``parameters``, ``trainable`` and
        ``multiply_adds`` (sums), ``reach`` (of the last map before pooling; see `layer_table`).
    """
    table = layer_table(model, name)
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


def roads(model, name):
    """The paper's two ways from an image to a name (its Fig. 3), stage by stage, read from a classifier.

    Parameters
    ----------
    model : keras.Model
        From `backbones.classifier`, unfrozen as far as its second design trains it.
    name : str
        Its backbone.

    Returns
    -------
    dict of str to list of (str, bool or None)
        ``"features and a machine"`` and ``"fine-tuning"``: what each stage is called, and whether it learns from cells;
        None for what only goes in or comes out.
    """
    blocks, classes = block_table(model, name), model.output_shape[-1]
    body, head = blocks.drop("head"), blocks.loc["head", "trainable"] > 0
    features = f"{backbone(name).n_features:,}\nfeatures"
    return {
        "features and a machine": [
            *((block, False) for block in body.index),
            (features, None),
            ("support\nvector\nmachine", True),
            (f"{classes}\nvotes", None),
        ],
        "fine-tuning": [
            *((block, bool(count)) for block, count in body["trainable"].items()),
            ("head", bool(head)),
            (f"{classes}\nprobabilities", None),
        ],
    }


def module_table(model, name):
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
    layer_of = {step.name: step for step in model.operations}
    inputs, names = _inputs(model.operations), list(layer_of)
    if len(inputs.get(name, [])) < 2:
        raise BloodcellError(f"{name!r} is no module of this network; try 'mixed0'.")
    trunk = _trunk(inputs)
    source = next(before for before in reversed(names[: names.index(name)]) if before in trunk)
    rows, place = [], {}

    def visit(layer, out):
        """The row of a layer, after the rows that it reads; what is merged or passed on has no row of its own."""
        if layer == source:
            return -1
        kind, label = _describe(layer_of[layer])
        if kind is None:
            return [visit(before, out) for before in inputs[layer]][-1]
        if layer not in place:
            row = {"layer": layer, "kind": kind, "label": label, "parent": visit(inputs[layer][0], False)}
            place[layer] = len(rows)
            rows.append({**row, "channels": layer_of[layer].output.shape[-1], "out": out})
        return place[layer]

    visit(name, True)
    return pd.DataFrame(rows)


def _describe(step):
    """Kind and label of a convolution or a pooling, else None twice."""
    kind = type(step).__name__
    if "Conv" in kind:
        size = " × ".join(map(str, step.kernel_size))
        kind = "1 × 1" if max(step.kernel_size) == 1 else "convolution"
    elif "Pooling" in kind:
        size = f"{'average' if 'Average' in kind else 'maximum'} of {' × '.join(map(str, step.pool_size))}"
        kind = "pooling"
    else:
        return None, None
    return kind, size + (", step 2" if max(step.strides) == 2 else "")


def _inputs(steps):
    """For each step, by name: the names of the steps whose results it takes."""
    maker = {id(step.output): step.name for step in steps}
    first = load_keras().layers.InputLayer

    def taken(step):
        tensors = [] if isinstance(step, first) else step.input
        return [maker[id(t)] for t in (tensors if isinstance(tensors, (list, tuple)) else [tensors])]

    return {step.name: taken(step) for step in steps}


def _trunk(inputs):
    """Names of the steps that all must pass: no step after them takes what a step before them made."""
    place = {name: i for i, name in enumerate(inputs)}
    last_use = {before: place[name] for name, taken in inputs.items() for before in taken}
    needed, trunk = 0, set()  # until which step what was made so far is taken
    for name, i in place.items():
        if needed <= i:
            trunk.add(name)
        needed = max(needed, last_use.get(name, i))
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
        spans[step.name] = reach, stride
    return spans


def _blocks(inputs, trunk, spec):
    """The block of each step."""
    names = list(inputs)
    ends = [names.index(end) for end in spec.ends(names)]
    labels = [block.split("_")[0] for block in spec.blocks]
    if len(inputs[spec.blocks[0]]) > 1:  # the first block is a module; what is before it is none
        ends.insert(0, max(i for i in range(ends[0]) if names[i] in trunk))
        labels.insert(0, "stem")
    return [[*labels, "head"][np.searchsorted(ends, i)] for i in range(len(names))]
