"""Codes as images of a pixel model, and their order."""

import numpy as np
from keras import ops

from kzoo.models.autoregressive.pixel_model import PixelModel


def check_prior(prior, code_shape, num_codes):
    """Raises a `ValueError` unless `prior` is a distribution of such maps of codes."""
    if not isinstance(prior, PixelModel):
        raise ValueError(f"prior must be one of kzoo's pixel models, got {prior!r}.")
    *size, channels = prior.image_shape
    values = prior.levels**channels
    if tuple(size) != code_shape or values != num_codes or prior.context_features:
        raise ValueError(
            f"The prior must be a pixel model of {code_shape[0]}x{code_shape[1]} pixels without "
            f"context, whose levels ** channels are the {num_codes} codes; got "
            f"image_shape={prior.image_shape}, levels={prior.levels}."
        )


def to_images(prior, codes):
    """Codes as the prior's images: a channel holds one digit of the code to the base `levels`.

    Args:
        prior: a `kzoo.PixelModel`.
        codes: int array (n, h, w), each in 0 .. levels ** channels - 1.

    Returns:
        uint8 array (n, h, w, channels), the first channel being the most significant digit.
    """
    powers = prior.levels ** np.arange(prior.image_shape[-1])[::-1]
    digits = codes[..., None] // powers % prior.levels
    return prior.grey_values()[digits].astype("uint8")


def from_images(prior, images):
    """The codes, int32 (n, h, w), of the prior's uint8 images: the inverse of `to_images`."""
    digits = ops.convert_to_numpy(prior.to_levels(ops.convert_to_tensor(images)))
    powers = prior.levels ** np.arange(prior.image_shape[-1])[::-1]
    return (digits.astype("int32") * powers).sum(axis=-1).astype("int32")


def bisection_order(codebook):
    """An order in which neighbouring codes are alike, as are codes with equal first digits.

    The codes are halved at the median of their first principal component, and each half again.

    Args:
        codebook: float array (K, dimension).

    Returns:
        int array (K,), a permutation.
    """

    def order(indices):
        if len(indices) < 2:
            return indices
        centred = codebook[indices] - codebook[indices].mean(axis=0)
        axis = np.linalg.svd(centred, full_matrices=False)[2][0]
        axis = axis * np.sign(axis[np.abs(axis).argmax()])  # its sign is arbitrary
        indices = indices[np.argsort(centred @ axis, kind="stable")]
        half = len(indices) // 2
        return np.concatenate([order(indices[:half]), order(indices[half:])])

    return order(np.arange(len(codebook)))
