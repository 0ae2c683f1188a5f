"""From captions to images: how `kzoo.TextToImageGAN` draws.

Reed et al. 2016, "Generative adversarial text to image synthesis", arXiv:1605.05396, section 5:
images of one caption in several styles, and images between two captions.
"""

import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import check_positive_int, seed_generator
from kzoo.images import to_uint8


class Drawing:
    """What draws from latents and captions (a mixin of a model with generator and encoder)."""

    called_on = ("latents",)

    def embed(self, captions):
        """phi(t): tokens (b, max_words) to vectors, float32 (b, text_dim)."""
        return self.encoder.text_vectors(captions)

    def draw(self, latents, text, training=False, averaged=False):
        """G(z, phi(t)): latents and vectors of texts to images (b, h, w, c) in [-1, 1].

        Args:
            latents: (b, latent_dim).
            text: (b, text_dim).
            training: whether batch norm takes the statistics of the batch.
            averaged: whether to take the average of the weights, if the model keeps one.
        """
        return ops.cast(self._drawn_by(averaged)([latents, text], training=training), "float32")

    def call(self, latents, captions, training=False):
        """Latents (b, latent_dim) and tokens (b, max_words) to images (b, h, w, c) in [-1, 1]."""
        return self.draw(latents, self.embed(captions), training)

    def exported_call(self, latents, captions):
        """As `generate`: by the average of the generator's weights, if the model keeps one."""
        return self.transform_noise(latents, captions)

    @backend.compiled
    def transform_noise(self, noise, captions, averaged=True):
        """Latents and captions to images.

        Args:
            noise: (n, latent_dim).
            captions: tokens (n, max_words).
            averaged: whether they come from the average of the generator's weights, if the model
                keeps one; otherwise from the weights as they are now.

        Returns:
            Floats (n, h, w, c) in [-1, 1].
        """
        return self.draw(noise, self.embed(captions), averaged=averaged)

    def interpolate(self, caption_a, caption_b, num=8, seed=None, averaged=True, batch_size=64):
        """Images on the way from one caption to another, all of the same latents.

        Args:
            caption_a, caption_b: two strings.
            num: how many images, the first of `caption_a` and the last of `caption_b`.
            seed: an int or a `keras.random.SeedGenerator`, of the latents.
            averaged: as in `transform_noise`.
            batch_size: how many to compute at once.

        Returns:
            uint8 NumPy array (num, height, width, channels).

        Raises:
            ValueError: if an argument is not as described above.
        """
        num = check_positive_int("num", num)
        both = self.conditioned_on[0].check([caption_a, caption_b], 2)
        first, last = (np.repeat(row[None], num, axis=0) for row in both)  # (num, max_words) each
        latents = ops.convert_to_numpy(self.draw_noise(1, seed_generator(seed)))
        return self.run_in_batches(
            lambda *arrays: to_uint8(self._between(*arrays, averaged=averaged)),
            batch_size,
            np.repeat(latents, num, axis=0),
            first,
            last,
            np.linspace(0, 1, num, dtype="float32")[:, None],
        )

    @backend.compiled
    def _between(self, latents, first, last, position, averaged=True):
        text = (1.0 - position) * self.embed(first) + position * self.embed(last)
        return self.draw(latents, text, averaged=averaged)
