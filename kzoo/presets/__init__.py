"""Saved models: a folder with a config, metadata and weights, in KerasHub's layout.

* `config.json`: the model's class and constructor arguments, as Keras serializes them.
* `metadata.json`: versions, parameter count, the weights' SHA-256, and what the recipe measured.
* `model.weights.h5`: the weights, which every backend reads.
* `README.md`: the model card.
"""

from kzoo.presets.card import write_model_card
from kzoo.presets.preset import PresetMixin, read_metadata
from kzoo.presets.shipped import list_presets

__all__ = ["PresetMixin", "list_presets", "read_metadata", "write_model_card"]
