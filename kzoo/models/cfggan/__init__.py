"""Composite functional gradient learning of generative adversarial models."""

from kzoo.models.cfggan.cfggan import CFGGAN

__all__ = ["CFGGAN"]
