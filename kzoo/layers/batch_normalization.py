"""The name under which earlier versions of kzoo saved `keras.layers.BatchNormalization`."""

import keras


@keras.saving.register_keras_serializable(package="kzoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, for files that name it so. New networks take Keras's."""
