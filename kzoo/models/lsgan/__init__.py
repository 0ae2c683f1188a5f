"""Least squares GANs."""

from kzoo.models.lsgan.lsgan import LSGAN

__all__ = ["LSGAN"]
