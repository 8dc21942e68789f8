"""The optimiser of CompactNet; imported by what trains with it, so that Keras loads late."""

import numpy as np

from ..models.runtime import load_keras

keras = load_keras()
ops = keras.ops


@keras.saving.register_keras_serializable("bloodcell")
class ConvolutionMuon(keras.optimizers.Muon):
    """Muon for convolutions: each step of a kernel has all its directions equally long.

    Keras' Muon takes matrices; a kernel is one, with a column a map. Other weights are trained by Adam. The polynomial
    is iterated on the small square matrix of the columns' products, which gives the same step for less work.

    References
    ----------
    K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    """

    def _should_use_adamw(self, variable):
        return len(variable.shape) != 4

    def lr_adjust(self, x):
        """Give a step of a kernel (height, width, channels, maps) the length that Adam's would have."""
        rows, columns = int(np.prod(x.shape[:-1])), x.shape[-1]
        return x * (self.rms_rate * max(rows, columns) ** 0.5)

    def zeropower_via_newtonschulz5(self, x, steps):
        """The nearest orthogonal matrix, about, to a kernel's momentum (height, width, channels, maps)."""
        matrix = ops.reshape(x, (-1, x.shape[-1]))
        wide = matrix.shape[0] < matrix.shape[1]
        matrix = ops.transpose(matrix) if wide else matrix
        matrix = matrix / (ops.norm(matrix) + 1e-7)
        gram, product, identity = ops.transpose(matrix) @ matrix, None, ops.eye(matrix.shape[1])
        for step in range(steps):
            factor = self.muon_a * identity + self.muon_b * gram + self.muon_c * (gram @ gram)
            product = factor if product is None else factor @ product
            if step < steps - 1:
                gram = factor @ gram @ factor
        matrix = matrix @ product
        return ops.reshape(ops.transpose(matrix) if wide else matrix, x.shape)
