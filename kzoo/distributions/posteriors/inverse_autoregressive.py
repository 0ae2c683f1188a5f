"""Inverse autoregressive flow.

[1] Kingma, Salimans, Jozefowicz, Chen, Sutskever and Welling, Improved Variational Inference with
    Inverse Autoregressive Flow, 2016 (arXiv:1606.04934): algorithm 1, with the gates of eqs. 13
    and 14.
[2] Germain, Gregor, Murray and Larochelle, MADE: Masked Autoencoder for Distribution Estimation,
    2015 (arXiv:1502.03509): the masks (eqs. 8 and 9).

Deviations: hidden units have the degrees 0 .. d - 1 in turn, not drawn at random as in [2]; those
of degree 0 see the context only.
"""

import keras
import numpy as np
from keras import ops

from kzoo.distributions.posteriors.posterior import ContextFlow

_GATE_BIAS = 2.0  # a step starts near the identity, as [1] advises: "+1 or +2"


class MADE(keras.layers.Layer):
    """A masked network whose outputs i depend on the inputs before i, and on a context [2].

    Args:
        units: of the hidden layer.
        context: length of the context vector.
        activation: of the hidden layer, a Keras name.

    Called on z (..., b, d) and h (b, context), it returns `(m, s)`, each like z.
    """

    def __init__(self, units, context, activation, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.context = context
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        dim = input_shape[-1]
        self.first = self.add_weight((dim, self.units), "glorot_uniform", name="first")
        self.of_context = self.add_weight(
            (self.context, self.units), "glorot_uniform", name="of_context"
        )
        self.first_bias = self.add_weight((self.units,), "zeros", name="first_bias")
        small = keras.initializers.RandomNormal(stddev=0.01)
        self.last = self.add_weight((self.units, 2 * dim), small, name="last")
        self.last_bias = self.add_weight((2 * dim,), "zeros", name="last_bias")
        inputs, hidden = np.arange(1, dim + 1), np.arange(self.units) % dim
        self.first_mask = (hidden >= inputs[:, None]).astype("float32")  # eq. 8
        mask = (inputs > hidden[:, None]).astype("float32")  # eq. 9
        self.last_mask = np.concatenate([mask, mask], axis=1)
        self.built = True

    def call(self, z, h):
        hidden = ops.matmul(z, self.first * self.first_mask) + ops.matmul(h, self.of_context)
        hidden = self.activation(hidden + self.first_bias)
        outputs = ops.matmul(hidden, self.last * self.last_mask) + self.last_bias
        return ops.split(outputs, 2, axis=-1)


@keras.saving.register_keras_serializable(package="kzoo")
class InverseAutoregressiveFlow(ContextFlow):
    """A diagonal Gaussian pushed through inverse autoregressive steps [1].

    The parameters are the mean, the log-variance and the context h.

    Args:
        steps: number of steps; the order of the dimensions is reversed between them.
        units: of the autoregressive networks' hidden layer.
        context: length of h.
        activation: of the hidden layers, a Keras name.
    """

    def __init__(self, steps=4, units=320, context=64, activation="elu", **kwargs):
        super().__init__(steps, units, context, activation, **kwargs)

    def build(self, input_shape):
        self.dim = input_shape[-1]
        self.networks = [
            MADE(self.units, self.context, self.activation, dtype=self.dtype_policy)
            for _ in range(self.steps)
        ]
        for network in self.networks:
            network.build((None, self.dim))
        self.built = True

    def gate(self, t, z, h):
        """m and log sigma of step t, each like z (eqs. 13 and 14)."""
        m, s = self.networks[t](z, h)
        return m, ops.log_sigmoid(s + _GATE_BIAS)

    def forward(self, z, h):
        log_det = 0.0
        for t in range(self.steps):
            if t:
                z = ops.flip(z, axis=-1)
            m, log_sigma = self.gate(t, z, h)
            sigma = ops.exp(log_sigma)
            z = sigma * z + (1.0 - sigma) * m
            log_det = log_det + ops.sum(log_sigma, axis=-1)
        return z, log_det

    def inverse(self, z, h):
        """The z that `forward` maps to this one, by one pass per dimension and step."""
        for t in reversed(range(self.steps)):
            x = ops.zeros_like(z)
            for _ in range(self.dim):  # each pass makes one more dimension right
                m, log_sigma = self.gate(t, x, h)
                sigma = ops.exp(log_sigma)
                x = (z - (1.0 - sigma) * m) / sigma
            z = ops.flip(x, axis=-1) if t else x
        return z
