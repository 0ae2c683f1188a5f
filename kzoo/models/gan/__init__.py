"""Generative adversarial networks."""

from kzoo.models.gan.gan import GAN

__all__ = ["GAN"]
