"""Differentiable augmentation of the images that a discriminator sees.

[1] Zhao, Liu, Lin, Zhu, Han 2020, "Differentiable augmentation for data-efficient GAN training",
    arXiv:2006.10738: augmentation of real and generated images alike, in the updates of both
    networks (eqs. 4 and 5), with the policies "color", "translation" and "cutout" (section 3.3).

Sizes and ranges are those of the authors' program. As there, pixels from outside the image and
pixels that are cut out are 0, a middle grey in images of [-1, 1].

Every layer draws anew for every image and changes images only with `training=True`. All is in
float32, and the gradient with respect to the images is exact.
"""

import functools
import math

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_number, seed_generator
from kzoo.configs import Configured


class _Random:
    """Random numbers for the images of a batch.

    Args:
        seed: what `keras.random` takes as its seed.
    """

    def __init__(self, seed):
        self.seed = seed

    def uniform(self, images, minimum, maximum):
        """A number for every image, (b, 1, 1, 1)."""
        draw = functools.partial(keras.random.uniform, minval=minimum, maxval=maximum)
        return backend.random_rows(draw, (ops.shape(images)[0], 1, 1, 1), seed=self.seed)

    def integers(self, images, maximum):
        """An int from 0 to `maximum` - 1 for every image, (b, 1)."""
        draw = functools.partial(keras.random.randint, minval=0, maxval=maximum)
        return backend.random_rows(draw, (ops.shape(images)[0], 1), seed=self.seed)


class _Spread:
    """Numbers that are spread evenly over the images of a batch and over keys, the same each time.

    The k-th number of image i is the fractional part of (i + 1) sqrt(p_k) + key sqrt(q_k), where
    p_k and q_k are primes: two Kronecker sequences.

    Args:
        key: an int or an int32 scalar tensor.
    """

    roots = tuple(math.sqrt(n) % 1 for n in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43))

    def __init__(self, key):
        self.key = ops.cast(key, "float32")
        self.count = 0

    def uniform(self, images, minimum, maximum):
        """A number for every image, (b, 1, 1, 1)."""
        return minimum + (maximum - minimum) * ops.reshape(self._next(images), (-1, 1, 1, 1))

    def integers(self, images, maximum):
        """An int from 0 to `maximum` - 1 for every image, (b, 1)."""
        return ops.cast(ops.floor(maximum * self._next(images)), "int32")

    def _next(self, images):
        along_images, along_keys = self.roots[2 * self.count], self.roots[2 * self.count + 1]
        self.count += 1
        rows = ops.cast(ops.arange(1, ops.shape(images)[0] + 1), "float32")[:, None]
        numbers = rows * along_images + self.key * along_keys
        return numbers - ops.floor(numbers)


class _Augmentation(Configured, keras.layers.Layer):
    """Changes every image of a batch by numbers of its own; a subclass writes `augment`.

    Args:
        seed: an int, a `keras.random.SeedGenerator`, or `None` for new draws in every process.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        # A config has no generator, which the layer shares with others.
        self.seed = None if isinstance(seed, keras.random.SeedGenerator) else seed
        self.seed_generator = seed_generator(seed)
        self.built = True  # there are no weights

    def call(self, images, training=None):
        return self.augment(images, _Random(self.seed_generator)) if training else images

    def spread(self, images, key):
        """Images, changed by the same numbers each time, on every backend.

        Args:
            images: (b, h, w, c).
            key: an int or an int32 scalar tensor; other keys give other numbers.
        """
        return self.augment(ops.convert_to_tensor(images, "float32"), _Spread(key))

    def augment(self, images, numbers):
        """The images (b, h, w, c), changed by numbers from `_Random` or `_Spread`."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="kzoo")
class DiffColor(_Augmentation):
    """Changes brightness, saturation and contrast of every image at random (policy "color" of [1]).

    Brightness adds a number from [-.5, .5] to all values. Saturation multiplies a pixel's distance
    from its own mean over the channels by a number from [0, 2]. Contrast multiplies the distance
    of all values from the image's mean by a number from [.5, 1.5].

    Args:
        seed: an int, a `keras.random.SeedGenerator`, or `None` for new draws in every process.

    Input shape: `(batch, height, width, channels)`, floats in [-1, 1].
    Output shape: the same; values may leave [-1, 1].
    """

    def augment(self, images, numbers):
        images = images + numbers.uniform(images, -0.5, 0.5)
        mean = ops.mean(images, axis=3, keepdims=True)
        images = (images - mean) * numbers.uniform(images, 0.0, 2.0) + mean
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return (images - mean) * numbers.uniform(images, 0.5, 1.5) + mean


