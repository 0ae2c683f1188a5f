"""Variational auto-encoder.

Implements
    [1] Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114):
        reparameterization (eq. 4), the estimator of the bound with analytic KL divergence
        (eqs. 3, 7 and 10; appendix B) with one sample of z per image (L = 1).
    [2] Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016
        (arXiv:1509.00519): the importance-sampled estimate of log p(x) (eq. 8).

Deviations: convolutions and Adam in place of fully connected networks and Adagrad; an optional
weight of the KL term (Higgins et al., beta-VAE, 2017); discretized logistic pixels as a third
likelihood (Kingma et al., 2016, arXiv:1606.04934, appendix A).
"""

import math

import keras
import numpy as np
from keras import ops

from kzoo import backend, losses
from kzoo.models.base import GenerativeModel, to_float
from kzoo.models.data import check_images, check_positive_int, seed_generator
from kzoo.models.vae.networks import check_networks, vae_decoder, vae_encoder
from kzoo.models.vae.pixels import check_likelihood, image_log_likelihood, mean_image


@keras.saving.register_keras_serializable(package="kzoo")
class VAE(GenerativeModel):
    """Variational auto-encoder: standard normal prior p(z), diagonal Gaussian posterior q(z|x).

    `model(images)` reconstructs: floats (b, h, w, c) in [-1, 1], the mean image of p(x|z) at the
    posterior's mean. `fit` and `evaluate` report, in nats per image, `reconstruction`
    (-log p(x|z)), `kl` (KL(q(z|x) || p(z))) and `loss` = `reconstruction` + `kl_weight` * `kl`,
    which is the negative of the evidence lower bound (ELBO) when `kl_weight` is 1.

    Args:
        image_shape: `(height, width, channels)` of the images.
        latent_dim: dimension of z.
        likelihood: distribution p(x|z) of the pixels given the decoder's output:
            `"bernoulli"`: the output is the logit of a white pixel. Meant for binary images
            (uint8 0 and 255, as `kzoo.datasets.load(..., binarize="dynamic")` gives); a grey value
            is taken as the probability of white, and the losses are then cross-entropies, whose
            smallest value is not 0.
            `"gaussian"`: the output is the mean of a density over pixels in [-1, 1]. Its log is
            not comparable with that of a discrete distribution and may be positive.
            `"discretized_logistic"`: the output is the centre of a distribution of the 256 grey
            levels, in units of [-1, 1].
        kl_weight: weight of the KL term in the training loss, at least 0.
        scale: standard deviation (`"gaussian"`) or scale (`"discretized_logistic"`) of every
            pixel, in units of [-1, 1]; `None` learns one number. Not for `"bernoulli"`.
        encoder: `keras.Model` from images in [-1, 1] (b, h, w, c) to the posterior's mean and
            log-variance, either as two outputs (b, latent_dim) or concatenated
            (b, 2 latent_dim). `None` builds convolutions of stride 2.
        decoder: `keras.Model` from latents (b, latent_dim) to the pixels' parameters
            (b, h, w, c), without a last activation. `None` builds the encoder's mirror image.
        widths: channels of the built networks' convolutions, from the image inwards.
        kernel_size: side of their windows, in pixels.
        dense_width: units of their hidden dense layer.
        activation: their hidden layers' activation, a Keras name.
        seed: seed of the training noise, an int or `None`.
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: for an unknown likelihood, a negative weight, a scale that is not positive or
            goes with `"bernoulli"`, or networks whose shapes do not fit.
    """

    loss_names = ("loss", "reconstruction", "kl")

    def __init__(
        self,
        image_shape=(28, 28, 1),
        latent_dim=32,
        likelihood="bernoulli",
        kl_weight=1.0,
        scale=None,
        encoder=None,
        decoder=None,
        widths=(32, 64, 128),
        kernel_size=3,
        dense_width=256,
        activation="elu",
        seed=None,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, **kwargs)
        check_likelihood(likelihood, scale)
        if not kl_weight >= 0:
            raise ValueError(f"kl_weight must be at least 0, got {kl_weight!r}.")
        if not widths:
            raise ValueError(f"widths must name at least one convolution, got {widths!r}.")
        self.likelihood = likelihood
        self.kl_weight = kl_weight
        self.scale = scale
        self.widths = tuple(check_positive_int("widths", width) for width in widths)
        self.kernel_size = check_positive_int("kernel_size", kernel_size)
        self.dense_width = check_positive_int("dense_width", dense_width)
        self.activation = activation
        self.seed = seed
        networks = {"encoder": encoder, "decoder": decoder}
        self._given = [name for name, network in networks.items() if network is not None]

        shapes = (self.image_shape, self.latent_dim, self.widths, self.kernel_size, dense_width)
        options = {"activation": activation, "dtype": self.dtype_policy}
        self.encoder = vae_encoder(*shapes, **options) if encoder is None else encoder
        self.decoder = vae_decoder(*shapes, **options) if decoder is None else decoder
        check_networks(self.encoder, self.decoder, self.image_shape, self.latent_dim)
        self.log_scale = None if scale is None else math.log(scale)
        if scale is None and likelihood != "bernoulli":
            self.log_scale = self.add_weight(shape=(), initializer="zeros", name="log_scale")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def get_config(self):
        networks = {n: keras.saving.serialize_keras_object(getattr(self, n)) for n in self._given}
        return {
            **super().get_config(),
            "likelihood": self.likelihood,
            "kl_weight": self.kl_weight,
            "scale": self.scale,
            "encoder": None,
            "decoder": None,
            **networks,
            "widths": list(self.widths),
            "kernel_size": self.kernel_size,
            "dense_width": self.dense_width,
            "activation": self.activation,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            name: keras.saving.deserialize_keras_object(config.get(name), custom_objects)
            for name in ("encoder", "decoder")
        }
        return cls(**{**config, **networks})

    # The paper's quantities -------------------------------------------------------------------

    def posterior(self, x, training=False):
        """Mean and log-variance of q(z|x), each (b, latent_dim), of images x in [-1, 1]."""
        moments = self.encoder(x, training=training)
        if not isinstance(moments, list | tuple):
            moments = (moments[:, : self.latent_dim], moments[:, self.latent_dim :])
        # Sums over many pixels and exponentials need float32, also in mixed precision.
        return tuple(ops.cast(moment, "float32") for moment in moments)

    def pixel_parameters(self, z, training=False):
        """The decoder's output, (b, h, w, c), for latents z (b, latent_dim)."""
        return ops.cast(self.decoder(z, training=training), "float32")

    def reparameterize(self, mean, log_variance, noise):
        """z = mean + sigma * noise (reference 1, eq. 4)."""
        return mean + ops.exp(0.5 * log_variance) * noise

    def conditional_log_likelihood(self, x, parameters):
        """log p(x|z) in nats, (...), of images x in [-1, 1] and the decoder's output for z."""
        return image_log_likelihood(self.likelihood, x, parameters, self.log_scale)

    def negative_elbo(self, x, training=False):
        """The loss (reference 1, eq. 7 with L = 1) and its parts, averages over the batch.

        Returns:
            `(loss, scalars)`: the scalar loss, and a dict of those in `loss_names`.
        """
        mean, log_variance = self.posterior(x, training)  # (b, d) each
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        z = self.reparameterize(mean, log_variance, noise)  # (b, d)
        parameters = self.pixel_parameters(z, training)  # (b, h, w, c)
        reconstruction = -ops.mean(self.conditional_log_likelihood(x, parameters))
        kl = ops.mean(losses.gaussian_kl(mean, log_variance))
        loss = reconstruction + self.kl_weight * kl
        return loss, {"loss": loss, "reconstruction": reconstruction, "kl": kl}

    def update(self, x):
        _, scalars = self.minimize(
            lambda: self.negative_elbo(x, training=True), self.trainable_variables, self.optimizer
        )
        return scalars

    def evaluation(self, x):
        _, scalars = self.negative_elbo(x)
        return scalars

    # Using the model --------------------------------------------------------------------------

    def call(self, x, training=False):
        mean, _ = self.posterior(to_float(x), training)
        return mean_image(self.likelihood, self.pixel_parameters(mean, training))

    @backend.compiled
    def transform_noise(self, noise):
        return mean_image(self.likelihood, self.pixel_parameters(noise))

    @backend.compiled
    def _encode(self, x):
        return self.posterior(to_float(x))

    def encode(self, images, sample=False, seed=None, batch_size=128):
        """The posterior q(z|x) of given images.

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1].
            sample: whether to draw from the posterior instead of returning its moments.
            seed: for `sample`, an int, a `keras.random.SeedGenerator` or `None`.
            batch_size: how many images to encode at once.

        Returns:
            `(mean, log_variance)` or, with `sample`, latents: float NumPy arrays (n, latent_dim).

        Raises:
            ValueError: if the images do not fit the model.
        """
        check_images(self, images)
        self.sync_state()
        moments = [map(ops.convert_to_numpy, self._encode(x)) for x in _batches(images, batch_size)]
        mean, log_variance = map(np.concatenate, zip(*moments))
        if not sample:
            return mean, log_variance
        noise = ops.convert_to_numpy(keras.random.normal(mean.shape, seed=seed_generator(seed)))
        return mean + np.exp(0.5 * log_variance) * noise

    def decode(self, latents, batch_size=128):
        """Mean images of p(x|z).

        Args:
            latents: float array (n, latent_dim); any other shape raises a `ValueError`.
            batch_size: how many images to compute at once.

        Returns:
            float NumPy array (n, h, w, c) in [-1, 1].
        """
        latents = np.asarray(ops.convert_to_numpy(latents), "float32")
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim:
            raise ValueError(
                f"decode expects latents of shape (n, {self.latent_dim}), got {latents.shape}."
            )
        self.sync_state()
        images = [self.transform_noise(z) for z in _batches(latents, batch_size)]
        return np.concatenate([ops.convert_to_numpy(batch) for batch in images])

    def log_likelihood(self, images, num_samples=500, batch_size=500, seed=None):
        """Estimates log p(x) by importance sampling from the posterior (reference 2, eq. 8).

        The estimate is a lower bound on average and tends to log p(x) as `num_samples` grows.

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1]. With the Bernoulli likelihood only
                binary images (0 and 255) have a likelihood.
            num_samples: latents drawn per image.
            batch_size: how many latents are decoded at once, which bounds the memory.
            seed: an int, a `keras.random.SeedGenerator` or `None`.

        Returns:
            float64 NumPy array (n,), in nats per image.

        Raises:
            ValueError: if the images or the numbers do not fit.
        """
        check_images(self, images)
        num_samples = check_positive_int("num_samples", num_samples)
        seed = seed_generator(seed)
        self.sync_state()
        estimates = []
        for batch in _batches(images, batch_size):
            mean, log_variance = self._encode(batch)
            repeats = max(1, batch_size // len(batch))  # latents of each image decoded at once
            total = np.full(len(batch), -np.inf)  # log of the sum of the importance weights
            for start in range(0, num_samples, repeats):
                shape = (min(repeats, num_samples - start), *mean.shape)
                noise = keras.random.normal(shape, seed=seed)
                weights = self._log_weights(batch, mean, log_variance, noise)  # (repeats, b)
                weights = ops.convert_to_numpy(weights).astype("float64")
                total = np.logaddexp(total, np.logaddexp.reduce(weights, axis=0))
            estimates.append(total - math.log(num_samples))
        return np.concatenate(estimates)

    @backend.compiled
    def _log_weights(self, x, mean, log_variance, noise):
        """log p(x, z) / q(z|x), (s, b), for z from standard normal noise (s, b, latent_dim)."""
        z = self.reparameterize(mean, log_variance, noise)  # (s, b, d)
        parameters = self.pixel_parameters(ops.reshape(z, (-1, self.latent_dim)))
        parameters = ops.reshape(parameters, (-1, *ops.shape(x)))  # (s, b, h, w, c)
        prior_ratio = 0.5 * ops.sum(ops.square(noise) - ops.square(z) + log_variance, axis=-1)
        return self.conditional_log_likelihood(to_float(x), parameters) + prior_ratio


def _batches(array, batch_size):
    batch_size = check_positive_int("batch_size", batch_size)
    if not len(array):
        raise ValueError(f"Expected at least one image or latent, got the shape {array.shape}.")
    for start in range(0, len(array), batch_size):
        yield array[start : start + batch_size]
