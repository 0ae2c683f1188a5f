"""Latents of given images, images of given latents, and likelihoods."""

import math

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import check_unit, seed_generator
from kzoo.distributions.divergences import log_mean_weights
from kzoo.images import check_images, to_float
from kzoo.models.batches import look
from kzoo.models.latent.ladder_vae import gaussians


class LadderLatents:
    """What `kzoo.LadderVAE` does with the latents of all layers (a mixin)."""

    def split(self, flat):
        """Numbers (b, latent_dim) as a list of (b, *latent_shape), from z_1 to z_L."""
        sizes = np.cumsum([math.prod(shape) for shape in self.latent_shapes])[:-1].tolist()
        parts = ops.split(flat, sizes, axis=-1) if sizes else [flat]
        return [ops.reshape(p, (-1, *s)) for p, s in zip(parts, self.latent_shapes, strict=True)]

    @backend.compiled
    def _upward_pass(self, x):
        return self.upward_pass(to_float(x))

    @backend.compiled
    def _encode(self, x, noise):
        _, ladder = self.downward_pass(self.split(noise), self.upward_pass(to_float(x)))
        return [z for z, _, _ in ladder]

    @backend.compiled
    def _decode(self, latents):
        h = None
        for i in reversed(range(len(latents))):
            h = self.features_below(i, latents[i], h)
        return self.mean_pixels(ops.cast(h, "float32"))

    def encode(self, images, sample=False, seed=None, batch_size=128):
        """The latents of given images.

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1].
            sample: whether to draw from the posterior; otherwise every layer takes its posterior's
                mean, given that of the layers above.
            seed: for `sample`, an int, a `keras.random.SeedGenerator` or `None`.
            batch_size: how many images to encode at once.

        Returns:
            List of float NumPy arrays (n, *latent_shape), from z_1 to z_L.

        Raises:
            ValueError: if the images do not fit the model.
        """
        check_images(self, images)
        noise = np.zeros((len(images), self.latent_dim), "float32")
        if sample:
            noise = ops.convert_to_numpy(self.draw_noise(len(images), seed_generator(seed)))
        return self.run_in_batches(self._encode, batch_size, images, noise)

    def decode(self, latents, batch_size=128):
        """Mean images of p(x|z), floats (n, h, w, c) in [-1, 1], of latents as `encode` gives them.

        Raises:
            ValueError: if the latents' shapes do not fit the model.
        """
        shapes = [np.shape(z) for z in latents] if np.iterable(latents) else []
        count = shapes[0][:1] if shapes else ()
        if not shapes or shapes != [(*count, *shape) for shape in self.latent_shapes]:
            raise ValueError(
                f"decode expects a list of latents (n, ...) of shapes {self.latent_shapes}, got "
                f"{shapes}."
            )
        latents = [np.asarray(z, "float32") for z in latents]
        return self.run_in_batches(self._decode, batch_size, latents)

    def log_likelihood(self, images, num_samples=500, batch_size=500, seed=None, unit="nats"):
        """Estimates log p(x) by importance sampling from the posterior (arXiv:1509.00519, eq. 8).

        Arguments, result and errors are those of `kzoo.VAE.log_likelihood`.
        """
        check_images(self, images)
        look(self, images, stacklevel=3)
        check_unit(unit)
        seed = seed_generator(seed)
        likelihoods = self.run_in_batches(self._upward_pass, batch_size, images)

        def log_weights(index, repeats):
            noise = self.draw_noise(repeats * len(index), seed)
            selected = keras.tree.map_structure(lambda a: a[index], likelihoods)
            return self._log_weights(images[index], selected, noise)

        nats = log_mean_weights(len(images), num_samples, batch_size, log_weights)
        return nats if unit == "nats" else self.bits_per_dim(nats)

    @backend.compiled
    def _log_weights(self, x, likelihoods, noise):
        """log p(x, z) / q(z|x), (r, b), for z from noise (r b, latent_dim)."""
        repeats = ops.shape(noise)[0] // ops.shape(x)[0]  # TensorFlow may trace unknown sizes

        def repeat(a):
            return ops.tile(a, (repeats, *(1 for _ in a.shape[1:])))

        likelihoods = [[repeat(m) for m in layer] for layer in likelihoods]
        parameters, ladder = self.downward_pass(self.split(noise), likelihoods)
        weights = self.conditional_log_likelihood(repeat(to_float(x)), parameters)
        for z, q, p in ladder:
            weights = weights + gaussians.log_ratio(z, p, q)
        return ops.reshape(weights, (repeats, -1))
