"""A model of a few weights, registered as kzoo's own are."""

import keras

from kzoo.presets import PresetMixin


@keras.saving.register_keras_serializable(package="kzoo")
class Tiny(PresetMixin, keras.Model):
    """Maps (n, 3) to (n, units), through `network` if one is given."""

    def __init__(self, units=2, network=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.network = network
        self.norm = keras.layers.BatchNormalization()
        self.dense = keras.layers.Dense(units)
        self.build((None, 3))

    def build(self, input_shape):
        if self.built:
            return
        self.norm.build(input_shape)
        self.dense.build(input_shape)
        self.built = True

    def call(self, x, training=False):
        x = self.norm(x, training=training)
        return self.dense(x if self.network is None else self.network(x))

    def get_config(self):
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "units": self.units, "network": network}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if isinstance(config["network"], dict):
            config["network"] = keras.saving.deserialize_keras_object(config["network"])
        return cls(**config)


@keras.saving.register_keras_serializable(package="kzoo")
class Other(Tiny):
    """Another class, for loading through the wrong one."""


def functional_network():
    """A functional model from (n, 3) to (n, 3), with operations and slices in its graph."""
    inputs = keras.Input((3,))
    x = keras.layers.Dense(3, activation="relu", kernel_regularizer="l2")(inputs)
    x = keras.ops.tanh(x) + inputs * 2.0
    return keras.Model(inputs, keras.ops.concatenate([x[:, :1], x[:, 1:]], axis=-1))
