"""JAX on a CPU: convolutions with strides as convolutions without.

XLA's gradients of some strided convolutions (a 5x5 kernel on an image of 4x4, for one) are a plain
loop on a CPU, up to 20 times slower than they need be.
"""

import jax
import jax.numpy as jnp


def convolution(x, kernel, strides):
    """`kzoo.backend.common.convolution`: x (b, h, w, c), kernel (k, k, c, f)."""
    x, kernel, before, after = _without_strides(x, kernel, strides)
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (1, 1),
        ((before, after), (before, after)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def transposed_convolution(x, kernel, strides):
    """`kzoo.backend.common.transposed_convolution`: x (b, h, w, c), kernel (k, k, f, c)."""
    batch, height, width, _ = x.shape
    shape = (batch, height * strides, width * strides, kernel.shape[2])
    outputs = jax.ShapeDtypeStruct(shape, x.dtype)
    return jax.linear_transpose(lambda y: convolution(y, kernel, strides), outputs)(x)[0]


def _without_strides(x, kernel, strides):
    """A strided convolution with k // 2 zeros on every side, as one with strides 1.

    Blocks of strides x strides pixels become the features of one pixel.

    Returns:
        `(x, kernel, zeros before, zeros after)`: the same convolution with strides 1.
    """
    size, _, features, filters = kernel.shape
    margin = size // 2
    before, after = -(-margin // strides), margin // strides  # blocks that a kernel reaches
    blocks = before + after + 1
    front = before * strides - margin
    widen = (front, blocks * strides - front - size)
    kernel = jnp.pad(kernel, (widen, widen, (0, 0), (0, 0)))
    kernel = jnp.reshape(kernel, (blocks, strides, blocks, strides, features, filters))
    kernel = jnp.transpose(kernel, (0, 2, 1, 3, 4, 5))  # (n, n, s, s, c, f)
    kernel = jnp.reshape(kernel, (blocks, blocks, strides * strides * features, filters))
    batch, height, width, _ = x.shape
    rows, columns = -(-height // strides), -(-width // strides)
    rest = ((0, rows * strides - height), (0, columns * strides - width))
    x = jnp.pad(x, ((0, 0), *rest, (0, 0)))
    x = jnp.reshape(x, (batch, rows, strides, columns, strides, features))
    x = jnp.transpose(x, (0, 1, 3, 2, 4, 5))  # (b, h / s, w / s, s, s, c)
    x = jnp.reshape(x, (batch, rows, columns, strides * strides * features))
    return x, kernel, before, after
