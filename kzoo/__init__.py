"""kzoo: generative models for Keras 3, on TensorFlow, JAX and PyTorch."""

import importlib

from kzoo import _environment

__version__ = "0.2.0"

# What can be trained: a line here makes a model known to the command line.
_MODELS = {
    "Autoencoder": "kzoo.models.latent",
    "BEGAN": "kzoo.models.adversarial",
    "CFGGAN": "kzoo.models.cfggan",
    "CycleGAN": "kzoo.models.translation",
    "GAN": "kzoo.models.adversarial",
    "GatedPixelCNN": "kzoo.models.autoregressive",
    "LSGAN": "kzoo.models.adversarial",
    "LadderVAE": "kzoo.models.latent",
    "MultiScalePixelRNN": "kzoo.models.autoregressive",
    "Pix2Pix": "kzoo.models.translation",
    "PixelCNN": "kzoo.models.autoregressive",
    "PixelCNNPlusPlus": "kzoo.models.autoregressive",
    "PixelRNN": "kzoo.models.autoregressive",
    "VAE": "kzoo.models.latent",
    "VQVAE": "kzoo.models.latent",
    "WGAN": "kzoo.models.adversarial",
    "WGANGP": "kzoo.models.adversarial",
}
# Models that have presets, and that `kzoo train` does not make: captions need a vocabulary.
_MODELS_OF_CAPTIONS = {
    "TextImageEncoder": "kzoo.models.text_to_image",
    "TextToImageGAN": "kzoo.models.text_to_image",
}
_NAMES = {
    **_MODELS,
    **_MODELS_OF_CAPTIONS,
    "Classifier": "kzoo.classifier",
    "GenerativeModel": "kzoo.models.base",
    "MultiScale": "kzoo.models.autoregressive",
    "PixelModel": "kzoo.models.autoregressive",
    "list_presets": "kzoo.presets",
    "save_samples": "kzoo.evaluation.sample_files",
}
_MODULES = (
    "backend",
    "callbacks",
    "datasets",
    "latents",
    "losses",
    "metrics",
    "posteriors",
    "presets",
    "priors",
    "visualization",
)

__all__ = [*_NAMES, *_MODULES]

# Keras fixes its backend when it is first imported, which importing any name below does.
_environment.choose_backend()
_environment.use_onednn()


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'kzoo' has no attribute {name!r}")
    _environment.require_backend()
    _environment.report_choice()
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
    else:
        value = importlib.import_module(f"kzoo.{name}")
    globals()[name] = value  # found without this function from now on
    return value


def __dir__():
    return sorted({*globals(), *__all__})


def register_classes():
    """Imports every module that registers classes with Keras, so that saved models load."""
    for module in (*_NAMES.values(), "kzoo.posteriors", "kzoo.priors", "kzoo.layers"):
        importlib.import_module(module)


# `keras.models.load_model` knows the classes of modules that are imported. The command line goes
# without: `kzoo list` and `--help` should not take the seconds that importing a backend takes.
if not _environment.is_command_line():
    _environment.require_backend()
    _environment.report_choice()
    register_classes()
