"""Where a network looks: what a layer answers to a cell, and which part of the picture an answer rests on.

Only the Keras 3 API is used here. A heat map is a question put to a model, not a proof; `shuffled_weights` is its
control.
"""

from contextlib import contextmanager
from itertools import dropwhile, product

import numpy as np

from ..config import SEED
from ..errors import BloodcellError
from ..models.runtime import load_keras

_BATCH = 32


def map_layers(model):
    """The layers whose outputs are maps: convolutions, and what joins or pools them.

    Parameters
    ----------
    model : keras.Model
        A functional model from images, such as `backbones.classifier` gives.

    Returns
    -------
    list of str
        Names, first to last; layers that only prepare the image are not among them.
    """
    convolution = load_keras().layers.Conv2D
    layers = dropwhile(lambda layer: not isinstance(layer, convolution), model.layers)
    return [layer.name for layer in layers if _has_maps(layer)]


def feature_maps(model, images, layer):
    """What a layer answers: one map a filter, brighter where its pattern is found.

    Parameters
    ----------
    model : keras.Model
        A functional model from images.
    images : numpy.ndarray, shape (n, height, width, 3)
        As the model takes them.
    layer : str
        One of `map_layers`.

    Returns
    -------
    numpy.ndarray of float32, shape (n, rows, columns, maps)
        Maps are counted from 0.

    Raises
    ------
    BloodcellError
        If the model has no such layer, or the layer gives no maps.
    """
    part = load_keras().Model(model.inputs[0], _maps_of(model, layer))
    return _in_batches(lambda batch: part(batch, training=False), images)


