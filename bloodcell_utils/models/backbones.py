"""Networks to borrow from: input size, preprocessing, blocks, and the layer that gives the paper's features.

VGG-16 and Inception-v3 learnt from ImageNet's photographs. `CompactNet` (`compactnet`) learnt from those of PBC: on
drawn cells, which it has never seen, it is what is borrowed. Keras alone is used here, so the same code runs on its
TensorFlow, JAX and PyTorch backends.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..config import SEED, weights_dir
from ..errors import BloodcellError
from .compactnet import without_top
from .compactnet_input import VIEW
from .pretrained import assign
from .runtime import load_keras

IMAGENET_MEAN = (103.939, 116.779, 123.68)  # blue, green, red


@dataclass(frozen=True)
class Backbone:
    """A published network.

    Attributes
    ----------
    name, title : str
    constructor : str or None
        In `keras.applications`; None for CompactNet.
    weights : {"imagenet", "pbc"}
        What it learnt from.
    input_size, min_size : int
        Side in pixels that it was published with, and the smallest that it accepts without its head.
    feature_layer : str
        Gives the paper's features when the classifier's weights are at hand.
    n_features : int
        4,096 for VGG-16 (its second dense layer), 2,048 for Inception-v3 and 256 for CompactNet (global averages).
    last_layer : str
        The last convolution block's output, flattened when only convolution weights are at hand.
    blocks : tuple of str
        The output of each block, first to last.
    head : tuple of int
        Units of the dense layers that the paper puts between the features and its eight classes.
    scaling : {"caffe", "tf", "inside"}
        BGR with the mean of ImageNet subtracted, levels from -1 to 1, or left to the network.
    averaged : bool
        Its last maps reach the head as their averages; else flattened.
    """

    name: str
    title: str
    constructor: str | None
    weights: str
    input_size: int
    min_size: int
    feature_layer: str
    n_features: int
    last_layer: str
    blocks: tuple[str, ...]
    head: tuple[int, ...]
    scaling: str
    averaged: bool

    def side(self, wanted=None):
        """Side of the input in pixels where a profile wants another: CompactNet keeps that at which it learnt."""
        return wanted if wanted and self.constructor else self.input_size

    def weights_file(self, top=False):
        """The name that Keras gives the file of the weights, with the 1,000-class head or without it."""
        return f"{self.name}_weights_tf_dim_ordering_tf_kernels{'' if top else '_notop'}.h5"

    def ends(self, names):
        """The last layer of each block among the names of a model's layers: its pooling, where it has one."""
        pools = (f"{block.split('_')[0]}_pool" for block in self.blocks)
        return [pool if pool in names else block for pool, block in zip(pools, self.blocks, strict=True)]


BACKBONES = {
    b.name: b
    for b in (
        Backbone(
            "vgg16", "VGG-16", "VGG16", "imagenet", 224, 32, "fc2", 4096, "block5_pool",
            ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"), (4096, 1024), "caffe",
            False,
        ),
        Backbone(
            "inception_v3", "Inception-v3", "InceptionV3", "imagenet", 299, 75, "avg_pool", 2048, "mixed10",
            tuple(f"mixed{i}" for i in range(11)), (1024,), "tf", True,
        ),
    )
}  # fmt: skip
COMPACTNET = Backbone(
    "compactnet", "CompactNet", None, "pbc", VIEW, 32, "block3", 256, "block3", ("block1", "block2", "block3"), (64,),
    "inside", True,
)  # fmt: skip


def backbone(name):
    """A network by name; an unknown name is a `BloodcellError`.

    Parameters
    ----------
    name : str
        One of `BACKBONES`, the paper's networks, or ``"compactnet"``.

    Returns
    -------
    Backbone
    """
    known = BACKBONES | {COMPACTNET.name: COMPACTNET}
    if name not in known:
        raise BloodcellError(f"There is no backbone {name!r}; choose one of {', '.join(known)}.")
    return known[name]


