"""The networks of `kzoo.LadderVAE`, by name: between images, deterministic features and latents.

Layers are numbered from the image: layer 0 is the stochastic layer next to it. `shapes` are those
of one example, without the batch.
"""

import math
from typing import NamedTuple

import keras
from keras import ops

from kzoo.checks import check_name
from kzoo.layers import channels_last as layers

NAMES = ("fully_connected", "convolutional")


class Networks(NamedTuple):
    """The networks of a ladder of L stochastic layers, lists of `keras.Model`.

    Attributes:
        up: L networks, d_(i-1) to d_i; that of layer 0 takes images in [-1, 1].
        inference: L networks, d_i to the raw moments of z_i, concatenated along the last axis.
        prior: L - 1 networks, features h_i to the raw moments of p(z_i | z_(i+1)).
        down: L networks to the features below layer i, h_(i-1), from z_i, or from z_i and h_i;
            that of layer 0 gives the parameters of p(x | z).
        latent_shapes: of z_0 to z_(L-1).
    """

    up: list
    inference: list
    prior: list
    down: list
    latent_shapes: list


def build(name, image_shape, latent_dims, widths, strides, blocks, batch_norm, dtype):
    """The `Networks` called `name`, one of `NAMES`; the other arguments as in `kzoo.LadderVAE`.

    Raises:
        ValueError: if there are no such networks or the arguments do not fit each other.
    """
    check_name("networks", name, NAMES)
    lists = {"latent_dims": latent_dims, "widths": widths}
    if name == "convolutional":
        lists["strides"] = strides
    if (strides is None) == ("strides" in lists):
        raise ValueError(
            f"strides belong to networks='convolutional' and to no others, got "
            f"strides={strides!r} with networks={name!r}."
        )
    if len(set(map(len, lists.values()))) > 1:
        raise ValueError(
            f"{' and '.join(lists)} must list one number per stochastic layer, got "
            f"{', '.join(f'{key}={value}' for key, value in lists.items())}."
        )
    if name == "fully_connected":
        return _fully_connected(image_shape, latent_dims, widths, batch_norm, dtype)
    return _convolutional(image_shape, latent_dims, widths, strides, blocks, batch_norm, dtype)


# Fully connected ------------------------------------------------------------------------------


def _fully_connected(image_shape, latent_dims, widths, batch_norm, dtype):
    below = [image_shape, *((width,) for width in widths)]
    count = len(widths)

    def mlp(x, width):
        for _ in range(2):
            x = layers.Dense(width, use_bias=not batch_norm, dtype=dtype)(x)
            if batch_norm:
                x = layers.BatchNormalization(dtype=dtype)(x)
            x = layers.LeakyReLU(0.1, dtype=dtype)(x)
        return x

    def up(i):
        features = keras.Input(below[i])
        return keras.Model(features, mlp(layers.Flatten()(features), widths[i]), name=f"up_{i}")

    def down(i):
        latents = keras.Input((latent_dims[i],))
        x = mlp(latents, widths[i])
        if i == 0:
            x = layers.Reshape(image_shape)(
                layers.Dense(math.prod(image_shape), dtype="float32")(x)
            )
        return keras.Model(latents, x, name=f"down_{i}")

    def moments(i, width, name):
        features = keras.Input((width,))
        x = layers.Dense(2 * latent_dims[i], dtype="float32")(features)
        return keras.Model(features, x, name=f"{name}_{i}")

    return Networks(
        up=[up(i) for i in range(count)],
        inference=[moments(i, widths[i], "inference") for i in range(count)],
        prior=[moments(i, widths[i + 1], "prior") for i in range(count - 1)],
        down=[down(i) for i in range(count)],
        latent_shapes=[(size,) for size in latent_dims],
    )


# Convolutional --------------------------------------------------------------------------------


def _convolutional(image_shape, latent_dims, widths, strides, blocks, batch_norm, dtype):
    count = len(widths)
    sizes = [image_shape[:2]]
    for stride in strides:
        if any(side % stride for side in sizes[-1]):
            raise ValueError(
                f"strides={strides} do not divide images of {image_shape[0]}x{image_shape[1]}: "
                f"maps of {sizes[-1][0]}x{sizes[-1][1]} have no stride {stride}."
            )
        sizes.append(tuple(side // stride for side in sizes[-1]))
    maps = [(*size, width) for size, width in zip(sizes[1:], widths)]

    def residual(x):
        kernel = 3 if max(x.shape[1:3]) > 1 else 1
        branch = x
        for initializer in ("glorot_uniform", "zeros"):  # a block starts as the identity
            if batch_norm:
                branch = layers.BatchNormalization(dtype=dtype)(branch)
            branch = layers.Activation("elu", dtype=dtype)(branch)
            branch = layers.Conv2D(
                x.shape[-1], kernel, padding="same", kernel_initializer=initializer, dtype=dtype
            )(branch)
        return layers.Add(dtype=dtype)([x, branch])

    def up(i):
        x = features = keras.Input(maps[i - 1] if i else image_shape)
        if strides[i] > 1 or x.shape[-1] != widths[i]:
            x = layers.Conv2D(widths[i], strides[i], strides=strides[i], dtype=dtype)(x)
        for _ in range(blocks):
            x = residual(x)
        return keras.Model(features, x, name=f"up_{i}")

    def down(i):
        latents = keras.Input((*maps[i][:2], latent_dims[i]))
        inputs, x = [latents], layers.Conv2D(widths[i], 1, dtype=dtype)(latents)
        if i < count - 1:
            inputs.append(keras.Input(maps[i]))
            x = layers.Add(dtype=dtype)([x, inputs[1]])
        for _ in range(blocks):
            x = residual(x)
        to, last = (maps[i - 1], {"dtype": dtype}) if i else (image_shape, {"dtype": "float32"})
        x = layers.Activation("elu", dtype=dtype)(x)
        if strides[i] > 1 or x.shape[-1] != to[-1] or not i:
            x = layers.Conv2D(to[-1] * strides[i] ** 2, 1, **last)(x)
            x = depth_to_space(x, strides[i])
        return keras.Model(inputs, x, name=f"down_{i}")

    def moments(i, name):
        features = keras.Input(maps[i])
        x = layers.Activation("elu", dtype=dtype)(features)
        x = layers.Conv2D(2 * latent_dims[i], 1, dtype="float32")(x)
        return keras.Model(features, x, name=f"{name}_{i}")

    return Networks(
        up=[up(i) for i in range(count)],
        inference=[moments(i, "inference") for i in range(count)],
        prior=[moments(i, "prior") for i in range(count - 1)],
        down=[down(i) for i in range(count)],
        latent_shapes=[(*m[:2], size) for m, size in zip(maps, latent_dims)],
    )


def depth_to_space(x, size):
    """(b, h, w, size * size * c) to (b, h * size, w * size, c): features become pixels."""
    if size == 1:
        return x
    _, height, width, depth = x.shape
    features = depth // size**2
    x = ops.reshape(x, (-1, height, width, size, size, features))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # (b, h, size, w, size, c)
    return ops.reshape(x, (-1, height * size, width * size, features))
