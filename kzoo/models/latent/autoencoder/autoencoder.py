"""Autoencoders: latents of images, learned from their reconstruction.

Implements
    [1] Baldi and Hornik, Neural networks and principal component analysis, 1989: the linear
        autoencoder (`encoder="fully_connected"`, `decoder="fully_connected"`, `widths=()`), whose
        best reconstructions are those of PCA.
    [2] Vincent et al., Extracting and composing robust features with denoising autoencoders, ICML
        2008; Stacked denoising autoencoders, JMLR 2010: masking and Gaussian corruption, squared
        error and cross-entropy.
    [3] Rifai et al., Contractive auto-encoders, ICML 2011: the squared Frobenius norm of the
        encoder's Jacobian, in closed form for a single layer.
    [4] Ng, Sparse autoencoder, CS294A lecture notes, 2011: the Kullback-Leibler divergence of the
        units' average activations from the wanted sparsity.

Deviations: no tied weights and no layer-wise training. Masking draws every value of a pixel
independently, where [2] masks a fixed number of them. Beyond one layer, the norm of [3] is
estimated without bias by one random projection of the latents per image. The averages of [4] are
those of a mini-batch. Adam in place of plain gradient descent. Pixels lie in [-1, 1], so a squared
error is 4 times, and a squared Jacobian a quarter of, those for pixels in [0, 1].
"""

import keras
from keras import ops

from kzoo import backend, losses
from kzoo.checks import (
    check_activation,
    check_latents,
    check_name,
    check_positive_int,
    check_positive_ints,
    seed_generator,
)
from kzoo.images import check_images, to_float
from kzoo.losses import average
from kzoo.models.base import GenerativeModel
from kzoo.models.latent.autoencoder import penalties
from kzoo.models.latent.autoencoder.networks import decoder_by_name, encoder_by_name
from kzoo.models.latent.autoencoder.penalties import check_corruption, check_penalty
from kzoo.networks.given import check_network, shape_of_images


