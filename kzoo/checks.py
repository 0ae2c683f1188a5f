"""Checks of arguments: what users pass to constructors and methods."""

import operator

import keras
import numpy as np

MAX_SEED = 2**31 - 1  # PyTorch takes no larger one from Keras


def check_positive_int(name, value):
    """`value` as an int; `ValueError` unless it is a positive integer."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(f"{name} must be a positive integer, got {value!r}.")
    return number


def check_positive(name, value):
    """`value` as a float; `ValueError` unless it is a finite positive number."""
    if isinstance(value, bool | str) or not 0 < value < float("inf"):
        raise ValueError(f"{name} must be a positive number, got {value!r}.")
    return float(value)


def check_nonnegative(name, value):
    """`value` as a float; `ValueError` unless it is a finite number, 0 or positive."""
    if isinstance(value, bool | str) or not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be 0 or positive, got {value!r}.")
    return float(value)


def check_rate(name, value):
    """`value` as a float; `ValueError` unless it is a number in [0, 1)."""
    if isinstance(value, bool | str) or not 0 <= value < 1:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value!r}.")
    return float(value)


def check_unit(unit):
    """`ValueError` unless this is a unit of a likelihood."""
    if unit not in ("nats", "bits/dim"):
        raise ValueError(f'unit must be "nats" or "bits/dim", got {unit!r}.')


def check_image_shape(image_shape):
    """`(height, width, channels)` as a tuple of positive ints."""
    try:
        height, width, channels = image_shape
    except (TypeError, ValueError):
        raise ValueError(
            f"image_shape must be (height, width, channels), got {image_shape!r}."
        ) from None
    return tuple(check_positive_int("image_shape", size) for size in (height, width, channels))


def check_latents(latents, latent_dim):
    """Latents to decode as a float32 NumPy array (n, latent_dim)."""
    latents = np.asarray(keras.ops.convert_to_numpy(latents), "float32")
    if latents.ndim != 2 or latents.shape[1] != latent_dim:
        raise ValueError(f"decode expects latents of shape (n, {latent_dim}), got {latents.shape}.")
    return latents


def seed_generator(seed):
    """A `keras.random.SeedGenerator` from an int, `None` or a `SeedGenerator`."""
    if isinstance(seed, keras.random.SeedGenerator):
        return seed
    if seed is not None:
        try:
            seed = operator.index(seed)
        except TypeError:
            raise ValueError(
                f"seed must be an int, a keras.random.SeedGenerator or None, got {seed!r}."
            ) from None
        if not 0 <= seed <= MAX_SEED:
            raise ValueError(f"seed must be in 0..{MAX_SEED}, got {seed}.")
    return keras.random.SeedGenerator(seed)


def check_name(argument, name, names):
    """The name, if it is one of those; otherwise a `ValueError`."""
    if name not in names:
        raise ValueError(f"{argument} must be one of {list(names)}, got {name!r}.")
    return name
