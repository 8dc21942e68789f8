"""CompactNet: a residual network small enough to train from nothing, on blood alone, on a laptop.

Ideas: residual blocks (He et al. 2016), the last normalisation of each starting at zero (Goyal et al. 2017) so that the
network begins shallow, and average pooling on the shortcuts (He et al. 2019).
"""

from ..config import SEED
from ..errors import BloodcellError
from .compactnet_input import BACKGROUND, IMAGE, MEAN, PATCH, SCALE, VIEW
from .runtime import load_keras

WIDTHS = (16, 32, 64, 128, 256)
MOMENTUM = 0.9


def CompactNet(image=IMAGE, view=VIEW, n_classes=8, *, widths=WIDTHS, fused=True, augmentation=None,
               elsewhere=False, seed=SEED):  # fmt: skip
    """The network, untrained.

    Two strided convolutions, three residual blocks that each halve the maps' sides, the average of the last maps and
    one dense layer. Augmentation (while training only), white balance and scaling are inside.

    Parameters
    ----------
    image, view : int
        Sides in pixels of the images that it is given, and of their centre, which it looks at: a multiple of 8, and at
        most the image's.
    n_classes : int
    widths : tuple of int
        Maps of the two first convolutions and of each block.
    fused : bool
        Batch normalisation in one operation while training, where TensorFlow computes.
    augmentation : dict, optional
        Arguments of `layers.View` to replace, for example ``{"stain": 0}``.
    elsewhere : bool
        Train on looks as another laboratory might take them (`layers.ElsewhereView`).
    seed : int
        For the first weights, augmentation and dropout.

    Returns
    -------
    keras.Model
        From images (n, image, image, 3), levels 0-255, to probabilities (n, n_classes) in float32. Its layers
        ``block1``, ``block2``, ... are the blocks' maps, ``features`` the numbers that the last layer reads.

    Examples
    --------
    >>> CompactNet().count_params()
    1215096
    """
    from .layers import ElsewhereView, FusedBatchNormalization, View, WhiteBalance  # here: they load Keras

    if view > image or view % PATCH:
        raise BloodcellError(f"view={view} must be a multiple of {PATCH} and at most the image's {image} px.")
    keras = load_keras()
    layers = keras.layers
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((image, image, 3), name="images")
    look = ElsewhereView if elsewhere else View
    x = look(view, seed=seed, dtype="float32", name="view", **(augmentation or {}))(inputs)
    x = WhiteBalance(dtype="float32", name="white_balance")(x)
    x = convolutions(x, widths, FusedBatchNormalization if fused else None)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(0.1, seed=seed + 1, name="dropout")(x)
    x = layers.Dense(n_classes, name="logits", dtype="float32")(x)
    outputs = layers.Activation("softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="compactnet")


def without_top(size=VIEW, *, seed=SEED, inputs=None):
    """The network without its last layers, for others to borrow: Keras' own layers alone, so any Keras opens its file.

    Parameters
    ----------
    size : int
        Side of the images in pixels, a multiple of 8.
    seed : int
        For the first weights.
    inputs : keras.KerasTensor, optional
        Images, levels 0-255, or what was computed from an input; default: an input of its own.

    Returns
    -------
    keras.Model
        From images (n, size, size, 3), levels 0-255, to the last block's maps (n, size / 32, size / 32, 256).
    """
    keras = load_keras()
    layers, ops = keras.layers, keras.ops
    if size % PATCH:
        raise BloodcellError(f"CompactNet looks at images whose side is a multiple of {PATCH} px, not {size}.")
    keras.utils.set_random_seed(seed)
    images = keras.Input((size, size, 3), name="images") if inputs is None else inputs
    brightest = layers.GlobalMaxPooling2D(keepdims=True)(layers.AveragePooling2D(PATCH)(images))
    balanced = ops.divide(images, ops.maximum(brightest, 1.0))  # as `layers.WhiteBalance`
    x = layers.Rescaling(BACKGROUND / SCALE, -MEAN / SCALE, name="white_balance")(balanced)
    (source,) = keras.utils.get_source_inputs(images)  # from what lies between, Keras would build a copy of its own
    return keras.Model(source, convolutions(x), name="compactnet")


def convolutions(x, widths=WIDTHS, normalization=None):
    """Two strided convolutions and three residual blocks, on images whose levels are scaled.

    Parameters
    ----------
    x : keras.KerasTensor
    widths : tuple of int
        As for `CompactNet`.
    normalization : type, optional
        A layer; default: Keras' batch normalisation.

    Returns
    -------
    keras.KerasTensor
        The maps of the last block.
    """
    layers = load_keras().layers
    normalization = normalization or layers.BatchNormalization

    def convolution(x, filters, strides, name, gamma="ones"):
        x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False, name=f"{name}_conv")(x)
        return normalization(momentum=MOMENTUM, gamma_initializer=gamma, name=f"{name}_bn")(x)

    for i, filters in enumerate(widths[:2], 1):
        x = layers.ReLU(name=f"stem{i}")(convolution(x, filters, 2, f"stem{i}"))
    for i, filters in enumerate(widths[2:], 1):
        name = f"block{i}"
        short = layers.AveragePooling2D(2, padding="same", name=f"{name}_halved")(x)
        short = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_shortcut")(short)
        x = layers.ReLU(name=f"{name}_relu")(convolution(x, filters, 2, f"{name}a"))
        x = convolution(x, filters, 1, f"{name}b", gamma="zeros")
        x = layers.ReLU(name=name)(layers.Add(name=f"{name}_add")([short, x]))
    return x
