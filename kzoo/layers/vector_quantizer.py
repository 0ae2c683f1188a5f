"""Vector quantization with a codebook that follows moving averages."""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_nonnegative, check_positive_int, check_rate, seed_generator
from kzoo.configs import Configured


@keras.saving.register_keras_serializable(package="kzoo")
class VectorQuantizer(Configured, keras.layers.Layer):
    """Replaces vectors by the nearest codes of a learned codebook.

    van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, 2017
    (arXiv:1711.00937): the nearest code (eqs. 1 and 2), the straight-through estimator (section
    3.2), and the codebook as exponential moving averages (appendix A.1). In training, every call
    updates the codebook; no gradient reaches it.

    Deviation: a code that is used less than `restart_below` times per batch, on average, is
    replaced by a random vector of the batch (Dhariwal et al., Jukebox, 2020, arXiv:2005.00341).
    A new code counts as used that often, and at least once. With 0 no code is replaced.

    Args:
        num_codes: K, the number of codes.
        decay: gamma of the moving averages, in [0, 1).
        restart_below: uses per batch below which a code is replaced.
        seed: of the first codes and of the replacements, an int or `None`.

    Input shape: float (..., dimension).
    Output: see `call`.

    Raises:
        ValueError: if an argument is not as described above.
    """

    def __init__(self, num_codes, decay=0.99, restart_below=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.num_codes = check_positive_int("num_codes", num_codes)
        self.decay = check_rate("decay", decay)
        self.restart_below = check_nonnegative("restart_below", restart_below)
        self.first_count = max(1.0, self.restart_below)  # of a new code, which is not dead yet
        self.seed = seed
        self.seed_generator = seed_generator(seed)

    def build(self, input_shape):
        shape = (self.num_codes, input_shape[-1])
        # Moving averages lose too much in half precision.
        options = {"trainable": False, "dtype": "float32"}
        first = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed)
        self.codebook = self.add_weight(shape, first, name="codebook", **options)  # e
        count = keras.initializers.Constant(self.first_count)
        self.counts = self.add_weight((self.num_codes,), count, name="counts", **options)  # N
        self.sums = self.add_weight(shape, first, name="sums", **options)  # m
        self.sums.assign(self.first_count * self.codebook.value)
        self.built = True

    def nearest(self, vectors):
        """Indices of the nearest codes, int32 (...), of vectors (..., dimension) (eq. 1)."""
        codes = ops.convert_to_tensor(self.codebook)
        # The squared distance without the part that all codes share.
        distance = ops.sum(ops.square(codes), axis=-1) - 2.0 * ops.matmul(
            ops.cast(vectors, "float32"), ops.transpose(codes)
        )
        return backend.argmax(-distance)

    def lookup(self, indices):
        """The codes (..., dimension) of int indices (...)."""
        return ops.take(ops.convert_to_tensor(self.codebook), indices, axis=0)

    def call(self, vectors, training=False):
        """Quantizes vectors.

        Returns:
            `(straight_through, codes, indices)`: the codes with the gradient of the vectors, the
            codes as constants, both (..., dimension), and their indices (...).
        """
        vectors = ops.cast(vectors, "float32")
        indices = self.nearest(ops.stop_gradient(vectors))
        codes = ops.stop_gradient(self.lookup(indices))
        straight_through = vectors + ops.stop_gradient(codes - vectors)
        if training:
            dimension = vectors.shape[-1]
            flat = ops.reshape(ops.stop_gradient(vectors), (-1, dimension))
            self.update_codebook(flat, ops.reshape(indices, (-1,)))
        return straight_through, codes, indices

    def update_codebook(self, vectors, indices):
        """The moving averages (appendix A.1) of vectors (n, dimension) with codes `indices`."""
        used = ops.one_hot(indices, self.num_codes)  # (n, K)
        counts = self.decay * self.counts + (1.0 - self.decay) * ops.sum(used, axis=0)
        sums = self.decay * self.sums + (1.0 - self.decay) * ops.matmul(
            ops.transpose(used), vectors
        )
        if self.restart_below:
            chosen = keras.random.randint(
                (self.num_codes,), 0, ops.shape(vectors)[0], seed=self.seed_generator
            )
            dead = counts < self.restart_below  # (K,)
            new = self.first_count * ops.take(vectors, chosen, axis=0)
            sums = ops.where(dead[:, None], new, sums)
            counts = ops.where(dead, self.first_count, counts)
        self.counts.assign(counts)
        self.sums.assign(sums)
        # A code that has not been used for very long stays where it is.
        alive = counts[:, None] > 1e-6
        mean = sums / ops.maximum(counts, 1e-6)[:, None]
        self.codebook.assign(ops.where(alive, mean, ops.convert_to_tensor(self.codebook)))

    def perplexity(self, indices):
        """exp of the entropy of the codes' frequencies in `indices`: how many are in use, 1..K."""
        used = ops.one_hot(ops.reshape(indices, (-1,)), self.num_codes)
        frequency = ops.mean(used, axis=0)
        return ops.exp(-ops.sum(frequency * ops.log(frequency + 1e-10)))

    def compute_output_spec(self, vectors, training=False):
        shape = vectors.shape
        codes = keras.KerasTensor(shape, "float32")
        return codes, codes, keras.KerasTensor(shape[:-1], "int32")
