from kzoo.models.ladder_vae.ladder_vae import LadderVAE

__all__ = ["LadderVAE"]
