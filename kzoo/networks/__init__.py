"""Networks that several models share.

A discriminator maps images (b, height, width, channels) in [-1, 1] to logits (b, 1), a generator
latents (b, latent_dim) to images in [-1, 1]. What they take, if nothing else is said:

* `image_shape`: `(height, width, channels)`. Most networks halve the image down to a side of 4 to
  7; a `ValueError` says so where it cannot be done.
* `latent_dim`: length of a generator's latent vectors.
* `spectral_normalization`: divides every kernel of a discriminator by its largest singular value
  (Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957, eq. 8), in place of its other
  normalization. The weights then start orthogonal, whatever `init_stddev` (Brock, Donahue, Simonyan
  2019, arXiv:1809.11096, section 3).
* `init_stddev`: standard deviation of the initial weights.
* `name`: of the `keras.Model`.
"""

from kzoo.networks.began import began_discriminator, began_generator
from kzoo.networks.by_name import (
    discriminator_by_name,
    generator_by_name,
    patch_discriminator_by_name,
    translator_by_name,
)
from kzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from kzoo.networks.dcgan_4x4 import dcgan_4x4_discriminator, dcgan_4x4_generator
from kzoo.networks.fully_connected import fully_connected_discriminator, fully_connected_generator
from kzoo.networks.patchgan import patchgan_discriminator
from kzoo.networks.resnet import resnet_discriminator, resnet_generator
from kzoo.networks.resnet_translator import resnet_translator
from kzoo.networks.unet import unet_generator

__all__ = [
    "began_discriminator",
    "began_generator",
    "dcgan_4x4_discriminator",
    "dcgan_4x4_generator",
    "dcgan_discriminator",
    "dcgan_generator",
    "discriminator_by_name",
    "fully_connected_discriminator",
    "fully_connected_generator",
    "generator_by_name",
    "patch_discriminator_by_name",
    "patchgan_discriminator",
    "resnet_discriminator",
    "resnet_generator",
    "resnet_translator",
    "translator_by_name",
    "unet_generator",
]
