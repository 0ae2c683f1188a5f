"""Explicit densities, approximated: models with latent variables."""

from kzoo.models.latent.autoencoder import Autoencoder
from kzoo.models.latent.ladder_vae import LadderVAE
from kzoo.models.latent.vae import VAE
from kzoo.models.latent.vqvae import VQVAE

__all__ = ["Autoencoder", "LadderVAE", "VAE", "VQVAE"]
