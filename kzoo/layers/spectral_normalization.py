"""Spectral normalization: a layer whose kernel has largest singular value 1.

[1] Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral normalization for generative adversarial
    networks", arXiv:1802.05957: the normalization (eq. 8), the power iteration (Algorithm 1), the
    gradient (eq. 12).

`keras.layers.SpectralNormalization` is another algorithm. It writes the normalized kernel into
the weights at every call, so that the optimizer's steps start from a projected kernel, and the
gradient ignores the division by sigma (eq. 12 of [1] contains it). On PyTorch it also changes
weights that a gradient is being taken of. So kzoo has a layer of its own.
"""

import math

import keras
from keras import ops

from kzoo.checks import check_positive_int
from kzoo.configs import Configured

_TINY = 1e-12


def _unit(vector):
    """The vector, divided by its length."""
    return vector / ops.maximum(ops.sqrt(ops.sum(ops.square(vector))), _TINY)


@keras.saving.register_keras_serializable(package="kzoo")
class SpectralNormalization(Configured, keras.layers.Wrapper):
    """Calls a layer with the kernel W / sigma(W), sigma the largest singular value (eq. 8 of [1]).

    W is the kernel as a matrix: a row for every input of an output feature, a column for every
    output feature. A few products with W keep two unit vectors u and v close to the singular
    vectors of sigma (Algorithm 1 of [1]). They are weights, saved with the model, and move at
    every call with `training=True`. The gradient takes them as constants: sigma = v' W u is
    differentiated with respect to W alone (eq. 12 of [1]).

    The product with W and the normalization are in float32, also in mixed precision.

    Args:
        layer: a layer whose `kernel` has its output features last, such as `keras.layers.Dense`,
            `keras.layers.Conv2D` or `kzoo.layers.SymmetricConv2D`.
        power_iterations: products with W and its transpose at every call in training; 1 in [1].

    Input shape: that of the layer.
    Output shape: that of the layer.

    Raises:
        ValueError: if `layer` is not a layer with such a kernel, or `power_iterations` is not a
            positive int.

    Example:

    ```python
    layer = kzoo.layers.SpectralNormalization(keras.layers.Dense(10))
    ```
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(f"layer must be a Keras layer, got {layer!r}.")
        super().__init__(layer, **kwargs)
        self.power_iterations = check_positive_int("power_iterations", power_iterations)

    def build(self, input_shape=None):
        super().build(input_shape)
        kernel = getattr(self.layer, "kernel", None)
        if kernel is None or "Transpose" in type(self.layer).__name__:
            raise ValueError(
                "layer must have a kernel with its output features last, as Dense and Conv2D do; "
                f"got {type(self.layer).__name__}."
            )
        columns = kernel.shape[-1]
        rows = math.prod(kernel.shape[:-1])
        options = {"trainable": False, "dtype": "float32", "autocast": False}
        self.u = self.add_weight((columns,), "random_normal", name="u", **options)
        self.v = self.add_weight((rows,), "zeros", name="v", **options)
        # So that sigma is positive, and nearly right, also before the first training step.
        matrix = ops.reshape(ops.cast(kernel.value, "float32"), (rows, columns))
        u, v = self._iterated(matrix, self.u.value, 10)
        self.u.assign(u)
        self.v.assign(v)

    def _iterated(self, matrix, u, times):
        """u and v after so many products with a matrix and its transpose."""
        for _ in range(times):
            v = _unit(ops.matmul(matrix, u))
            u = _unit(ops.matmul(v, matrix))
        return u, v

    def call(self, inputs, training=None):
        kernel = ops.convert_to_tensor(self.layer.kernel)
        matrix = ops.cast(ops.reshape(kernel, (-1, kernel.shape[-1])), "float32")
        u, v = ops.convert_to_tensor(self.u), ops.convert_to_tensor(self.v)
        if training:
            u, v = self._iterated(ops.stop_gradient(matrix), u, self.power_iterations)
            self.u.assign(u)
            self.v.assign(v)
        sigma = ops.sum(v * ops.matmul(matrix, u))
        normalized = matrix / ops.maximum(sigma, _TINY)
        normalized = ops.cast(ops.reshape(normalized, kernel.shape), kernel.dtype)
        # Within the scope the layer's kernel has another value; its other weights have their own.
        values = [(variable, variable.value) for variable in self.layer.variables]
        values.append((self.layer.kernel, normalized))
        with keras.StatelessScope(state_mapping=values):
            return self.layer(inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)
