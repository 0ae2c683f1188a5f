"""Models that turn an image into an image."""

from kzoo.models.translation.cyclegan import CycleGAN
from kzoo.models.translation.pix2pix import Pix2Pix

__all__ = ["CycleGAN", "Pix2Pix"]
