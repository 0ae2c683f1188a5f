"""What the two layers of the PixelRNN share (van den Oord et al. 2016, arXiv:1601.06759)."""

import keras
import numpy as np
from keras import ops

from kzoo.layers import MaskedConv2D, MaskedRowConv2D


class LSTMLayer(keras.layers.Layer):
    """Input-to-state 2h -> 4h, LSTM of h units, 1x1 convolution to 2h; plus the input (figure 5).

    The axes of the pixels come before that of the batch, so that a row or a diagonal of pixels is
    contiguous in memory.

    Args:
        units: int, h of the paper.
        kernel_size: int, odd, of the input-to-state component, whose mask is B.
        directions: int, number of independent LSTMs.
        taps: int, how many states of earlier pixels a state depends on.
        groups: int, number of image channels. Only the input-to-state component and the 1x1
            convolution divide their features among them. The states do not need it: a state
            belongs to another pixel, of which all channels may be seen.
        condition_features: int, number of features of the condition, 0 for none.

    Input and output shape: `(height, width, batch, 2 * units)`.
    """

    def __init__(
        self, units, kernel_size, directions, taps, groups=1, condition_features=0, **kwargs
    ):
        super().__init__(**kwargs)
        self.units = units
        self.directions = directions
        self.taps = taps
        self.groups = groups
        self.condition_features = condition_features
        options = {"groups": groups, "dtype": self.dtype_policy}
        self.input_to_state = MaskedRowConv2D(
            4 * units * directions,
            kernel_size,
            "B",
            blocks=4 * directions,
            name="input_to_state",
            **options,
        )
        # A layer starts as the identity.
        self.expand = MaskedConv2D(
            2 * units, 1, "B", kernel_initializer="zeros", name="expand", **options
        )

    def build(self, input_shape=None):
        features = 2 * self.units
        self.input_to_state.build((None, None, None, features))
        # At first, a cell forgets little: see the deviations in pixelrnn.py.
        bias = np.zeros((self.directions, 4, self.units), "float32")
        bias[:, 1] = 1.0
        self.input_to_state.bias.assign(bias.ravel())
        self.state_to_state = [
            self.add_weight((self.taps, self.units, 4 * self.units), name=f"state_to_state_{i}")
            for i in range(self.directions)
        ]
        self.expand.build((None, None, None, self.units))
        if self.condition_features:
            self.condition_kernel = self.add_weight(
                (self.condition_features, 4 * self.units * self.directions), name="condition_kernel"
            )
        self.built = True

    def initial_rows(self, batch_size, width):
        """The two states above the first row, which `start_row` takes: zeros (b, w, units)."""
        return (ops.zeros((batch_size, width, self.units)),) * 2

    def input_kernel(self):
        """From the inputs, tap by tap, and the condition to the gates: (d, features, 4h)."""
        kernel = self.input_to_state.masked_kernel()
        kernel = ops.reshape(kernel, (-1, self.directions * 4 * self.units))
        if self.condition_features:
            condition = ops.cast(self.condition_kernel, kernel.dtype)
            kernel = ops.concatenate([kernel, condition])
        return self.by_direction(kernel)

    def state_kernel(self):
        """From the states, tap by tap, to the gates: (d, taps * h, 4h)."""
        kernels = [ops.reshape(k, (-1, 4 * self.units)) for k in self.state_to_state]
        return ops.cast(ops.stack(kernels), self.compute_dtype)

    def lstm_weights(self):
        """`kernel` and `bias` for `kzoo.models.autoregressive.pixelrnn.lstm.lstm`."""
        kernel = ops.concatenate([self.input_kernel(), self.state_kernel()], axis=1)
        return kernel, self.by_direction(self.input_to_state.bias[None])[:, 0]

    def by_direction(self, x):
        """x (..., d 4h) as (d, ..., 4h)."""
        return ops.stack(ops.split(x, self.directions, axis=-1))

    def condition_addend(self, condition):
        """What a row's condition (b, 1 or w, f) adds to the gates: (b, 1 or w, d 4h)."""
        addend = ops.matmul(condition, ops.cast(self.condition_kernel, condition.dtype))
        return ops.cast(addend, "float32")

    def with_condition(self, x, condition):
        """x (h, w, b, f) with the features of the condition (1 or h, 1 or w, b, g), if any."""
        if condition is None:
            return x
        shape = (*ops.shape(x)[:-1], self.condition_features)
        return ops.concatenate([x, ops.broadcast_to(condition, shape)], axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "groups": self.groups,
            "condition_features": self.condition_features,
        }
