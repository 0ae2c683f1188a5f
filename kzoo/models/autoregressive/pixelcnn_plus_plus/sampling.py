"""Drawing from PixelCNN++ pixel by pixel: each resolution only where it has a new pixel.

    [1] Ramachandran et al., Fast Generation for Convolutional Autoregressive Models, 2017
        (arXiv:1704.06001): caches of a network at several resolutions (section 3).
    [2] Salimans et al., PixelCNN++, 2017 (arXiv:1701.05517): the mixture (sections 2.1 and 2.2).

The vertical stream is computed for a whole row, before the row's first pixel; the horizontal stream
pixel by pixel. Half the resolution has a row for every second row of the image, and a pixel for
every second column of such a row; a quarter of the resolution has one for every fourth. Its outputs
are kept for the pixels that read them later.
"""

from keras import ops

from kzoo.distributions.likelihoods import MIN_LOG_SCALE, shifted_mean


class MixtureSampler:
    """The sampling functions of `PixelCNNPlusPlus`, a mixin before `PixelModel`.

    `rows` begins with the last two rows of the image: the upper one, and the lower one with a pixel
    of zeros to its left. Both have the channel of ones. Then comes what `Resolution` keeps.
    """

    channels_per_step = None

    @property
    def sampling_block(self):
        return 2 ** (self.num_resolutions - 1)

    def row_in_block(self, row):
        # All odd rows are treated alike.
        return (row if row % 2 == 0 else 1) % self.sampling_block

    @property
    def noise_per_pixel(self):
        """One number for the component, one for each channel."""
        return self.image_shape[-1] + 1

    def draw_channel(self, channel, levels, parameters, uniforms, given, missing, temperature):
        """All levels (b, c) of a pixel, channel by channel, from its (b, num_outputs) parameters.

        A logistic variable that is rounded to the nearest level, and cut off at the first and the
        last one, has the discretized logistic distribution.
        """
        logits, means, log_scales, coefficients = self.mixture(parameters)
        index = self.inverse_cdf(logits / temperature, uniforms[:, 0])
        components = ops.arange(self.num_mixtures, dtype="float32")
        chosen = ops.cast(ops.equal(index[:, None], components), "float32")[:, None]  # (b, 1, k)
        means, log_scales, coefficients = (
            None if x is None else ops.sum(x * chosen, axis=-1, keepdims=True)
            for x in (means, log_scales, coefficients)
        )
        scales = temperature * ops.exp(ops.maximum(log_scales, MIN_LOG_SCALE))
        levels, values = [], []  # (b, 1) each
        for c in range(self.image_shape[-1]):
            u = ops.maximum(uniforms[:, c + 1, None], 1e-12)
            noise = ops.log(u) - ops.log1p(-u)
            x = shifted_mean(c, values, means, coefficients) + scales[:, c] * noise
            drawn = ops.clip(ops.round((x + 1.0) * 127.5), 0.0, 255.0)
            levels.append(missing * drawn + (1.0 - missing) * given[:, c : c + 1])
            values.append(2.0 * levels[-1] / 255.0 - 1.0)
        return ops.concatenate(levels, axis=-1)

    def draw_pixel(
        self, row_cache, pixel_cache, column, column_in_block, uniforms, given, missing, temperature
    ):
        parameters, pixel_cache = self.step(row_cache, pixel_cache, column, column_in_block)
        levels = self.draw_channel(0, None, parameters, uniforms, given, missing, temperature)
        return levels, self.store(self.scale(levels), pixel_cache, column)

    def initial_rows(self, batch_size):
        _, width, channels = self.image_shape
        row = ops.zeros((batch_size, 1 + width, channels + 1), self.compute_dtype)
        return row[:, 1:], row, *self.network.initial_rows(batch_size, width)

    def start_row(self, rows, row, condition, row_in_block):
        above, last, vertical, horizontal = rows  # two rows of the image, the second padded
        x = self.first_above.row(above, last[:, 1:])
        first, kernel = self.first_left.row_cache(last[:, :-1])
        first = first + self.first_row_above.row(last[:, 1:])
        network_cache, vertical, network_pixels, _ = self.network.start_row(
            vertical, horizontal, x, condition, row_in_block
        )
        output = self.output_layer.kernel(), self.output_layer.bias()
        row_cache = (first, kernel), network_cache, output, (last[:, 1:], vertical)
        return row_cache, (ops.zeros_like(last), network_pixels)

    def store(self, x, pixel_cache, column):
        image, network_pixels = pixel_cache
        x = ops.concatenate([x, ops.ones_like(x[:, :1])], axis=-1)
        return ops.slice_update(image, (0, column + 1, 0), x[:, None]), network_pixels

    def step(self, row_cache, pixel_cache, column, column_in_block):
        first, network_cache, (kernel, bias), _ = row_cache
        image, network_pixels = pixel_cache
        x = self.first_left.step(first, image, column)
        x, network_pixels = self.network.step(
            network_cache, network_pixels, x, column, column_in_block
        )
        parameters = ops.matmul(ops.elu(x), kernel) + bias
        return ops.cast(parameters, "float32"), (image, network_pixels)

    def end_row(self, rows, row_cache, pixel_cache):
        above, vertical = row_cache[-1]
        image, horizontal = pixel_cache
        return above, image, vertical, horizontal
