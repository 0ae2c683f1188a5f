"""Latents of images as vectors: averages, directions of attributes, arithmetic.

Any model with the following works, such as `kzoo.VAE` and `kzoo.Autoencoder`:

* `image_shape`, and `encoder`, a `keras.Model` whose first output begins with the latents;
* `encode(images)`: NumPy latents (n, latent_dim), or a tuple that begins with them, such as the
  mean and the log-variance of a posterior;
* `decode(latents)`: floats (n, h, w, c) in [-1, 1].

A GAN has no encoder. For it, `labelled` draws latents and returns a classifier's probabilities for
their images. The arithmetic then takes groups of latents in place of groups of images.
"""

from kzoo.latents.arithmetic import (
    attribute_direction,
    average_latents,
    balanced_directions,
    combine,
)
from kzoo.latents.encoding import decoded, encoded, labelled, latent_network, latent_scores

__all__ = [
    "attribute_direction",
    "average_latents",
    "balanced_directions",
    "combine",
    "decoded",
    "encoded",
    "labelled",
    "latent_network",
    "latent_scores",
]

# The names of version 0.1.0.
codes, average_code = encoded, average_latents
code_scores, code_network = latent_scores, latent_network
