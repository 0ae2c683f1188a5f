"""The prior of a VQ-VAE's codes: one of kzoo's pixel models."""

from kzoo.models.autoregressive.gated_pixelcnn import GatedPixelCNN
from kzoo.models.latent.vqvae import codes as code_images


class PriorMethods:
    """What `kzoo.VQVAE` does with its prior (a mixin)."""

    def set_prior(self, prior):
        """Gives the model another prior, or none (`None`); see the class.

        Raises:
            ValueError: if the prior does not fit the codes.
        """
        if prior is not None:
            code_images.check_prior(prior, self.code_shape, self.num_codes)
        self.prior = prior

    @property
    def num_classes(self):
        """Number of classes of a class-conditional prior; `None` for none."""
        return None if self.prior is None else self.prior.num_classes

    def prior_images(self, images):
        """The codes of images as the prior's uint8 images (n, *prior.image_shape).

        Raises:
            ValueError: if there is no prior, or the images do not fit the model.
        """
        self._check_prior("prior_images")
        return code_images.to_images(self.prior, self.encode_to_codes(images))

    def fit_prior(self, images, labels=None, **options):
        """Fits the prior to the codes of images.

        Args:
            images: uint8 (n, height, width, channels), or floats in [-1, 1].
            labels: int (n,), for a class-conditional prior.
            **options: of `fit`: `epochs`, `batch_size`, `callbacks` and so on. A
                `validation_data` holds images, or `(images, labels)`. The prior's own `compile`
                may be called before; its default settings are taken otherwise.

        Returns:
            Keras's `History`.

        Raises:
            ValueError: if there is no prior, or the data do not fit.
        """
        data = self.prior_images(images)
        if options.get("validation_data") is not None:
            held_out = options["validation_data"]
            if isinstance(held_out, tuple | list):
                options["validation_data"] = (self.prior_images(held_out[0]), *held_out[1:])
            else:
                options["validation_data"] = self.prior_images(held_out)
        if not self.prior.compiled:
            self.prior.compile()
        return self.prior.fit(data, labels, **options)

    def generate(
        self, num_samples, seed=None, batch_size=None, temperature=1.0, labels=None, verbose="auto"
    ):
        """Draws codes from the prior and decodes them.

        Args:
            num_samples, seed, batch_size, temperature, labels, verbose: as in
                `kzoo.PixelModel.generate`.

        Returns:
            uint8 NumPy array (num_samples, height, width, channels).

        Raises:
            ValueError: if there is no prior, or an argument is not as described.
        """
        self._check_prior("generate")
        images = self.prior.generate(
            num_samples,
            seed,
            temperature=temperature,
            labels=labels,
            batch_size=batch_size,
            verbose=verbose,
        )
        return self.decode_codes(
            code_images.from_images(self.prior, images), 64 if batch_size is None else batch_size
        )

    def default_prior(self, num_classes=None):
        """A small Gated PixelCNN for the codes, not trained: see `set_prior`.

        Args:
            num_classes: number of classes of a class-conditional prior; `None` for none.
        """
        return GatedPixelCNN(
            (*self.code_shape, 1),
            self.num_codes,
            filters=64,
            num_layers=8,
            head_filters=64,
            num_classes=num_classes,
            dtype=self.dtype_policy,
        )

    def _check_prior(self, method):
        if self.prior is None:
            raise ValueError(
                f"{method}() needs a prior over the codes: give VQVAE(prior=...) or set_prior() a "
                f"pixel model such as kzoo.GatedPixelCNN(image_shape={(*self.code_shape, 1)}, "
                f"levels={self.num_codes}), and call fit_prior()."
            )
