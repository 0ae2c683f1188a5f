"""A toy of three words, each an image of its own grey level."""

import keras
import numpy as np

import kzoo

GREYS = {"dark": 40, "grey": 128, "bright": 215}
SHAPE = (8, 8, 1)
WORDS = ["a", "square", "bright", "dark", "grey"]


def toy(count=72):
    """`(images, captions)`, uint8 and an array of strings."""
    words = np.resize(list(GREYS), count)
    noise = np.random.RandomState(0).randint(-8, 9, (count, *SHAPE))
    levels = np.array([GREYS[word] for word in words])[:, None, None, None]
    return (levels + noise).astype("uint8"), np.array([f"a {word} square" for word in words])


def halves(count=48):
    """`(images, captions)`: one half of an image is white, and the caption says which."""
    words = np.resize(["left", "right", "top"], count)
    images = np.random.RandomState(0).randint(0, 40, (count, *SHAPE)).astype("uint8")
    for image, word in zip(images, words):
        half = {"left": np.s_[:, :4], "right": np.s_[:, 4:], "top": np.s_[:4]}[word]
        image[half] += 200
    return images, np.array([f"the {word} half" for word in words])


def gan(**options):
    """A small model that knows the words of the toy."""
    small = {"latent_dim": 4, "width": 4, "text_dim": 8, "compressed_dim": 6, "max_words": 4}
    arguments = {"vocabulary": WORDS, **small, **options}
    return kzoo.TextToImageGAN(SHAPE, **arguments)


def encoder(captions=None, **options):
    captions = toy(3)[1] if captions is None else captions
    small = {"width": 4, "text_dim": 8, "max_words": 4, "word_dim": 6}
    return kzoo.TextImageEncoder.from_captions(captions, image_shape=SHAPE, **{**small, **options})


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def weights_of(model):
    return [numpy(weight).copy() for weight in model.weights]
