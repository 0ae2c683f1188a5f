"""Training with two optimizers: one for all discriminators, one for all else."""

import keras

from kzoo.models.arguments import check_optimizer
from kzoo.models.base import GenerativeModel


class TwoOptimizers(GenerativeModel):
    """A model whose variables are shared between two optimizers.

    A subclass has a `discriminator`, or says in `discriminator_variables` which variables are those
    of its discriminators. Its `update` passes one of the two optimizers to `minimize`.
    """

    @property
    def discriminator_variables(self):
        """The variables that `d_optimizer` updates; all others are `g_optimizer`'s."""
        return self.discriminator.trainable_variables

    @property
    def d_optimizer(self):
        """Optimizer of the discriminator."""
        return self._optimizers[0]

    @property
    def g_optimizer(self):
        """Optimizer of the generator (in a CFGGAN: of the approximator)."""
        return self._optimizers[1]

    def named_losses(self, *losses):
        """Scalars in the order of `loss_names`, as the dict that `update` returns."""
        return dict(zip(self.loss_names, losses, strict=True))

    def default_optimizer(self):
        """The paper's optimizer; called once for each of the two networks."""
        raise NotImplementedError

    def default_optimizers(self):
        return {name: self.default_optimizer() for name in ("d_optimizer", "g_optimizer")}

    def compile(self, *optimizers, d_optimizer=None, g_optimizer=None, **kwargs):
        """Configures training.

        Args:
            *optimizers: none, or two: `d_optimizer` and `g_optimizer`.
            d_optimizer: optimizer of the discriminator; the paper's when `None`.
            g_optimizer: optimizer of the generator; the paper's when `None`. With
                `use_ema=True`, Keras keeps an exponential moving average of the generator's
                weights, which `fit` writes into them when it ends.
            **kwargs: `jit_compile`, `steps_per_execution`, `run_eagerly`, as in Keras.

        Raises:
            ValueError: if both networks are given the same optimizer object, or one optimizer
                without a name, `optimizer`, `loss` or `metrics`.
        """
        if "optimizer" in kwargs or len(optimizers) not in (0, 2):
            got = f"optimizer={kwargs['optimizer']!r}" if "optimizer" in kwargs else optimizers
            raise ValueError(
                f"{type(self).__name__} trains two networks: compile() takes d_optimizer and "
                f"g_optimizer, got {got}."
            )
        if optimizers:
            d_optimizer, g_optimizer = optimizers
        for name, given in (("d_optimizer", d_optimizer), ("g_optimizer", g_optimizer)):
            if given is not None:
                check_optimizer(name, given)
        d_optimizer, g_optimizer = (
            self.default_optimizer() if given is None else keras.optimizers.get(given)
            for given in (d_optimizer, g_optimizer)
        )
        if d_optimizer is g_optimizer:
            raise ValueError(
                "d_optimizer and g_optimizer must be two objects: an optimizer keeps state for "
                f"the variables of one network; got {d_optimizer!r} twice."
            )
        discriminator = {id(v) for v in self.discriminator_variables}
        self._optimizers = (d_optimizer, g_optimizer)
        # Keras saves, restores and passes through JAX one optimizer per model: it holds both.
        both = keras.optimizers.MultiOptimizer(
            lambda variable: d_optimizer if id(variable) in discriminator else g_optimizer
        )
        super().compile(optimizer=both, **kwargs)

    def get_compile_config(self):
        if not self.compiled:
            return {}
        serialize = keras.saving.serialize_keras_object
        return {
            "d_optimizer": serialize(self.d_optimizer),
            "g_optimizer": serialize(self.g_optimizer),
            **self._compile_arguments,
        }

    def build(self, input_shape=None):
        """The networks are built when they are given or made; nothing is left to build."""
