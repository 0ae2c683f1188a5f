"""Models that draw what a sentence says."""

from kzoo.models.text_to_image.text_image_encoder import TextImageEncoder
from kzoo.models.text_to_image.text_to_image_gan import TextToImageGAN

__all__ = ["TextImageEncoder", "TextToImageGAN"]
