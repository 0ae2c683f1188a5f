"""Drawing images pixel by pixel, from caches of all that a new pixel does not change.

The network is never run on the whole image. One compiled program draws one row of pixels. It
first computes, for the whole row, what depends on the rows above only. Then a loop in the program
goes from pixel to pixel and computes the parts of the network at that pixel.

    [1] Ramachandran et al., Fast Generation for Convolutional Autoregressive Models, 2017
        (arXiv:1704.06001): caching instead of recomputing, for PixelCNN++.
"""

import numpy as np
from keras import ops, random

from kzoo import backend
from kzoo.batching import in_batches
from kzoo.checks import check_optional_int, check_positive, check_positive_int, seed_generator
from kzoo.conditions import check_given
from kzoo.images import check_images, to_uint8
from kzoo.layers.masked_conv import at_column
from kzoo.models.autoregressive.pixel_model.naive import NaiveSampler, track


class PixelSampler(NaiveSampler):
    """`generate` and `complete` of a pixel model (a mixin of `PixelModel`).

    A subclass supplies its network in five functions. They pass on three caches, which are
    (nested) tuples of tensors whose first axis is the batch:

    * `rows`: what the network keeps of the rows above.
    * `row_cache`: what it computes once per row, from the rows above.
    * `pixel_cache`: what it keeps of the row's pixels. Every pixel adds to it.

    The functions:

    * `initial_rows(batch_size)`: `rows` before the first row.
    * `start_row(rows, row, condition, row_in_block)`: `(row_cache, pixel_cache)` before the first
      pixel of a row. `row` is an integer tensor; `condition` is that row of `condition_maps()`,
      (b, 1 or width, condition_features), or `None`.
    * `store(x, pixel_cache, column)`: `pixel_cache` with the values x (b, c), see `scale`, of the
      pixel at that column.
    * `step(row_cache, pixel_cache, column, column_in_block)`: `(parameters, pixel_cache)`. The
      first is what `parameters` gives for the pixel at that column, (b, ...), from the values
      stored so far. A pixel with more than one channel takes one `step` per channel, with the
      same column.
    * `end_row(rows, row_cache, pixel_cache)`: `rows` after a row.

    A network may treat some rows and columns differently from others, as long as this repeats
    every `sampling_block` rows and columns. `row_in_block` and `column_in_block` say where in
    such a block a pixel is: Python ints from 0 to `sampling_block` - 1.
    """

    #: Height and width of the blocks of pixels after which the network's treatment repeats.
    sampling_block = 1

    def row_in_block(self, row):
        """The row's place in its block. Rows with the same place share one compiled program."""
        return row % self.sampling_block

    # Users' functions --------------------------------------------------------------------------

    def generate(
        self,
        num_samples=None,
        seed=None,
        temperature=1.0,
        batch_size=None,
        cached=True,
        verbose="auto",
        **condition,
    ):
        """Draws images.

        Args:
            num_samples, seed, batch_size: as in `kzoo.GenerativeModel.generate`.
            temperature: positive; the logits are divided by it. Below 1, likely values become
                likelier; 1 is the model's distribution.
            cached: `False` runs the network on the whole image for every value. It draws the same
                images, many times more slowly.
            verbose: whether to show the rows done, on the error stream; "auto" does so where
                drawing takes more than a few seconds.
            **condition: `labels` for a class-conditional model: an int, or an int array
                (num_samples,), by default the classes in turn: 0, 1, 2 and so on. `context` for a
                model with a context: float array (num_samples, height, width, context_features).

        Returns:
            uint8 NumPy array (num_samples, height, width, channels).

        Raises:
            ValueError: if an argument is not as described above.
        """
        num_samples = check_optional_int("num_samples", num_samples)
        count, condition = check_given(self, num_samples, condition)
        given, missing = self.nothing_given(count)
        options = (temperature, condition, batch_size, cached, verbose)
        return self._draw(given, missing, seed, *options)

    def complete(
        self, images, mask, seed=None, temperature=1.0, batch_size=None, verbose="auto", **condition
    ):
        """Fills in the missing pixels of images, such as their lower halves.

        Missing pixels are drawn in raster order, each from the pixels before it, given or drawn.
        Where all given pixels precede the missing ones, this is the model's exact conditional
        distribution; given pixels further down do not influence those drawn above them.

        Args:
            images: uint8 or floats in [-1, 1], (n, height, width, channels), quantized to `levels`.
                What they hold at missing pixels does not matter.
            mask: bool, (height, width) or (n, height, width): true where a pixel is missing.
            seed, temperature, batch_size, verbose: as in `generate`.
            **condition: as in `generate`; labels have no default here.

        Returns:
            uint8 NumPy array (n, height, width, channels); given pixels are unchanged.

        Raises:
            ValueError: if an argument is not as described above.
        """
        images = np.asarray(images)
        check_images(self, images)
        mask = np.asarray(mask)
        shape = (len(images), *self.image_shape[:2])
        if mask.dtype != bool or mask.shape not in (shape, shape[1:]):
            raise ValueError(
                f"mask must be a bool array of shape {shape[1:]} or {shape}, got {mask.shape} and "
                f"{mask.dtype}."
            )
        if not len(images):
            raise ValueError(f"complete() needs at least one image, got shape {images.shape}.")
        mask = np.broadcast_to(mask, shape)
        given = ops.convert_to_numpy(self.to_levels(images)) * ~mask[..., None]
        condition = self.check_condition(len(images), **condition)
        options = (temperature, condition, batch_size, True, verbose)
        drawn = self._draw(given.astype("float32"), mask, seed, *options)
        if images.dtype != np.uint8:
            images = ops.convert_to_numpy(to_uint8(ops.convert_to_tensor(images)))
        return np.where(mask[..., None], drawn, images)

    def _draw(self, given, missing, seed, temperature, condition, batch_size, cached, verbose):
        count = len(given)
        temperature = np.asarray(check_positive("temperature", temperature), "float32")
        batch_size = min(
            check_positive_int("batch_size", 64 if batch_size is None else batch_size), count
        )
        noise = ops.convert_to_numpy(self.draw_noise(count, seed_generator(seed)))
        draw = self.draw_images if cached else self.draw_images_naively
        rows = -(-count // batch_size) * self.image_shape[0]
        with self.with_state(), track(rows, verbose) as advance:
            levels = in_batches(
                lambda *parts: draw(*parts, temperature, advance),
                batch_size,
                noise,
                given,
                missing,
                condition,
            )
        return self.grey_values()[levels.astype("int32")].astype("uint8")

    def nothing_given(self, count):
        """`given` and `missing` of `draw_images` when all pixels are drawn."""
        given = np.zeros((count, *self.image_shape), "float32")
        return given, np.ones((count, *self.image_shape[:2]), bool)

    # Noise to levels ---------------------------------------------------------------------------

    @property
    def noise_per_pixel(self):
        """How many uniform numbers one pixel takes."""
        return self.image_shape[-1]

    def draw_noise(self, num_samples, seed):
        """Uniform numbers in [0, 1): (n, h, w, noise_per_pixel)."""
        shape = (num_samples, *self.image_shape[:2], self.noise_per_pixel)
        return random.uniform(shape, seed=seed)

    def transform_noise(self, noise, **condition):
        """Noise, as `draw_noise` draws it, to images: floats (n, h, w, c) in [-1, 1]."""
        given, missing = self.nothing_given(len(noise))
        _, condition = check_given(self, len(noise), condition)
        noise = ops.convert_to_numpy(noise)
        levels = self.draw_images(noise, given, missing, condition, np.ones((), "float32"))
        images = self.grey_values()[levels.astype("int32")] / 127.5 - 1.0
        return ops.convert_to_tensor(images, "float32")

    def draw_images(self, noise, given, missing, condition, temperature, advance=None):
        """Draws images, value by value in raster order, by the inverse cumulative distribution.

        Args:
            noise: uniform numbers (n, h, w, noise_per_pixel) in [0, 1), NumPy, as all arrays.
            given: levels (n, h, w, c), float, of the pixels that are not drawn.
            missing: bool (n, h, w), which pixels are drawn.
            condition: dict of NumPy arrays, by the names of `conditioned_on`.
            temperature: float scalar.
            advance: function called after each row.

        Returns:
            Levels (n, h, w, c), NumPy.
        """
        rows, condition = self._prepare(len(noise), condition)
        images = []
        for row in range(self.image_shape[0]):
            parts = (noise[:, row], given[:, row], missing[:, row])
            row_in_block = self.row_in_block(row)
            place = np.asarray(row, "int32")
            levels, rows = self._draw_row(rows, condition, place, row_in_block, *parts, temperature)
            images.append(ops.convert_to_numpy(levels))
            if advance is not None:
                advance()
        return np.stack(images, axis=1)

    @backend.compiled
    def _prepare(self, batch_size, condition):
        return self.initial_rows(batch_size), self.condition_maps(**condition)

    @backend.compiled_loops
    def _draw_row(self, rows, condition, row, row_in_block, noise, given, missing, temperature):
        """One row: noise (n, w, k), given (n, w, c), missing (n, w); returns `(levels, rows)`."""
        batch_size, width, channels = given.shape
        if condition is not None:
            one = condition.shape[1] == 1
            condition = condition[:, 0] if one else ops.take(condition, row, axis=1)
        row_cache, pixel_cache = self.start_row(rows, row, condition, row_in_block)
        missing = ops.cast(missing, "float32")[..., None]

        def draw_block(block, carry):
            for column_in_block in range(self.sampling_block):
                column = block * self.sampling_block + column_in_block
                at = [at_column(a, column) for a in (noise, given, missing)]
                levels, pixel_cache = carry
                drawn, pixel_cache = self.draw_pixel(
                    row_cache, pixel_cache, column, column_in_block, *at, temperature
                )
                levels = ops.slice_update(levels, (0, column, 0), drawn[:, None])
                carry = levels, pixel_cache
            return carry

        levels = ops.zeros((batch_size, width, channels))
        blocks = width // self.sampling_block
        levels, pixel_cache = backend.repeat(blocks, draw_block, (levels, pixel_cache))
        return levels, self.end_row(rows, row_cache, pixel_cache)

    def draw_pixel(
        self, row_cache, pixel_cache, column, column_in_block, uniforms, given, missing, temperature
    ):
        """The levels (b, c) of one pixel, and `pixel_cache` with it.

        Args:
            row_cache, pixel_cache, column, column_in_block: see the class.
            uniforms: (b, noise_per_pixel).
            given: (b, c), the levels of pixels that are not drawn.
            missing: (b, 1), 1 where the pixel is drawn, 0 where it takes the given levels.
            temperature: scalar.
        """
        channels = self.image_shape[-1]
        levels = ops.zeros_like(given)
        for c in range(channels):
            pixel_cache = self.store(self.scale(levels), pixel_cache, column)
            parameters, pixel_cache = self.step(row_cache, pixel_cache, column, column_in_block)
            levels = self.draw_channel(c, levels, parameters, uniforms, given, missing, temperature)
        return levels, self.store(self.scale(levels), pixel_cache, column)

    def draw_channel(self, channel, levels, parameters, uniforms, given, missing, temperature):
        """Adds one channel's levels to `levels` (b, c), whose earlier channels are known."""
        drawn = self.inverse_cdf(parameters[:, channel] / temperature, uniforms[:, channel])
        one = ops.one_hot(channel, self.image_shape[-1])
        value = missing * drawn[:, None] + (1.0 - missing) * given
        return levels + one * value

    def inverse_cdf(self, logits, uniforms):
        """The levels (b,), as floats, at which the distributions reach `uniforms` (b,)."""
        if self.levels == 2:
            return ops.cast(uniforms < ops.sigmoid(logits), "float32")
        cdf = ops.cumsum(ops.softmax(logits), axis=-1)  # (b, levels)
        # The last entry is 1, but rounding may make it less: it is left out.
        below = uniforms[:, None] >= cdf[:, :-1]
        return ops.sum(ops.cast(below, "float32"), axis=-1)
