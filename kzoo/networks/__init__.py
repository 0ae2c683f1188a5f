"""Networks that several models share."""

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
