"""What an image is in kzoo: uint8 0..255 outside of a model, floats in [-1, 1] inside."""

import keras
import numpy as np
from keras import ops


def to_float(images):
    """Images as the models see them: uint8 0..255 becomes float -1..1, floats pass through."""
    if keras.backend.standardize_dtype(images.dtype) == "uint8":
        return ops.cast(images, "float32") / 127.5 - 1.0
    return ops.cast(images, "float32")


def to_uint8(images):
    """Floats in [-1, 1] (clipped to it) as uint8 images, rounded to the nearest grey value."""
    return ops.cast(ops.round((ops.clip(images, -1.0, 1.0) + 1.0) * 127.5), "uint8")


def check_images(owner, images, name=None):
    """Checks type, shape and, for NumPy floats, values of images given to a model.

    Args:
        owner: a model, or something else with an `image_shape`.
        images: what was given.
        name: of the owner, for the message; that of its class by default.

    Raises:
        ValueError: if they are neither uint8 nor floats in [-1, 1], or not (n, h, w, c) with the
            owner's height, width and channels.
    """
    name = name or type(owner).__name__
    shape, dtype = getattr(images, "shape", None), getattr(images, "dtype", None)
    if shape is None or dtype is None:
        raise ValueError(f"{name} expects image arrays, got {type(images).__name__}.")
    kind = np.dtype(dtype).kind if isinstance(images, np.ndarray) else None
    if kind in ("U", "S", "O"):
        raise ValueError(f"{name} expects uint8 images or floats in [-1, 1], got {dtype}.")
    dtype = keras.backend.standardize_dtype(dtype)
    shape = tuple(shape)
    expected = "(n, {}, {}, {})".format(*owner.image_shape)
    if len(shape) != 4 or any(
        size not in (None, wanted) for size, wanted in zip(shape[1:], owner.image_shape)
    ):
        height, width, channels = owner.image_shape
        hint = " Channels come last." if shape[1:] == (channels, height, width) else ""
        raise ValueError(f"{name} expects images of shape {expected}, got {shape}.{hint}")
    if dtype != "uint8" and "float" not in dtype:
        raise ValueError(f"{name} expects uint8 images or floats in [-1, 1], got {dtype}.")
    if isinstance(images, np.ndarray) and dtype != "uint8" and images.size:
        low, high = images.min(), images.max()
        if not (low >= -1 and high <= 1):
            raise ValueError(
                f"{name} expects float images in [-1, 1], got values from {low:g} to {high:g}. "
                "Images of 0..255 must be uint8: they are scaled inside the model."
            )


def range_problem(images):
    """What is probably wrong with the values of images (n, h, w, c): a sentence, or `None`.

    Args:
        images: NumPy array of uint8, or of floats in [-1, 1].
    """
    if not images.size:
        return None
    low, high = float(images.min()), float(images.max())
    if low == high:
        return f"all pixels of the first images have the value {low:g}."
    if images.dtype == np.uint8 and high <= 1:
        return (
            "the uint8 images hold only 0 and 1, which is black and almost black: white is 255. "
            "Multiply them by 255."
        )
    if images.dtype != np.uint8 and low >= 0:
        return (
            f"the float images have values from {low:g} to {high:g}, expected [-1, 1], black "
            "being -1. Rescale images in [0, 1] by 2 x - 1; uint8 images are scaled inside the "
            "model."
        )
    return None
