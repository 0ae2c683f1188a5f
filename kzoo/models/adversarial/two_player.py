"""What models with two players share: two networks, and what modern training adds to them:

* Miyato et al. 2018, arXiv:1802.05957: spectral normalization of the discriminator [1].
* Zhao et al. 2020 (DiffAugment), arXiv:2006.10738, eqs. 4 and 5: augmentation of all images [2].
* Karras et al. 2018, "Progressive growing of GANs", arXiv:1710.10196, appendix A: samples come from
  an average of the generator's weights [3].
* Mescheder et al. 2018, arXiv:1801.04406: the penalty R1 [4].
"""

import keras
from keras import ops

from kzoo.checks import check_flag
from kzoo.layers import DiffAugment
from kzoo.layers.diff_augment import check_policies
from kzoo.models.adversarial.r1 import R1
from kzoo.models.adversarial.two_optimizers import TwoOptimizers
from kzoo.models.adversarial.weight_average import WeightAverage


class TwoPlayerModel(WeightAverage, R1, TwoOptimizers):
    """A discriminator and a network that makes images, each with an optimizer of its own.

    A subclass names its other network in `generator_name`. It makes the two networks, then calls
    `_set_options`, and `_finish` when all else is made.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: length of the latent vectors, of a model that has latents.
        augment: how training changes all images, real and generated, before the discriminator sees
            them [2]: names for `kzoo.layers.DiffAugment`, such as `"color,translation,cutout"`.
        spectral_normalization: divides every kernel of a named discriminator by its largest
            singular value [1], in place of the normalization of its features.
        average_decay: decay of the moving average of the generator's weights, in [0, 1), such as
            .999; 0 for no average. The network with these weights is `averaged_generator` (in a
            CFGGAN `averaged_approximator`), from which `generate` then draws unless it is called
            with `averaged=False` [3].
        r1: gamma, weight of the penalty R1 on the discriminator's gradient at real images (eq. 9 of
            [4]), such as .1 to 10; 0 for none.
        r1_every: the penalty is computed at every `r1_every`-th update of the discriminator only,
            and multiplied by `r1_every` there.
    """

    generator_name = "generator"

    def __init__(
        self,
        image_shape,
        latent_dim=None,
        augment=None,
        spectral_normalization=False,
        average_decay=0.0,
        r1=0.0,
        r1_every=16,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, **kwargs)
        self.augment = list(check_policies("augment", augment)) or None
        self.spectral_normalization = check_flag("spectral_normalization", spectral_normalization)
        self._check_average(average_decay)
        self._check_r1(r1, r1_every)

    def logits(self, images, training=False, **condition):
        """The discriminator's values of images (b, h, w, c), float32, of its output's shape."""
        given = [values for values in condition.values() if values is not None]
        inputs = [images, *given] if given else images
        return ops.cast(self.discriminator(inputs, training=training), "float32")

    def _check_spectral(self, discriminator):
        """`ValueError` for spectral normalization of a network that the user gave."""
        if self.spectral_normalization and not isinstance(discriminator, str):
            raise ValueError(
                "spectral_normalization=True is for a discriminator given by its name; got "
                f"{discriminator!r}. Wrap its layers in kzoo.layers.SpectralNormalization instead."
            )

    def _set_options(self, *named):
        """Keeps the names of the networks that were named, and adds what the options need.

        Args:
            *named: the arguments for the discriminator and for the other network: a
                `keras.Model`, which the user gave, or a name.
        """
        for role, given in zip(("discriminator", self.generator_name), named, strict=True):
            if isinstance(given, str):
                self.networks_by_name[role] = given
        self._set_average()
        self._set_r1()

    def _finish(self):
        """The random state, once all networks are made."""
        self.seed_generator = keras.random.SeedGenerator()
        if self.augment:
            self.augmentation = DiffAugment(self.augment, seed=self.seed_generator)
        self.build()

    def augmented(self, images, training=True):
        """Images (b, h, w, c) as training shows them to the discriminator."""
        return self.augmentation(images, training=True) if training and self.augment else images
