"""An encoder of captions and one of images, in one space: structured joint embedding.

* Reed, Akata, Lee, Schiele 2016, "Learning deep representations of fine-grained visual
  descriptions", CVPR, arXiv:1605.05395, eqs. 1 to 3 [1].

Deviations: both networks are small and trained from scratch, where [1] takes the features of a
large image classifier and a character-level text network. Equal captions are one class; [1] has
the classes of a data set. The loss differs as `kzoo.models.text_to_image.losses` says.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_positive_int
from kzoo.images import check_images, to_float
from kzoo.models.base import GenerativeModel
from kzoo.models.text_to_image.losses import joint_embedding_loss
from kzoo.models.text_to_image.vocabulary import FIRST, MAX_WORDS, Captioned
from kzoo.networks import dcgan_discriminator
from kzoo.networks.given import dtype_policy
from kzoo.networks.text import image_encoder, text_encoder


@keras.saving.register_keras_serializable(package="kzoo")
class TextImageEncoder(Captioned, GenerativeModel):
    """Maps images and captions to vectors whose dot product says how well the two fit.

    `fit(images, captions)` trains it. It draws no images: a `kzoo.TextToImageGAN` draws from its
    vectors of captions, and `kzoo.metrics.caption_retrieval` scores images by it.

    `fit` and `evaluate` report `loss` and `accuracy`: the share of images that fit their own
    caption best among all captions of their batch.

    Args:
        image_shape: `(height, width, channels)` of the images, whose sides can be halved down to 4
            to 7.
        vocabulary: the words that it knows, a list of different lower-case strings;
            `from_captions` makes one.
        max_words: how many words of a caption it sees, from the first one on.
        text_dim: length of the vectors; 1024 in [1].
        word_dim: length of the vector of a word.
        width: features of the image network next to the image.
        **kwargs: `name`, `dtype` and the like, as in `keras.Model`.

    Raises:
        ValueError: if an argument is not as described above.

    Example:

    ```python
    encoder = kzoo.TextImageEncoder.from_captions(captions, image_shape=(64, 64, 3))
    encoder.compile()
    encoder.fit(images, captions, epochs=20)
    scores = encoder.embed_images(images) @ encoder.embed_captions(captions).T  # (n, n)
    ```
    """

    loss_names = ("loss", "accuracy")
    refused_arguments = ("latent_dim",)
    distributes = False

    def __init__(
        self,
        image_shape=(64, 64, 3),
        vocabulary=None,
        max_words=MAX_WORDS,
        text_dim=128,
        word_dim=64,
        width=32,
        **kwargs,
    ):
        super().__init__(image_shape, **kwargs)
        self._set_vocabulary(vocabulary, max_words)
        self.text_dim = check_positive_int("text_dim", text_dim)
        self.word_dim = check_positive_int("word_dim", word_dim)
        self.width = check_positive_int("width", width)
        with dtype_policy(self.dtype_policy):
            num_tokens = FIRST + len(self.vocabulary)
            self.text_encoder = text_encoder(
                num_tokens, self.max_words, self.text_dim, self.word_dim
            )
            network = dcgan_discriminator(self.image_shape, self.width)
            self.image_encoder = image_encoder(network, self.text_dim)
        self.built = True

    @property
    def generate(self):
        raise AttributeError("A TextImageEncoder draws no images: see kzoo.TextToImageGAN.")

    # The paper's quantities -------------------------------------------------------------------

    def image_vectors(self, x, training=False):
        """theta(v): images (b, h, w, c), floats in [-1, 1], to float32 (b, text_dim)."""
        return ops.cast(self.image_encoder(x, training=training), "float32")

    def text_vectors(self, captions):
        """phi(t): tokens (b, max_words) to float32 (b, text_dim)."""
        return ops.cast(self.text_encoder(captions), "float32")

    def call(self, x, captions, training=False):
        """F(v, t) of images (b, h, w, c) and as many captions, tokens (b, max_words): (b,)."""
        return ops.sum(self.image_vectors(x, training) * self.text_vectors(captions), axis=-1)

    def objective(self, x, captions, training=False):
        """`(loss, scalars)`: the loss and the dict of those in `loss_names`."""
        images, texts = self.image_vectors(x, training), self.text_vectors(captions)
        same = ops.all(ops.equal(captions[:, None], captions[None]), axis=-1)  # (b, b)
        loss = joint_embedding_loss(images, texts, same)
        best = ops.argmax(ops.matmul(images, ops.transpose(texts)), axis=-1)  # (b,)
        own = ops.all(ops.equal(ops.take(captions, best, axis=0), captions), axis=-1)
        return loss, {"loss": loss, "accuracy": ops.mean(ops.cast(own, "float32"))}

    def update(self, x, condition):
        _, scalars = self.minimize(lambda: self.objective(x, condition["captions"], training=True))
        return scalars

    def evaluation(self, x, condition):
        return self.objective(x, condition["captions"])[1]

    # Use --------------------------------------------------------------------------------------

    @backend.compiled
    def _embed_images(self, images):
        return self.image_vectors(to_float(images))

    @backend.compiled
    def _embed_captions(self, captions):
        return self.text_vectors(captions)

    def embed_images(self, images, batch_size=128):
        """The vectors of images.

        Args:
            images: uint8 (n, height, width, channels), or floats in [-1, 1].
            batch_size: how many to encode at once.

        Returns:
            float32 NumPy array (n, text_dim).

        Raises:
            ValueError: if the images do not fit the model.
        """
        check_images(self, images)
        return self.run_in_batches(self._embed_images, batch_size, images)

    def embed_captions(self, captions, batch_size=128):
        """The vectors of captions.

        Args:
            captions: a string, or a list or array of n strings.
            batch_size: how many to encode at once.

        Returns:
            float32 NumPy array (n, text_dim).

        Raises:
            ValueError: if they are not strings, or one has no word that the model knows.
        """
        tokens = self.conditioned_on[0].check(captions)
        return self.run_in_batches(self._embed_captions, batch_size, tokens)
