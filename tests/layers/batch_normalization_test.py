"""kzoo's batch normalization is Keras's, to rounding: outputs, statistics, both derivatives."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import backend
from kzoo.layers import BatchNormalization


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.fixture
def layers():
    pair = [
        cls(momentum=0.8, epsilon=1e-3)
        for cls in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    for layer in pair:
        layer.build((None, 3, 4, 2))
        layer.gamma.assign([0.5, 2.0])
        layer.beta.assign([-1.0, 0.3])
    return pair


X = np.random.RandomState(0).normal(1.0, 2.0, (5, 3, 4, 2)).astype("float32")


@pytest.mark.parametrize("training", [True, False])
def test_outputs_and_moving_statistics(layers, training):
    ours, theirs = (numpy(layer(X, training=training)) for layer in layers)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for a, b in zip(layers[0].weights, layers[1].weights, strict=True):
        assert a.name == b.name
        np.testing.assert_allclose(numpy(a), numpy(b), rtol=1e-5)


def test_gradients(layers):
    results = []
    for layer in layers:

        def loss(layer=layer):
            y, gradient = backend.input_gradient(
                lambda x: ops.sin(layer(x, training=True)), ops.convert_to_tensor(X)
            )
            return ops.sum(y) + ops.sum(gradient**2), gradient

        (_, gradient), gradients = backend.value_and_grad(loss, layer.trainable_variables)
        results.append([numpy(gradient), *map(numpy, gradients)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4, rtol=2e-4)
