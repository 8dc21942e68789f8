"""CompactNet as an ONNX graph for browsers: from a picture to all that the cell lab shows of it."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bloodcell_utils.evaluation.prediction import EXPLAINED
from bloodcell_utils.models import pretrained
from bloodcell_utils.models.compactnet_input import BACKGROUND, IMAGE, MEAN, PATCH, SCALE, VIEW

OPSET, IR = 17, 9  # widely supported
BLOCKS = ("block1", "block2", "block3")


class Graph:
    """Nodes and constants of a graph that is being written."""

    def __init__(self):
        self.nodes, self.constants, self.kernels = [], [], {}

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
    """The network with the shipped weights.

    Returns
    -------
    onnx.ModelProto
        Input ``picture``, levels 0-255 as float32, shape (1, 128, 128, 3). Outputs: ``probabilities`` (1, 8),
        calibrated; ``strangeness`` (1,), above 1 for what is none of the eight, both as `prediction.predict_proba`;
        ``heat`` (1, 6, 6), the places that speak for the most probable class (Grad-CAM, without its scale), as
        `prediction.overlay_heatmap` shows them.
    """
    g, w, card = Graph(), pretrained.weights(), pretrained.metadata()
    x = _white_balanced(g)
    for name in ("stem1", "stem2"):
        x = g.add("Relu", _convolution(g, w, x, name, 2))
    maps = {}
    for name in BLOCKS:
        short = g.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        short = g.add("Conv", short, w[f"{name}_shortcut/kernel"].transpose(3, 2, 0, 1))
        inner = g.add("Relu", _convolution(g, w, x, f"{name}a", 2))
        x = g.add("Relu", g.add("Add", _convolution(g, w, inner, f"{name}b", 1), short))
        maps[name] = inner, x
    features = g.add("ReduceMean", x, axes=[2, 3], keepdims=0)
    scores = g.add("Add", g.add("MatMul", features, w["logits/kernel"]), w["logits/bias"])
    g.add("Softmax", g.add("Div", scores, np.float32([card["temperature"]])), axis=1, name="probabilities")
    _strangeness(g, w, features, card["limit"])
    _heat(g, w, scores, maps)
    outputs = {"probabilities": [1, 8], "strangeness": [1], "heat": [1, VIEW // 16, VIEW // 16]}
    graph = helper.make_graph(
        g.nodes,
        "compactnet",
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


def _gain(w, name):
    return w[f"{name}_bn/gamma"] / np.sqrt(w[f"{name}_bn/moving_variance"] + pretrained.EPSILON)


def _kernel(g, w, name):
    """A kernel with its batch normalisation; what is computed from constants is computed once, when it is loaded."""
    if name not in g.kernels:
        gain = _gain(w, name).reshape(-1, 1, 1, 1)
        g.kernels[name] = g.add("Mul", w[f"{name}_conv/kernel"].transpose(3, 2, 0, 1), gain)
    return g.kernels[name]


def _convolution(g, w, x, name, stride):
    before = 1 if stride == 1 else 0  # as Keras pads
    bias = w[f"{name}_bn/beta"] - w[f"{name}_bn/moving_mean"] * _gain(w, name)
    return g.add("Conv", x, _kernel(g, w, name), bias, strides=[stride] * 2, pads=[before, before, 1, 1])


def _strangeness(g, w, features, limit):
    """As `calibration.mahalanobis_distance`, in units of the limit."""
    gap = g.add("Sub", g.add("MatMul", features, w["whitening"]), w["means"] @ w["whitening"])
    distance = g.add("ReduceMean", g.add("Mul", gap, gap), axes=[1], keepdims=0)
    nearest = g.add("Sqrt", g.add("ReduceMin", distance, axes=[0], keepdims=1))
    g.add("Div", nearest, np.float32([limit]), name="strangeness")


def _heat(g, w, scores, maps):
    """Grad-CAM on `EXPLAINED`: the slope of the winning score is led back through the last block, step by step."""
    last = BLOCKS[BLOCKS.index(EXPLAINED) + 1]
    inner, top = maps[last]
    places = (VIEW // 32) ** 2
    winner = g.add("ArgMax", scores, axis=1, keepdims=0)
    slope = g.add("Gather", (w["logits/kernel"].T / np.float32(places))[:, :, None, None], winner)
    slope = g.add("Mul", slope, _positive(g, top))
    through = g.add("ConvTranspose", slope, _kernel(g, w, f"{last}b"), pads=[1, 1, 1, 1])
    through = g.add("Mul", through, _positive(g, inner))
    through = g.add("ConvTranspose", through, _kernel(g, w, f"{last}a"), strides=[2, 2], pads=[0, 0, 1, 1])
    # The shortcut spreads a slope evenly over four places: their sum is what counts for the mean.
    short = g.add("ConvTranspose", slope, w[f"{last}_shortcut/kernel"].transpose(3, 2, 0, 1))
    total = g.add("Add", *(g.add("ReduceSum", part, np.array([2, 3]), keepdims=1) for part in (through, short)))
    weighted = g.add("Mul", maps[EXPLAINED][1], g.add("Div", total, np.float32(4 * places)))
    g.add("Relu", g.add("ReduceSum", weighted, np.array([1]), keepdims=0), name="heat")


def _positive(g, x):
    return g.add("Cast", g.add("Greater", x, np.float32(0)), to=TensorProto.FLOAT)
