"""What every data source does to an image, in one place: crop, resize, pad, binarize.

The functions work on NumPy batches. The tf.data pipeline calls the same code once per image
before its cache, so a data set has the same pixels whichever way it was loaded. What is drawn
afresh for every batch is in `kzoo/datasets/augmentation.py`.
"""

import numpy as np
from PIL import Image

from kzoo.checks import check_int, check_name

BINARIZATIONS = ("dynamic", "static", "threshold")


def check_features(features):
    """`ValueError` unless `features` are names of features, each once."""
    names = features if isinstance(features, tuple | list) else ()
    if not names or not all(isinstance(n, str) for n in names) or len(set(names)) < len(names):
        raise ValueError(f"features must be a tuple of different names, got {features!r}")


def check_data_images(images, name="images"):
    """Returns uint8 or float32 images of shape (n, h, w, c); raises ValueError otherwise."""
    images = np.asanyarray(images)  # keeps a memory map a memory map
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4:
        raise ValueError(
            f"{name} must have shape (n, height, width) or (n, height, width, channels), "
            f"got {images.shape}"
        )
    if 0 in images.shape:
        raise ValueError(f"{name} must not be empty, got shape {images.shape}")
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"{name} must be uint8, or floats in [-1, 1], got {images.dtype}")
    low, high = images.min(), images.max()
    if not (low >= -1 and high <= 1):  # written so that NaN fails too
        raise ValueError(f"{name} of floats must lie in [-1, 1], got values in [{low}, {high}]")
    return images.astype("float32", copy=False)


def _size(name, value):
    """An int or a pair of ints as (height, width); None stays None."""
    if value is None:
        return None
    pair = value if isinstance(value, tuple | list) else (value, value)
    expected = "a positive integer or (height, width)"
    if len(pair) != 2:
        raise ValueError(f"{name} must be {expected}, got {value!r}")
    return tuple(check_int(name, side, 1, expected) for side in pair)


class Preprocessing:
    """Validated options of the data functions.

    Args:
        image_size: size after the resize, an int or (height, width); None keeps the size.
        crop_to_aspect_ratio: whether the centre is cropped to the aspect ratio of `image_size`
            before the resize (else the image is stretched).
        pad_to: size after zero padding on all sides; None for no padding.
        binarize: None, "dynamic", "static" or "threshold".
        seed: None or an integer >= 0.
    """

    def __init__(
        self, image_size=None, crop_to_aspect_ratio=True, pad_to=None, binarize=None, seed=None
    ):
        self.image_size = _size("image_size", image_size)
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to = _size("pad_to", pad_to)
        self.binarize = check_name("binarize", binarize, (None, *BINARIZATIONS))
        expected = "None or an integer in [0, 2**63)"
        self.seed = None if seed is None else check_int("seed", seed, 0, expected)
        if self.seed is not None and self.seed >= 2**63:
            raise ValueError(f"seed must be {expected}, got {seed!r}.")
        if self.image_size and self.pad_to:
            self._check_padding(self.image_size)

    @property
    def is_identity(self):
        """Whether `apply` returns its input (dynamic binarization happens later, per batch)."""
        return not (self.image_size or self.pad_to or self.binarize in ("static", "threshold"))

    def output_size(self, size):
        """(height, width) after `apply`, for images of the given (height, width)."""
        size = self.image_size or size
        if self.pad_to:
            self._check_padding(size)
        return self.pad_to or size

    def check_same_size(self, sizes):
        """`ValueError` unless the images of an example may have these sizes.

        All images of an example are cropped, resized or padded alike, which needs images of one
        size.

        Args:
            sizes: {name: (height, width)}; None where it varies between examples.
        """
        known = {tuple(size) for size in sizes.values() if None not in size}
        if (self.image_size or self.pad_to) and len(known) > 1:
            raise ValueError(
                "image_size and pad_to expect images of an example to have the same size, "
                f"got {sizes}"
            )

    def apply(self, images, first_index=0, feature=0):
        """Crops, resizes, pads and binarizes (static, threshold) images.

        Args:
            images: uint8 or float32 array (n, h, w, c).
            first_index: position of `images[0]` in the data set, for static binarization.
            feature: which of an example's images these are; each has draws of its own.

        Returns:
            Array (n, height, width, c) of the same dtype.
        """
        images = self.pad(self.resize(images))
        if self.binarize == "threshold":
            return threshold(images)
        if self.binarize == "static":
            return static_binarize(images, (self.seed or 0) + (feature << 64), first_index)
        return images

    def resize(self, images):
        """Centre crop and antialiased Lanczos resize, rounded for uint8 and clipped."""
        if self.image_size is None or images.shape[1:3] == self.image_size:
            return images
        if self.crop_to_aspect_ratio:
            images = center_crop(images, self.image_size)
        return np.stack([_lanczos(image, self.image_size) for image in images])

    def pad(self, images):
        """Black (0, or -1 for floats) on all sides; an odd remainder goes below and right."""
        if self.pad_to is None:
            return images
        self._check_padding(images.shape[1:3])
        rows, columns = (
            (before := (target - size) // 2, target - size - before)
            for target, size in zip(self.pad_to, images.shape[1:3], strict=True)
        )
        black = 0 if images.dtype == np.uint8 else -1
        return np.pad(images, ((0, 0), rows, columns, (0, 0)), constant_values=black)

    def _check_padding(self, size):
        if self.pad_to[0] < size[0] or self.pad_to[1] < size[1]:
            raise ValueError(
                f"pad_to must be at least the image size {tuple(size)}, got {self.pad_to}"
            )


def center_crop(images, size):
    """The largest centred window of images (n, h, w, c) with the aspect ratio of `size`."""
    height, width = images.shape[1:3]
    crop_height = max(1, min(height, round(width * size[0] / size[1])))
    crop_width = max(1, min(width, round(height * size[1] / size[0])))
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return images[:, top : top + crop_height, left : left + crop_width]


def _lanczos(image, size):
    # Pillow widens the Lanczos kernel by the scale when it shrinks (antialiasing) and rounds and
    # clips uint8 itself. One channel at a time, so that any number of channels works.
    height, width = size
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(image[..., c])).resize(
                (width, height), Image.Resampling.LANCZOS
            )
        )
        for c in range(image.shape[-1])
    ]
    resized = np.stack(channels, axis=-1)
    return resized if image.dtype == np.uint8 else np.clip(resized, -1, 1)


def threshold(images):
    """uint8 images to 0 / 255: pixels of at least 128 become 255."""
    return np.where(images >= 128, np.uint8(255), np.uint8(0))


def bernoulli(images, rng):
    """uint8 images to 0 / 255, each pixel 255 with probability pixel / 255."""
    draws = rng.integers(0, 255, size=images.shape, dtype=np.uint8)  # uniform on 0 ... 254
    return np.where(draws < images, np.uint8(255), np.uint8(0))


def static_binarize(images, seed, first_index):
    """`bernoulli` with draws that depend on the seed (< 2**128) and an image's position only."""
    # Philox is counter-based: image i owns the counters from i * 2^64 on.
    return np.stack(
        [
            bernoulli(image, np.random.Generator(np.random.Philox(key=seed, counter=i << 64)))
            for i, image in enumerate(images, start=first_index)
        ]
    )