class _Ratio(_Augmentation):
    """An augmentation whose size is a part of the image's sides."""

    default = None

    def __init__(self, ratio=None, seed=None, **kwargs):
        ratio = self.default if ratio is None else ratio
        super().__init__(seed, **kwargs)
        self.ratio = check_number("ratio", ratio, lambda x: 0 < x < 1, "between 0 and 1")

    def part(self, side):
        """The part of a side, in pixels."""
        return int(side * self.ratio + 0.5)


@keras.saving.register_keras_serializable(package="kzoo")
class DiffTranslation(_Ratio):
    """Shifts every image by up to 1/8 of its sides (policy "translation" of [1]).

    The shift is a whole number of pixels between -s and s in each direction, all equally likely,
    where s is `ratio` times the side. The free pixels become 0.

    Args:
        ratio: the largest shift as a part of the side, between 0 and 1.
        seed: an int, a `keras.random.SeedGenerator`, or `None` for new draws in every process.

    Input shape: `(batch, height, width, channels)`, floats in [-1, 1].
    Output shape: the same.

    Raises:
        ValueError: if `ratio` is not between 0 and 1.
    """

    default = 1 / 8

    def augment(self, images, numbers):
        # Gathers rows, then columns, from an image with zeros around it. This is exact, and takes
        # 1 % of an update on a CPU. Products with matrices of 0 and 1 are no faster on JAX.
        for axis in (1, 2):
            images = self._shifted(images, axis, numbers)
        return images

    def _shifted(self, images, axis, numbers):
        size = images.shape[axis]
        margin = self.part(size)
        padding = [(0, 0)] * 4
        padding[axis] = (margin, margin)
        images = ops.pad(images, padding)
        index = numbers.integers(images, 2 * margin + 1) + ops.arange(size)[None]  # (b, size)
        shape = [1] * 4
        shape[0], shape[axis] = -1, size
        return ops.take_along_axis(images, ops.reshape(index, shape), axis=axis)


@keras.saving.register_keras_serializable(package="kzoo")
class DiffCutout(_Ratio):
    """Sets a rectangle of half the sides to 0 in every image (policy "cutout" of [1]).

    Its centre is anywhere in the image, so that a part of it may lie outside.

    Args:
        ratio: the rectangle's sides as a part of the image's, between 0 and 1.
        seed: an int, a `keras.random.SeedGenerator`, or `None` for new draws in every process.

    Input shape: `(batch, height, width, channels)`, floats in [-1, 1].
    Output shape: the same.

    Raises:
        ValueError: if `ratio` is not between 0 and 1.
    """

    default = 1 / 2

    def augment(self, images, numbers):
        rows, columns = (self._inside(images, axis, numbers) for axis in (1, 2))
        inside = rows[:, :, None, None] * columns[:, None, :, None]  # (b, h, w, 1)
        return images * (1.0 - inside)

    def _inside(self, images, axis, numbers):
        """1 where a row (or column) is cut, else 0; (b, size)."""
        size = images.shape[axis]
        part = self.part(size)
        start = numbers.integers(images, size + 1 - part % 2) - part // 2  # (b, 1)
        place = ops.arange(size)[None]
        return ops.cast(ops.logical_and(place >= start, place < start + part), "float32")


_POLICIES = {"color": DiffColor, "translation": DiffTranslation, "cutout": DiffCutout}


def check_policies(name, value):
    """The names of policies, as a tuple, from a string with commas, a sequence or `None`.

    Raises:
        ValueError: for any name but "color", "translation" and "cutout".
    """
    names = value.split(",") if isinstance(value, str) else value or ()
    names = names if isinstance(names, list | tuple) else (names,)
    names = tuple(part.strip() if isinstance(part, str) else part for part in names)
    names = tuple(part for part in names if part != "")
    for part in names:
        if part not in list(_POLICIES):
            raise ValueError(
                f"{name} must name policies of {', '.join(map(repr, _POLICIES))} (several with "
                f"commas between), got {value!r}."
            )
    return names


@keras.saving.register_keras_serializable(package="kzoo")
class DiffAugment(_Augmentation):
    """Several augmentations, one after the other [1].

    Args:
        policies: names of "color", "translation" and "cutout", in the order in which they change
            the images: a string with commas between, such as `"color,translation"`, or a sequence.
        seed: an int, a `keras.random.SeedGenerator`, or `None` for new draws in every process.

    Input shape: `(batch, height, width, channels)`, floats in [-1, 1].
    Output shape: the same.

    Raises:
        ValueError: if there is no policy of that name.

    Example:

    ```python
    augment = kzoo.layers.DiffAugment("color,translation", seed=0)
    images = augment(images, training=True)
    ```
    """

    def __init__(self, policies="color,translation,cutout", seed=None, **kwargs):
        policies = list(check_policies("policies", policies))
        super().__init__(seed, **kwargs)
        self.policies = policies
        self.augmentations = [_POLICIES[name](seed=self.seed_generator) for name in self.policies]

    def augment(self, images, numbers):
        for layer in self.augmentations:
            images = layer.augment(images, numbers)
        return images
