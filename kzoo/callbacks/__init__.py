"""Keras callbacks for generative models."""

from kzoo.callbacks.monitors import PosteriorCollapse, StageHistory
from kzoo.callbacks.samples import SampleGrid, SampleScores
from kzoo.callbacks.stopping import CheckFinite, TimeLimit
from kzoo.models.cfggan.stopping import StageLimit

__all__ = [
    "CheckFinite",
    "PosteriorCollapse",
    "SampleGrid",
    "SampleScores",
    "StageHistory",
    "StageLimit",
    "TimeLimit",
]
