"""Spectral normalization of the discriminators that are built by name.

* Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral normalization for generative adversarial
  networks", arXiv:1802.05957, eq. 8 [1].
* Brock, Donahue, Simonyan 2019 (BigGAN), arXiv:1809.11096, section 3: orthogonal initialization of
  spectrally normalized networks [2].
"""

import keras

from kzoo.layers import SpectralNormalization


def spectrally_normalized(constructor):
    """A constructor of the same layers, but spectrally normalized; they start orthogonal.

    Args:
        constructor: a layer's class, or a function that makes a layer and takes its
            `kernel_initializer` and `name`.
    """

    def construct(*args, **kwargs):
        kwargs["kernel_initializer"] = keras.initializers.Orthogonal()
        layer = constructor(*args, **kwargs)
        return SpectralNormalization(layer, name=kwargs.get("name"))

    return construct
