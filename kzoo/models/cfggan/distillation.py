"""How a CFGGAN's grown generator is distilled into its approximator (Algorithm 3)."""

import keras
from keras import ops

from kzoo import backend

_CUT = 0.1  # of the learning rate, when an epoch's loss rises
_MAX_CUTS = 3.0


def restart(optimizer):
    """Sets the moments that a Keras optimizer keeps of the gradients to 0.

    Its rate and its count of steps stay, and with `use_ema` the averages of the weights. As the
    count stays, Adam's first steps after it are longer than those of a new Adam.
    """
    keep = [optimizer.iterations, optimizer.learning_rate]
    keep += backend.weight_averages(optimizer)
    keep = {id(v) for v in keep}
    for v in optimizer.variables:
        if id(v) not in keep:
            v.assign(ops.zeros(v.shape, v.dtype))


class Distillation:
    """Fitting the approximator, for a model with an approximator and a `g_optimizer`."""

    def distill(self, latents, targets, labels=None):
        """Fits the approximator to `targets` = G_T(latents); returns the last epoch's loss.

        Args:
            latents: (N, latent_dim).
            targets: (N, h, w, c).
            labels: (N,), for a class-conditional model.
        """
        optimizer = self.g_optimizer
        if self.restart_optimizer:
            restart(optimizer)  # a fresh one every stage
        # A copy: TensorFlow and torch convert a variable to itself, which is assigned below.
        initial_rate = ops.convert_to_tensor(optimizer.learning_rate) + 0.0

        def epoch(_, carry):
            last, cuts = carry
            order = keras.random.shuffle(ops.arange(self.pool_size), seed=self.seed_generator)

            def minibatch(i, total):
                rows = ops.take(ops.reshape(order, (-1, self.batch_size)), i, axis=0)  # (b,)
                z, target = ops.take(latents, rows, axis=0), ops.take(targets, rows, axis=0)
                given = None if labels is None else ops.take(labels, rows, axis=0)
                return total + self.approximator_step(z, target, given)

            batches = self.pool_size // self.batch_size
            loss = backend.repeat(batches, minibatch, ops.zeros(())) / batches
            cuts = cuts + ops.cast(ops.logical_and(loss > last, cuts < _MAX_CUTS), "float32")
            optimizer.learning_rate.assign(initial_rate * _CUT**cuts)
            return loss, cuts

        start = ops.convert_to_tensor(float("inf"), "float32"), ops.zeros(())
        loss, _ = backend.repeat(self.approximator_epochs, epoch, start)
        optimizer.learning_rate.assign(initial_rate)
        return loss

    @backend.compiled
    def approximator_step(self, latents, targets, labels=None):
        """One update of 1/2 ||G~(z) - G_T(z)||^2, summed over pixels, mean over the batch."""

        def loss():
            error = self(latents, labels=labels, training=True) - targets  # (b, h, w, c)
            return 0.5 * ops.sum(ops.square(error)) / self.batch_size

        value, _ = self.minimize(loss, self.approximator.trainable_variables, self.g_optimizer)
        return value

    def initialize_approximator(self):
        """Fits the approximator to clip(z W), W ~ N(0, .01^2), before the first stage."""
        latents = self._latents(self.pool_size)
        pixels = self.image_shape[0] * self.image_shape[1] * self.image_shape[2]
        weights = keras.random.normal(
            (self.latent_dim, pixels), stddev=0.01, seed=self.seed_generator
        )
        images = ops.clip(ops.matmul(latents, weights), -1.0, 1.0)
        labels = {c.name: c.default(self.pool_size) for c in self.conditioned_on}  # in turn
        self.distill(latents, ops.reshape(images, (-1, *self.image_shape)), **labels)

    def _latents(self, count):
        return self.draw_noise(count, self.seed_generator)
