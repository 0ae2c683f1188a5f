"""Variational auto-encoder.

Implements
    [1] Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114):
        reparameterization (eq. 4), the estimator of the bound with analytic KL divergence
        (eqs. 3, 7 and 10; appendix B) with one sample of z per image (L = 1).
    [2] Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016
        (arXiv:1509.00519): the bound from k samples (eq. 8), its gradient by reparameterization
        (eqs. 13 and 14), and active units (section 4.2).
    [3] Kingma et al., Improved Variational Inference with Inverse Autoregressive Flow, 2016
        (arXiv:1606.04934): free bits (eq. 15), other posteriors by log q(z|x).
    [4] Sonderby et al., Ladder Variational Autoencoders, 2016 (arXiv:1602.02282), section 2.3: the
        KL term's weight rises from 0 during the first updates (warm-up).
    [5] Sohn, Lee and Yan, Learning Structured Output Representation using Deep Conditional
        Generative Models, 2015: a conditional VAE, here on classes.

Deviations: Adam in place of Adagrad; an optional weight of the KL term (Higgins et al., beta-VAE,
2017); discretized logistic pixels and mixtures of them ([3], appendix A; PixelCNN++,
arXiv:1701.05517); in a conditional VAE the prior does not depend on the class, as in [5]'s
relaxation.
"""

import keras

from kzoo.checks import check_activation, check_optional_int, check_positive_int, seed_generator
from kzoo.conditions import classes
from kzoo.distributions.likelihoods import mixture_size
from kzoo.distributions.posteriors import posterior_by_name
from kzoo.distributions.priors import prior_by_name
from kzoo.models.base import GenerativeModel
from kzoo.models.latent.vae.bound import Bound, check_objective
from kzoo.models.latent.vae.by_name import (
    check_networks,
    check_widths,
    decoder_by_name,
    encoder_by_name,
)
from kzoo.models.latent.vae.inference import Inference
from kzoo.models.latent.vae.pixels import MIXTURE, PixelLikelihood, check_likelihood
from kzoo.networks.given import shape_of_images


