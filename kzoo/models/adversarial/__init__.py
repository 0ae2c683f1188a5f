"""Implicit densities: a generator against a discriminator."""

from kzoo.models.adversarial.began import BEGAN
from kzoo.models.adversarial.gan import GAN
from kzoo.models.adversarial.lsgan import LSGAN
from kzoo.models.adversarial.wgan import WGAN
from kzoo.models.adversarial.wgan_gp import WGANGP

__all__ = ["BEGAN", "GAN", "LSGAN", "WGAN", "WGANGP"]
