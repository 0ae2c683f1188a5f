"""Using a CFGGAN: drawing images of G_t, measuring it, what `export` writes."""

import numpy as np
from keras import ops

from kzoo.checks import check_positive_int, seed_generator
from kzoo.conditions import check_given
from kzoo.images import to_uint8
from kzoo.losses.adversarial import discriminator_loss
from kzoo.models.sampling import in_batches


class Drawing:
    """The functions of `kzoo.CFGGAN` for its users (a mixin)."""

    def generate(self, num_samples=None, seed=None, batch_size=None, steps=None, **condition):
        """Draws images from G_steps; as in `GenerativeModel.generate`, and:

        Args:
            num_samples, seed, **condition: as there.
            batch_size: `None` or the model's own: an image depends on its mini-batch.
            steps: t in 0 .. T, the functional gradient steps to take from the approximator's
                images; T when `None`.

        Returns:
            uint8 NumPy array (num_samples, height, width, channels), clipped to [-1, 1] before
            it is rounded.

        Raises:
            ValueError: if `steps` is not in 0 .. T or `batch_size` is not the model's.
        """
        steps = self.num_steps if steps is None else steps
        if steps not in range(self.num_steps + 1):
            raise ValueError(f"steps must be an int in 0 .. {self.num_steps}, got {steps!r}.")
        if batch_size not in (None, self.batch_size):
            raise ValueError(
                f"This CFGGAN draws images in batches of {self.batch_size} (an image depends on "
                f"its batch), got batch_size={batch_size!r}."
            )
        if num_samples is not None:
            num_samples = check_positive_int("num_samples", num_samples)
        num_samples, condition = check_given(self, num_samples, condition)
        self.sync_state()
        # Whole mini-batches: none of the images may depend on padding.
        whole = num_samples + -num_samples % self.batch_size
        condition = {name: np.resize(values, whole) for name, values in condition.items()}
        noise = ops.convert_to_numpy(self.draw_noise(whole, seed_generator(seed)))
        images = in_batches(
            lambda noise, given: to_uint8(self.transform_noise(noise, steps, **given)),
            self.batch_size,
            noise,
            condition,
        )
        return images[:num_samples]

    def transform_noise(self, noise, steps=None, labels=None):
        """Latents (n, latent_dim) to G_steps's images, floats not yet clipped to [-1, 1]."""
        steps = self.num_steps if steps is None else int(steps)
        labels = None if labels is None else ops.convert_to_tensor(labels)
        return self.composite(self.approximate(noise, labels), steps, labels)

    def sample_name(self, steps=None):
        """What the images of `generate(steps=steps)` are samples of."""
        return f"G_{self.num_steps if steps is None else steps}"

    @property
    def export_batch(self):
        """An image depends on its mini-batch."""
        return self.batch_size

    def exported_call(self, latents, labels=None):
        """What `export` writes: images of G_T in [-1, 1], the T gradients included."""
        return ops.clip(self.transform_noise(latents, labels=labels), -1.0, 1.0)

    @property
    def stages_done(self):
        """How many stages the model has been trained for, also in the middle of a `fit`."""
        self.sync_state()
        return int(ops.convert_to_numpy(self.stage))

    def last_losses(self):
        """The losses of the last stage, also in the middle of a `fit`: `{name: float}`."""
        self.sync_state()
        values = ops.convert_to_numpy(self.record)
        return dict(zip(self.loss_names, map(float, values), strict=True))

    def evaluation(self, x, condition):
        """D's loss on images x and on b images of G_T, and the approximator's distance to G_T."""
        _, own, start = self._pool(self.batch_size, condition.get("labels"))
        before = self.composite(start, self.num_steps - 1, own)  # (b, h, w, c)
        fake, grad_norm = self.last_step(before, own)
        real_logits = self.logits(x, training=True, **condition)
        fake_logits = self.logits(fake, training=True, labels=own)
        return {
            "d_loss": discriminator_loss(real_logits, fake_logits),
            "g_loss": half_squared_distance(start, fake),
            "d_real": ops.mean(real_logits),
            "d_fake": ops.mean(fake_logits),
            "grad_norm": grad_norm,
        }


def half_squared_distance(start, images):
    """1/2 E ||x - y||^2 of images (n, h, w, c), the norm over their pixels."""
    return 0.5 * ops.sum(ops.square(images - start)) / start.shape[0]
