"""Weight normalization with data-dependent initialization.

[1] Salimans and Kingma, Weight Normalization: A Simple Reparameterization to Accelerate
    Training of Deep Neural Networks, 2016 (arXiv:1602.07868): w = g v / ||v|| (eq. 2), and the
    initialization of g and b from a batch of data (section 3, eqs. 5 and 6).
"""

import contextlib

import keras
from keras import ops

from kzoo import backend
from kzoo.configs import Configured


class WeightNorm(Configured, keras.layers.Layer):
    """A linear layer with the weights w = g v / ||v||, one norm and one g per output feature.

    A subclass builds the kernel by `build_kernel` and supplies `linear(x, kernel)`.

    Within `initializing()`, a call first sets g and b such that its outputs have mean 0 and
    standard deviation `init_scale` in every feature, over all examples and places, those of other
    replicas too.

    Args:
        filters: int, number of output features.
        init_scale: positive float.
    """

    initializing = False

    def __init__(self, filters, init_scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.init_scale = init_scale

    def build_kernel(self, shape):
        """Adds the weights; the last of the kernel's axes is that of the output features."""
        # Not rounded to half precision before the norm is taken.
        options = {"autocast": False}
        normal = keras.initializers.RandomNormal(stddev=0.05)
        scale = keras.initializers.Constant(self.init_scale)
        self.v = self.add_weight((*shape, self.filters), normal, name="v", **options)
        self.g = self.add_weight((self.filters,), scale, name="g", **options)
        self.b = self.add_weight((self.filters,), "zeros", name="b", **options)

    def kernel(self):
        """w, in the precision that the layer computes in."""
        v = ops.convert_to_tensor(self.v)
        squares = ops.sum(ops.square(v), axis=tuple(range(len(v.shape) - 1)))
        return ops.cast(v * (self.g * ops.rsqrt(squares)), self.compute_dtype)

    def bias(self):
        """b, in the precision that the layer computes in."""
        return ops.cast(self.b, self.compute_dtype)

    def linear(self, x, kernel):
        """The layer's outputs without the bias."""
        raise NotImplementedError

    def initialize(self, x):
        """Sets g and b from inputs x (reference 1, eqs. 5 and 6)."""
        self.g.assign(ops.ones(self.g.shape))
        y = ops.cast(self.linear(x, self.kernel()), "float32")
        axes = tuple(range(len(y.shape) - 1))
        mean = backend.replica_mean(ops.mean(y, axes))
        variance = backend.replica_mean(ops.mean(ops.square(y - mean), axes))
        g = self.init_scale * ops.rsqrt(variance + 1e-10)
        self.g.assign(g)
        self.b.assign(-mean * g)

    def call(self, x):
        if self.initializing:
            self.initialize(x)
        return self.linear(x, self.kernel()) + self.bias()


@keras.saving.register_keras_serializable(package="kzoo")
class WeightNormDense(WeightNorm):
    """A weight-normalized dense layer; over images a 1x1 convolution ("network in network").

    Args:
        filters: int, number of output features.
        init_scale: positive float, see `WeightNorm`.

    Input shape: `(..., features)`.
    Output shape: `(..., filters)`.
    """

    def build(self, input_shape):
        self.build_kernel((input_shape[-1],))

    def linear(self, x, kernel):
        return ops.matmul(x, kernel)


@contextlib.contextmanager
def initializing():
    """A context in which the weight-normalized layers that are called initialize themselves."""
    WeightNorm.initializing = True
    try:
        yield
    finally:
        WeightNorm.initializing = False
