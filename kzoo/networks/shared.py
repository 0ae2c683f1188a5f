"""What the networks of the adversarial models are made of.

* Radford et al. 2016 (DCGAN), arXiv:1511.06434: batch norm and LeakyReLU.
* Ulyanov, Vedaldi, Lempitsky 2016, "Instance normalization: the missing ingredient for fast
  stylization", arXiv:1607.08022.
* Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral normalization for generative adversarial
  networks", arXiv:1802.05957, eq. 8.
* Brock, Donahue, Simonyan 2019 (BigGAN), arXiv:1809.11096, section 3: orthogonal initialization of
  spectrally normalized networks.
"""

import keras

from kzoo.layers import SpectralNormalization
from kzoo.layers import channels_last as layers

LEAK = 0.2  # slope of LeakyReLU


def depth_of(image_shape):
    """How often the image is halved to reach a side of 4 to 7, and the shape reached."""
    height, width, _ = image_shape
    depth = 0
    while min(height, width) >= 8:
        if height % 2 or width % 2:
            raise ValueError(
                "This network halves the image down to a side of 4 to 7, which image_shape="
                f"{tuple(image_shape)} does not allow: height and width must be 4..7 times a "
                "power of two. Pad or resize the images."
            )
        height, width, depth = height // 2, width // 2, depth + 1
    if not depth:
        raise ValueError(
            f"This network needs images of at least 8x8, got image_shape={tuple(image_shape)}."
        )
    return depth, (height, width)


def normalization(name=None):
    """DCGAN's batch norm."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)


def normal(init_stddev=0.02):
    """A new one for every layer: an initializer object draws the same numbers at every call."""
    return keras.initializers.RandomNormal(stddev=init_stddev)


def instance_norm(name=None):
    """Normalizes every feature over the pixels of one image."""
    return layers.GroupNormalization(groups=-1, axis=-1, epsilon=1e-5, name=name)


def spectrally_normalized(constructor, wanted=True):
    """A constructor of the same layers, but spectrally normalized; they start orthogonal.

    Args:
        constructor: a layer's class, or a function that makes a layer and takes its
            `kernel_initializer` and `name`.
        wanted: `False` gives the constructor itself.
    """
    if not wanted:
        return constructor

    def construct(*args, **kwargs):
        kwargs["kernel_initializer"] = keras.initializers.Orthogonal()
        layer = constructor(*args, **kwargs)
        return SpectralNormalization(layer, name=kwargs.get("name"))

    return construct
