"""Keras callbacks for generative models."""

from kzoo.callbacks.check_finite import CheckFinite
from kzoo.callbacks.sample_grid import SampleGrid

__all__ = ["CheckFinite", "SampleGrid"]
