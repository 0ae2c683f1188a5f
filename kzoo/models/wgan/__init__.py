"""Wasserstein GANs."""

from kzoo.models.wgan.wgan import WGAN
from kzoo.models.wgan.wgan_gp import WGANGP

__all__ = ["WGAN", "WGANGP"]
