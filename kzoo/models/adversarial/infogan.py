"""Predicting the category of a generated image: InfoGAN's bound on the mutual information.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel 2016, "InfoGAN: interpretable representation
learning by information maximizing generative adversarial nets", arXiv:1606.03657. The paper's
latent code c is here one categorical variable, which `kzoo.layers.LatentCodes` makes of latents.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.images import check_images, to_float
from kzoo.layers import LatentCodes
from kzoo.layers import channels_last as layers


class CategoryRecognition:
    """Predicts the category c of an image x: Q(c | x) of section 4.

    It shares all layers of a discriminator but the last, and has a head of its own.

    Args:
        discriminator: `keras.Model` of layers (functional or sequential), images to values (b, 1).
        codes: number of categories.

    Attributes:
        head: `keras.Model`, features to the log-odds (b, codes); one hidden layer of 128, as in
            the paper's appendix C.1.

    Raises:
        ValueError: if the discriminator's last layer is not the end of a graph of layers.
    """

    def __init__(self, discriminator, codes):
        try:
            features = discriminator.layers[-1].input
            # Untracked by a model that holds `self`: its layers are the discriminator's.
            self.outputs = keras.Model(discriminator.inputs, [*discriminator.outputs, features])
        except (AttributeError, IndexError, ValueError) as error:
            raise ValueError(
                "information > 0 needs a discriminator made of layers (keras.Sequential or the "
                f"functional API), whose last layer's input predicts the category; got "
                f"{discriminator!r}."
            ) from error
        self.labels = LatentCodes(codes).labels
        self.head = keras.Sequential(
            [
                layers.Input(features.shape[1:]),
                layers.Flatten(),
                layers.Dense(128),
                layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
                layers.LeakyReLU(0.2),
                layers.Dense(codes),
            ],
            name="code_recognition",
        )

    def values_and_loss(self, images, latents, training):
        """The discriminator's values of generated images, and the loss of the predicted category.

        Args:
            images: (b, h, w, c), generated from the latents.
            latents: (b, latent_dim).
            training: whether batch norm takes the statistics of the batch.

        Returns:
            `(values, loss)`: float32 (b, 1), and -E log Q(c | G(z)) in nats, the bound of eq. 5
            without the constant entropy of the category. It is log(codes) where the images do not
            depend on the category.
        """
        values, features = self.outputs(images, training=training)
        log_odds = ops.cast(self.head(features, training=training), "float32")  # (b, codes)
        loss = keras.losses.sparse_categorical_crossentropy(
            self.labels(latents), log_odds, from_logits=True
        )
        return ops.cast(values, "float32"), ops.mean(loss)

    def probabilities(self, images):
        """Q(c | x) of images (b, h, w, c), (b, codes)."""
        _, features = self.outputs(images, training=False)
        return ops.softmax(ops.cast(self.head(features, training=False), "float32"))


class CategoryProbabilities:
    """How often the categories of a model with `information` occur among images."""

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
        rows = self.run_in_batches(self._code_probabilities, 256, images)  # (n, codes)
        return rows.astype("float64").mean(axis=0)

    @backend.compiled
    def _code_probabilities(self, images):
        return self.category_recognition.probabilities(to_float(images))
