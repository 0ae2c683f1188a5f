"""kzoo: generative models for Keras 3, on TensorFlow, JAX and PyTorch."""

import importlib

from kzoo import _environment

__version__ = "0.1.0"

_NAMES = {
    "Autoencoder": "kzoo.models.autoencoder",
    "CFGGAN": "kzoo.models.cfggan",
    "Classifier": "kzoo.models.classifier",
    "GAN": "kzoo.models.gan",
    "GatedPixelCNN": "kzoo.models.gated_pixelcnn",
    "GenerativeModel": "kzoo.models.base",
    "LSGAN": "kzoo.models.lsgan",
    "LadderVAE": "kzoo.models.ladder_vae",
    "MultiScale": "kzoo.models.multi_scale",
    "MultiScalePixelRNN": "kzoo.models.multi_scale",
    "PixelCNN": "kzoo.models.pixelcnn",
    "PixelCNNPlusPlus": "kzoo.models.pixelcnn_plus_plus",
    "PixelModel": "kzoo.models.pixel_model",
    "PixelRNN": "kzoo.models.pixelrnn",
    "VAE": "kzoo.models.vae",
    "VQVAE": "kzoo.models.vqvae",
    "WGAN": "kzoo.models.wgan",
    "WGANGP": "kzoo.models.wgan",
    "list_presets": "kzoo.presets",
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
    if name in _NAMES:
        _environment.require_backend()
        value = getattr(importlib.import_module(_NAMES[name]), name)
    elif name in _MODULES:
        _environment.require_backend()
        value = importlib.import_module(f"kzoo.{name}")
    else:
        raise AttributeError(f"module 'kzoo' has no attribute {name!r}")
    globals()[name] = value  # found without this function from now on
    return value


def __dir__():
    return sorted({*globals(), *__all__})
