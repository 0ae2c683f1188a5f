"""Random changes of the images of a batch, by Keras's layers or any function (`augment=`).

The images of one example are first joined along their channels, and split afterwards, so that a
flip or a shift changes them alike.
"""

import keras
import numpy as np

from kzoo.datasets.preprocessing import BINARIZATIONS


def check_augment(augment, binarize):
    """`ValueError` unless `augment` can be called and goes with the binarization."""
    if augment is None:
        return
    if not callable(augment):
        raise ValueError(f"augment must be a Keras layer or a function of images, got {augment!r}")
    if binarize in BINARIZATIONS[1:]:  # all but "dynamic"
        raise ValueError(
            "augment makes grey values of black and white ones: expected binarize None or "
            f"'dynamic' (drawn after it), got {binarize!r}"
        )


def try_on_noise(run, shapes, dtype=np.uint8):
    """Calls an augmentation once, on two examples of noise, so that errors show at once.

    Args:
        run: function of a NumPy batch that returns one: the augmentation.
        shapes: {name: (height, width, channels)} of the images of an example.
        dtype: uint8, or a float type for images in [-1, 1].

    Returns:
        `shapes` of the augmented images.

    Raises:
        ValueError: for images of different sizes, or a result that is no batch of such images.
    """
    sizes = {tuple(shape[:2]) for shape in shapes.values()}
    if len(sizes) > 1:
        raise ValueError(f"augment expects images of the same size in an example, got {shapes}")
    shape = (2, *sizes.pop(), sum(shape[2] for shape in shapes.values()))
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    result = run(noise if dtype == np.uint8 else (noise / 127.5 - 1).astype("float32"))
    if len(result.shape) != 4 or (result.shape[0], result.shape[3]) != (shape[0], shape[3]):
        raise ValueError(
            "augment must return as many images, with as many channels, as it got: for an array "
            f"of shape {shape} it returned {tuple(result.shape)}"
        )
    fractions = (result != np.round(result)).any() and result.min() >= 0 and result.max() <= 1
    if dtype == np.uint8 and fractions:
        raise ValueError(
            "augment must return images in [0, 255], as it got them; it returned values in [0, 1]"
        )
    return {name: (*result.shape[1:3], shape[2]) for name, shape in shapes.items()}


def call(augment, images):
    """What `augment` makes of images (b, h, w, c); a Keras layer is told that it is training."""
    return augment(images, training=True) if isinstance(augment, keras.Layer) else augment(images)


def call_on_array(augment, images):
    """`call` on NumPy images; returns a NumPy array, not rounded yet."""
    return np.asarray(keras.ops.convert_to_numpy(call(augment, images)))


def augment_arrays(augment, images):
    """Augments NumPy images.

    Args:
        augment: a Keras layer or a function of images.
        images: list of arrays (b, h, w, c), uint8 or floats in [-1, 1], that differ in c only.

    Returns:
        List of arrays (b, h', w', c) of the same type, rounded for uint8 and clipped.
    """
    result = call_on_array(augment, np.concatenate(images, axis=-1)).astype("float32")
    is_uint8 = images[0].dtype == np.uint8
    result = np.round(result).clip(0, 255).astype("uint8") if is_uint8 else result.clip(-1, 1)
    return np.split(result, np.cumsum([image.shape[-1] for image in images])[:-1], axis=-1)


def augment_tensors(augment, images):
    """`augment_arrays` of uint8 tensors, inside of a tf.data pipeline."""
    import tensorflow as tf

    result = call(augment, tf.concat(images, -1))
    result = tf.cast(tf.clip_by_value(tf.round(tf.cast(result, "float32")), 0, 255), "uint8")
    return tf.split(result, [image.shape[-1] for image in images], axis=-1)
