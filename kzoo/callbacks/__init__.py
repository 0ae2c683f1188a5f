"""Keras callbacks for generative models."""

from kzoo.callbacks.checkpoint import Checkpoint
from kzoo.callbacks.monitors import PosteriorCollapse, StageHistory
from kzoo.callbacks.samples import SampleGrid, SampleScores
from kzoo.callbacks.stopping import CheckFinite, TimeLimit
from kzoo.models.cfggan.stopping import StageLimit

__all__ = [
    "CheckFinite",
    "Checkpoint",
    "PosteriorCollapse",
    "SampleGrid",
    "SampleScores",
    "StageHistory",
    "StageLimit",
    "TimeLimit",
]
