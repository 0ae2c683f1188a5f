"""What models of a discriminator and a generator share: the two networks, and these options:

* Miyato et al. 2018, arXiv:1802.05957: spectral normalization of the discriminator [1].
* Zhao et al. 2020 (DiffAugment), arXiv:2006.10738, eqs. 4 and 5: augmentation of all images [2].
* Karras, Aila, Laine, Lehtinen 2018, "Progressive growing of GANs", arXiv:1710.10196, appendix A:
  samples come from an exponential moving average of the generator's weights, with decay .999 [3].
  Yazici et al. 2019, arXiv:1806.04498, say why it helps.
* Mescheder, Geiger, Nowozin 2018, "Which training methods for GANs do actually converge?",
  arXiv:1801.04406, eq. 9: R1 = gamma / 2 E ||grad D(x)||^2 over real images x [4].
* Karras, Laine, Aittala, Hellsten, Lehtinen, Aila 2020 (StyleGAN2), arXiv:1912.04958, section 3.1:
  lazy regularization, the penalty at every 16th update only, times 16 [5].

Deviations: batch norm, which [4] does not use, takes its moving statistics in the penalty. The
penalty is added to the loss of an update; [5] minimizes it in a step of its own.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_flag, check_nonnegative, check_positive_int, check_rate
from kzoo.layers import DiffAugment
from kzoo.layers.diff_augment import check_policies
from kzoo.models.adversarial.two_optimizers import TwoOptimizers
from kzoo.networks.given import copy_of


class AdversarialModel(TwoOptimizers):
    """A discriminator and a network that makes images, each with an optimizer of its own.

    A subclass names its other network in `generator_name`. It calls `_keep_names` with what the
    user gave for the two networks, makes them, then calls `_set_options`, and `_finish` when all
    else is made.

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
            [4]), such as .1 to 10; 0 for none. The images are those that the discriminator sees,
            augmented or with noise.
        r1_every: the penalty is computed at every `r1_every`-th update of the discriminator only,
            and multiplied by `r1_every` there.
    """

    generator_name = "generator"
    sampling_options = frozenset(("averaged",))

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
        self.average_decay = check_rate(
            "average_decay", 0.0 if average_decay is None else average_decay
        )
        self.r1 = check_nonnegative("r1", r1)
        self.r1_every = check_positive_int("r1_every", r1_every)

    def logits(self, images, training=False, **condition):
        """The discriminator's values of images (b, h, w, c), float32, of its output's shape."""
        given = [values for values in condition.values() if values is not None]
        inputs = [images, *given] if given else images
        return ops.cast(self.discriminator(inputs, training=training), "float32")

    def _keep_names(self, discriminator, generator):
        """Keeps the names of the networks that were named, not given as a `keras.Model`.

        Raises:
            ValueError: for spectral normalization of a network that the user gave.
        """
        if self.spectral_normalization and not isinstance(discriminator, str):
            raise ValueError(
                "spectral_normalization=True is for a discriminator given by its name; got "
                f"{discriminator!r}. Wrap its layers in kzoo.layers.SpectralNormalization instead."
            )
        given = {"discriminator": discriminator, self.generator_name: generator}
        named = {role: name for role, name in given.items() if isinstance(name, str)}
        self.networks_by_name.update(named)

    def _set_options(self):
        """Adds what the options need, once the two networks are made."""
        if self.average_decay:
            average = copy_of(getattr(self, self.generator_name))
            average.trainable = False
            setattr(self, f"averaged_{self.generator_name}", average)
            self.average_updates = self.add_weight(
                (), "zeros", trainable=False, dtype="float32", name="average_updates"
            )
        if self.r1:
            self.r1_updates = self.add_weight(
                (), "zeros", trainable=False, dtype="int32", name="r1_updates"
            )

    def _finish(self):
        """The random state, once all networks are made."""
        self.seed_generator = keras.random.SeedGenerator()
        if self.augment:
            self.augmentation = DiffAugment(self.augment, seed=self.seed_generator)
        self.build()

    def augmented(self, images, training=True):
        """Images (b, h, w, c) as training shows them to the discriminator."""
        return self.augmentation(images, training=True) if training and self.augment else images

    def _drawn_by(self, averaged=True):
        """The network that images come from: the generator, or the average of its weights."""
        kind = "averaged_" if averaged and self.average_decay else ""
        return getattr(self, kind + self.generator_name)

    def _update_average(self):
        """Moves the average, after an update of the generator.

        After update t = 1, 2, ... every trainable weight w moves the average a by
        a <- a + (1 - k) (w - a), k = min(decay, (1 + t) / (10 + t)): at first the average follows
        quickly, as it starts from weights that were never trained. All other weights, such as the
        statistics of batch norm, are copied.
        """
        if not self.average_decay:
            return
        self.average_updates.assign_add(1.0)
        t = self.average_updates.value
        rest = 1.0 - ops.minimum(self.average_decay, (1.0 + t) / (10.0 + t))
        generator = self._drawn_by(averaged=False)
        trained = {id(variable) for variable in generator.trainable_variables}
        pairs = zip(self._drawn_by().weights, generator.weights, strict=True)
        for average, variable in pairs:
            if id(variable) in trained:
                average.assign_add(rest * (variable.value - average.value))
            else:
                average.assign(variable.value)

    def _r1(self, real, condition):
        """The penalty at real images (b, h, w, c) as the discriminator sees them; a scalar."""
        if not self.r1:
            return 0.0

        def penalty():
            _, gradient = backend.input_gradient(lambda x: self.logits(x, **condition), real)
            gradient = ops.cast(gradient, "float32")
            squared_norms = ops.sum(ops.square(gradient), axis=(1, 2, 3))
            return self.r1 / 2 * self.r1_every * ops.mean(squared_norms)

        if self.r1_every == 1:
            return penalty()
        turn = ops.equal(self.r1_updates.value % self.r1_every, 0)
        return ops.cond(turn, penalty, lambda: ops.zeros((), "float32"))

    def _after_r1(self):
        """Counts an update of the discriminator."""
        if self.r1:
            self.r1_updates.assign_add(1)
