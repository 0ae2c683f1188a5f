"""Using a trained VAE: encoding, decoding, drawing, likelihoods, active units."""

import keras
import numpy as np
from keras import ops

from kzoo import backend, losses
from kzoo.checks import check_latents, check_positive_int, check_unit, seed_generator
from kzoo.conditions import check_given
from kzoo.distributions.divergences import log_mean_weights
from kzoo.images import check_images, to_float
from kzoo.models.batches import look

ACTIVE = 0.01  # variance of E_q[z] over the data, arXiv:1509.00519, section 4.2


class Inference:
    """The functions of `kzoo.VAE` for its users (a mixin before `GenerativeModel`)."""

    def call(self, x, labels=None, training=False):
        parameters = self.posterior_parameters(to_float(x), labels, training)
        return self.mean_images(self.posterior.mean(parameters), labels, training)

    def mean_images(self, z, labels=None, training=False):
        """The mean of p(x|z) as images (b, h, w, c) in [-1, 1], for latents (b, latent_dim)."""
        return self.mean_pixels(self.pixel_parameters(z, labels, training))

    # Drawing and decoding ---------------------------------------------------------------------

    def draw_noise(self, num_samples, seed):
        """Latents drawn from the prior p(z): (num_samples, latent_dim)."""
        return self.prior.sample(num_samples, seed)

    def transform_noise(self, noise, labels=None):
        """Latents (n, latent_dim) to the mean of p(x|z): floats (n, h, w, c) in [-1, 1]."""
        return self._decode(noise, labels)

    @backend.compiled
    def _decode(self, z, labels):
        return self.mean_images(z, labels)

    def decode(self, latents, batch_size=128, labels=None):
        """Mean images of p(x|z).

        Args:
            latents: float array (n, latent_dim); any other shape raises a `ValueError`.
            batch_size: how many images to compute at once.
            labels: int array (n,), for a class-conditional model; by default the classes in turn.

        Returns:
            float NumPy array (n, h, w, c) in [-1, 1].
        """
        latents = check_latents(latents, self.latent_dim)
        _, condition = check_given(self, len(latents), {"labels": labels})
        return self.run_in_batches(self._decode, batch_size, latents, condition.get("labels"))

    def exports(self):
        """Also `encode`, images to the posterior's centre, and `decode`, latents to images."""

        def encode(x, labels=None):
            return self.posterior.mean(self.posterior_parameters(x, labels))

        labels = self.condition_specs()
        return {
            **super().exports(),
            "encode": (encode, [self.images_spec(), *labels]),
            "decode": (self.transform_noise, [self.latents_spec(), *labels]),
        }

    # Encoding ---------------------------------------------------------------------------------

    def _parameters_of(self, images, labels, batch_size):
        """The posterior's parameters (n, p), and the labels (n,) or `None`, of a user's images."""
        check_images(self, images)
        labels = self.check_condition(len(images), labels=labels).get("labels")
        return self.run_in_batches(self._encode, batch_size, images, labels), labels

    def run_in_batches(self, function, batch_size, *arrays):
        """As in other models, without padding: functions may draw random numbers for each image."""
        return super().run_in_batches(function, batch_size, *arrays, fill=False)

    @backend.compiled
    def _encode(self, x, labels):
        return self.posterior_parameters(to_float(x), labels)

    @backend.compiled
    def _sample(self, parameters, noise):
        return self.posterior.sample(parameters, noise)

    def encode(self, images, sample=False, seed=None, batch_size=128, labels=None, num_samples=64):
        """The posterior q(z|x) of given images.

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1].
            sample: whether to draw from the posterior instead of returning its moments.
            seed: an int, a `keras.random.SeedGenerator` or `None`; for `sample`, and for the
                moments of a flow.
            batch_size: how many images to encode at once.
            labels: int array (n,), for a class-conditional model.
            num_samples: how many latents per image the moments of a flow are estimated from; those
                of a Gaussian are exact.

        Returns:
            `(mean, log_variance)` of every z_i or, with `sample`, latents: float NumPy arrays
            (n, latent_dim).

        Raises:
            ValueError: if the images or the labels do not fit the model.
        """
        parameters, _ = self._parameters_of(images, labels, batch_size)
        seed = seed_generator(seed)
        if sample:
            noise = keras.random.normal((len(images), self.latent_dim), seed=seed)
            return ops.convert_to_numpy(self._sample(parameters, noise[None])[0])[0]
        moments = self.posterior.moments(ops.convert_to_tensor(parameters))
        if moments is None:
            shape = (check_positive_int("num_samples", num_samples), self.latent_dim)

            def estimated(part):
                noise = keras.random.normal((shape[0], len(part), shape[1]), seed=seed)
                z, _ = self._sample(part, noise)  # (s, b, d)
                return ops.mean(z, axis=0), ops.var(z, axis=0)

            moments = self.run_in_batches(estimated, batch_size, parameters)
        mean, variance = map(ops.convert_to_numpy, moments)
        return mean, np.log(np.maximum(variance, np.finfo("float32").tiny))

    # What the latents carry -------------------------------------------------------------------

    def active_units(self, images, threshold=ACTIVE, **options):
        """Which latent dimensions depend on the image: Cov_x(E_q[z]) > .01 ([2], section 4.2).

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1]; a few hundred at least.
            threshold: of the variance.
            **options: `labels`, `seed`, `num_samples` and `batch_size`, as in `encode`.

        Returns:
            bool NumPy array (latent_dim,); its sum is the number of active units.

        Raises:
            ValueError: if the images or the labels do not fit the model.
        """
        mean, _ = self.encode(images, **options)
        return mean.var(axis=0) > threshold

    def kl_per_dimension(self, images, **options):
        """The mean over the images of KL(q(z_i|x) || N(0, 1)), in nats, for every dimension i.

        Exact for a Gaussian posterior; for a flow it is that of the Gaussian with the same mean and
        variance. With a diagonal Gaussian and the standard normal prior, the sum is `kl`.

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1].
            **options: `labels`, `seed`, `num_samples` and `batch_size`, as in `encode`.

        Returns:
            float NumPy array (latent_dim,).

        Raises:
            ValueError: if the images or the labels do not fit the model.
        """
        mean, log_variance = self.encode(images, **options)
        kl = losses.gaussian_kl(mean[..., None], log_variance[..., None])  # (n, d)
        return ops.convert_to_numpy(kl).mean(axis=0)

    # Likelihood -------------------------------------------------------------------------------

    def elbo_terms(self, images, seed=None, batch_size=128, labels=None):
        """The two terms of the negative ELBO of every image, from one latent each.

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1].
            seed: an int, a `keras.random.SeedGenerator` or `None`.
            batch_size: how many images to compute at once.
            labels: int array (n,), for a class-conditional model.

        Returns:
            `(reconstruction, kl)`: float NumPy arrays (n,), in nats; -log p(x|z), and
            KL(q(z|x) || p(z)), in closed form if there is one, else estimated from that latent.

        Raises:
            ValueError: if the images or the labels do not fit the model.
        """
        parameters, labels = self._parameters_of(images, labels, batch_size)
        seed = seed_generator(seed)

        def terms(*parts):
            noise = keras.random.normal((1, len(parts[0]), self.latent_dim), seed=seed)
            return self._elbo_terms(*parts, noise)

        return self.run_in_batches(terms, batch_size, images, labels, parameters)

    @backend.compiled
    def _elbo_terms(self, x, labels, parameters, noise):
        z, log_q = self.posterior.sample(parameters, noise)
        log_px = self.conditional_log_likelihood(to_float(x), self.pixel_parameters(z, labels))
        return -log_px[0], ops.sum(self.kl_divergence(parameters, z, log_q), axis=-1)

    def log_likelihood(
        self, images, num_samples=500, batch_size=500, seed=None, labels=None, unit="nats"
    ):
        """Estimates log p(x) by importance sampling from the posterior ([2], eq. 8).

        The estimate is a lower bound on average and tends to log p(x) as `num_samples` grows.

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1]. With the Bernoulli likelihood only
                binary images (0 and 255) have a likelihood; grey ones are answered by a warning.
            num_samples: latents drawn per image.
            batch_size: how many latents are decoded at once, which bounds the memory whatever the
                numbers of images and samples.
            seed: an int, a `keras.random.SeedGenerator` or `None`.
            labels: int array (n,), for a class-conditional model: then this is log p(x | label).
            unit: "nats" per image or "bits/dim", bits per value of the image.

        Returns:
            float64 NumPy array (n,).

        Raises:
            ValueError: if the images, the labels or the numbers do not fit, or the unit is unknown.
        """
        check_unit(unit)
        parameters, labels = self._parameters_of(images, labels, batch_size)
        look(self, images, stacklevel=3)
        seed = seed_generator(seed)

        def log_weights(index, repeats):
            shape = (repeats, len(index), self.latent_dim)
            noise = keras.random.normal(shape, seed=seed)
            parts = [None if a is None else a[index] for a in (images, labels, parameters)]
            return self._log_weights(*parts, noise)

        nats = log_mean_weights(len(images), num_samples, batch_size, log_weights)
        return nats if unit == "nats" else self.bits_per_dim(nats)

    @backend.compiled
    def _log_weights(self, x, labels, parameters, noise):
        """log p(x, z) / q(z|x), (s, b), for z from standard normal noise (s, b, latent_dim)."""
        z, log_q = self.posterior.sample(parameters, noise)
        pixels = self.pixel_parameters(z, labels)  # (s, b, h, w, p)
        log_px = self.conditional_log_likelihood(to_float(x), pixels)
        return log_px + self.prior.log_prob(z) - log_q
