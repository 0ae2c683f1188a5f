"""Predicting the class of an image from the discriminator's features: InfoGAN and ACGAN.

* Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel 2016, "InfoGAN: interpretable representation
  learning by information maximizing generative adversarial nets", arXiv:1606.03657: the bound on
  the mutual information between a latent code and the image (eqs. 5 and 6). The code c is here one
  categorical variable, which `kzoo.layers.LatentCodes` makes of latents [1].
* Odena, Olah, Shlens 2017, "Conditional image synthesis with auxiliary classifier GANs" (ACGAN),
  arXiv:1610.09585: the discriminator also says which class an image is of, in L_C of eq. 3. It is
  told no label, and L_S of eq. 2 is the loss of the other GAN here, whichever that is [2].

Both put a second head on the discriminator, which shares all its layers but the last one. They
differ in what the head predicts: a code that the generator drew, or the label.

Deviations from [2]: both heads read the same features, here those before the discriminator's last
layer; L_C has a weight, 1 in the paper. Real and generated images are separate batches.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_natural, check_nonnegative, check_positive
from kzoo.images import check_images, to_float
from kzoo.layers import LatentCodes
from kzoo.layers import channels_last as layers
from kzoo.networks.given import dtype_policy


class ClassHead:
    """Predicts the class c of an image x: Q(c | x) of section 4 in [1], P(C | X) in [2].

    Args:
        discriminator: `keras.Model` of layers (functional or sequential), images to values (b, 1).
        num_classes: number of classes, or categories.
        argument: the argument that asked for the head, for error messages.
        hidden: units of a hidden layer of the head; 0 for none.

    Attributes:
        head: `keras.Model`, features to the log-odds (b, num_classes).

    Raises:
        ValueError: if the discriminator's last layer is not the end of a graph of layers.
    """

    def __init__(self, discriminator, num_classes, argument, hidden=0):
        try:
            features = discriminator.layers[-1].input
            # Untracked by a model that holds `self`: its layers are the discriminator's.
            self.outputs = keras.Model(discriminator.inputs, [*discriminator.outputs, features])
        except (AttributeError, IndexError, ValueError) as error:
            raise ValueError(
                f"{argument} needs a discriminator made of layers (keras.Sequential or the "
                f"functional API), whose last layer's input predicts the category; got "
                f"{discriminator!r}."
            ) from error
        between = []
        if hidden:
            norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
            between = [layers.Dense(hidden), norm, layers.LeakyReLU(0.2)]
        self.head = keras.Sequential(
            [
                layers.Input(features.shape[1:]),
                layers.Flatten(),
                *between,
                layers.Dense(num_classes),
            ],
            name="code_recognition" if hidden else "class_recognition",
        )

    def values_and_loss(self, images, classes, training):
        """The discriminator's values of images, and the loss of the predicted class.

        Args:
            images: (b, h, w, c).
            classes: ints (b,), the classes of the images.
            training: whether batch norm takes the statistics of the batch.

        Returns:
            `(values, loss)`: float32 (b, 1), and -E log P(c | x) in nats. It is
            log(num_classes) where the images do not depend on an evenly drawn class.
        """
        values, features = self.outputs(images, training=training)
        log_odds = ops.cast(self.head(features, training=training), "float32")  # (b, num_classes)
        loss = keras.losses.sparse_categorical_crossentropy(classes, log_odds, from_logits=True)
        return ops.cast(values, "float32"), ops.mean(loss)

    def probabilities(self, images):
        """P(c | x) of images (b, h, w, c), (b, num_classes)."""
        _, features = self.outputs(images, training=False)
        return ops.softmax(ops.cast(self.head(features, training=False), "float32"))


class Recognition:
    """The class head of a GAN with `information` or with auxiliary classes (a mixin)."""

    def _check_recognition(self, codes, information, auxiliary_weight, num_classes, conditioning):
        """Checks the arguments before anything is built, and names the head's loss."""
        information = check_nonnegative("information", information)
        if information and not codes:
            raise ValueError(
                f"information={information!r} is about the generator's categories: it needs codes "
                f"of at least 2, got codes={codes!r}."
            )
        if information and num_classes is not None:
            raise ValueError(
                "A model is conditioned on labels or finds categories without them: expected "
                f"num_classes=None or information=0, got num_classes={num_classes!r} and "
                f"information={information!r}."
            )
        check_positive("auxiliary_weight", auxiliary_weight)
        if information:
            self.loss_names = (*self.loss_names, "code_loss")
        elif num_classes is not None and conditioning == "auxiliary":
            self.loss_names = (*self.loss_names, "class_loss")

    def _set_recognition(self, codes, information, auxiliary_weight):
        """Takes the arguments, and makes the head once the networks are built."""
        self.codes = check_natural("codes", codes)
        self.information = float(information)
        self.auxiliary_weight = float(auxiliary_weight)
        if self.num_classes and self.codes > self.latent_dim:  # the label stands behind the latents
            raise ValueError(
                f"codes={codes!r} needs as many latents, got latent_dim={self.latent_dim}."
            )
        with dtype_policy(self.dtype_policy):
            if self.information:
                self.code_labels = LatentCodes(self.codes).labels
                self.recognition = ClassHead(
                    self.discriminator, self.codes, "information > 0", hidden=128
                )  # one hidden layer of 128, as in appendix C.1 of [1]
                self.code_head = self.recognition.head  # where Keras finds its variables
            elif self.auxiliary:
                self.recognition = ClassHead(
                    self.discriminator, self.num_classes, "conditioning='auxiliary'"
                )
                self.class_head = self.recognition.head

    @property
    def has_head(self):
        """Whether a class head predicts a category or the class."""
        return bool(self.information or self.auxiliary)

    @property
    def discriminator_variables(self):
        """Includes those of the network that predicts the class."""
        variables = super().discriminator_variables
        if self.has_head:
            variables = variables + self.recognition.head.trainable_variables
        return variables

    def values_and_losses(self, images, latents, condition, training):
        """The discriminator's values of images, and the loss of its class head.

        Args:
            images: (b, h, w, c).
            latents: (b, latent_dim), that they are generated from; `None` for real images.
            condition: a dict such as `{"labels": (b,)}`.
            training: whether batch norm takes the statistics of the batch.

        Returns:
            `(values, losses)`: float32 (b, 1), and `{"code_loss": scalar}` of a model with
            `information` at generated images, `{"class_loss": scalar}` of one with auxiliary
            classes, or an empty dict.
        """
        if self.information and latents is not None:
            classes, name = self.code_labels(latents), "code_loss"
        elif self.auxiliary:
            classes, name = condition["labels"], "class_loss"
        else:
            return self.logits(images, training, **condition), {}
        values, loss = self.recognition.values_and_loss(images, classes, training)
        return values, {name: loss}

    def weighted(self, losses):
        """The sum of the class head's losses among `losses`, times their weights: a scalar."""
        weights = {"code_loss": self.information, "class_loss": self.auxiliary_weight}
        return sum(weight * losses[name] for name, weight in weights.items() if name in losses)

    def class_probabilities(self, images):
        """P(C | X) of the auxiliary classifier [2].

        Args:
            images: uint8 array (n, height, width, channels), or floats in [-1, 1].

        Returns:
            NumPy array (n, num_classes), rows that sum to 1.

        Raises:
            ValueError: for a model without auxiliary classes, or if the images do not fit.
        """
        if not self.auxiliary:
            raise ValueError(
                "class_probabilities() needs a model with num_classes and "
                f"conditioning='auxiliary', got num_classes={self.num_classes!r} and "
                f"conditioning={self.conditioning!r}."
            )
        check_images(self, images)
        return self.run_in_batches(self._recognized, 256, images)

    def code_probabilities(self, images):
        """How often each category occurs among real images, by the network that predicts it.

        In training, a generator draws all categories equally often, even if their images are not
        equally frequent in the data. `kzoo.layers.LatentCodes(codes, probabilities)` draws the
        categories with the probabilities that this method returns.

        Args:
            images: uint8 array (n, height, width, channels), or floats in [-1, 1].

        Returns:
            float64 NumPy array (codes,) that sums to 1.

        Raises:
            ValueError: if the model was made without `information`, or the images do not fit.
        """
        if not self.information:
            raise ValueError("code_probabilities() needs a model with information > 0, got 0.")
        check_images(self, images)
        rows = self.run_in_batches(self._recognized, 256, images)  # (n, codes)
        return rows.astype("float64").mean(axis=0)

    @backend.compiled
    def _recognized(self, images):
        return self.recognition.probabilities(to_float(images))
