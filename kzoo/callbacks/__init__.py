"""Keras callbacks for generative models."""

from kzoo.callbacks.check_finite import CheckFinite
from kzoo.callbacks.posterior_collapse import PosteriorCollapse
from kzoo.callbacks.sample_grid import SampleGrid
from kzoo.callbacks.sample_scores import SampleScores
from kzoo.callbacks.stage_history import StageHistory
from kzoo.callbacks.stage_limit import StageLimit
from kzoo.callbacks.time_limit import TimeLimit

__all__ = [
    "CheckFinite",
    "PosteriorCollapse",
    "SampleGrid",
    "SampleScores",
    "StageHistory",
    "StageLimit",
    "TimeLimit",
]