def grad_cam(model, images, class_index=None, *, layer=None):
    """Which places speak for a class: Grad-CAM (Selvaraju et al. 2017).

    Each map of a layer is weighted by how much, on average over its places, the class's score rises with it; the
    weighted maps are added and what is above zero is kept. The score is the one before softmax, so that a certain
    answer is explained as well as an uncertain one.

    Parameters
    ----------
    model : keras.Model
        A functional model from images to one number a class.
    images : numpy.ndarray, shape (n, height, width, 3)
    class_index : int or array-like of int, shape (n,), optional
        The class to explain; default: each image's own answer.
    layer : str, optional
        One of `map_layers`, through which everything passes; default: the last that is no pooling.

    Returns
    -------
    numpy.ndarray of float32, shape (n, height, width)
        From 0 to 1, each image by its own maximum; all 0 where nothing speaks for the class.

    Raises
    ------
    BloodcellError
        For a class or a layer that is not there.
    """
    keras = load_keras()
    if layer is None:
        pooling = (keras.layers.Dropout, keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
        names = [name for name in map_layers(model) if not isinstance(model.get_layer(name), pooling)]
        if not names:
            raise BloodcellError("The model has no convolution, so there are no maps to look at.")
        layer = names[-1]
    maps, scores = feature_maps(model, images, layer), _scores(model, layer)
    if class_index is None:
        class_index = _in_batches(scores, maps).argmax(axis=1)
    classes = np.broadcast_to(np.asarray(class_index, int), len(images))
    if classes.size and not 0 <= classes.min() <= classes.max() < model.output_shape[-1]:
        raise BloodcellError(f"There are classes 0 to {model.output_shape[-1] - 1}; class_index is {class_index}.")
    heat = np.empty(maps.shape[:3], np.float32)
    for i in range(0, len(images), _BATCH):
        some, chosen = maps[i : i + _BATCH], np.eye(model.output_shape[-1], dtype=np.float32)[classes[i : i + _BATCH]]
        slopes = _gradient(lambda x, chosen=chosen: keras.ops.sum(scores(x) * chosen, axis=-1), some)
        heat[i : i + _BATCH] = np.einsum("nhwc,nc->nhw", some, slopes.mean(axis=(1, 2)))
    return _heat(heat, images.shape[1:3])


def occlusion(model, image, class_index=None, *, patch=None, step=None):
    """Which places an answer needs: cover each in turn and note how far the class's probability falls.

    After Zeiler and Fergus (2014). It needs neither gradients nor a layer, but takes longer.

    Parameters
    ----------
    model : keras.Model
        From images to one probability a class.
    image : numpy.ndarray, shape (height, width, 3)
    class_index : int, optional
        Default: the model's answer.
    patch, step : int, optional
        Side of the cover and how far it moves, in pixels; default: a quarter and a sixteenth of the height. The cover
        has the median colour of the image's edge, which on a smear is the slide or a red cell.

    Returns
    -------
    heat : numpy.ndarray of float32, shape (height, width)
        From 0 to 1: the mean fall of the probability over the covers that hide a pixel, by its maximum.
    fall : float
        The deepest fall of the probability.

    Raises
    ------
    BloodcellError
        If the cover is larger than the image, or does not move.
    """
    height, width = image.shape[:2]
    patch, step = patch or height // 4, step or max(1, height // 16)
    if not 0 < patch <= min(height, width) or step < 1:
        raise BloodcellError(f"A cover of {patch} px, moved by {step} px, does not fit on {height} x {width} px.")
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    corners = list(product(*([*range(0, end, step), end] for end in (height - patch, width - patch))))
    covered = np.repeat(image[None], len(corners) + 1, axis=0)  # the last stays as it is
    for i, (y, x) in enumerate(corners):
        covered[i, y : y + patch, x : x + patch] = np.median(edge, axis=0)
    answers = _in_batches(lambda batch: model(batch, training=False), covered)
    falls = answers[-1] - answers[:-1]
    falls = falls[:, answers[-1].argmax() if class_index is None else class_index]
    total, times = np.zeros((2, height, width), np.float32)
    for (y, x), fall in zip(corners, falls, strict=True):
        total[y : y + patch, x : x + patch] += fall
        times[y : y + patch, x : x + patch] += 1
    return _heat((total / times)[None], (height, width))[0], float(falls.max())


@contextmanager
def shuffled_weights(model, layers, seed=SEED):
    """Make some layers forget: their weights are shuffled within the ``with`` block and restored after it.

    The control of a heat map (Adebayo et al. 2018 draw new weights; shuffling also keeps their distribution). A map
    that does not change when the model has forgotten what it learnt does not show what it learnt.

    Parameters
    ----------
    model : keras.Model
    layers : sequence of str
    seed : int

    Yields
    ------
    keras.Model
        The same model.

    Raises
    ------
    BloodcellError
        If the model has no such layer.
    """
    rng = np.random.default_rng(seed)
    kept = [(layer, layer.get_weights()) for layer in (_layer(model, name) for name in layers)]
    try:
        for layer, weights in kept:
            layer.set_weights([rng.permutation(weight.ravel()).reshape(weight.shape) for weight in weights])
        yield model
    finally:
        for layer, weights in kept:
            layer.set_weights(weights)


def rank_correlation(maps, others):
    """How alike two sets of maps are: Spearman's rank correlation, image by image.

    Parameters
    ----------
    maps, others : numpy.ndarray of float, shape (n, rows, columns)

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        1 for the same order of bright and dark, 0 for none in common; 0 also where a map is the same everywhere.
    """
    from scipy.stats import rankdata

    ranks = [rankdata(m.reshape(len(m), -1), axis=1) for m in (maps, others)]
    a, b = (r - r.mean(axis=1, keepdims=True) for r in ranks)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.divide((a * b).sum(axis=1), size, out=np.zeros(len(a)), where=size > 0)


def _layer(model, name):
    if name not in {layer.name for layer in model.layers}:
        raise BloodcellError(f"The model has no layer {name!r}; it has {', '.join(map_layers(model))}.")
    return model.get_layer(name)


def _has_maps(layer):
    return len(getattr(layer.output, "shape", ())) == 4  # a layer with several outputs has a list


def _maps_of(model, name):
    if not _has_maps(layer := _layer(model, name)):
        raise BloodcellError(f"The layer {name!r} gives no maps; choose one of {', '.join(map_layers(model))}.")
    return layer.output


def _scores(model, name):
    """A function from the maps of a layer to the classes' scores: those before softmax where the model ends in one."""
    keras, last, maps = load_keras(), model.layers[-1], _maps_of(model, name)
    softmax = getattr(last, "activation", None) is keras.activations.softmax or isinstance(last, keras.layers.Softmax)
    head = last if softmax and isinstance(last, keras.layers.Dense) else None
    try:
        rest = keras.Model(maps, last.input if softmax else model.outputs[0])
    except ValueError as err:
        names = ", ".join(map_layers(model)[-3:])
        raise BloodcellError(f"{name!r} is one branch among others; choose a layer after they meet ({names}).") from err

    def scores(x):
        result = keras.ops.cast(rest(x, training=False), "float32")
        if head:
            result = keras.ops.matmul(result, head.kernel) + (head.bias if head.use_bias else 0)
        return result

    return scores


def _gradient(function, x):
    """The slope of each ``function(x)[i]`` in ``x[i]``.

    Keras differentiates on every backend, but only to train. So we train: a shift of x, zero at first, takes one step
    of size one uphill, and is then the gradient. The function is no layer of this model, so nothing else changes.
    """
    keras = load_keras()

    class Shifted(keras.Model):
        def __init__(self):
            super().__init__(dtype="float32")
            self.shift = self.add_weight(shape=x.shape, initializer="zeros")

        def call(self, inputs):
            return function(inputs + self.shift)

    model = Shifted()
    # The loss is a mean over the images; the step undoes it. Eager, since compiling takes longer than one step.
    model.compile(keras.optimizers.SGD(float(len(x))), loss=lambda _, score: -score, run_eagerly=True)
    model.train_on_batch(x, np.zeros(len(x), np.float32))
    return keras.ops.convert_to_numpy(model.shift)


def _in_batches(function, x):
    keras = load_keras()
    parts = (function(x[i : i + _BATCH]) for i in range(0, len(x), _BATCH))
    return np.concatenate([keras.ops.convert_to_numpy(keras.ops.cast(part, "float32")) for part in parts])


def _heat(heat, size):
    """What is above zero, resized, each map divided by its maximum."""
    ops = load_keras().ops
    heat = ops.image.resize(np.maximum(heat, 0)[..., None], size, interpolation="bilinear")
    heat = ops.convert_to_numpy(heat)[..., 0]
    highest = heat.max(axis=(1, 2), keepdims=True)
    return np.divide(heat, highest, out=np.zeros_like(heat), where=highest > 0)
