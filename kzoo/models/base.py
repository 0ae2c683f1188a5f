"""The base class of every generative model of kzoo."""

import math
import threading
import warnings

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_image_shape, check_keywords, check_positive_int
from kzoo.configs import ConfiguredModel, constructor_arguments
from kzoo.images import range_problem, to_float
from kzoo.models import batches, parts
from kzoo.models.arguments import check_compile, check_fit, check_optimizer
from kzoo.models.divergence import WarnOfDivergence
from kzoo.models.exporting import Exporting
from kzoo.models.regrouping import check_update, cut
from kzoo.models.sampling import Sampling
from kzoo.models.training_state import TrainingState, one_at_a_time
from kzoo.presets import PresetMixin


class GenerativeModel(
    PresetMixin,
    ConfiguredModel,
    Sampling,
    Exporting,
    TrainingState,
    backend.StepTrainer,
    keras.Model,
):
    """A model that learns to draw images.

    `fit`, `evaluate`, `save` and the rest are Keras's own; `train_step` is overridden once,
    here and in `kzoo.backend`, for the three backends. A subclass writes the update of its paper:

    * `update(x, condition)`: one training update from images `x`, floats (b, h, w, c) in
      [-1, 1]; returns the scalars named in `loss_names`, averages over the batch.
    * `evaluation(x, condition)`: the same scalars on held-out images, without any update.
    * `transform_noise(noise, **condition)`: noise to images in [-1, 1], and `draw_noise` if its
      noise is not (n, latent_dim) standard normal.
    * `default_optimizer()`: the paper's optimizer, which `compile()` takes when given none.
    * `conditioned_on`: the conditions, a tuple of objects of `kzoo.conditions`. `condition` is
      a dict of the batch's values, `{"labels": (b,)}` for a class-conditional model; it is empty
      where there are no conditions.

    `fit` and `evaluate` take images, `(images, condition)` or a dict of named features such as
    `{"image": ..., "label": ...}`; features that the model does not use are ignored. They come as
    NumPy arrays, a `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch `DataLoader` or a
    generator. Images are uint8, or floats that lie in [-1, 1] already, of shape (n, h, w, c).

    Args:
        image_shape: `(height, width, channels)` of the images.
        latent_dim: length of the latent vectors, for the models that start from such noise.
    """

    #: Names of the scalars that `update` and `evaluation` return.
    loss_names = ("loss",)
    #: The features that are the images, in a dict of named features.
    image_keys = parts.IMAGE_KEYS
    #: The features that the images are made from, of a model that learns pairs of images.
    source_keys = ()
    #: Whether the loss is a mean over examples, which `sample_weight` and `class_weight` weigh.
    #: `update` and `evaluation` then take a third argument, weights (b,) or `None`.
    weighs_examples = False
    #: Whether replicas that each see a part of the batch do together what one device does.
    distributes = True
    #: Whether one training update is made of long loops (see `kzoo.backend.loops_compile`).
    trains_in_loops = False

    def __init__(self, image_shape, latent_dim=None, **kwargs):
        super().__init__(**kwargs)
        self.one_thread = threading.RLock()  # of `one_at_a_time`; `fit` itself evaluates
        self.image_shape = check_image_shape(image_shape)
        if latent_dim is not None:
            check_keywords(type(self).__name__, ["latent_dim"], constructor_arguments(type(self)))
            self.latent_dim = check_positive_int("latent_dim", latent_dim)
        self._loss_trackers = [keras.metrics.Mean(name=name) for name in self.loss_names]
        self.networks_by_name = {}  # see `ConfiguredModel`

    # Training ---------------------------------------------------------------------------------

    def default_optimizer(self):
        """The optimizer that `compile()` uses when it is given none."""
        return keras.optimizers.Adam(1e-3)

    def compile(self, optimizer=None, *, jit_compile="auto", **kwargs):
        """Configures training.

        Args:
            optimizer: a Keras optimizer, its name or its config; the paper's when `None`.
            jit_compile: as in Keras. `"auto"` also switches XLA off where it would slow down a
                training update made of long loops.
            **kwargs: `run_eagerly`, `steps_per_execution`, ... as in `keras.Model.compile`.
                `loss` and `metrics` are refused: the model defines its losses.

        Raises:
            ValueError: for a `loss` or `metrics` argument or one that Keras does not know, or on
                several replicas if the model needs the whole batch on one device.
        """
        for name in ("loss", "metrics", "weighted_metrics", "loss_weights"):
            if kwargs.get(name) is not None:
                raise ValueError(
                    f"{type(self).__name__} defines its own losses ({', '.join(self.loss_names)}); "
                    f"compile() got {name}={kwargs[name]!r}, expected none. "
                    "Scores of samples are in kzoo.metrics."
                )
        check_compile(type(self).__name__, kwargs)
        if optimizer is not None:
            check_optimizer("optimizer", optimizer)
        self._assert_distributes()
        if jit_compile == "auto" and self.trains_in_loops:
            jit_compile = backend.loops_compile()
        super().compile(optimizer or self.default_optimizer(), jit_compile=jit_compile, **kwargs)
        self.optimizer.build(self.trainable_variables)
        self.built = True  # all weights are there; Keras need not call the model to make them
        self._compile_arguments = {"jit_compile": jit_compile, **kwargs}

    def get_compile_config(self):
        if not self.compiled:
            return {}
        optimizer = keras.saving.serialize_keras_object(self.optimizer)
        return {"optimizer": optimizer, **self._compile_arguments}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(backend.portable(config)))

    # Asked by the command line ------------------------------------------------------------------

    @classmethod
    def arguments_for(cls, image_shape, batch_size=None):
        """The constructor arguments with which `kzoo train` makes a model for given images.

        A subclass overrides it where its defaults do not suit every image. If the returned
        `image_shape` is larger than the images, they are padded with zeros.

        Args:
            image_shape: `(height, width, channels)` of the images.
            batch_size: of the mini-batches, for a model that is built for one.

        Returns:
            A dict with `"image_shape"` and whatever else follows from the images.
        """
        return {"image_shape": tuple(image_shape)}

    def default_optimizers(self):
        """What `compile()` uses when it is given none: `{argument: optimizer}`."""
        return {"optimizer": self.default_optimizer()}

    @property
    def is_binary(self):
        """Whether the model is a distribution of black and white pixels only."""
        return False

    def minimize(self, loss_fn, variables=None, optimizer=None):
        """One optimizer step on `variables` down the gradient of `loss_fn()`.

        Regularizers, and losses that layers add (`add_loss`), count where their layer holds some of
        the variables. Of a network that is called twice, the losses of the last call count.

        Args:
            loss_fn: function without arguments that returns a scalar loss or `(loss, aux)`.
            variables: list of `keras.Variable`s; `None` for all that are trained.
            optimizer: a Keras optimizer built on them; `None` for the model's.

        Returns:
            `(loss, aux)` as they were before the step, the loss without those of layers; `aux` is
            `None` if there was none.
        """
        variables = self.trainable_variables if variables is None else variables
        optimizer = optimizer or self.optimizer
        scaler = self.optimizer or optimizer  # around all optimizers, where it scales the loss
        mine = {id(v) for v in variables}

        def objective():
            result = loss_fn()
            loss, aux = result if isinstance(result, tuple) else (result, None)
            added = (
                ops.cast(x, loss.dtype)
                for layer in self.layers
                for x in layer.losses
                if any(id(v) in mine for v in layer.trainable_variables)
            )
            return scaler.scale_loss(loss + sum(added)), (loss, aux)

        (_, aux), gradients = backend.value_and_grad(objective, variables)
        backend.apply_gradients(optimizer, gradients, variables, scaler)
        return aux

    def update(self, x, condition):
        raise NotImplementedError

    def evaluation(self, x, condition):
        raise NotImplementedError

    def examples_per_step(self, batch_size):
        """How many examples one training update takes from data in batches of `batch_size`."""
        return batch_size

    @property
    def metrics(self):
        return self._loss_trackers

    def _train(self, data):
        return self._track(lambda *batch: backend.joint_losses(self.update(*batch)), data)

    def _test(self, data):
        return self._track(self.evaluation, data)

    def _track(self, step, data):
        """Runs `update` or `evaluation` on one batch; returns the averages of the epoch so far."""
        images, condition, weights = parts.split(self, data)
        condition = {c.name: c.to_tensor(condition[c.name]) for c in self.conditioned_on}
        x = to_float(images)
        scalars = step(x, condition, weights) if self.weighs_examples else step(x, condition)
        for tracker in self._loss_trackers:
            # Weighted by its size, a smaller last batch counts as it should.
            tracker.update_state(scalars[tracker.name], sample_weight=ops.shape(x)[0])
        return {tracker.name: tracker.result() for tracker in self._loss_trackers}

    @one_at_a_time
    def fit(self, x=None, y=None, batch_size=None, **kwargs):
        """Trains the model; arguments as in `keras.Model.fit`, data as the class describes them.

        Where one update of the algorithm takes several mini-batches, the data are regrouped, so
        that a Keras step is one update of the algorithm. Images left over at the end of an epoch
        are not used in that epoch.

        Raises:
            ValueError: if type, rank, size, channels or values of the images do not fit the model,
                if there are fewer than one update takes, if a condition is missing, if
                `sample_weight` or `class_weight` are given to a model without losses per example,
                or if another argument has a name or a value that Keras does not take.
            RuntimeError: if the model is not compiled.
        """
        self._assert_compiled("fit")
        check_fit(type(self).__name__, kwargs)
        callbacks = keras.tree.flatten(kwargs.pop("callbacks", None) or ())
        resumes = any(hasattr(c, "resume") for c in callbacks)
        # Of a part of an epoch, Keras itself has to tell a `PyDataset` where the epoch ends.
        whole = backend.own_pipelines() and kwargs.get("steps_per_epoch") is None
        data = x, y, kwargs.pop("sample_weight", None)
        regrouped = self.examples_per_step(1) != 1
        if kwargs.get("validation_data") is not None:
            kwargs.pop("validation_split", None)  # which Keras then ignores, too
        elif (resumes or whole or regrouped) and kwargs.get("validation_split"):
            data, kwargs["validation_data"] = cut(data, kwargs.pop("validation_split"))
        # Said here, because data that are batched already go to Keras without a batch size.
        held_out_size = kwargs.get("validation_batch_size") or batch_size
        kwargs["validation_batch_size"] = held_out_size
        options = kwargs.get("class_weight"), batch_size, kwargs.pop("shuffle", None)
        own = resumes or whole
        prepared = batches.prepare(self, *data, *options, grouped=True, own_order=own)
        if kwargs.get("validation_data") is not None:
            given = kwargs["validation_data"], held_out_size, kwargs.get("validation_steps")
            kwargs["validation_data"] = batches.prepare_held_out(self, *given)
        callbacks = [*callbacks, *self.training_callbacks(), WarnOfDivergence()]
        first = prepared.pop("first")
        prepared = self.resumed(callbacks=callbacks, **prepared, **kwargs)
        if prepared["initial_epoch"] < prepared["epochs"]:
            self.before_training(*first)
        if whole:
            prepared["x"], prepared["shuffle"] = backend.pipeline(
                prepared["x"], prepared["shuffle"]
            )
        with warnings.catch_warnings():
            if prepared.get("steps_per_epoch") is None:
                # Without a number of steps, an epoch ends where the data end. Keras warns of it
                # where it cannot know their length, as that of regrouped tf.data.
                warnings.filterwarnings("ignore", "Your input ran out of data")
            return super().fit(**prepared)

    @one_at_a_time
    def evaluate(self, x=None, y=None, batch_size=None, sample_weight=None, **kwargs):
        """The model's losses on given images; arguments as in `keras.Model.evaluate`.

        Raises:
            ValueError: as `fit`.
            RuntimeError: if the model is not compiled.
        """
        self._assert_compiled("evaluate")
        own = backend.own_pipelines() and kwargs.get("steps") is None
        options = {"batch_size": batch_size, "shuffle": False, "own_order": own}
        prepared = batches.prepare(self, x, y, sample_weight, **options)
        del prepared["shuffle"], prepared["first"]
        if own:
            prepared["x"], _ = backend.pipeline(prepared["x"])
        return super().evaluate(**prepared, **kwargs)

    @one_at_a_time
    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, **kwargs):
        """One training update; arguments as in `keras.Model.train_on_batch`.

        Raises:
            ValueError: as `fit`, and if one update cannot be made of that many images.
        """
        self._assert_compiled("train_on_batch")
        given = batches.prepare(self, x, y, sample_weight, class_weight)
        check_update(self, len(given["x"]))
        data = (given["x"], given["y"], given["sample_weight"])
        return super().train_on_batch(*data, class_weight, **kwargs)

    @one_at_a_time
    def test_on_batch(self, x, y=None, sample_weight=None, **kwargs):
        """The model's losses on one batch; arguments as in `keras.Model.test_on_batch`.

        Raises:
            ValueError: as `fit`.
        """
        self._assert_compiled("test_on_batch")
        given = batches.prepare(self, x, y, sample_weight)
        return super().test_on_batch(given["x"], given["y"], given["sample_weight"], **kwargs)

    def data_problems(self, images):
        """What is probably wrong with images (n, h, w, c) of the data: a list of sentences."""
        problem = range_problem(images)
        return [] if problem is None else [problem]

    def bits_per_dim(self, nats):
        """Nats per image as bits per value: divided by height * width * channels * ln 2."""
        return nats / (math.prod(self.image_shape) * math.log(2.0))