def build(name, size=None, weights="imagenet", *, top=False, seed=SEED, inputs=None):
    """The network, frozen.

    Parameters
    ----------
    name : str
        As for `backbone`.
    size : int, optional
        Side of the input in pixels; default: the published one.
    weights : {"imagenet", "pbc", "random"} or path-like
        ImageNet weights come from `config.weights_dir`, else Keras downloads them; those of CompactNet, ``"pbc"``, came
        with the package; random ones are drawn from `seed`.
    top : bool
        With the 1,000-class head (published size only).
    seed : int
    inputs : keras.KerasTensor, optional
        What the first convolution sees; default: an input of its own, for images that are scaled (`preprocess`).

    Returns
    -------
    keras.Model

    Raises
    ------
    BloodcellError
        If the size does not fit or the weights are neither here nor downloadable; the message has the manual steps.
    """
    spec, keras = backbone(name), load_keras()
    size = size or spec.input_size
    if size < spec.min_size or (top and size != spec.input_size):
        need = f"{spec.min_size} px or more ({spec.input_size} with its head)"
        raise BloodcellError(f"{spec.title} needs images of {need}; {size} px was asked for.")
    if weights not in (spec.weights, "random") and not Path(weights).is_file():
        raise BloodcellError(f"{spec.title} learnt from {spec.weights}; there is no weight file {weights}.")
    if spec.constructor is None:
        model = without_top(size, seed=seed, inputs=inputs)
        model.trainable = False
        if weights == spec.weights:
            assign(model)
        elif weights != "random":
            model.load_weights(weights)
        return model
    if weights == "random":
        keras.utils.set_random_seed(seed)
        weights = None
    elif weights == "imagenet":
        weights = _find_weights(spec, top) or "imagenet"
    constructor, shape = getattr(keras.applications, spec.constructor), (size, size, 3)
    try:
        model = constructor(include_top=top, weights=weights, input_shape=shape, input_tensor=inputs)
    except Exception as err:  # Keras raises bare Exception for a failed download, OSError or ValueError for a bad file
        raise BloodcellError(
            f"The weights of {spec.title} could not be loaded: {err}\nPut {spec.weights_file(top)} (from the Keras "
            f"applications release on GitHub) into {weights_dir()}, or set BLOODCELL_WEIGHTS_DIR to the folder that "
            "has it. The profile 'sample' needs no weights."
        ) from err
    model.trainable = False
    return model


