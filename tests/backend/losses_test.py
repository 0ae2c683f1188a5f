"""`network.losses` inside the function that `value_and_grad` differentiates."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import backend


class Network(keras.Model):
    """One weight w = 2 with a regularizer, and an activity loss that reads the input."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(
            1,
            use_bias=False,
            kernel_initializer=keras.initializers.Constant(2.0),
            kernel_regularizer=lambda w: 10.0 * ops.sum(ops.square(w)),
        )

    def call(self, x):
        self.add_loss(100.0 * ops.sum(self.dense(x)))
        return self.dense(x)

    def gradient(self, x, calls=1):
        def loss():
            outputs = [self(x) for _ in range(calls)]
            return ops.sum(outputs[0]) + sum(self.losses), tuple(self.losses)

        return backend.value_and_grad(loss, self.trainable_variables)

    @backend.compiled
    def compiled_gradient(self, x):
        return self.gradient(x)

    @backend.compiled
    def gradient_in_a_loop(self, x):
        def step(i, carry):
            (value, _), (gradient,) = self.gradient(x, calls=2)
            return value, gradient

        return backend.repeat(3, step, (ops.zeros(()), ops.zeros((1, 1))))


@pytest.mark.parametrize("way", ["gradient", "compiled_gradient", "gradient_in_a_loop"])
def test_added_losses_and_regularizers_count(way):
    x = ops.convert_to_tensor(np.array([[3.0]], "float32"))
    network = Network()
    network(x)
    for _ in range(2):
        result = getattr(network, way)(x)
        value, gradient = result if way == "gradient_in_a_loop" else (result[0][0], result[1][0])
        # 3 w + 100 * 3 w + 10 w^2 at w = 2, and the derivative
        np.testing.assert_allclose(ops.convert_to_numpy(value), 6 + 600 + 40, rtol=1e-6)
        np.testing.assert_allclose(ops.convert_to_numpy(gradient), [[3 + 300 + 40]], rtol=1e-6)