@keras.saving.register_keras_serializable(package="kzoo")
class Autoencoder(GenerativeModel):
    """An encoder and a decoder that learn to reconstruct images from a few latents.

    `model(images)` reconstructs: floats (b, h, w, c) in [-1, 1]. `encode` maps images to latents,
    `decode` latents to images. The latents have no distribution to draw from, so there is no
    `generate`: `kzoo.VAE` has one.

    `fit` and `evaluate` report, as averages over the images, `reconstruction`, `penalty` and
    `loss` = `reconstruction` + `penalty_weight` * `penalty`. `evaluate` corrupts nothing.

    Args:
        image_shape: `(height, width, channels)` of the images; `None` takes that of the user's
            networks, else (28, 28, 1).
        latent_dim: number of latents of an image.
        encoder: `"convolutional"`, `"fully_connected"`, or a `keras.Model` from images in [-1, 1]
            (b, h, w, c) to latents (b, latent_dim).
        decoder: the same names, or a `keras.Model` from latents (b, latent_dim) to (b, h, w, c),
            without a last activation: pixels in [-1, 1] (`"l2"`) or the logits of white pixels
            (`"cross_entropy"`).
        reconstruction_loss: `"l2"`, the squared error in units of [-1, 1], or `"cross_entropy"`,
            in nats, of pixels taken as probabilities of white; both summed over an image.
        corruption: noise on the encoder's inputs in training: `None`, `"masking"`: a value becomes
            black (-1) with probability `corruption_level`, or `"gaussian"`: noise of standard
            deviation `corruption_level`, in units of [-1, 1].
        corruption_level: a positive number with a `corruption`, at most 1 for masking; else `None`.
        penalty: `None`, `"contractive"`: the squared Frobenius norm of the encoder's Jacobian,
            `"kl"`: divergence of the average activations from `sparsity`, for latents in
            (0, 1), or `"l1"`: the sum of the latents' magnitudes.
        penalty_weight: its weight in the loss, positive; `None` without a penalty.
        sparsity: wanted average activation for `"kl"`, in (0, 1); else `None`.
        widths: of the networks that are given by name, from the image inwards: channels of the
            convolutions of stride 2, or units of the dense layers, `()` for none. `None` takes
            (32, 64, 128) and (512, 256).
        kernel_size: side of the convolutions' windows, in pixels.
        dense_width: units of the convolutional networks' hidden dense layer.
        activation: of the hidden layers, a Keras name.
        code_activation: of the latents, for an encoder given by name; `"sigmoid"` gives latents in
            (0, 1).
        seed: seed of corruption and projections, an int or `None`.
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: for an unknown name, a number outside its range or without the option that it
            belongs to, or networks whose shapes do not fit.
    """

    loss_names = ("loss", "reconstruction", "penalty")

    def __init__(
        self,
        image_shape=None,
        latent_dim=32,
        encoder="convolutional",
        decoder="convolutional",
        reconstruction_loss="l2",
        corruption=None,
        corruption_level=None,
        penalty=None,
        penalty_weight=None,
        sparsity=None,
        widths=None,
        kernel_size=3,
        dense_width=256,
        activation="elu",
        code_activation="linear",
        seed=None,
        **kwargs,
    ):
        shape = shape_of_images(image_shape, encoder, decoder, default=(28, 28, 1))
        super().__init__(shape, latent_dim, **kwargs)
        check_corruption(corruption, corruption_level)
        named = code_activation if isinstance(encoder, str) else None
        check_penalty(penalty, penalty_weight, sparsity, named)
        self.reconstruction_loss = check_name(
            "reconstruction_loss", reconstruction_loss, ("l2", "cross_entropy")
        )
        self.corruption = corruption
        self.corruption_level = corruption_level
        self.penalty = penalty
        self.penalty_weight = penalty_weight
        self.sparsity = sparsity
        self.widths = widths
        if widths is not None:
            self.widths = check_positive_ints("widths", widths, least=0)
        self.kernel_size = check_positive_int("kernel_size", kernel_size)
        self.dense_width = dense_width = check_positive_int("dense_width", dense_width)
        self.activation = check_activation("activation", activation)
        self.code_activation = check_activation("code_activation", code_activation)
        self.seed = seed
        for role, network in (("encoder", encoder), ("decoder", decoder)):
            if isinstance(network, str):
                self.networks_by_name[role] = network
        shapes = (self.image_shape, self.latent_dim, self.widths, self.kernel_size, dense_width)
        options = {"activation": activation, "dtype": self.dtype_policy}
        if isinstance(encoder, str):
            encoder = encoder_by_name(encoder, *shapes, code_activation, **options)
        if isinstance(decoder, str):
            decoder = decoder_by_name(decoder, *shapes, **options)
        images, latents = self.image_shape, (self.latent_dim,)
        self.encoder = check_network(
            "The encoder", encoder, [(images, "float32")], latents, keras.Layer
        )
        self.decoder = check_network(
            "The decoder", decoder, [(latents, "float32")], images, keras.Layer
        )
        self.seed_generator = seed_generator(seed)
        self.built = True

    # The papers' quantities -------------------------------------------------------------------

    def corrupt(self, x):
        """What the encoder is trained on, (b, h, w, c), for images x in [-1, 1] (reference 2)."""
        if self.corruption == "masking":
            drawn = backend.random_rows(
                keras.random.uniform, ops.shape(x), seed=self.seed_generator
            )
            return ops.where(drawn < self.corruption_level, -1.0, x)
        if self.corruption == "gaussian":
            noise = backend.random_rows(keras.random.normal, ops.shape(x), seed=self.seed_generator)
            return x + self.corruption_level * noise
        return x

    def latents(self, x, training=False):
        """The latents (b, latent_dim) of images x in [-1, 1]."""
        return ops.cast(self.encoder(x, training=training), "float32")

    def pixel_parameters(self, latents, training=False):
        """The decoder's output, (b, h, w, c), for latents (b, latent_dim)."""
        return ops.cast(self.decoder(latents, training=training), "float32")

    def mean_image(self, parameters):
        """The decoder's output as images in [-1, 1]."""
        if self.reconstruction_loss == "cross_entropy":
            return 2.0 * ops.sigmoid(parameters) - 1.0
        return ops.clip(parameters, -1.0, 1.0)

    def reconstruction_error(self, x, parameters):
        """The loss (b,) between images x in [-1, 1] and the decoder's output."""
        if self.reconstruction_loss == "cross_entropy":
            pixels = -losses.bernoulli_log_likelihood(0.5 * (x + 1.0), parameters)
        else:
            pixels = ops.square(x - parameters)
        return ops.sum(pixels, axis=(1, 2, 3))

    def contractive_penalty(self, x, training=False):
        """||J||_F^2 (b,) of the encoder at images x in [-1, 1] (reference 3)."""
        if self.networks_by_name.get("encoder") == "fully_connected" and self.widths == ():
            return penalties.layer_jacobian_norm(self.encoder.layers[-1], x)
        return penalties.jacobian_norm(
            lambda inputs: self.latents(inputs, training), x, self.latent_dim, self.seed_generator
        )

    @property
    def weighs_examples(self):
        """False for the sparsity, which belongs to the batch and not to single images."""
        return self.penalty != "kl"

    def objective(self, x, inputs, training=False, sample_weight=None):
        """The loss for images x and what the encoder sees of them: `(loss, {name: scalar})`."""
        latents = self.latents(inputs, training)  # (b, d)
        parameters = self.pixel_parameters(latents, training)  # (b, h, w, c)
        reconstruction = average(self.reconstruction_error(x, parameters), sample_weight)
        if self.penalty == "contractive":
            penalty = average(self.contractive_penalty(x, training), sample_weight)
        elif self.penalty == "kl":
            penalty = penalties.kl_sparsity(latents, self.sparsity)
        elif self.penalty == "l1":
            penalty = average(ops.sum(ops.abs(latents), axis=1), sample_weight)
        else:
            penalty = ops.zeros(())
        loss = reconstruction + (self.penalty_weight or 0.0) * penalty
        return loss, {"loss": loss, "reconstruction": reconstruction, "penalty": penalty}

    def update(self, x, condition, sample_weight=None):
        inputs = self.corrupt(x)
        _, scalars = self.minimize(lambda: self.objective(x, inputs, True, sample_weight))
        return scalars

    def evaluation(self, x, condition, sample_weight=None):
        _, scalars = self.objective(x, x, sample_weight=sample_weight)
        return scalars

    # Using the model --------------------------------------------------------------------------

    @property
    def generate(self):
        raise AttributeError(
            "An Autoencoder has no distribution of latents: see decode(), and kzoo.VAE."
        )

    def call(self, x, training=False):
        return self.mean_image(self.pixel_parameters(self.latents(to_float(x), training), training))

    @backend.compiled
    def transform_noise(self, noise):
        return self.mean_image(self.pixel_parameters(noise))

    @backend.compiled
    def _encode(self, x):
        return self.latents(to_float(x))

    def encode(self, images, batch_size=128):
        """The latents of images.

        Args:
            images: uint8 (n, h, w, c), or floats in [-1, 1].
            batch_size: how many images to encode at once.

        Returns:
            float NumPy array (n, latent_dim).

        Raises:
            ValueError: if the images do not fit the model.
        """
        check_images(self, images)
        return self.run_in_batches(self._encode, batch_size, images)

    def decode(self, latents, batch_size=128):
        """The images of latents.

        Args:
            latents: float array (n, latent_dim); any other shape raises a `ValueError`.
            batch_size: how many images to compute at once.

        Returns:
            float NumPy array (n, h, w, c) in [-1, 1].
        """
        latents = check_latents(latents, self.latent_dim)
        return self.run_in_batches(self.transform_noise, batch_size, latents)

    def exports(self):
        """Also `encode`, images to latents, and `decode`, latents to images."""
        return {
            **super().exports(),
            "encode": (self.latents, [self.images_spec()]),
            "decode": (self.transform_noise, [self.latents_spec()]),
        }

    def reconstruct(self, images, batch_size=128):
        """Images, decoded from their latents: floats (n, h, w, c) in [-1, 1]. See `encode`."""
        return self.decode(self.encode(images, batch_size), batch_size)
