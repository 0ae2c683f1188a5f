"""Networks that several models share."""

from kzoo.networks.dcgan import dcgan_discriminator, dcgan_generator

__all__ = ["dcgan_discriminator", "dcgan_generator"]
