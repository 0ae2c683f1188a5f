"""The base class of every generative model of kzoo."""

import math

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.checks import check_image_shape, check_positive_int, seed_generator
from kzoo.images import to_float, to_uint8
from kzoo.models.batches import check_data, check_training_data, images_of
from kzoo.presets import PresetMixin


class GenerativeModel(PresetMixin, backend.StepTrainer, keras.Model):
    """A model that learns to draw images.

    `fit`, `evaluate`, `save` and the rest are Keras's own; `train_step` is overridden once,
    here and in `kzoo.backend`, for the three backends. A subclass writes the update of its paper:

    * `update(x)`: one training update from images `x`, floats (b, h, w, c) in [-1, 1]; returns
      the scalars named in `loss_names`, averages over the batch.
    * `evaluation(x)`: the same scalars on held-out images, without any update.
    * `transform_noise(noise)`: noise to images in [-1, 1], and `draw_noise` if its noise is not
      (n, latent_dim) standard normal.
    * `default_optimizer()`: the paper's optimizer, which `compile()` takes when given none.

    Images given to `fit` and `evaluate` are uint8, or floats that lie in [-1, 1] already, of
    shape (n, h, w, c): NumPy arrays, a `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch
    `DataLoader` or a generator, of `images` or `(images, labels)` (labels are ignored).

    Args:
        image_shape: `(height, width, channels)` of the images.
        latent_dim: length of the latent vectors, for the models that start from such noise.
    """

    #: Names of the scalars that `update` and `evaluation` return.
    loss_names = ("loss",)
    #: Whether one training update is made of long loops (see `kzoo.backend.loops_compile`).
    trains_in_loops = False

    def __init__(self, image_shape, latent_dim=None, **kwargs):
        super().__init__(**kwargs)
        self.image_shape = check_image_shape(image_shape)
        if latent_dim is not None:
            self.latent_dim = check_positive_int("latent_dim", latent_dim)
        self._loss_trackers = [keras.metrics.Mean(name=name) for name in self.loss_names]

    def get_config(self):
        config = {**super().get_config(), "image_shape": list(self.image_shape)}
        if hasattr(self, "latent_dim"):
            config["latent_dim"] = self.latent_dim
        return config

    # Training ---------------------------------------------------------------------------------

    def default_optimizer(self):
        """The optimizer that `compile()` uses when it is given none."""
        return keras.optimizers.Adam(1e-3)

    def compile(self, optimizer=None, *, jit_compile="auto", **kwargs):
        """Configures training.

        Args:
            optimizer: a Keras optimizer, its name or its config; the paper's when `None`.
            jit_compile: as in Keras. `"auto"` also leaves XLA out where it would slow down a
                training update that is made of long loops.
            **kwargs: `run_eagerly`, `steps_per_execution`, ... as in `keras.Model.compile`.
                `loss` and `metrics` are not taken: the model defines its losses.

        Raises:
            ValueError: for a `loss` or `metrics` argument.
        """
        for name in ("loss", "metrics", "weighted_metrics", "loss_weights"):
            if kwargs.get(name) is not None:
                raise ValueError(
                    f"{type(self).__name__} defines its own losses ({', '.join(self.loss_names)}); "
                    f"compile() got {name}={kwargs[name]!r}, expected none. "
                    "Scores of samples are in kzoo.metrics."
                )
        if jit_compile == "auto" and self.trains_in_loops:
            jit_compile = backend.loops_compile()
        optimizer = self.default_optimizer() if optimizer is None else optimizer
        super().compile(optimizer=optimizer, jit_compile=jit_compile, **kwargs)
        self.optimizer.build(self.trainable_variables)
        self._compile_arguments = {"jit_compile": jit_compile, **kwargs}

    def get_compile_config(self):
        if not self.compiled:
            return {}
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            **self._compile_arguments,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def minimize(self, loss_fn, variables, optimizer):
        """One optimizer step on `variables` down the gradient of `loss_fn()`.

        Args:
            loss_fn: function without arguments that returns a scalar loss or `(loss, aux)`.
            variables: list of `keras.Variable`s.
            optimizer: a Keras optimizer built on them.

        Returns:
            `(loss, aux)` as they were before the step; `aux` is `None` if there was none.
        """
        (loss, aux), gradients = backend.value_and_grad(loss_fn, variables)
        backend.apply_gradients(optimizer, gradients, variables)
        return loss, aux

    def update(self, x):
        """One training update from float images `x` (b, h, w, c); returns `{name: scalar}`."""
        raise NotImplementedError

    def evaluation(self, x):
        """The scalars of `loss_names` on float images `x` (b, h, w, c), without an update."""
        raise NotImplementedError

    def examples_per_step(self, batch_size):
        """How many examples one training update takes from data in batches of `batch_size`."""
        return batch_size

    @property
    def metrics(self):
        return self._loss_trackers

    def inputs_of(self, data):
        """What `update` and `evaluation` take of one batch of data: `(x,)`."""
        return (to_float(images_of(data)),)

    def _train(self, data):
        inputs = self.inputs_of(data)
        return self._track(self.update(*inputs), inputs[0])

    def _test(self, data):
        inputs = self.inputs_of(data)
        return self._track(self.evaluation(*inputs), inputs[0])

    def _track(self, scalars, images):
        # Weighted by its size, a smaller last batch counts as it should.
        size = images.shape[0] or ops.cast(ops.shape(images)[0], "float32")
        logs = {}
        for tracker in self._loss_trackers:
            tracker.update_state(scalars[tracker.name], sample_weight=size)
            logs[tracker.name] = tracker.result()
        return logs

    def fit(self, x=None, y=None, batch_size=None, **kwargs):
        """Trains the model; arguments as in `keras.Model.fit`.

        Where one update of the algorithm takes several mini-batches, the data are regrouped, so
        that a Keras step is one update of the algorithm.

        Raises:
            ValueError: if the images' type, rank, size, channels or values do not fit the model.
            RuntimeError: if the model is not compiled.
        """
        self._assert_compiled("fit")
        x, batch_size = check_training_data(self, x, batch_size)
        if kwargs.get("validation_data") is not None:
            check_data(self, kwargs["validation_data"])
        if not hasattr(x, "shape"):
            kwargs.setdefault("shuffle", False)  # data sets have an order of their own
        return super().fit(x, y, batch_size=batch_size, **kwargs)

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """The model's losses on given images; arguments as in `keras.Model.evaluate`.

        Raises:
            ValueError: if the images' type, rank, size, channels or values do not fit the model.
            RuntimeError: if the model is not compiled.
        """
        self._assert_compiled("evaluate")
        check_data(self, x)
        return super().evaluate(x, y, batch_size=batch_size, **kwargs)

    def _assert_compiled(self, method):
        if not self.compiled:
            raise RuntimeError(
                f"{type(self).__name__}.{method}() needs a compiled model: call compile() first; "
                "without arguments it takes the paper's settings."
            )

    def bits_per_dim(self, nats):
        """Nats per image as bits per value: divided by height * width * channels * ln 2."""
        return nats / (math.prod(self.image_shape) * math.log(2.0))

    # Sampling ---------------------------------------------------------------------------------

    def generate(self, num_samples, seed=None, batch_size=None):
        """Draws images.

        Args:
            num_samples: how many, at least 1.
            seed: an int or a `keras.random.SeedGenerator`; equal seeds on one backend give equal
                images. `None` draws anew each time.
            batch_size: how many to compute at once (default 64); changes memory and speed only.

        Returns:
            uint8 NumPy array (num_samples, height, width, channels).

        Raises:
            ValueError: if `num_samples` or `batch_size` is not a positive integer.
        """
        num_samples = check_positive_int("num_samples", num_samples)
        batch_size = check_positive_int("batch_size", batch_size or 64)
        self.sync_state()
        noise = ops.convert_to_numpy(self.draw_noise(num_samples, seed_generator(seed)))
        return self._map_batches(self.transform_noise, noise, min(batch_size, num_samples))

    def draw_noise(self, num_samples, seed):
        """Standard normal latents (num_samples, latent_dim)."""
        return keras.random.normal((num_samples, self.latent_dim), seed=seed)

    def transform_noise(self, noise):
        """Noise, as `draw_noise` draws it, to images: floats (n, h, w, c) in [-1, 1]."""
        raise NotImplementedError

    def _map_batches(self, function, noise, batch_size, **kwargs):
        """`function` of noise as uint8 images, in batches of one shape (one compiled program)."""
        num_samples = len(noise)
        padding = -num_samples % batch_size
        noise = np.concatenate([noise, noise[:1].repeat(padding, axis=0)])
        images = [
            ops.convert_to_numpy(to_uint8(function(noise[i : i + batch_size], **kwargs)))
            for i in range(0, len(noise), batch_size)
        ]
        return np.concatenate(images)[:num_samples]
