"""Checks of arguments: what users pass to constructors and methods."""

import difflib
import math
import operator
import re

import keras
import numpy as np

MAX_SEED = 2**31 - 1  # PyTorch takes no larger one from Keras


def check_int(name, value, least, expected):
    """`value` as an int; `ValueError`, with what is expected, unless it is at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ValueError(f"{name} must be {expected}, got {value!r}.")
    return number


def check_positive_int(name, value):
    """`value` as an int; `ValueError` unless it is a positive integer."""
    return check_int(name, value, 1, "a positive integer")


def check_odd(name, value):
    """`value` as an int; `ValueError` unless it is a positive odd integer."""
    number = check_int(name, value, 1, "odd and positive")
    if number % 2 == 0:
        raise ValueError(f"{name} must be odd and positive, got {value!r}.")
    return number


def check_optional_int(name, value):
    """As `check_positive_int`, and `None` for `None`."""
    return None if value is None else check_positive_int(name, value)


def check_natural(name, value):
    """`value` as an int; `ValueError` unless it is an integer, 0 or positive."""
    return check_int(name, value, 0, "an integer, 0 or positive")


def check_positive_ints(name, values, least=1):
    """`values` as a tuple of ints; `ValueError` unless they are `least` or more positive ints."""
    if isinstance(values, str) or not np.iterable(values) or len(values) < least:
        raise ValueError(f"{name} must be positive integers, such as (16, 32), got {values!r}.")
    return tuple(check_positive_int(name, value) for value in values)


def check_flag(name, value):
    """`value` as a bool; `ValueError` unless it is one, or 0 or 1."""
    if not isinstance(value, bool | int | np.bool_) or value not in (0, 1):
        raise ValueError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def as_number(value):
    """`value` as a float; NaN if it is not a number, such as a string."""
    try:
        return math.nan if isinstance(value, bool | str | bytes) else float(value)
    except (TypeError, ValueError):
        return math.nan


def check_number(name, value, fits=math.isfinite, expected="a number"):
    """`value` as a float; `ValueError` unless it is a finite number."""
    number = as_number(value)
    if not fits(number):
        raise ValueError(f"{name} must be {expected}, got {value!r}.")
    return number


def check_positive(name, value):
    """`value` as a float; `ValueError` unless it is a finite positive number."""
    return check_number(name, value, lambda x: 0 < x < math.inf, "a positive number")


def check_nonnegative(name, value):
    """`value` as a float; `ValueError` unless it is a finite number, 0 or positive."""
    return check_number(name, value, lambda x: 0 <= x < math.inf, "0 or positive")


def check_rate(name, value):
    """`value` as a float; `ValueError` unless it is a number in [0, 1)."""
    return check_number(name, value, lambda x: 0 <= x < 1, "at least 0 and below 1")


def check_activation(name, activation):
    """`activation`; `ValueError` unless it is an activation of Keras or the name of one."""
    try:
        keras.activations.get(activation)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be the name of an activation of Keras, such as 'relu', got "
            f"{activation!r}."
        ) from None
    return activation


def check_unit(unit):
    """`ValueError` unless this is a unit of a likelihood."""
    check_name("unit", unit, ("nats", "bits/dim"))


def check_dtype(name):
    """`ValueError` unless Keras has a type or a policy of this name."""
    try:
        keras.dtype_policies.get(name)
    except ValueError:
        raise ValueError(
            "dtype must be the name of a float type or of a policy of Keras, such as 'float32' or "
            f"'mixed_float16', got {name!r}."
        ) from None


def check_image_shape(image_shape, name="image_shape"):
    """`(height, width, channels)` as a tuple of positive ints."""
    try:
        height, width, channels = () if isinstance(image_shape, str) else image_shape
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be (height, width, channels), got {image_shape!r}."
        ) from None
    return tuple(check_positive_int(name, size) for size in (height, width, channels))


def as_array(name, values):
    """`values` as a NumPy array; `ValueError` for a list whose parts differ in length."""
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be an array, got parts of different lengths.") from None


def as_floats(name, values):
    """`values` as a float32 NumPy array; `ValueError` unless they are numbers."""
    array = as_array(name, values)
    try:
        if array.dtype.kind in "US":
            raise ValueError  # NumPy would take the string of a number
        return array.astype("float32")
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, got an array of dtype {array.dtype}.") from None


def check_latents(latents, latent_dim):
    """Latents to decode as a float32 NumPy array (n, latent_dim)."""
    latents = as_floats("latents", keras.ops.convert_to_numpy(latents))
    if latents.ndim != 2 or latents.shape[1] != latent_dim:
        raise ValueError(f"decode expects latents of shape (n, {latent_dim}), got {latents.shape}.")
    return latents


def as_line(error):
    """The message of an error on one line, without the layer and the inputs that Keras adds."""
    text = str(error)
    bold = re.search(r"\x1b\[1m(.*?)\x1b\[0m", text, re.DOTALL)
    return " ".join((bold.group(1) if bold else text).split())


def check_keywords(owner, given, names, more=()):
    """`ValueError` for an argument that a class does not have; names the nearest one that it has.

    Args:
        owner: the name of the class.
        given: the names that were given.
        names: those that the class has.
        more: others that it takes.
    """
    for name in given:
        if name in names or name in more:
            continue
        close = difflib.get_close_matches(name, [*names, *more], n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ValueError(f"{owner} has no argument {name!r}{hint}; it has {', '.join(names)}.")


def check_seed(seed):
    """`seed` as an int, `None` or a `keras.random.SeedGenerator`; `ValueError` for another."""
    if seed is None or isinstance(seed, keras.random.SeedGenerator):
        return seed
    try:
        seed = operator.index(seed)
    except TypeError:
        raise ValueError(
            f"seed must be an int, a keras.random.SeedGenerator or None, got {seed!r}."
        ) from None
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed must be in 0..{MAX_SEED}, got {seed}.")
    return seed


def seed_generator(seed):
    """A `keras.random.SeedGenerator` from an int, `None` or a `SeedGenerator`."""
    seed = check_seed(seed)
    if isinstance(seed, keras.random.SeedGenerator):
        return seed
    return keras.random.SeedGenerator(seed)


def check_name(argument, name, names):
    """The name, if it is one of those; otherwise a `ValueError`."""
    if name not in list(names):  # a list compares what has no hash, too
        raise ValueError(f"{argument} must be one of {list(names)}, got {name!r}.")
    return name
