"""Layers of CompactNet: augmentation, white balance, and a batch normalisation in one operation.

Imported by what builds a network, so that Keras loads late.
"""

from .compactnet_input import BACKGROUND, MEAN, PATCH, SCALE
from .runtime import load_keras

keras = load_keras()
ops = keras.ops


@keras.saving.register_keras_serializable("bloodcell")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation whose training step is one operation where TensorFlow has one.

    Keras computes mean, variance and scaling one after the other, and reads all maps each time. Other backends, and
    inference everywhere, take Keras' own way; both agree to rounding.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalise maps (n, height, width, channels) by this batch, or by the moving averages."""
        usual = self.scale and self.center and not self.renorm and self.axis in (-1, 3) and len(inputs.shape) == 4
        if not (training and self.trainable and usual and mask is None and keras.backend.backend() == "tensorflow"):
            return super().call(inputs, training=training, mask=mask)
        from tensorflow.compat.v1.nn import fused_batch_norm

        gamma, beta = (ops.cast(weight, "float32") for weight in (self.gamma, self.beta))
        outputs, mean, variance, *_ = fused_batch_norm(inputs, gamma, beta, epsilon=self.epsilon, is_training=True)
        n = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
        variance = variance * (n - 1) / n  # TensorFlow's is the unbiased one, Keras keeps the mean square
        for average, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + ops.cast(new, average.dtype) * (1 - self.momentum))
        return outputs


@keras.saving.register_keras_serializable("bloodcell")
class WhiteBalance(keras.layers.Layer):
    """Scale each channel so that the brightest patch of the image, the empty glass, has the same level.

    What a microscopist does before taking the picture: afterwards lamp, exposure and most of the camera's tint are
    gone. The result is centred for the network: `compactnet_input.MEAN` becomes 0, `SCALE` levels become 1.
    """

    def call(self, images):
        """Balance images (n, height, width, 3), levels 0-255; their sides are multiples of the patch's."""
        brightest = ops.max(ops.average_pool(images, PATCH), axis=(1, 2), keepdims=True)
        return images * (BACKGROUND / SCALE / ops.maximum(brightest, 1.0)) - MEAN / SCALE


