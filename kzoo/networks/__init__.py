"""Networks that several models share."""

from kzoo.networks.by_name import discriminator_by_name, generator_by_name
from kzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from kzoo.networks.dcgan_4x4 import dcgan_4x4_discriminator, dcgan_4x4_generator
from kzoo.networks.fully_connected import (
    fully_connected_discriminator,
    fully_connected_generator,
)
from kzoo.networks.resnet import resnet_discriminator, resnet_generator

__all__ = [
    "dcgan_4x4_discriminator",
    "dcgan_4x4_generator",
    "dcgan_discriminator",
    "dcgan_generator",
    "discriminator_by_name",
    "fully_connected_discriminator",
    "fully_connected_generator",
    "generator_by_name",
    "resnet_discriminator",
    "resnet_generator",
]
