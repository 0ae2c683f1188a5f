"""Batch normalization by the backend's own fused operation in training."""

import keras

from kzoo import backend


@keras.saving.register_keras_serializable(package="kzoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` (Ioffe, Szegedy 2015, arXiv:1502.03167), but faster.

    Keras computes the statistics of a batch and the normalization from them one operation after
    the other; the backends have one operation with one gradient for both. Weights, arguments and
    results are Keras's, the last to rounding.
    """

    def call(self, inputs, training=None, mask=None):
        fused = training and self.trainable and mask is None and self.center and self.scale
        if not (fused and len(inputs.shape) == 4 and self.axis in (-1, 3)):
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = backend.batch_norm(
            inputs, self.gamma.value, self.beta.value, self.epsilon
        )
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return outputs