@keras.saving.register_keras_serializable("bloodcell")
class View(keras.layers.Layer):
    """The centre of each image; while training, another look at it each time.

    Another look is one of the eight symmetries, shifted and scaled; half of the images of a batch get another stain and
    another lamp, and half of those another focus. Stain acts on the light that is missing from white, and mixes the
    channels.

    Parameters
    ----------
    size : int
        Side of the result in pixels.
    shift : float
        At most, in pixels, along each axis.
    scale, stain, lamp : float
        At most, as a share.
    focus : float
        At most: 1 is the mean of three by three pixels; the image is sharpened by up to half as much.
    native : bool
        With TensorFlow, move the images by an operation of its own: the same as Keras', in less time.
    seed : int
    """

    nearer = 0.0  # mean of the logarithm by which cells are drawn larger

    def __init__(self, size, shift=6.0, scale=0.1, stain=0.2, lamp=0.12, focus=1.0, native=True, seed=0, **kwargs):
        super().__init__(**kwargs)
        # TensorFlow's operation is not among those that XLA compiles.
        self.supports_jit = keras.backend.backend() != "tensorflow"
        self.size, self.shift, self.scale = size, shift, scale
        self.stain, self.lamp, self.focus, self.native, self.seed = stain, lamp, focus, native, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def get_config(self):
        """What the layer was made with."""
        names = ("size", "shift", "scale", "stain", "lamp", "focus", "native", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def call(self, images, training=False):
        """Look at images (n, side, side, 3), levels 0-255; gives (n, size, size, 3)."""
        edge = (images.shape[1] - self.size) // 2
        if not training:
            return images[:, edge : edge + self.size, edge : edge + self.size]
        images = self._moved(images)
        # The order of the images is drawn anew in each epoch, so every one gets its turn.
        quarter = (ops.shape(images)[0] + 3) // 4
        other, as_it_is = self._restained(images[quarter : 3 * quarter]), (images[:quarter], images[3 * quarter :])
        other = ops.concatenate([self._refocused(other[:quarter]), other[quarter:]], axis=0)
        return ops.concatenate([as_it_is[0], other, as_it_is[1]], axis=0)

    def _draw(self, shape, reach):
        return keras.random.uniform(shape, -reach, reach, seed=self.seed_generator)

    def _moved(self, images):
        """Mirrored or not in both directions, the second half of the batch transposed: eight symmetries."""
        n, side = ops.shape(images)[0], images.shape[1]
        scale = ops.exp(self._draw((n,), self.scale) - self.nearer)
        down, across = (scale * ops.sign(self._draw((n,), 1.0)) for _ in range(2))
        reach = self.size - 1
        top, left = ((side - 1) / 2 + self._draw((n,), self.shift) - way * reach / 2 for way in (down, across))
        if self.native and keras.backend.backend() == "tensorflow":
            from tensorflow.image import crop_and_resize

            boxes = ops.stack([top, left, top + reach * down, left + reach * across], axis=1) / (side - 1)
            images = crop_and_resize(images, boxes, ops.arange(n), (self.size, self.size))
            return ops.concatenate([images[: n // 2], ops.transpose(images[n // 2 :], (0, 2, 1, 3))], axis=0)
        turned = ops.cast(ops.arange(n) >= n // 2, "float32")
        straight, nothing = 1 - turned, ops.zeros_like(top)
        rows = [across * straight, across * turned, left, down * turned, down * straight, top, nothing, nothing]
        images = ops.image.affine_transform(ops.cast(images, "float32"), ops.stack(rows, axis=1))
        return images[:, : self.size, : self.size]

    def _restained(self, images):
        n = ops.shape(images)[0]
        mix = ops.eye(3) + self._draw((n, 3, 3), self.stain / 2)
        mix = mix * ops.exp(self._draw((n, 1, 1), self.stain))
        missing = ops.reshape(255.0 - images, (n, self.size**2, 3))
        lamp = ops.exp(self._draw((n, 1, 1), self.lamp))
        return ops.clip(ops.reshape((255.0 - ops.matmul(missing, mix)) * lamp, ops.shape(images)), 0.0, 255.0)

    def _refocused(self, images):
        blurred = ops.average_pool(images, 3, 1, padding="same")
        amount = self._draw((ops.shape(images)[0], 1, 1, 1), 0.75 * self.focus) + 0.25 * self.focus
        return ops.clip(images + (blurred - images) * amount, 0.0, 255.0)


@keras.saving.register_keras_serializable("bloodcell")
class ElsewhereView(View):
    """The centre of each image; while training, a look at it as another laboratory might take it.

    Three of four images get another stain, which acts on the optical density, another lamp, and half of those another
    sharpness or resolution; cells are drawn smaller and larger than they are, and what lies beyond the border is
    mirrored.
    """

    COARSE = 40  # pixels that are left of the field's side where the resolution is low
    DYE = 0.5  # each channel's density is multiplied by up to exp of it
    BORDER = 24  # pixels
    nearer = 0.1  # fields that are narrower than ours are the more frequent ones

    def __init__(self, size, shift=10.0, scale=0.35, stain=0.6, lamp=0.25, **kwargs):
        super().__init__(size, shift, scale, stain, lamp, **kwargs)

    def call(self, images, training=False):
        """Look at images (n, side, side, 3), levels 0-255; gives (n, size, size, 3)."""
        if not training:
            return super().call(images)
        edges = ((0, 0), (self.BORDER, self.BORDER), (self.BORDER, self.BORDER), (0, 0))
        images = self._moved(ops.pad(ops.cast(images, "float32"), edges, mode="reflect"))
        eighth = (ops.shape(images)[0] + 7) // 8
        other = self._restained(images[: 6 * eighth])
        small = ops.image.resize(other[:eighth], (self.COARSE, self.COARSE), antialias=True)
        coarse = ops.image.resize(small, (self.size, self.size))
        sharp = self._refocused(other[eighth : 3 * eighth])
        return ops.concatenate([coarse, sharp, other[3 * eighth :], images[6 * eighth :]], axis=0)

    def _restained(self, images):
        n = ops.shape(images)[0]
        mix = ops.eye(3) + self._draw((n, 3, 3), self.stain / 2)
        mix = mix * ops.exp(self._draw((n, 1, 1), self.stain) + self._draw((n, 1, 3), self.DYE))
        density = -ops.log((ops.clip(images, 0.0, 255.0) + 1) / 256)
        density = ops.matmul(ops.reshape(density, (n, self.size**2, 3)), mix)
        lamp = ops.exp(self._draw((n, 1, 1), self.lamp) + self._draw((n, 1, 3), self.lamp / 2))
        return ops.clip(ops.reshape((256 * ops.exp(-density) - 1) * lamp, ops.shape(images)), 0.0, 255.0)
