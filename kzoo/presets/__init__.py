"""Saved models: a folder with a config, metadata and weights, in KerasHub's layout.

* `config.json`: the model's class and constructor arguments, as Keras serializes them.
* `metadata.json`: versions, parameter count, the weights' SHA-256, and what the recipe measured.
* `model.weights.h5`: the weights, which every backend reads.
* `README.md`: the model card.
"""

import importlib

# Imported on first use: `kzoo list` needs `kzoo.presets.shipped` without importing Keras.
_NAMES = {
    "PresetMixin": "kzoo.presets.preset",
    "list_presets": "kzoo.presets.shipped",
    "push_folder": "kzoo.presets.hub",
    "read_metadata": "kzoo.presets.preset",
    "write_model_card": "kzoo.presets.card",
}

__all__ = ["PresetMixin", "list_presets", "push_folder", "read_metadata", "write_model_card"]


def __getattr__(name):
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_NAMES[name]), name)
    globals()[name] = value
    return value
