"""How alike two images are: PSNR and SSIM, as functions and as Keras metrics.

* Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility to
  structural similarity", IEEE Transactions on Image Processing 13 (4): eqs. 13 to 17 and section
  III.C [1].

All is computed in float64 of uint8 images. SSIM of colour images is the mean over their channels,
each taken as a grey image. Only windows that lie within the image count, as in the authors'
program; variances are divided by n, as in eq. 15.
"""

import keras
import numpy as np

from kzoo.evaluation.classifier_metric import check_uint8_images

_WHITE = 255.0  # L of [1]
_WINDOW, _DEVIATION = 11, 1.5  # pixels
_K1, _K2 = 0.01, 0.03


def _pair(images, references):
    """Both as float64 arrays (n, h, w, c)."""
    images, references = check_uint8_images(images), check_uint8_images(references)
    if images.shape != references.shape:
        raise ValueError(
            "Expected as many images as references, of the same size; got shapes "
            f"{images.shape} and {references.shape}."
        )
    return images.astype("float64"), references.astype("float64")


def psnr(images, references):
    """Peak signal-to-noise ratio of every image: 10 log10(255^2 / mean squared error).

    Args:
        images: uint8 array (n, h, w, c).
        references: what each image should be, uint8 (n, h, w, c).

    Returns:
        float64 array (n,), in dB; infinite where the two are equal.

    Raises:
        ValueError: if they are not uint8 images of the same shape.
    """
    images, references = _pair(images, references)
    error = np.mean(np.square(images - references), axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(_WHITE**2 / error)


def ssim(images, references):
    """Structural similarity of every image: the mean of eq. 13 over its windows (eq. 17).

    A window has 11x11 pixels, weighted by a Gaussian of standard deviation 1.5.

    Args:
        images: uint8 array (n, h, w, c), of at least 11x11 pixels.
        references: what each image should be, uint8 (n, h, w, c).

    Returns:
        float64 array (n,), at most 1, which is reached where the two are equal.

    Raises:
        ValueError: if they are not uint8 images of the same shape, or too small for a window.
    """
    x, y = _pair(images, references)
    if min(x.shape[1:3]) < _WINDOW:
        raise ValueError(
            f"SSIM needs images of at least {_WINDOW}x{_WINDOW} pixels, got shape {x.shape}."
        )
    mean_x, mean_y = _local_mean(x), _local_mean(y)  # (n, h - 10, w - 10, c)
    variances = _local_mean(x * x) - mean_x**2 + _local_mean(y * y) - mean_y**2
    covariance = _local_mean(x * y) - mean_x * mean_y
    c1, c2 = (_K1 * _WHITE) ** 2, (_K2 * _WHITE) ** 2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variances + c2)
    return similarity.mean(axis=(1, 2, 3))


def _local_mean(x):
    """Weighted means over all windows: (n, h, w, c) to (n, h - 10, w - 10, c)."""
    weights = np.exp(-np.square(np.arange(_WINDOW) - _WINDOW // 2) / (2 * _DEVIATION**2))
    weights /= weights.sum()
    for axis in (1, 2):  # a Gaussian of two dimensions is a product of two
        count = x.shape[axis] - _WINDOW + 1
        parts = (np.take(x, range(i, i + count), axis) for i in range(_WINDOW))
        x = sum(weight * part for weight, part in zip(weights, parts))
    return x


class _PairMetric(keras.metrics.Mean):
    """The mean over pairs of what `function(images, references)` gives, float64 (n,)."""

    function = None

    def __init__(self, name=None, dtype=None):
        super().__init__(name or type(self).__name__.lower(), dtype)

    def update_state(self, references, images, sample_weight=None):
        """Adds pairs.

        Args:
            references: what each image should be, uint8 (n, h, w, c).
            images: uint8 (n, h, w, c).
            sample_weight: (n,), how much each pair counts; equally by default.

        Raises:
            ValueError: if they are not uint8 images of the same shape.
        """
        values = type(self).function(images, references).astype("float32")
        return super().update_state(values, sample_weight)

    def result(self):
        """The mean of all pairs, a float; 0 without any."""
        return float(super().result())


@keras.saving.register_keras_serializable(package="kzoo")
class PSNR(_PairMetric):
    """Mean peak signal-to-noise ratio of images against references, in dB; see `psnr`.

    A mean of dB over images, and not the dB of a mean error. It is infinite as soon as one image
    equals its reference.

    Args:
        name, dtype: as in any Keras metric.

    Example:

    ```python
    metric = kzoo.metrics.PSNR()
    metric.update_state(photographs, model.generate(sources=label_maps, seed=0))
    metric.result()
    ```
    """

    function = staticmethod(psnr)


@keras.saving.register_keras_serializable(package="kzoo")
class SSIM(_PairMetric):
    """Mean structural similarity of images and references, at most 1; see `ssim`.

    Args:
        name, dtype: as in any Keras metric.
    """

    function = staticmethod(ssim)
