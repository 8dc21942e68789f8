"""Both networks as one ONNX graph for browsers: from a picture to all that the cell lab shows of it."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bloodcell_utils.evaluation.prediction import EXPLAINED, TINY
from bloodcell_utils.models import pretrained
from bloodcell_utils.models.compactnet_input import BACKGROUND, IMAGE, MEAN, PATCH, SCALE, VIEW

OPSET, IR = 17, 9  # widely supported
BLOCKS = ("block1", "block2", "block3")


class Graph:
    """Nodes and constants of a graph that is being written."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, kind, *inputs, name=None, **attributes):
        """A node with one output, whose name is returned; inputs that are arrays become constants."""
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        inputs = [part if isinstance(part, str) else self.constant(part) for part in inputs]
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values):
        """Numbers, kept in half precision where that loses nothing: the shipped weights are in it."""
        values = np.asarray(values)
        name = f"constant_{len(self.constants)}"
        half = values.astype(np.float16) if values.dtype == np.float32 and values.size > 8 else values
        self.constants.append(numpy_helper.from_array(half if np.array_equal(half, values) else values, name))
        if half.dtype == np.float16 and np.array_equal(half, values):
            return self.add("Cast", name, to=TensorProto.FLOAT)
        return name


def build():
    """The networks with the shipped weights, asked as `prediction.predict_proba` asks them.

    Returns
    -------
    onnx.ModelProto
        Input ``picture``, levels 0-255 as float32, shape (1, 128, 128, 3). Outputs: ``probabilities`` (1, 8),
        calibrated; ``strangeness`` (1,), above 1 for what is none of the eight; ``heat`` (1, 6, 6), the places that
        speak for the most probable class in the network that stayed at home (Grad-CAM, without its scale), as
        `prediction.explain` shows them.
    """
    g, home, away = Graph(), pretrained.weights(), pretrained.weights(pretrained.TRAVELLED)
    at_home, abroad = pretrained.metadata(), pretrained.metadata(pretrained.TRAVELLED)
    x = _white_balanced(g)
    features, on_the_way = _features(g, home, x)
    stayed = g.add("Div", _scores(g, features, home), np.float32([at_home["temperature"]]))
    features, _ = _features(g, away, x)
    nine = g.add("Div", _scores(g, features, away, "none"), np.float32([abroad["temperature"]]))
    alone = g.add("Softmax", _columns(g, nine, 0, 8), axis=1)
    both = g.add("Add", stayed, g.add("Log", g.add("Max", alone, np.float32(TINY))))
    both = g.add("Softmax", g.add("Div", both, np.float32([2])), axis=1)
    g.add("Where", _at_home(g, away, abroad["colour_limit"]), both, alone, name="probabilities")
    far = g.add("Div", _distance(g, features, away, ""), np.float32([abroad["limit"]]))
    none = _columns(g, g.add("Softmax", nine, axis=1), 8, 9)
    none = g.add("Div", g.add("ReduceMax", none, axes=[1], keepdims=0), np.float32([abroad["none_limit"]]))
    g.add("Max", far, none, name="strangeness")
    _heat(g, home, on_the_way)
    outputs = {"probabilities": [1, 8], "strangeness": [1], "heat": [1, VIEW // 16, VIEW // 16]}
    graph = helper.make_graph(
        g.nodes,
        "compactnets",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, IMAGE, IMAGE, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model, full_check=True)
    return model


def _white_balanced(g):
    """The centre of the picture, as `layers.WhiteBalance`, channels first."""
    first, last = (np.array([edge] * 2) for edge in ((IMAGE - VIEW) // 2, (IMAGE + VIEW) // 2))
    x = g.add("Transpose", g.add("Slice", "picture", first, last, np.array([1, 2])), perm=[0, 3, 1, 2])
    patches = g.add("AveragePool", x, kernel_shape=[PATCH] * 2, strides=[PATCH] * 2)
    white = g.add("Max", g.add("ReduceMax", patches, axes=[2, 3]), np.float32(1))
    x = g.add("Mul", x, g.add("Div", np.float32(BACKGROUND / SCALE), white))
    return g.add("Sub", x, np.float32(MEAN / SCALE))


def _features(g, w, x):
    """The features of one network; with them its maps and kernels on the way, by name."""
    kept = {}

    def convolution(x, name, stride):
        gain = w[f"{name}_bn/gamma"] / np.sqrt(w[f"{name}_bn/moving_variance"] + pretrained.EPSILON)
        kernel = w[f"{name}_conv/kernel"].transpose(3, 2, 0, 1)
        kept[f"{name}/kernel"] = g.add("Mul", kernel, gain.reshape(-1, 1, 1, 1))  # computed once, when it is loaded
        bias = w[f"{name}_bn/beta"] - w[f"{name}_bn/moving_mean"] * gain
        before = 1 if stride == 1 else 0  # as Keras pads
        return g.add("Conv", x, kept[f"{name}/kernel"], bias, strides=[stride] * 2, pads=[before, before, 1, 1])

    for name in ("stem1", "stem2"):
        x = g.add("Relu", convolution(x, name, 2))
    for name in BLOCKS:
        short = g.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        short = g.add("Conv", short, w[f"{name}_shortcut/kernel"].transpose(3, 2, 0, 1))
        inner = g.add("Relu", convolution(x, f"{name}a", 2))
        x = g.add("Relu", g.add("Add", convolution(inner, f"{name}b", 1), short))
        kept[name] = inner, x
    return g.add("ReduceMean", x, axes=[2, 3], keepdims=0), kept


def _scores(g, features, w, *more):
    kernel, bias = (np.concatenate([w[f"{name}/{part}"] for name in ("logits", *more)], axis=-1)
                    for part in ("kernel", "bias"))  # fmt: skip
    return g.add("Add", g.add("MatMul", features, kernel), bias)


def _columns(g, x, start, stop):
    return g.add("Slice", x, *(np.array([edge]) for edge in (start, stop, 1)))


def _at_home(g, w, limit):
    """Whether the picture has the colours of home, as by `adaptation.colour_distance`."""
    left = g.add("Div", g.add("Add", "picture", np.float32(1)), np.float32(256))
    density = g.add("Neg", g.add("Log", left))
    mean = g.add("ReduceMean", density, axes=[1, 2], keepdims=1)
    gap = g.add("Sub", density, mean)
    deviation = g.add("Sqrt", g.add("ReduceMean", g.add("Mul", gap, gap), axes=[1, 2], keepdims=1))
    colours = g.add("Reshape", g.add("Concat", mean, deviation, axis=3), np.array([1, 6]))
    return g.add("LessOrEqual", _distance(g, colours, w, "colours/"), np.float32([limit]))


def _distance(g, x, w, of):
    """As `calibration.mahalanobis_distance`."""
    whitening = w[f"{of}whitening"]
    gap = g.add("Sub", g.add("MatMul", x, whitening), w[f"{of}means"] @ whitening)
    distance = g.add("ReduceMean", g.add("Mul", gap, gap), axes=[1], keepdims=0)
    return g.add("Sqrt", g.add("ReduceMin", distance, axes=[0], keepdims=1))


def _heat(g, w, kept):
    """Grad-CAM on `EXPLAINED`: the slope of the answer's score is led back through the last block, step by step."""
    last = BLOCKS[BLOCKS.index(EXPLAINED) + 1]
    inner, top = kept[last]
    places = (VIEW // 32) ** 2
    winner = g.add("ArgMax", "probabilities", axis=1, keepdims=0)
    slope = g.add("Gather", (w["logits/kernel"].T / np.float32(places))[:, :, None, None], winner)
    slope = g.add("Mul", slope, _positive(g, top))
    through = g.add("ConvTranspose", slope, kept[f"{last}b/kernel"], pads=[1, 1, 1, 1])
    through = g.add("Mul", through, _positive(g, inner))
    through = g.add("ConvTranspose", through, kept[f"{last}a/kernel"], strides=[2, 2], pads=[0, 0, 1, 1])
    # The shortcut spreads a slope evenly over four places: their sum is what counts for the mean.
    short = g.add("ConvTranspose", slope, w[f"{last}_shortcut/kernel"].transpose(3, 2, 0, 1))
    total = g.add("Add", *(g.add("ReduceSum", part, np.array([2, 3]), keepdims=1) for part in (through, short)))
    weighted = g.add("Mul", kept[EXPLAINED][1], g.add("Div", total, np.float32(4 * places)))
    g.add("Relu", g.add("ReduceSum", weighted, np.array([1]), keepdims=0), name="heat")


def _positive(g, x):
    return g.add("Cast", g.add("Greater", x, np.float32(0)), to=TensorProto.FLOAT)
