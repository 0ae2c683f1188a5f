"""PixelCNN: the joint distribution of all pixels as a product of conditionals.

Implements
    [1] van den Oord, Kalchbrenner and Kavukcuoglu, Pixel Recurrent Neural Networks, 2016
        (arXiv:1601.06759): the factorization over pixels (eq. 1) and channels (eq. 2) with
        discrete values (section 3.1), residual blocks (section 3.3, figure 5), masks A and B
        (section 3.4), the PixelCNN (section 3.5, last column of table 1).

Deviations: Adam instead of RMSProp; masked rows of the kernels are left out instead of multiplied
by zero; the last convolution, and the last one of every block, start at zero; an optional bias of
every row and column (`position_bias`). The sampler is ours: it computes one pixel of every layer
from cached rows instead of the whole image per pixel.
"""

import math

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.layers import MaskedConv2D
from kzoo.layers.masked_conv import next_row
from kzoo.losses import bernoulli_log_likelihood
from kzoo.models.base import GenerativeModel, to_uint8
from kzoo.models.data import check_images, check_positive_int
from kzoo.models.pixelcnn.residual_block import ResidualBlock


@keras.saving.register_keras_serializable(package="kzoo")
class PixelCNN(GenerativeModel):
    """PixelCNN over images of discrete values (reference 1).

    A pixel is predicted from the pixels above it and to its left, and each of its channels also
    from the channels before it (R, G, B). Images are quantized first: a grey value g in 0..255
    has the level `floor(g * levels / 256)`. With `levels=2`, binary images are 0 and 255, and grey
    ones are thresholded at 128; to model random binarizations, binarize the data
    (`kzoo.datasets.load(..., binarize="dynamic")`).

    `model(images)` returns the distribution of every value given the values before it. `fit` and
    `evaluate` report `nll`, the negative log-likelihood in nats per image (the loss), and
    `bits_per_dim`, the same in bits per value.

    Args:
        image_shape: `(height, width, channels)` of the images.
        levels: number of values that a channel can take, 2..256.
        filters: h of the paper; the residual stream has 2h features.
        num_blocks: number of residual blocks. One pixel sees `3 + num_blocks` pixels to its left.
        head_filters: features of the two 1x1 convolutions before the output.
        position_bias: whether the first convolution gets a learned bias for every row and every
            column. It tells the network where in the image it is, which convolutions alone see
            only near the border: a large gain on centred images. The paper's model has none.
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Input shape: `(batch, height, width, channels)`, uint8 or floats in [-1, 1].
    Output shape: logits, `(batch, height, width, channels)` of the higher level for `levels=2`,
    else `(batch, height, width, channels, levels)`.

    Raises:
        ValueError: if `levels` is not in 2..256, or fewer filters than channels are asked for.
    """

    loss_names = ("nll", "bits_per_dim")

    def __init__(
        self,
        image_shape=(28, 28, 1),
        levels=2,
        filters=32,
        num_blocks=8,
        head_filters=32,
        position_bias=True,
        **kwargs,
    ):
        super().__init__(image_shape, **kwargs)
        self.levels = check_positive_int("levels", levels)
        if not 2 <= self.levels <= 256:
            raise ValueError(f"levels must be in 2..256, got {levels}.")
        self.filters = check_positive_int("filters", filters)
        self.num_blocks = check_positive_int("num_blocks", num_blocks)
        self.head_filters = check_positive_int("head_filters", head_filters)
        self.position_bias = bool(position_bias)
        channels = self.image_shape[-1]
        if min(filters, head_filters) < channels:
            raise ValueError(
                "filters and head_filters must be at least the number of channels "
                f"({channels}), got filters={filters} and head_filters={head_filters}."
            )

        shared = {"groups": channels, "dtype": self.dtype_policy}
        self.first = MaskedConv2D(2 * filters, 7, "A", name="first", **shared)
        self.blocks = [
            ResidualBlock(filters, name=f"block_{i}", **shared) for i in range(num_blocks)
        ]
        self.head = [MaskedConv2D(head_filters, 1, "B", name=f"head_{i}", **shared) for i in (0, 1)]
        # At first, all values are equally likely.
        outputs = channels * (1 if levels == 2 else levels)
        self.output_layer = MaskedConv2D(
            outputs, 1, "B", kernel_initializer="zeros", name="output", **shared
        )
        self.build((None, *self.image_shape))

    def build(self, input_shape):
        stream = (*input_shape[:-1], 2 * self.filters)
        hidden = (*input_shape[:-1], self.head_filters)
        self.first.build(input_shape)
        if self.position_bias:
            height, width, _ = self.image_shape
            self.row_bias = self.add_weight((height, stream[-1]), "zeros", name="row_bias")
            self.column_bias = self.add_weight((width, stream[-1]), "zeros", name="column_bias")
        for block in self.blocks:
            block.build(stream)
        for layer, shape in zip(self.head, (stream, hidden), strict=True):
            layer.build(shape)
        self.output_layer.build(hidden)
        self.built = True

    def get_config(self):
        return {
            **super().get_config(),
            "levels": self.levels,
            "filters": self.filters,
            "num_blocks": self.num_blocks,
            "head_filters": self.head_filters,
            "position_bias": self.position_bias,
        }

    # The distribution --------------------------------------------------------------------------

    def to_levels(self, images):
        """The levels 0 .. levels - 1 (floats) of uint8 images or floats in [-1, 1]."""
        if keras.backend.standardize_dtype(images.dtype) != "uint8":
            images = to_uint8(images)
        return ops.floor(ops.cast(images, "float32") * self.levels / 256)

    def grey_values(self):
        """The grey values 0..255 that stand for the levels and quantize to them, NumPy."""
        level = np.arange(self.levels)  # evenly spaced, as far as the bounds of a level allow
        lowest = np.ceil(level * 256 / self.levels)
        highest = np.ceil((level + 1) * 256 / self.levels) - 1
        return np.clip(np.round(level * 255 / (self.levels - 1)), lowest, highest)

    def scale(self, levels):
        """Levels as the network sees them, in [-1, 1]."""
        return ops.cast(2.0 * levels / (self.levels - 1) - 1.0, self.compute_dtype)

    def call(self, images):
        x = self.first(self.scale(self.to_levels(images)))  # (b, h, w, 2 filters)
        if self.position_bias:
            x = x + ops.cast(self.row_bias[:, None] + self.column_bias, x.dtype)
        for block in self.blocks:
            x = block(x)
        return self.logits(x)

    def logits(self, x):
        """The head, on features `(b, h, w, 2 filters)` or on those of one pixel."""
        for layer in (*self.head, self.output_layer):
            x = layer(ops.relu(x))
        if self.levels > 2:
            x = ops.reshape(x, (-1, *x.shape[1:-1], self.image_shape[-1], self.levels))
        return ops.cast(x, "float32")

    def log_prob(self, images):
        """log p(x) of images (b, h, w, c), exact, in nats: a tensor `(b,)` (eqs. 1 and 2)."""
        levels = self.to_levels(images)
        logits = self(images)
        if self.levels == 2:
            values = bernoulli_log_likelihood(levels, logits)
        else:
            values = -ops.sparse_categorical_crossentropy(
                ops.cast(levels, "int32"), logits, from_logits=True
            )
        return ops.sum(values, axis=(1, 2, 3))

    def log_likelihood(self, x, batch_size=64):
        """The exact log-likelihood log p(x) of every image.

        Args:
            x: NumPy array (n, height, width, channels), uint8 or floats in [-1, 1]. The images
                are quantized to `levels` values: the result is the probability of the quantized
                image, so it depends on `levels`.
            batch_size: how many images to compute at once; changes memory and speed only.

        Returns:
            Float NumPy array (n,), in nats per image.

        Raises:
            ValueError: if the images' type, shape or values do not fit the model.
        """
        check_images(self, x)
        batch_size = check_positive_int("batch_size", batch_size)
        self.sync_state()
        batches = [
            ops.convert_to_numpy(self._log_prob(x[i : i + batch_size]))
            for i in range(0, len(x), batch_size)
        ]
        return np.concatenate(batches) if batches else np.zeros(0, "float32")

    @backend.compiled
    def _log_prob(self, images):
        return self.log_prob(images)

    def bits_per_dim(self, nll):
        """Nats per image as bits per value: divided by height * width * channels * ln 2."""
        return nll / (math.prod(self.image_shape) * math.log(2.0))

    # Training ----------------------------------------------------------------------------------

    def nll(self, x):
        """The loss: the mean negative log-likelihood of images `x`, in nats per image."""
        return -ops.mean(self.log_prob(x))

    def update(self, x):
        nll, _ = self.minimize(lambda: self.nll(x), self.trainable_variables, self.optimizer)
        return {"nll": nll, "bits_per_dim": self.bits_per_dim(nll)}

    def evaluation(self, x):
        nll = self.nll(x)
        return {"nll": nll, "bits_per_dim": self.bits_per_dim(nll)}

    # Sampling ----------------------------------------------------------------------------------

    def initial_caches(self, batch_size):
        """The cached rows of the layers that look at other pixels, before the first row."""
        layers = [self.first, *(block.spatial for block in self.blocks)]
        width = self.image_shape[1]
        return tuple(layer.initial_cache(batch_size, width) for layer in layers)

    def step(self, levels, caches, row, column):
        """The logits of one pixel, from its own levels and the cached rows.

        Args:
            levels: `(b, c)`, the pixel's levels; the ones not known yet may be anything.
            caches: see `initial_caches`; they hold all pixels before this one.
            row, column: the pixel's place, ints or integer tensors.

        Returns:
            `(logits, caches)`: what `call` gives at this pixel, `(b, c)` or `(b, c, levels)`, and
            the caches with this pixel.
        """
        first_cache, *block_caches = caches
        first_cache = self.first.store(first_cache, self.scale(levels), column)
        x = self.first.step(first_cache, column)  # (b, 2 filters)
        if self.position_bias:
            bias = ops.take(self.row_bias, row, axis=0) + ops.take(self.column_bias, column, axis=0)
            x = x + ops.cast(bias, x.dtype)
        for i, block in enumerate(self.blocks):
            x, block_caches[i] = block.step(x, block_caches[i], column)
        return self.logits(x), (first_cache, *block_caches)

    def draw_noise(self, num_samples, seed):
        """Uniform numbers in [0, 1), one for every value of an image: (n, h, w, c)."""
        return keras.random.uniform((num_samples, *self.image_shape), seed=seed)

    @backend.compiled
    def transform_noise(self, noise):
        """Draws images, value by value in raster order, by the inverse of each distribution.

        Args:
            noise: uniform numbers (n, h, w, c) in [0, 1), one for every value.

        Returns:
            Floats (n, h, w, c) in [-1, 1].
        """
        height, width, channels = self.image_shape
        batch_size = ops.shape(noise)[0]

        def draw_row(row, carry):
            def draw_pixel(column, carry):
                images, caches = carry
                uniforms = ops.slice(noise, (0, row, column, 0), (batch_size, 1, 1, channels))
                levels = ops.zeros((batch_size, channels))
                for c in range(channels):
                    logits, caches = self.step(levels, caches, row, column)
                    level = self.inverse_cdf(logits[:, c], uniforms[:, 0, 0, c])
                    levels = levels + level[:, None] * ops.one_hot(c, channels)
                # `step` knew all channels but the last, which the first layer has yet to see.
                first_cache = self.first.store(caches[0], self.scale(levels), column)
                images = ops.slice_update(images, (0, row, column, 0), levels[:, None, None])
                return images, (first_cache, *caches[1:])

            images, caches = carry
            caches = tuple(next_row(cache) for cache in caches)
            return backend.repeat(width, draw_pixel, (images, caches))

        images = ops.zeros((batch_size, height, width, channels))
        images, _ = backend.repeat(height, draw_row, (images, self.initial_caches(batch_size)))
        grey = ops.convert_to_tensor(self.grey_values() / 127.5 - 1.0, "float32")
        return ops.take(grey, ops.cast(images, "int32"))

    def inverse_cdf(self, logits, uniforms):
        """The levels (b,), as floats, at which the distributions reach `uniforms` (b,)."""
        if self.levels == 2:
            return ops.cast(uniforms < ops.sigmoid(logits), "float32")
        cdf = ops.cumsum(ops.softmax(logits), axis=-1)  # (b, levels)
        # The last entry is 1 up to rounding, which must not make a level of its own.
        below = uniforms[:, None] >= cdf[:, :-1]
        return ops.sum(ops.cast(below, "float32"), axis=-1)
