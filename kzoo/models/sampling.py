"""Drawing images, and running a model on many of them."""

import keras
import numpy as np
from keras import ops

from kzoo.batching import in_batches
from kzoo.checks import check_optional_int, check_positive_int, seed_generator
from kzoo.conditions import check_given
from kzoo.images import to_uint8
from kzoo.models.divergence import check_drawn


class Sampling:
    """`generate`, for a model that turns noise and conditions into images (a mixin)."""

    #: Arguments of `transform_noise` that are no conditions; `generate` takes them too.
    sampling_options = frozenset()
    #: The only `batch_size` of a model whose images depend on the others of their mini-batch.
    fixed_batch = None

    @property
    def conditioned_on(self):
        """What the model is conditioned on: a tuple of `kzoo.conditions`, empty for nothing."""
        return ()

    def check_condition(self, count, **given):
        """The conditions that a user gave for `count` images of theirs: `{name: NumPy array}`.

        Raises:
            ValueError: if they do not fit the model.
        """
        return check_given(self, count, given, defaults=False)[1]

    def generate(self, num_samples=None, seed=None, batch_size=None, **condition):
        """Draws images.

        Args:
            num_samples: how many, at least 1; `None` where the condition has a length.
            seed: an int or a `keras.random.SeedGenerator`; equal seeds on one backend give equal
                images. `None` draws anew each time.
            batch_size: how many to compute at once (default 64); changes memory and speed only.
            **condition: what the images are drawn for, by the names of `conditioned_on`: for a
                class-conditional model `labels`, an int or an int array (num_samples,), by default
                the classes in turn: 0, 1, 2 and so on. Also the model's `sampling_options`.

        Returns:
            uint8 NumPy array (num_samples, height, width, channels).

        Raises:
            ValueError: if an argument is not as described above, or the images are not numbers.
        """
        num_samples = check_optional_int("num_samples", num_samples)
        fixed = self.fixed_batch
        if fixed and batch_size not in (None, fixed):
            raise ValueError(
                f"This {type(self).__name__} draws images in batches of {fixed} (an image depends "
                f"on its batch), got batch_size={batch_size!r}."
            )
        if batch_size is None:
            batch_size = fixed or 64
        batch_size = check_positive_int("batch_size", batch_size)
        options = {name: condition.pop(name) for name in self.sampling_options & set(condition)}
        num_samples, condition = check_given(self, num_samples, condition)
        count = num_samples
        if fixed:  # whole mini-batches: none of the images may depend on what fills up the last one
            count += -count % fixed
            condition = {name: np.resize(values, count) for name, values in condition.items()}

        def draw(noise, condition):
            images = self.transform_noise(noise, **condition, **options)
            return to_uint8(check_drawn(self, images))

        with self.with_state():
            noise = ops.convert_to_numpy(self.draw_noise(count, seed_generator(seed)))
            return in_batches(draw, batch_size, noise, condition)[:num_samples]

    def draw_noise(self, num_samples, seed):
        """Standard normal latents (num_samples, latent_dim)."""
        return keras.random.normal((num_samples, self.latent_dim), seed=seed)

    def transform_noise(self, noise, **condition):
        """Noise, as `draw_noise` draws it, to images: floats (n, h, w, c) in [-1, 1]."""
        raise NotImplementedError

    def run_in_batches(self, function, batch_size, *arrays, fill=True):
        """`kzoo.batching.in_batches`, on the weights as they are now, also while `fit` runs."""
        with self.with_state():
            return in_batches(function, batch_size, *arrays, fill=fill)
