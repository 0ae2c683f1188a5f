"""Vector-quantized variational auto-encoder, with a pixel model as the prior of its codes.

Implements
    [1] van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, 2017
        (arXiv:1711.00937): the discrete posterior (eqs. 1 and 2), the loss (eq. 3) with the
        straight-through estimator, the codebook as moving averages (appendix A.1), an
        autoregressive prior fitted to the codes afterwards (section 3.3).

Deviations: codes out of use start anew (`kzoo.layers.VectorQuantizer`); squared errors are averages
over values and not sums; the widths of the networks are arguments, the residual blocks' hidden
features half the width. The prior may see a code as several digits, one per channel. Codes can
be numbered so that neighbours are alike (`order_codes`). Neither changes which distributions the
prior can represent.
"""

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import check_nonnegative, check_positive, check_positive_int
from kzoo.images import check_images, to_float, to_uint8
from kzoo.layers import VectorQuantizer
from kzoo.models.base import GenerativeModel
from kzoo.models.latent.vqvae import codes as code_images
from kzoo.models.latent.vqvae.networks import vqvae_decoder, vqvae_encoder
from kzoo.models.latent.vqvae.prior import PriorMethods


@keras.saving.register_keras_serializable(package="kzoo")
class VQVAE(PriorMethods, GenerativeModel):
    """Auto-encoder with discrete latents: a map of codes, each one of `num_codes`.

    `model(images)` reconstructs: floats (b, h, w, c) in [-1, 1]. `fit` trains encoder, codebook
    and decoder; then `fit_prior` fits the prior to the codes of the training images, and
    `generate` draws codes from the prior and decodes them.

    `fit` and `evaluate` report `reconstruction` (mean squared error per value, of images in
    [-1, 1], divided by `pixel_variance`), `commitment` (mean squared distance of the encoder's
    outputs from their codes, per value), `loss` = `reconstruction` + `commitment_cost` *
    `commitment` (eq. 3; the codebook has moving averages in place of its term) and `perplexity`
    (how many codes a batch uses: exp of the entropy of their frequencies, 1..num_codes).

    Args:
        image_shape: `(height, width, channels)` of the images.
        num_codes: K, the size of the codebook.
        code_dim: D, the dimension of a code.
        width: features of the networks' hidden layers.
        downsamplings: how many times height and width are halved from the images to the maps of
            codes.
        blocks: residual blocks of each network.
        commitment_cost: beta of eq. 3, at least 0.
        decay: gamma of the codebook's moving averages.
        restart_below: a code that is used less often per batch is replaced (see
            `kzoo.layers.VectorQuantizer`); 0 for never.
        pixel_variance: variance of the images' values in [-1, 1], the unit of `reconstruction`.
        prior: a `kzoo.PixelModel` over `code_shape`, or `None`. Its `levels ** channels` must be
            `num_codes`: images (h, w, 1) with as many levels as there are codes, or (h, w, 8)
            with 2 levels for 256 codes, and so on. See also `set_prior`.
        seed: seed of the first codebook and of the restarts, an int or `None`.
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: if an argument is not as described above.
    """

    loss_names = ("loss", "reconstruction", "commitment", "perplexity")
    refused_arguments = ("latent_dim",)
    distributes = False

    def __init__(
        self,
        image_shape=(32, 32, 3),
        num_codes=256,
        code_dim=64,
        width=128,
        downsamplings=2,
        blocks=2,
        commitment_cost=0.25,
        decay=0.99,
        restart_below=1.0,
        pixel_variance=1.0,
        prior=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(image_shape, **kwargs)
        self.num_codes = check_positive_int("num_codes", num_codes)
        self.code_dim = check_positive_int("code_dim", code_dim)
        self.width = check_positive_int("width", width)
        self.downsamplings = check_positive_int("downsamplings", downsamplings)
        self.blocks = check_positive_int("blocks", blocks)
        self.commitment_cost = check_nonnegative("commitment_cost", commitment_cost)
        self.decay = decay
        self.restart_below = restart_below
        self.pixel_variance = check_positive("pixel_variance", pixel_variance)
        self.seed = seed

        shapes = (self.image_shape, self.code_dim, self.width, self.downsamplings, self.blocks)
        self.encoder = vqvae_encoder(*shapes, self.dtype_policy)
        self.decoder = vqvae_decoder(*shapes, self.dtype_policy)
        self.code_shape = tuple(self.encoder.output_shape[1:3])
        self.quantizer = VectorQuantizer(
            self.num_codes, decay, restart_below, seed, dtype="float32", name="quantizer"
        )
        self.quantizer.build((None, *self.code_shape, self.code_dim))
        self.set_prior(prior)
        self.built = True

    @property
    def trainable_variables(self):
        """What `fit` trains: not the prior, which `fit_prior` does."""
        return [*self.encoder.trainable_variables, *self.decoder.trainable_variables]

    @property
    def trainable_weights(self):
        """The same: Keras writes the averages of an optimizer into these when `fit` ends."""
        return self.trainable_variables

    # The paper's quantities -------------------------------------------------------------------

    def objective(self, x, training=False):
        """The loss (eq. 3) and its parts, averages over the batch.

        Returns:
            `(loss, scalars)`: the scalar loss, and a dict of those in `loss_names`.
        """
        encoded = self.encoder(x, training=training)  # z_e, (b, h, w, d)
        passed, codes, indices = self.quantizer(encoded, training=training)  # z_q
        decoded = ops.cast(self.decoder(passed, training=training), "float32")
        reconstruction = ops.mean(ops.square(decoded - x)) / self.pixel_variance
        commitment = ops.mean(ops.square(ops.cast(encoded, "float32") - codes))
        loss = reconstruction + self.commitment_cost * commitment
        return loss, {
            "loss": loss,
            "reconstruction": reconstruction,
            "commitment": commitment,
            "perplexity": self.quantizer.perplexity(indices),
        }

    def update(self, x, condition):
        _, scalars = self.minimize(lambda: self.objective(x, training=True))
        return scalars

    def evaluation(self, x, condition):
        _, scalars = self.objective(x)
        return scalars

    # Codes ------------------------------------------------------------------------------------

    def call(self, x, training=False):
        return self._decode(self._encode(to_float(x)))

    def _encode(self, x):
        return self.quantizer.nearest(self.encoder(x))

    def _decode(self, codes):
        images = self.decoder(self.quantizer.lookup(codes))
        return ops.clip(ops.cast(images, "float32"), -1.0, 1.0)

    @backend.compiled
    def _codes_of(self, x):
        return self._encode(to_float(x))

    @backend.compiled
    def _images_of(self, codes):
        return to_uint8(self._decode(codes))

    def encode_to_codes(self, images, batch_size=128):
        """The codes of images.

        Args:
            images: uint8 (n, height, width, channels), or floats in [-1, 1].
            batch_size: how many to encode at once.

        Returns:
            int32 NumPy array (n, *code_shape), each in 0 .. num_codes - 1.

        Raises:
            ValueError: if the images do not fit the model.
        """
        check_images(self, images)
        return self.run_in_batches(self._codes_of, batch_size, images)

    def decode_codes(self, codes, batch_size=64):
        """The images of codes.

        Args:
            codes: int array (n, *code_shape), each in 0 .. num_codes - 1.
            batch_size: how many to decode at once.

        Returns:
            uint8 NumPy array (n, height, width, channels).

        Raises:
            ValueError: if the codes are not as described.
        """
        codes = np.asarray(codes)
        if codes.shape[1:] != self.code_shape or codes.dtype.kind not in "iu" or not len(codes):
            raise ValueError(
                f"decode_codes expects integers of shape (n, {self.code_shape[0]}, "
                f"{self.code_shape[1]}), got {codes.dtype} of shape {codes.shape}."
            )
        if not 0 <= codes.min() <= codes.max() < self.num_codes:
            raise ValueError(
                f"codes must be in 0..{self.num_codes - 1}, got values from {codes.min()} to "
                f"{codes.max()}."
            )
        return self.run_in_batches(self._images_of, batch_size, codes.astype("int32"))

    def exports(self):
        """Also `encode`, images to codes, and `decode`, codes to images."""
        codes = keras.InputSpec("int32", (None, *self.code_shape), name="codes")
        return {
            **super().exports(),
            "encode": (self._encode, [self.images_spec()]),
            "decode": (self._decode, [codes]),
        }

    def order_codes(self):
        """Renumbers the codes so that neighbours are alike, which eases the prior's work.

        Reconstructions do not change; codes do. Call it after `fit` and before `fit_prior`.
        """
        quantizer = self.quantizer
        order = code_images.bisection_order(ops.convert_to_numpy(quantizer.codebook.value))
        for variable in (quantizer.codebook, quantizer.counts, quantizer.sums):
            variable.assign(ops.convert_to_numpy(variable.value)[order])
