"""Using a CFGGAN: images of G_t, its losses on given images, `export`."""

import keras
from keras import ops

from kzoo.losses.adversarial import DISCRIMINATOR_LOSSES


class Drawing:
    """The functions of `kzoo.CFGGAN` for its users (a mixin)."""

    sampling_options = frozenset(("steps", "averaged"))

    @property
    def fixed_batch(self):
        """An image depends on its mini-batch."""
        return self.batch_size

    def transform_noise(self, noise, steps=None, labels=None, averaged=True):
        """Latents to the images of G_steps.

        Args:
            noise: (n, latent_dim).
            steps: t in 0 .. T, the functional gradient steps to take from the approximator's
                images; T when `None`.
            labels: (n,), of a class-conditional model.
            averaged: whether they start from the average of the approximator's weights, if the
                model keeps one.

        Returns:
            Floats (n, h, w, c), not yet clipped to [-1, 1].

        Raises:
            ValueError: if `steps` is not in 0 .. T.
        """
        steps = self.num_steps if steps is None else steps
        if steps not in range(self.num_steps + 1):
            raise ValueError(f"steps must be an int in 0 .. {self.num_steps}, got {steps!r}.")
        labels = None if labels is None else ops.convert_to_tensor(labels)
        start = super().transform_noise(noise, labels, averaged)
        return self.composite(start, steps, labels)

    def sample_name(self, steps=None, **options):
        """What the images of `generate(steps=steps)` are samples of."""
        return f"G_{self.num_steps if steps is None else steps}"

    def exported_call(self, latents, labels=None):
        """What `export` writes: images of G_T in [-1, 1], the T gradients included."""
        return ops.clip(self.transform_noise(latents, labels=labels), -1.0, 1.0)

    def exports(self):
        """Also G_0, `start`, and G_t(z) to G_{t+1}(z), `step`: images, t in 0 .. T-1, labels."""
        t = keras.InputSpec("int32", (), name="t")
        labels = self.condition_specs()
        return {
            **super().exports(),
            "start": (super().transform_noise, self.input_specs()),
            "step": (self.snapshot_step, [self.images_spec(), t, *labels]),
        }

    @property
    def stages_done(self):
        """How many stages the model has been trained for, also in the middle of a `fit`."""
        with self.with_state():
            return int(ops.convert_to_numpy(self.stage))

    def last_losses(self):
        """The losses of the last stage, also in the middle of a `fit`: `{name: float}`."""
        with self.with_state():
            values = ops.convert_to_numpy(self.record)
        return dict(zip(self.loss_names, map(float, values), strict=True))

    def evaluation(self, x, condition):
        """D's loss on images x and on b images of G_T, and the approximator's distance to G_T."""
        _, own, start = self._pool(self.batch_size, condition.get("labels"))
        before = self.composite(start, self.num_steps - 1, own)  # (b, h, w, c)
        fake, grad_norm = self.last_step(before, own)
        # D with the statistics of the batch, but without a change of its own.
        weights = [v.value for v in self.discriminator.trainable_variables]
        last = self.num_steps - 1
        real_logits = self._discriminator(weights, last, condition.get("labels"))(x)
        fake_logits = self._discriminator(weights, last, own)(fake)
        return {
            "d_loss": DISCRIMINATOR_LOSSES[self.discriminator_loss](real_logits, fake_logits),
            "g_loss": half_squared_distance(start, fake),
            "d_real": ops.mean(real_logits),
            "d_fake": ops.mean(fake_logits),
            "grad_norm": grad_norm,
        }


def half_squared_distance(start, images):
    """1/2 E ||x - y||^2 of images (n, h, w, c), the norm over their pixels."""
    return 0.5 * ops.sum(ops.square(images - start)) / start.shape[0]
