"""Networks that see a text: an encoder of words, and GAN networks made from those without texts.

* Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, "Generative adversarial text to image synthesis",
  arXiv:1605.05396, section 4.1: the text is compressed, and joins z in the generator and the
  smallest feature maps in the discriminator [1].
* Kim 2014, "Convolutional neural networks for sentence classification", arXiv:1408.5882, section 2:
  a convolution over the vectors of the words [2].

Deviations: the encoder of [1] is a character-level network with a recurrent layer. This one sees
words, and averages over phrases where [2] takes the maximum; the vectors of the words themselves
are kept beside them.
"""

import keras
from keras import ops

from kzoo.layers import channels_last as layers
from kzoo.networks.shared import LEAK, normal, normalization, spectrally_normalized

PADDING = 0  # the token where a caption has no further word


def text_encoder(num_tokens, max_words, text_dim, word_dim=64):
    """Tokens (b, max_words) to vectors (b, text_dim).

    They are computed from the mean vector of the words, and from the mean over phrases, which a
    convolution computes from a word and its two neighbours.

    Args:
        num_tokens: tokens are in 0 .. num_tokens - 1; 0 is no word.
        max_words: length of a row of tokens.
        text_dim: length of the vector of a text.
        word_dim: length of the vector of a word.
    """
    tokens = layers.Input((max_words,), dtype="int32", name="captions")
    there = ops.expand_dims(ops.cast(ops.not_equal(tokens, PADDING), "float32"), -1)  # (b, n, 1)
    words = layers.Embedding(num_tokens, word_dim, normal(1.0), name="words")(tokens)
    # Without the vectors of padding, a caption is the same whatever `max_words` is.
    words = ops.multiply(words, there)  # (b, n, word_dim)
    phrases = layers.Conv1D(text_dim, 3, padding="same", activation="relu", name="phrases")(words)
    x = ops.multiply(layers.Concatenate()([words, phrases]), there)
    x = ops.sum(x, axis=1) / ops.maximum(ops.sum(there, axis=1), 1.0)  # (b, word_dim + text_dim)
    return keras.Model(tokens, layers.Dense(text_dim, name="text")(x), name="text_encoder")


def image_encoder(network, text_dim):
    """Images (b, h, w, c) to vectors (b, text_dim).

    Args:
        network: `keras.Model` of layers from images to logits. The inputs of its last layer are
            the features of which the vectors are made.
        text_dim: length of a vector.
    """
    x = layers.Dense(text_dim, name="image")(network.layers[-1].input)
    return keras.Model(network.inputs, x, name="image_encoder")


def _compressed(text, compressed_dim, dense):
    x = dense(compressed_dim, kernel_initializer=normal(), name="compressed_text")(text)
    return layers.LeakyReLU(LEAK, name="compressed_text_relu")(x)


def text_generator(network, latent_dim, text_dim, compressed_dim):
    """`[latents (b, latent_dim), text (b, text_dim)]` to images, by a network of both joined [1].

    Args:
        network: `keras.Model` from vectors (b, latent_dim + compressed_dim) to images (b, h, w, c).
        latent_dim: length of a latent vector.
        text_dim: length of the vector of a text.
        compressed_dim: to how many numbers a dense layer compresses it.
    """
    latents = layers.Input((latent_dim,), name="latents")
    text = layers.Input((text_dim,), name="text")
    joined = layers.Concatenate()([latents, _compressed(text, compressed_dim, layers.Dense)])
    return keras.Model([latents, text], network(joined), name=network.name)


def text_discriminator(
    network, text_dim, compressed_dim, batch_norm=True, spectral_normalization=False
):
    """`[images (b, h, w, c), text (b, text_dim)]` to logits (b, 1).

    The compressed text stands at every place of the network's last feature maps. A 1x1 convolution
    joins the two [1].

    Args:
        network: `keras.Model` of layers from images to logits, with convolutions. The layers behind
            its last feature maps are not used.
        text_dim: length of the vector of a text.
        compressed_dim: to how many numbers a dense layer compresses it.
        batch_norm: normalizes the 1x1 convolution.
        spectral_normalization: divides every new kernel by its largest singular value, in place of
            `batch_norm`.

    Raises:
        ValueError: if the network has no feature maps.
    """
    maps = [layer.output for layer in network.layers[1:] if len(layer.output.shape) == 4]
    if not maps:
        raise ValueError(
            "A text joins the discriminator's feature maps: expected a network of convolutions, "
            "such as 'dcgan', got one without."
        )
    convolution = spectrally_normalized(layers.Conv2D, spectral_normalization)
    dense = spectrally_normalized(layers.Dense, spectral_normalization)
    batch_norm = batch_norm and not spectral_normalization
    x = maps[-1]  # (b, h', w', features)
    features = x.shape[-1]
    text = layers.Input((text_dim,), name="text")
    compressed = _compressed(text, compressed_dim, dense)
    tiled = ops.ones_like(x[..., :1]) * ops.reshape(compressed, (-1, 1, 1, compressed_dim))
    x = layers.Concatenate()([x, tiled])
    x = convolution(
        features, 1, use_bias=not batch_norm, kernel_initializer=normal(), name="joined"
    )(x)
    x = normalization("joined_norm")(x) if batch_norm else x
    x = layers.Flatten()(layers.LeakyReLU(LEAK, name="joined_relu")(x))
    logit = dense(1, kernel_initializer=normal(), name="match")(x)
    return keras.Model([*network.inputs, text], logit, name=network.name)
