"""A pool of past images, which a discriminator sees beside new ones."""

import keras
from keras import ops

from kzoo.checks import check_image_shape, check_positive_int, seed_generator
from kzoo.configs import Configured


@keras.saving.register_keras_serializable(package="kzoo")
class ImagePool(Configured, keras.layers.Layer):
    """Keeps images, and gives past ones in place of new ones.

    * Shrivastava et al. 2017, "Learning from simulated and unsupervised images through adversarial
      training", arXiv:1612.07828, section 2.3: a history of generated images [1].
    * Zhu, Park, Isola, Efros 2017, arXiv:1703.10593, section 4: with room for 50 images [2].

    Until the pool is full, it keeps every image, and gives it back. Then it does the following for
    each image, with the probability 1/2: it gives a past image, drawn at random, and keeps the
    new one in its place. Otherwise it gives the new one, and does not keep it. This is the rule of
    the authors' program of [2]; [1] replaces half of every mini-batch.

    Its images and their number are weights that are not trained: they are saved with a model. An
    image is never exchanged for one of its own mini-batch. So the mini-batch that fills the pool is
    returned unchanged, and so are those images of a large mini-batch that exceed the size of the
    pool.

    Args:
        size: how many images there is room for.
        image_shape: `(height, width, channels)` of the images.
        seed: an int, a `keras.random.SeedGenerator`, or `None` for new draws in every process.

    Input shape: `(batch, height, width, channels)`.
    Output shape: the same.

    Raises:
        ValueError: if the size or the shape do not fit.

    Example:

    ```python
    pool = kzoo.layers.ImagePool(50, (64, 64, 3), seed=0)
    seen = pool(fake)          # some of them are from earlier calls
    ```
    """

    def __init__(self, size, image_shape, seed=None, **kwargs):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        self.size = check_positive_int("size", size)
        self.image_shape = check_image_shape(image_shape)
        # A config has no generator, which the layer shares with others.
        self.seed = None if isinstance(seed, keras.random.SeedGenerator) else seed
        self.seed_generator = seed_generator(seed)
        self.images = self.add_weight(
            (self.size, *self.image_shape), "zeros", trainable=False, name="images"
        )
        self.count = self.add_weight((), "zeros", trainable=False, dtype="int32", name="count")
        self.built = True

    def call(self, images):
        """Images (b, h, w, c), some of which are past ones."""
        batch, size = ops.shape(images)[0], self.size
        pool, count = ops.convert_to_tensor(self.images), ops.convert_to_tensor(self.count)
        slots = ops.arange(size)
        full = ops.equal(count, size)
        order = keras.random.shuffle(slots, seed=self.seed_generator)  # order[s]: image for slot s
        wanted = keras.random.uniform((size,), seed=self.seed_generator) < 0.5
        image = ops.where(full, order, slots - count)  # (size,), which may not exist
        kept = (image >= 0) & (image < batch) & (wanted | ~full)
        new = ops.take(images, ops.clip(image, 0, batch - 1), axis=0)  # (size, h, w, c)
        numbers = ops.arange(batch)
        slot = ops.take(ops.argsort(order), ops.minimum(numbers, size - 1))  # (b,), once full
        swapped = full & (numbers < size) & ops.take(kept, slot)
        given = ops.where(_column(swapped), ops.take(pool, slot, axis=0), images)
        self.images.assign(ops.where(_column(kept), new, pool))
        self.count.assign(ops.minimum(count + batch, size))
        return given

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


def _column(values):
    """(n,) to (n, 1, 1, 1)."""
    return ops.reshape(values, (-1, 1, 1, 1))
