"""Drawing from PixelCNN++ pixel by pixel: each resolution only where it has a new pixel.

    [1] Ramachandran et al., Fast Generation for Convolutional Autoregressive Models, 2017
        (arXiv:1704.06001): caches of a network at several resolutions (section 3).
    [2] Salimans et al., PixelCNN++, 2017 (arXiv:1701.05517): the mixture (sections 2.1 and 2.2).

The vertical stream is computed a row at a time, before the row's first pixel, the horizontal one
at a pixel. At half (a quarter of) the resolution there is a row only where a row of the image
is a multiple of 2 (4), and a pixel only where its column is one, too; what it yields is kept for
the pixels that read it later.
"""

from keras import ops

from kzoo.distributions.likelihoods import MIN_LOG_SCALE, shifted_mean


class MixtureSampler:
    """The sampling functions of `PixelCNNPlusPlus`, a mixin before `PixelModel`.

    Of a row of the image, with its ones and one pixel of zeros before it, `rows` holds the last
    one and, without that pixel, the one above it; then what `Resolution` keeps.
    """

    channels_per_step = None

    @property
    def sampling_block(self):
        return 2 ** (self.num_resolutions - 1)

    def row_phase(self, row):
        # Odd rows are all alike.
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

    def draw_pixel(self, plan, buffers, column, phase, uniforms, given, missing, temperature):
        parameters, buffers = self.step(plan, buffers, column, phase)
        levels = self.draw_channel(0, None, parameters, uniforms, given, missing, temperature)
        return levels, self.store(self.scale(levels), buffers, column)

    def initial_rows(self, batch_size):
        _, width, channels = self.image_shape
        row = ops.zeros((batch_size, 1 + width, channels + 1), self.compute_dtype)
        return row[:, 1:], row, *self.network.initial_rows(batch_size, width)

    def start_row(self, rows, row, condition, phase):
        above, last, vertical, horizontal = rows  # two rows of the image, the second padded
        x = self.first_above.row(above, last[:, 1:])
        first, kernel = self.first_left.plan(last[:, :-1])
        first = first + self.first_row_above.row(last[:, 1:])
        plan, vertical, buffers, _ = self.network.start_row(
            vertical, horizontal, x, condition, phase
        )
        output = self.output_layer.kernel(), self.output_layer.bias()
        plan = (first, kernel), plan, output, (last[:, 1:], vertical)
        return plan, (ops.zeros_like(last), buffers)

    def store(self, x, buffers, column):
        image, buffers = buffers
        x = ops.concatenate([x, ops.ones_like(x[:, :1])], axis=-1)
        return ops.slice_update(image, (0, column + 1, 0), x[:, None]), buffers

    def step(self, plan, buffers, column, phase):
        first, plan, (kernel, bias), _ = plan
        image, buffers = buffers
        x = self.first_left.step(first, image, column)
        x, buffers = self.network.step(plan, buffers, x, column, phase)
        parameters = ops.matmul(ops.elu(x), kernel) + bias
        return ops.cast(parameters, "float32"), (image, buffers)

    def end_row(self, rows, plan, buffers):
        above, vertical = plan[-1]
        image, horizontal = buffers
        return above, image, vertical, horizontal
