"""Affine coupling flow.

[1] Dinh, Sohl-Dickstein and Bengio, Density Estimation using Real NVP, 2017 (arXiv:1605.08803):
    the coupling layer (eqs. 4 and 5), its log-determinant (eq. 6), its inverse (eq. 8), and the
    alternation of the halves (section 3.5).
[2] Rezende and Mohamed, 2015 (arXiv:1505.05770): a flow as an approximate posterior.

Deviations from [1]: fully connected conditioners, which also see a context h from the encoder;
log-scales within (-2, 2) by a tanh; the last layers start from 0, so that the flow starts as the
identity.
"""

import keras
from keras import ops

from kzoo.distributions.posteriors.posterior import ContextFlow

_MAX_LOG_SCALE = 2.0


@keras.saving.register_keras_serializable(package="kzoo")
class CouplingFlow(ContextFlow):
    """A diagonal Gaussian pushed through affine couplings, for latent_dim >= 2 [1].

    The parameters are the mean, the log-variance and the context h.

    Args:
        steps: number of couplings; each changes one half of z, the first and the second in turn.
        units: of the conditioners' hidden layer.
        context: length of h.
        activation: of the hidden layers, a Keras name.
    """

    def __init__(self, steps=4, units=128, context=32, activation="elu", **kwargs):
        super().__init__(steps, units, context, activation, **kwargs)

    def build(self, input_shape):
        self.dim = input_shape[-1]
        if self.dim < 2:
            raise ValueError(f"A CouplingFlow needs a latent_dim of at least 2, got {self.dim}.")
        # The names are paths in weights files: the hidden layer's parts that take the kept half of
        # z and the context.
        self.of_kept, self.of_context, self.outputs = [], [], []
        options = {"dtype": self.dtype_policy}
        for t in range(self.steps):
            kept = len(range(self.dim)[self._halves(t)[0]])
            self.of_kept.append(keras.layers.Dense(self.units, **options))
            self.of_context.append(keras.layers.Dense(self.units, use_bias=False, **options))
            self.outputs.append(
                keras.layers.Dense(2 * (self.dim - kept), kernel_initializer="zeros", **options)
            )
            self.of_kept[-1].build((None, kept))
            self.of_context[-1].build((None, self.context))
            self.outputs[-1].build((None, self.units))
        self.built = True

    def _halves(self, t):
        """Which part of z coupling t keeps, and which it changes."""
        middle = self.dim // 2
        first, second = slice(0, middle), slice(middle, self.dim)
        return (first, second) if t % 2 == 0 else (second, first)

    def conditioner(self, t, kept, h):
        """Log-scales and shifts of the changed half, from the kept one and h."""
        hidden = self.of_kept[t](kept) + self.of_context[t](h)
        outputs = self.outputs[t](keras.activations.get(self.activation)(hidden))
        log_scale, shift = ops.split(outputs, 2, axis=-1)
        return _MAX_LOG_SCALE * ops.tanh(log_scale / _MAX_LOG_SCALE), shift

    def _joined(self, t, kept, changed):
        return ops.concatenate([kept, changed] if t % 2 == 0 else [changed, kept], axis=-1)

    def forward(self, z, h):
        log_det = 0.0
        for t in range(self.steps):
            keep, change = self._halves(t)
            kept, changed = z[..., keep], z[..., change]
            log_scale, shift = self.conditioner(t, kept, h)
            z = self._joined(t, kept, changed * ops.exp(log_scale) + shift)
            log_det = log_det + ops.sum(log_scale, axis=-1)
        return z, log_det

    def inverse(self, z, h):
        """The z that `forward` maps to this one."""
        for t in reversed(range(self.steps)):
            keep, change = self._halves(t)
            kept, changed = z[..., keep], z[..., change]
            log_scale, shift = self.conditioner(t, kept, h)
            z = self._joined(t, kept, (changed - shift) * ops.exp(-log_scale))
        return z
