"""Codes of images as vectors: averages, directions of attributes, arithmetic.

Any model with these three works, `kzoo.VAE` and `kzoo.Autoencoder` among them:

* `image_shape`, and `encoder`, a `keras.Model` whose first output begins with the code;
* `encode(images)`: NumPy codes (n, latent_dim), or a tuple that begins with them, as that of a
  posterior's mean and log-variance;
* `decode(codes)`: floats (n, h, w, c) in [-1, 1].
"""

from kzoo.latents.arithmetic import attribute_direction, average_code, combine
from kzoo.latents.codes import code_network, code_scores, codes, decoded

__all__ = [
    "attribute_direction",
    "average_code",
    "code_network",
    "code_scores",
    "codes",
    "combine",
    "decoded",
]
