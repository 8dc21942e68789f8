"""A learning rate that rises and falls; imported by what trains with it, so that Keras loads late."""

import math

from ..models.runtime import load_keras

keras = load_keras()
ops = keras.ops


@keras.saving.register_keras_serializable("bloodcell")
class WarmCosine(keras.optimizers.schedules.CosineDecay):
    """Keras' schedule with a warm-up from zero, without its branches.

    Keras asks a schedule once for each weight of a network, and TensorFlow takes seconds to trace that many branches.
    """

    def __call__(self, step):
        """The rate at a step: the lower of the two lines, up in the warm-up and then down along half a cosine."""
        step = ops.cast(step, "float32")
        fallen = ops.clip((step - self.warmup_steps) / self.decay_steps, 0.0, 1.0)
        return self.warmup_target * ops.minimum(step / self.warmup_steps, 0.5 + 0.5 * ops.cos(math.pi * fallen))
