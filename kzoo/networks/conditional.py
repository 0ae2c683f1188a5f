"""Networks that also see a class label, made from the unconditional ones.

* Mirza, Osindero 2014, "Conditional generative adversarial nets", arXiv:1411.1784, section 3.2: the
  label joins the inputs of both networks, here as a one-hot vector [1].
* Miyato, Koyama 2018, "cGANs with projection discriminator", arXiv:1802.05637, eq. 4: the label's
  vector is multiplied with the discriminator's features [2].
"""

import keras
from keras import ops

from kzoo.layers import channels_last as layers
from kzoo.networks.shared import normal

CONDITIONING = ("projection", "concatenation", "auxiliary")


def conditional_generator(network, latent_dim, num_classes):
    """`[latents (b, latent_dim), labels (b,)]` to images, by a network of both joined [1].

    Args:
        network: `keras.Model` from vectors (b, latent_dim + num_classes) to images (b, h, w, c).
        latent_dim: length of a latent vector.
        num_classes: how many classes there are.
    """
    latents = layers.Input((latent_dim,), name="latents")
    labels = layers.Input((), dtype="int32", name="labels")
    joined = layers.Concatenate()([latents, ops.one_hot(labels, num_classes)])
    return keras.Model([latents, labels], network(joined), name=network.name)


def concatenated_discriminator(network, image_shape, num_classes):
    """`[images (b, h, w, c), labels (b,)]` to logits: the label joins the channels [1].

    Args:
        network: `keras.Model` from images (b, h, w, c + num_classes) to logits (b, 1).
        image_shape: `(height, width, channels)`.
        num_classes: number of classes, and of channels added to the image's: that of the label
            is 1 everywhere, the others are 0.
    """
    images = layers.Input(image_shape, name="images")
    labels = layers.Input((), dtype="int32", name="labels")
    one_hot = ops.reshape(ops.one_hot(labels, num_classes), (-1, 1, 1, num_classes))
    maps = ops.ones_like(images[..., :1]) * one_hot  # (b, h, w, num_classes)
    joined = layers.Concatenate()([images, maps])
    return keras.Model([images, labels], network(joined), name=network.name)


def projection_discriminator(network, num_classes):
    """`[images (b, h, w, c), labels (b,)]` to logits D(x) + <V y, phi(x)> (eq. 4 of [2]).

    Args:
        network: `keras.Model` of layers from images to logits D(x). The inputs of its last layer
            are the features phi(x) (b, d).
        num_classes: how many classes there are; V has a vector for each.
    """
    features = network.layers[-1].input  # (b, d)
    labels = layers.Input((), dtype="int32", name="labels")
    embedding = layers.Embedding(num_classes, features.shape[-1], normal(), name="projection")
    projection = layers.Dot(axes=1)([embedding(labels), features])  # (b, 1)
    logits = layers.Add()([network.outputs[0], projection])
    return keras.Model([*network.inputs, labels], logits, name=network.name)
