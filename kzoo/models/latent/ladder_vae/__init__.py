from kzoo.models.latent.ladder_vae.ladder_vae import LadderVAE

__all__ = ["LadderVAE"]
