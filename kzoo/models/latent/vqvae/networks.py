"""The encoder and the decoder of `kzoo.VQVAE` (van den Oord et al., 2017, section 4.1)."""

import keras

from kzoo.layers import channels_last as layers


def vqvae_encoder(image_shape, code_dim, width, downsamplings, blocks, dtype):
    """Images to the vectors that are quantized.

    Args:
        image_shape: `(height, width, channels)`.
        code_dim: dimension of the vectors.
        width: features of the hidden layers.
        downsamplings: number of 4x4 convolutions with stride 2.
        blocks: number of residual blocks.
        dtype: the layers' dtype policy.

    Returns:
        A `keras.Model` from (b, height, width, channels) to (b, h, w, code_dim), with h and w the
        height and width divided by 2**downsamplings.

    Raises:
        ValueError: if they cannot be divided so.
    """
    factor = 2**downsamplings
    if image_shape[0] % factor or image_shape[1] % factor:
        raise ValueError(
            f"Images of {image_shape[0]}x{image_shape[1]} cannot be halved {downsamplings} times."
        )
    x = images = keras.Input(image_shape)
    for level in reversed(range(downsamplings)):
        features = width // 2 if level else width
        x = layers.Conv2D(features, 4, strides=2, padding="same", dtype=dtype)(x)
        x = layers.ReLU(dtype=dtype)(x)
    x = layers.Conv2D(width, 3, padding="same", dtype=dtype)(x)
    x = _residual(x, blocks, dtype)
    # Distances to codes need float32.
    return keras.Model(images, layers.Conv2D(code_dim, 1, dtype="float32")(x), name="encoder")


def vqvae_decoder(image_shape, code_dim, width, downsamplings, blocks, dtype):
    """Codes to images, the encoder's mirror image; arguments as in `vqvae_encoder`.

    Returns:
        A `keras.Model` from (b, h, w, code_dim) to (b, height, width, channels).
    """
    factor = 2**downsamplings
    height, width_, channels = image_shape
    x = codes = keras.Input((height // factor, width_ // factor, code_dim))
    x = layers.Conv2D(width, 3, padding="same", dtype=dtype)(x)
    x = _residual(x, blocks, dtype)
    for level in range(downsamplings):
        if level:
            x = layers.ReLU(dtype=dtype)(x)
        last = level == downsamplings - 1
        features, policy = (channels, "float32") if last else (width // 2, dtype)
        x = layers.Conv2DTranspose(features, 4, strides=2, padding="same", dtype=policy)(x)
    return keras.Model(codes, x, name="decoder")


def _residual(x, blocks, dtype):
    """Blocks of ReLU, 3x3 convolution, ReLU, 1x1 convolution, and a last ReLU."""
    width = x.shape[-1]
    for _ in range(blocks):
        branch = layers.ReLU(dtype=dtype)(x)
        branch = layers.Conv2D(max(width // 2, 1), 3, padding="same", dtype=dtype)(branch)
        branch = layers.ReLU(dtype=dtype)(branch)
        branch = layers.Conv2D(width, 1, dtype=dtype)(branch)
        x = layers.Add(dtype=dtype)([x, branch])
    return layers.ReLU(dtype=dtype)(x)
