"""Ladder variational auto-encoder: a hierarchy of latent variables.

Implements
    [1] Sønderby et al., Ladder Variational Autoencoders, 2016 (arXiv:1602.02282): the generative
        hierarchy p(z_L) prod p(z_i | z_(i+1)) p(x | z_1), the deterministic upward pass
        d_n = MLP(d_(n-1)) with approximate likelihoods N(Linear(d_i), Softplus(Linear(d_i))), their
        precision-weighted combination with the prior in the stochastic downward pass, batch
        normalization and warm-up of the KL term.
    [2] Kingma et al., Improved Variational Inference with Inverse Autoregressive Flow, 2016
        (arXiv:1606.04934): free bits (eq. 15, with one group per stochastic layer), and the
        residual blocks with ELU of the convolutional networks (appendix C).
    [3] Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016
        (arXiv:1509.00519): the importance-sampled estimate of log p(x) (eq. 8).

Deviations: variances are at least 1e-4. The batch norms have scales and offsets. In the
"convolutional" networks, which are ours, latents are maps; the features below a layer come from z_i
and from the features above it, so p(z_i) and p(x) depend on all latents above them, not only on the
next ones. Height and width are halved and doubled by blocks of pixels, without overlap.
"""

import math

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import (
    check_flag,
    check_natural,
    check_nonnegative,
    check_positive_int,
    check_positive_ints,
    seed_generator,
)
from kzoo.images import to_float
from kzoo.losses import average
from kzoo.models.base import GenerativeModel
from kzoo.models.latent.ladder_vae import gaussians
from kzoo.models.latent.ladder_vae import networks as ladder_networks
from kzoo.models.latent.ladder_vae.latents import LadderLatents
from kzoo.models.latent.vae.pixels import MIXTURE, PixelLikelihood, check_likelihood