@keras.saving.register_keras_serializable(package="kzoo")
class VAE(Bound, Inference, PixelLikelihood, GenerativeModel):
    """Variational auto-encoder: prior p(z), posterior q(z|x), decoder p(x|z).

    `model(images)` reconstructs: floats (b, h, w, c) in [-1, 1], the mean image of p(x|z) at the
    posterior's centre. `fit` and `evaluate` report, in nats per image, `reconstruction`
    (-log p(x|z)), `kl` (KL(q(z|x) || p(z))) and `loss` = `reconstruction` + `kl_weight` * `kl`,
    which is the negative of the evidence lower bound (ELBO) when `kl_weight` is 1. The KL term is
    analytic for a diagonal Gaussian posterior with the standard normal prior; otherwise it is
    estimated from the same samples of z, log q(z|x) - log p(z). With `num_importance_samples` k
    above 1, `loss` is the negative of the k-sample bound, and `negative_elbo` the sum of the other
    two.

    Args:
        image_shape: `(height, width, channels)` of the images; `None` takes that of the user's
            encoder, else (28, 28, 1).
        latent_dim: dimension of z.
        likelihood: distribution p(x|z) of the pixels given the decoder's output:
            `"bernoulli"`: the output is the logit of a white pixel. Meant for binary images
            (uint8 0 and 255, as `kzoo.datasets.load(..., binarize="dynamic")` gives); a grey value
            is taken as the probability of white, and the losses are then cross-entropies, whose
            smallest value is not 0.
            `"gaussian"`: the output is the mean of a density over pixels in [-1, 1]. Its logarithm
            is not comparable with that of a discrete distribution, and may be positive.
            `"discretized_logistic"`: the output is the centre of a distribution of the 256 grey
            levels, in units of [-1, 1].
            `"discretized_logistic_mixture"`: the output is what
            `mixture_parameters` of `kzoo.distributions` takes: the channels of a pixel depend on
            one another, as in PixelCNN++.
        kl_weight: weight of the KL term in the training loss, at least 0.
        scale: standard deviation (`"gaussian"`) or scale (`"discretized_logistic"`) of every
            pixel, in units of [-1, 1]; `None` learns one number. Not for the other likelihoods.
        encoder: `keras.Model` from images in [-1, 1] (b, h, w, c) to the posterior's parameters
            (b, posterior.num_parameters(latent_dim)); for a diagonal Gaussian mean and
            log-variance, concatenated or as two outputs (b, latent_dim). `None` builds one.
        decoder: `keras.Model` from latents (b, latent_dim) to the pixels' parameters
            (b, h, w, c), of a mixture (b, h, w, mixture_size(c, num_mixtures)), without a last
            activation. `None` builds one.
        widths: of the built networks, from the image inwards: channels at each resolution, or
            units of the hidden layers of fully connected ones. `None`: (32, 64, 128), (200, 200)
            or, residual, (16, 32, 32).
        kernel_size: side of the built networks' convolutions, in pixels.
        dense_width: units of the hidden dense layer of convolutional and residual networks.
        activation: the hidden layers' activation, a Keras name.
        seed: seed of the training noise, an int or `None`.
        networks: which networks are built: `"convolutional"` (strides of 2),
            `"fully_connected"` or `"residual"`.
        num_blocks: residual blocks per resolution.
        posterior: `"diagonal_gaussian"`, `"full_covariance"`, `"planar"`, `"coupling"`, `"iaf"`, or
            an object of `kzoo.posteriors`.
        prior: `"standard_normal"`, `"mixture"`, `"vamp"`, or an object of `kzoo.priors`.
        kl_warmup: number of updates over which the weight of the KL term rises linearly from 0 to
            `kl_weight`; 0 for none. `evaluate` always takes the full weight.
        free_bits: lambda of [3], eq. 15, in nats per latent dimension: a dimension whose KL term,
            averaged over the batch, is below it counts as lambda in the loss. Where the KL is not
            analytic, all of z is one group, with latent_dim * lambda. `kl` stays the KL itself.
        num_importance_samples: k of [2], eq. 8.
        num_classes: number of classes of a conditional VAE, which is fitted on `(images, labels)`;
            `None` for none. The label enters as a one-hot vector: as num_classes further channels
            of the encoder's image, constant over it, and as further numbers after z.
        num_mixtures: components of the mixture likelihood.
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: for an argument that is not as described above, options that do not go
            together, or networks whose shapes do not fit.
    """

    weighs_examples = True

    def __init__(
        self,
        image_shape=None,
        latent_dim=32,
        likelihood="bernoulli",
        kl_weight=1.0,
        scale=None,
        encoder=None,
        decoder=None,
        widths=None,
        kernel_size=3,
        dense_width=256,
        activation="elu",
        seed=None,
        networks="convolutional",
        num_blocks=1,
        posterior="diagonal_gaussian",
        prior="standard_normal",
        kl_warmup=0,
        free_bits=0.0,
        num_importance_samples=1,
        num_classes=None,
        num_mixtures=10,
        **kwargs,
    ):
        # The base class counts the losses by it.
        self.num_importance_samples = num_importance_samples
        num_classes = check_optional_int("num_classes", num_classes)
        default = (28, 28, 1)
        shape = shape_of_images(image_shape, encoder, None, default, classes=num_classes or 0)
        super().__init__(shape, latent_dim, **kwargs)
        check_likelihood(likelihood, scale)
        check_objective(kl_weight, kl_warmup, free_bits, num_importance_samples)
        self.likelihood = likelihood
        self.kl_weight = kl_weight
        self.scale = scale
        self.widths = check_widths(networks, widths)
        self.kernel_size = check_positive_int("kernel_size", kernel_size)
        self.dense_width = check_positive_int("dense_width", dense_width)
        self.activation = check_activation("activation", activation)
        self.seed = seed
        self.networks = networks
        self.num_blocks = check_positive_int("num_blocks", num_blocks)
        self.posterior = posterior_by_name(posterior)
        self.prior = prior_by_name(prior)
        self.kl_warmup = kl_warmup
        self.free_bits = free_bits
        self.num_classes = num_classes
        self.num_mixtures = check_positive_int("num_mixtures", num_mixtures)
        self._build_networks(encoder, decoder)
        self.build_scale()
        if kl_warmup:
            self.updates = self.add_weight((), "zeros", trainable=False, name="updates")
        self.seed_generator = seed_generator(seed)
        self.built = True

    def _build_networks(self, encoder, decoder):
        given = {"encoder": encoder, "decoder": decoder}
        self.networks_by_name = {name: None for name, network in given.items() if network is None}
        height, width, channels = self.image_shape
        classes = self.num_classes or 0
        input_shape, decoder_inputs = (height, width, channels + classes), self.latent_dim + classes
        parameters = self.posterior.num_parameters(self.latent_dim)
        per_pixel = channels
        if self.likelihood == MIXTURE:
            per_pixel = mixture_size(channels, self.num_mixtures)
        output_shape = (height, width, per_pixel)
        options = {
            "widths": self.widths,
            "kernel_size": self.kernel_size,
            "dense_width": self.dense_width,
            "num_blocks": self.num_blocks,
            "activation": self.activation,
            "dtype": self.dtype_policy,
        }
        if encoder is None:
            encoder = encoder_by_name(self.networks, input_shape, parameters, options)
        if decoder is None:
            decoder = decoder_by_name(self.networks, output_shape, decoder_inputs, options)
        self.encoder, self.decoder = encoder, decoder
        check_networks(self, input_shape, decoder_inputs, parameters, output_shape)
        if not self.posterior.built:
            self.posterior.build((None, self.latent_dim))
        self.prior.attach(self)

    @property
    def loss_names(self):
        more = ("negative_elbo",) if self.num_importance_samples != 1 else ()
        return ("loss", "reconstruction", "kl", *more)

    @property
    def conditioned_on(self):
        return classes(self.num_classes)

    def elbo(self, images, **options):
        """The evidence lower bound of every image from one latent each, in nats: (n,).

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1].
            **options: as in `elbo_terms`.
        """
        return -sum(self.elbo_terms(images, **options))
