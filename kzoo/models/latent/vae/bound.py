"""What a VAE computes: q(z|x), p(x|z), the KL term, the bound and its update.

References as in `vae.py`: [1] Kingma and Welling, 2014 (arXiv:1312.6114); [2] Burda
et al., 2016 (arXiv:1509.00519); [3] Kingma et al., 2016 (arXiv:1606.04934).
"""

import math

import keras
from keras import ops

from kzoo import backend, losses
from kzoo.checks import check_natural, check_nonnegative, check_positive_int
from kzoo.distributions.posteriors import DiagonalGaussian
from kzoo.distributions.priors import StandardNormal
from kzoo.losses import average


def check_objective(kl_weight, kl_warmup, free_bits, num_importance_samples):
    """`ValueError` unless the options of the training loss are valid and fit together."""
    check_nonnegative("kl_weight", kl_weight)
    check_nonnegative("free_bits", free_bits)
    check_natural("kl_warmup", kl_warmup)
    if check_positive_int("num_importance_samples", num_importance_samples) > 1 and free_bits:
        raise ValueError(
            "free_bits change the KL term, which the k-sample bound lacks: expected "
            f"num_importance_samples=1 or free_bits=0, got {num_importance_samples} and "
            f"{free_bits}."
        )


class Bound:
    """The papers' quantities and the training update of `kzoo.VAE`, a mixin."""

    def posterior_parameters(self, x, labels=None, training=False):
        """The parameters of q(z|x), (b, p), of images x in [-1, 1]; float32."""
        if labels is not None:
            maps = ops.ones_like(x[..., :1]) * self.one_hot(labels)[:, None, None]
            x = ops.concatenate([x, maps], axis=-1)
        parameters = self.encoder(x, training=training)
        if isinstance(parameters, list | tuple):
            parameters = ops.concatenate(parameters, axis=-1)
        # Sums over many pixels and exponentials need float32, also in mixed precision.
        return ops.cast(parameters, "float32")

    def one_hot(self, labels):
        """Labels (b,) as float vectors (b, num_classes)."""
        return ops.one_hot(ops.cast(labels, "int32"), self.num_classes, dtype="float32")

    def pixel_parameters(self, z, labels=None, training=False):
        """The decoder's output, (..., b, h, w, p), for latents z (..., b, latent_dim); float32."""
        shape = ops.shape(z)[:-1]
        if labels is not None:
            classes = ops.broadcast_to(self.one_hot(labels), (*shape, self.num_classes))
            z = ops.concatenate([z, classes], axis=-1)
        parameters = self.decoder(ops.reshape(z, (-1, z.shape[-1])), training=training)
        parameters = ops.reshape(parameters, (*shape, *parameters.shape[1:]))
        return ops.cast(parameters, "float32")

    def kl_divergence(self, parameters, z, log_q):
        """KL(q(z|x) || p(z)) in nats, part by part: (b, latent_dim) or, estimated, (b, 1).

        Args:
            parameters: of the posterior, (b, p).
            z, log_q: samples (k, b, latent_dim) and their log q(z|x) (k, b), for the estimate.
        """
        if self.analytic_kl:
            mean, log_variance = self.posterior.split(parameters)
            return losses.gaussian_kl(mean[..., None], log_variance[..., None])
        return ops.mean(log_q - self.prior.log_prob(z), axis=0)[:, None]

    @property
    def analytic_kl(self):
        """Whether the KL term is a closed form and not an estimate."""
        return isinstance(self.posterior, DiagonalGaussian) and isinstance(
            self.prior, StandardNormal
        )

    def negative_bound(self, x, labels=None, sample_weight=None, training=False, kl_weight=1.0):
        """The loss ([1], eq. 7 with L = 1; [2], eq. 8) and its parts, averages over the batch.

        Args:
            x: images (b, h, w, c) in [-1, 1].
            labels: (b,), of a class-conditional model.
            sample_weight: weights of the images (b,), or `None`.
            training: whether the networks run in training mode.
            kl_weight: weight of the KL term.

        Returns:
            `(loss, scalars)`: the scalar loss, and a dict of those in `loss_names`.
        """
        parameters = self.posterior_parameters(x, labels, training)  # (b, p)
        shape = (self.num_importance_samples, ops.shape(x)[0], self.latent_dim)
        noise = backend.random_rows(keras.random.normal, shape, 1, self.seed_generator)
        z, log_q = self.posterior.sample(parameters, noise)  # (k, b, d), (k, b)
        pixels = self.pixel_parameters(z, labels, training)  # (k, b, h, w, p)
        log_px = self.conditional_log_likelihood(x, pixels)  # (k, b)
        kl = ops.transpose(self.kl_divergence(parameters, z, log_q))  # (groups, b)
        parts = average(kl, sample_weight)  # (groups,)
        reconstruction, kl = -ops.mean(average(log_px, sample_weight)), ops.sum(parts)
        scalars = {"reconstruction": reconstruction, "kl": kl}
        if self.num_importance_samples > 1:
            log_weights = log_px + kl_weight * (self.prior.log_prob(z) - log_q)
            bound = ops.logsumexp(log_weights, axis=0) - math.log(self.num_importance_samples)
            loss = -average(bound, sample_weight)
            scalars["negative_elbo"] = reconstruction + kl
        else:
            if self.free_bits:
                free = self.free_bits * self.latent_dim / parts.shape[0]
                kl = ops.sum(ops.maximum(parts, free))  # [3], eq. 15
            loss = reconstruction + kl_weight * kl
        return loss, {"loss": loss, **scalars}

    def update(self, x, condition, sample_weight=None):
        weight = self.kl_weight
        if self.kl_warmup:
            weight = weight * ops.minimum(self.updates / self.kl_warmup, 1.0)
            self.updates.assign_add(1.0)
        _, scalars = self.minimize(
            lambda: self.negative_bound(
                x, **condition, sample_weight=sample_weight, training=True, kl_weight=weight
            )
        )
        return scalars

    def evaluation(self, x, condition, sample_weight=None):
        _, scalars = self.negative_bound(
            x, **condition, sample_weight=sample_weight, kl_weight=self.kl_weight
        )
        return scalars