@keras.saving.register_keras_serializable(package="kzoo")
class LadderVAE(LadderLatents, PixelLikelihood, GenerativeModel):
    """Variational auto-encoder with L stochastic layers: z_1, next to the image, to z_L.

    `model(images)` reconstructs: floats (b, h, w, c) in [-1, 1], the mean image of p(x|z) at the
    posterior's means. `fit` and `evaluate` report, in nats per image, `reconstruction`
    (-log p(x|z)), `kl_1` to `kl_L` (the KL divergence of the posterior of each z_i from its prior
    p(z_i | z_(i+1)); near 0, that layer is not used), their sum `kl`, and `loss`. `evaluate`'s loss
    is the negative evidence lower bound (ELBO) from one sample per image; `fit`'s has the weight
    and the free bits below.

    The latents of one image, all layers flattened and joined from z_1 to z_L, have the length
    `latent_dim`; so has the noise of `transform_noise`.

    Args:
        image_shape: `(height, width, channels)` of the images.
        networks: `"fully_connected"` (the paper's; z_i are vectors) or `"convolutional"` (residual
            blocks; z_i are maps). All arguments below list the layers from z_1 to z_L.
        latent_dims: dimensions of the z_i; channels of the maps for `"convolutional"`.
        widths: units of the two dense layers next to each z_i; channels for `"convolutional"`.
        strides: for `"convolutional"`, how many times smaller in height and width than the layer
            below (than the image, for z_1) each z_i is; every size must be divisible.
        blocks: for `"convolutional"`, residual blocks next to each z_i, upwards and downwards.
        batch_norm: whether to normalize the features.
        likelihood: distribution p(x|z) of the pixels, as in `kzoo.VAE`: `"bernoulli"`,
            `"gaussian"` or `"discretized_logistic"`.
        scale: scale of the pixels, as in `kzoo.VAE`; `None` learns one number.
        kl_warmup: number of updates over which the weight of the KL term in the training loss rises
            from 0 to 1.
        free_bits: nats; in the training loss, the KL divergence of each layer counts as at least
            this, so that it is not pushed to 0. 0 for the ELBO.
        seed: seed of the training noise, an int or `None`.
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: for an argument that is not as described above.
    """

    weighs_examples = True
    refused_arguments = ("latent_dim",)

    def __init__(
        self,
        image_shape=(28, 28, 1),
        networks="fully_connected",
        latent_dims=(64, 32, 16, 8, 4),
        widths=(512, 256, 128, 64, 32),
        strides=None,
        blocks=1,
        batch_norm=True,
        likelihood="bernoulli",
        scale=None,
        kl_warmup=0,
        free_bits=0.0,
        seed=None,
        **kwargs,
    ):
        self.latent_dims = check_positive_ints("latent_dims", latent_dims)
        kls = tuple(f"kl_{i}" for i in range(1, len(self.latent_dims) + 1))
        self.loss_names = ("loss", "reconstruction", "kl", *kls)
        super().__init__(image_shape, **kwargs)
        check_likelihood(likelihood, scale)
        if likelihood == MIXTURE:
            raise ValueError(f"A LadderVAE has no mixture of logistics, got {likelihood!r}.")
        self.networks = networks
        self.widths = check_positive_ints("widths", widths)
        self.strides = strides
        if strides is not None:
            self.strides = check_positive_ints("strides", strides)
        self.blocks = check_positive_int("blocks", blocks)
        self.batch_norm = check_flag("batch_norm", batch_norm)
        self.likelihood = likelihood
        self.scale = scale
        self.kl_warmup = check_natural("kl_warmup", kl_warmup)
        self.free_bits = check_nonnegative("free_bits", free_bits)
        self.seed = seed

        self.up, self.inference, self.prior, self.down, self.latent_shapes = ladder_networks.build(
            networks,
            self.image_shape,
            self.latent_dims,
            self.widths,
            self.strides,
            self.blocks,
            self.batch_norm,
            self.dtype_policy,
        )
        self.latent_dim = sum(math.prod(shape) for shape in self.latent_shapes)
        self.build_scale()
        self.seed_generator = seed_generator(seed)
        self.built = True

    # The paper's quantities -------------------------------------------------------------------

    def upward_pass(self, x, training=False):
        """The approximate likelihoods of z_1 to z_L given images x (b, h, w, c) in [-1, 1].

        Returns:
            A list of `(mean, variance)`, each (b, *latent_shape).
        """
        likelihoods, d = [], x
        for up, inference in zip(self.up, self.inference, strict=True):
            d = up(d, training=training)
            likelihoods.append(gaussians.from_raw(inference(d, training=training)))
        return likelihoods

    def downward_pass(self, noise, likelihoods=None, training=False):
        """Draws the latents from z_L to z_1: from the posterior, or from the prior.

        Args:
            noise: standard normal numbers, a list of (b, *latent_shape) from z_1 to z_L.
            likelihoods: what `upward_pass` returns; `None` draws from the prior.
            training: whether batch norm uses the statistics of the batch.

        Returns:
            `(parameters, ladder)`: the parameters of p(x|z), (b, h, w, c), and for z_1 to z_L a
            list of `(z, q, p)`, where q and p are (mean, variance) of posterior and prior.
        """
        ladder, h = [], None
        for i in reversed(range(len(noise))):
            if h is None:
                p = ops.zeros_like(noise[i]), ops.ones_like(noise[i])
                q = p if likelihoods is None else likelihoods[i]
            else:
                p = gaussians.from_raw(self.prior[i](h, training=training))
                q = p if likelihoods is None else gaussians.precision_weighted(likelihoods[i], p)
            z = q[0] + ops.sqrt(q[1]) * noise[i]
            ladder.append((z, q, p))
            h = self.features_below(i, z, h, training)
        return ops.cast(h, "float32"), ladder[::-1]

    def features_below(self, i, z, h, training=False):
        """The features below layer i (0 .. L-1), given its latents and the features above."""
        if h is None or self.networks == "fully_connected":
            return self.down[i](z, training=training)
        return self.down[i]([z, h], training=training)

    def kl_weight(self):
        """The weight of the KL term in the next training update (warm-up), in [0, 1]."""
        if not self.kl_warmup:
            return 1.0
        return ops.minimum(1.0, ops.cast(self.optimizer.iterations, "float32") / self.kl_warmup)

    def negative_elbo(self, x, kl_weight=1.0, free_bits=0.0, training=False, sample_weight=None):
        """The loss and its parts, averages over the batch, from one sample of the latents.

        Returns:
            `(loss, scalars)`: the scalar loss, and a dict of those in `loss_names`.
        """
        likelihoods = self.upward_pass(x, training)
        shape = (ops.shape(x)[0], self.latent_dim)
        noise = backend.random_rows(keras.random.normal, shape, seed=self.seed_generator)
        parameters, ladder = self.downward_pass(self.split(noise), likelihoods, training)
        log_px = self.conditional_log_likelihood(x, parameters)  # (b,)
        reconstruction = -average(log_px, sample_weight)
        kls = [average(gaussians.kl(q, p), sample_weight) for _, q, p in ladder]
        loss = reconstruction + kl_weight * sum(ops.maximum(kl, free_bits) for kl in kls)
        scalars = {"loss": loss, "reconstruction": reconstruction, "kl": sum(kls)}
        return loss, scalars | {f"kl_{i}": kl for i, kl in enumerate(kls, 1)}

    def update(self, x, condition, sample_weight=None):
        weight = self.kl_weight()
        _, scalars = self.minimize(
            lambda: self.negative_elbo(x, weight, self.free_bits, True, sample_weight)
        )
        return scalars

    def evaluation(self, x, condition, sample_weight=None):
        _, scalars = self.negative_elbo(x, sample_weight=sample_weight)
        return scalars

    # Using the model --------------------------------------------------------------------------

    def call(self, x, training=False):
        likelihoods = self.upward_pass(to_float(x), training)
        noise = [ops.zeros_like(mean) for mean, _ in likelihoods]
        return self.mean_pixels(self.downward_pass(noise, likelihoods, training)[0])

    @backend.compiled
    def transform_noise(self, noise):
        parameters, _ = self.downward_pass(self.split(noise))
        return self.mean_pixels(parameters)

    def elbo(self, images, **options):
        """The evidence lower bound of every image from one latent each, in nats: (n,).

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1].
            **options: as in `log_likelihood`.
        """
        return self.log_likelihood(images, num_samples=1, **options)