def classifier(
    name, size=None, weights="imagenet", *, head=None, n_classes=8, pooling=None, augmentation=False, seed=SEED,
    initializer="glorot_uniform",
):  # fmt: skip
    """A network with a head for blood cells: the paper's second design before training.

    Everything is inside: augmentation (while training only), the authors' scaling, the convolutions and the head. The
    backbone's layers keep the names that Keras gives them, and only the head trains until `unfreeze` is called.

    Parameters
    ----------
    name : str
    size : int, optional
    weights : {"imagenet", "pbc", "random"} or path-like
        As for `build`.
    head : tuple of int, optional
        Units of the dense layers before the last; default: the paper's.
    n_classes : int
    pooling : {None, "average"}
        How the last block's maps reach the head. None is the paper's way: VGG-16's flattened, the others' averaged.
    augmentation : bool
        Flip and rotate by 0 to 60 degrees while training, on the device.
    seed : int
        For the first weights of the head and for augmentation. A random backbone is the same for every seed, as
        ImageNet's weights are.
    initializer : str
        Keras' name of how the weights of the head's hidden layers begin. Drawing a hundred million numbers takes three
        times their memory; for a network whose parameters are only counted ``"zeros"`` will do.

    Returns
    -------
    keras.Model
        From images (n, size, size, 3), levels 0-255, to probabilities (n, n_classes) in float32.

    Examples
    --------
    >>> classifier("vgg16", weights="random").count_params()
    121682760
    """
    spec, keras = backbone(name), load_keras()
    size = size or spec.input_size
    inputs = keras.Input((size, size, 3), name="images")
    x = inputs
    if augmentation:
        x = keras.layers.RandomFlip(seed=seed, name="random_flip")(x)
        turn = keras.layers.RandomRotation((0, 60 / 360), fill_mode="reflect", seed=seed + 1, name="random_rotation")
        # What keeps TensorFlow from compiling it does not keep JAX, where all is slow that is not compiled.
        turn.supports_jit = keras.backend.backend() == "jax"
        x = turn(x)
    maps = build(name, size, weights, inputs=_scaled(keras, spec, x)).output
    keras.utils.set_random_seed(seed)
    average = pooling == "average" or (pooling is None and spec.averaged)
    x = (keras.layers.GlobalAveragePooling2D if average else keras.layers.Flatten)(name="features")(maps)
    for i, units in enumerate(spec.head if head is None else head):
        x = keras.layers.Dense(units, "relu", kernel_initializer=initializer, name=f"head{i + 1}")(x)
    x = keras.layers.Dense(n_classes, name="logits")(x)
    outputs = keras.layers.Activation("softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)


def unfreeze(model, name, blocks):
    """Let the last blocks and the head train; VGG-16 has 5 blocks, Inception-v3 11 mixed modules.

    The paper counts nine modules: it leaves out two that only halve the maps.

    Batch normalisation of the backbone stays frozen, and so in inference mode: else the statistics of small batches
    of blood cells would overwrite those that the frozen filters were trained with.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    name : str
    blocks : int
        As for `split_at`; 0 trains the head alone.

    Returns
    -------
    prefix, suffix : keras.Model
        As from `split_at`.
    """
    prefix, suffix = split_at(model, name, blocks)
    behind = {layer.name for layer in suffix.layers}
    for layer in model.layers:
        layer.trainable = layer.name in behind and not isinstance(layer, load_keras().layers.BatchNormalization)
    return prefix, suffix


def split_at(model, name, blocks):
    """Cut a model before its last blocks: what stays frozen, and what trains.

    Parameters
    ----------
    model : keras.Model
        From `classifier`.
    name : str
        Its backbone.
    blocks : int
        Blocks in the second half; 0 cuts before the head.

    Returns
    -------
    prefix, suffix : keras.Model
        They share the layers of `model`: ``suffix(prefix(images))`` is ``model(images)``.

    Raises
    ------
    BloodcellError
        If the network does not have so many blocks.
    """
    spec, keras = backbone(name), load_keras()
    if not 0 <= blocks < len(spec.blocks):
        raise BloodcellError(f"{spec.title} has {len(spec.blocks)} blocks; {blocks} of them cannot be cut off.")
    cut = model.get_layer(spec.ends({layer.name for layer in model.layers})[-1 - blocks]).output
    return keras.Model(model.input, cut, name=f"{name}-prefix"), keras.Model(cut, model.output, name=f"{name}-suffix")


def calibrate(model, name, images):
    """Scale random weights by what they see: each map of these images gets mean 0 and variance 1 before its ReLU.

    After thirteen layers as they are drawn, little of an image is left but its brightness, and a short training learns
    nothing. Networks with batch normalisation stay as they are.

    Parameters
    ----------
    model : keras.Model
        From `classifier`, with random weights; changed in place and given back.
    name : str
        Its backbone.
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
        A few are enough.

    Returns
    -------
    keras.Model

    References
    ----------
    D. Mishkin and J. Matas, "All you need is a good init", ICLR 2016.
    """
    keras = load_keras()
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers):
        return model
    maps = preprocess(name, images)
    for layer in (layer for layer in model.layers if layer.name.startswith("block")):
        if layer.weights:
            activation, layer.activation = layer.activation, keras.activations.linear
            before = np.asarray(keras.ops.cast(layer(maps), "float32"))
            mean, deviation = before.mean(axis=(0, 1, 2)), before.std(axis=(0, 1, 2)) + 1e-6
            layer.kernel.assign(layer.kernel / deviation)
            layer.bias.assign((layer.bias - mean) / deviation)
            layer.activation = activation
        maps = np.asarray(keras.ops.cast(layer(maps), "float32"))
    return model


def has_weights(name, top=False):
    """Whether ImageNet weights are at hand without a download.

    Parameters
    ----------
    name : str
    top : bool
        As for `build`.

    Returns
    -------
    bool
    """
    return _find_weights(backbone(name), top) is not None


def weights_file(name):
    """What `keras.applications` takes as ``weights``: the file of ImageNet's where it is at hand.

    Parameters
    ----------
    name : str

    Returns
    -------
    pathlib.Path or str
        ``"imagenet"`` where it is not: Keras then downloads it.
    """
    return _find_weights(backbone(name), top=False) or "imagenet"


def preprocess(name, images):
    """Scale images as the network's authors did.

    Parameters
    ----------
    name : str
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
        RGB, 0-255.

    Returns
    -------
    numpy.ndarray of float32, same shape
    """
    images = np.asarray(images, np.float32)
    if backbone(name).scaling == "tf":
        return images / 127.5 - 1
    if backbone(name).scaling == "inside":
        return images
    return images[..., ::-1] - np.array(IMAGENET_MEAN, np.float32)


def _scaled(keras, spec, images):
    """`preprocess` inside a model."""
    if spec.scaling == "tf":
        return keras.layers.Rescaling(1 / 127.5, offset=-1, name="scaling")(images)
    if spec.scaling == "inside":
        return images
    return keras.ops.flip(images, axis=-1) - np.array(IMAGENET_MEAN, np.float32)


def _find_weights(spec, top):
    folders = weights_dir(), Path.home() / ".keras" / "models"
    files = (folder / spec.weights_file(top) for folder in folders)
    return next((file for file in files if file.is_file()), None)
