"""The average of a generator's weights over training.

* Karras, Aila, Laine, Lehtinen 2018, "Progressive growing of GANs", arXiv:1710.10196, appendix A:
  samples come from an exponential moving average of the generator's weights, with decay .999 [1].
* Yazici et al. 2019, "The unusual effectiveness of averaging in GAN training", arXiv:1806.04498:
  why it helps [2].
"""

import keras
from keras import ops

from kzoo.checks import check_rate


def copy_of(network):
    """A copy of a Keras model, with weights of its own."""
    config = keras.saving.serialize_keras_object(network)
    copy = keras.saving.deserialize_keras_object(config)
    if not copy.built:
        copy.build(network.input_shape)
    copy.set_weights(network.get_weights())
    return copy


class WeightAverage:
    """Averages the weights of a model's generator, and draws from the average (a mixin).

    After update t = 1, 2, ... of the generator, every trainable weight w of it moves the average a
    by a <- a + (1 - k) (w - a), k = min(decay, (1 + t) / (10 + t)): at first the average follows
    quickly, as it starts from weights that were never trained. All other weights, such as the
    statistics of batch norm, are copied.
    """

    sampling_options = frozenset(("averaged",))

    def _check_average(self, decay):
        """Checks the argument; `None` is read as 0."""
        self.average_decay = check_rate("average_decay", 0.0 if decay is None else decay)

    @property
    def _average(self):
        return getattr(self, f"averaged_{self.generator_name}")

    def _set_average(self):
        """Makes the averaged generator, if there is to be one."""
        if self.average_decay:
            average = copy_of(getattr(self, self.generator_name))
            average.trainable = False
            setattr(self, f"averaged_{self.generator_name}", average)
            self.average_updates = self.add_weight(
                (), "zeros", trainable=False, dtype="float32", name="average_updates"
            )

    def _update_average(self):
        """Moves the average, after an update of the generator."""
        if not self.average_decay:
            return
        self.average_updates.assign_add(1.0)
        t = self.average_updates.value
        rest = 1.0 - ops.minimum(self.average_decay, (1.0 + t) / (10.0 + t))
        generator = getattr(self, self.generator_name)
        trained = {id(variable) for variable in generator.trainable_variables}
        pairs = zip(self._average.weights, generator.weights, strict=True)
        for average, variable in pairs:
            if id(variable) in trained:
                average.assign_add(rest * (variable.value - average.value))
            else:
                average.assign(variable.value)
