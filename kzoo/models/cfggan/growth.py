"""How a CFGGAN's generator grows: Algorithm 2 (ICFG) of arXiv:1801.06309 and sampling from G_t."""

import keras
from keras import ops

from kzoo import backend
from kzoo.losses.adversarial import discriminator_loss

# s(D(x)) of a step: 1, or the weight of grad D(x) in the gradient of a GAN's generator loss.
SCALINGS = {
    "constant": ops.ones_like,
    "minimax": ops.sigmoid,
    "non_saturating": lambda logits: ops.sigmoid(-logits),
}


class Growth:
    """Functional gradient steps, for a model with a discriminator, an approximator, snapshots."""

    def grow(self, real, pool):
        """Algorithm 2 (ICFG) from images `pool` = G_0(z) (N, h, w, c).

        Args:
            real: mini-batches of real images (T U, b, h, w, c).
            pool: the approximator's images (N, h, w, c).

        Returns:
            `(G_T(z), d_loss, D(real), D(generated))`, the last three of the last update.
        """
        steps = self.discriminator_steps

        def functional_gradient_step(t, carry):
            pool, d_loss, d_real, d_fake = carry

            def discriminator_update(u, _):
                minibatch = ops.take(real, t * steps + u, axis=0)  # (b, h, w, c)
                return self.discriminator_step(minibatch, self.generated(pool, t))

            d_loss, d_real, d_fake = backend.repeat(
                steps, discriminator_update, (d_loss, d_real, d_fake)
            )
            self.store_snapshot(t)
            if self.fixed_pool:
                pool = self.in_minibatches(self.functional_gradient_step, pool)
            return pool, d_loss, d_real, d_fake

        zero = ops.zeros(())
        return backend.repeat(self.num_steps, functional_gradient_step, (pool, zero, zero, zero))

    def generated(self, pool, t):
        """A mini-batch of G_t(z) for the discriminator: drawn from the pool, or fresh."""
        if self.fixed_pool:
            order = keras.random.shuffle(ops.arange(self.pool_size), seed=self.seed_generator)
            return ops.take(pool, order[: self.batch_size], axis=0)  # (b, h, w, c)
        return self.composite(self.approximate(self._latents(self.batch_size)), t)

    @backend.compiled
    def discriminator_step(self, real, fake):
        """One update of D on mini-batches (b, h, w, c); returns `(loss, D(real), D(fake))`."""

        def loss():
            real_logits = self.logits(real, training=True)  # (b, 1)
            fake_logits = self.logits(fake, training=True)
            means = ops.mean(real_logits), ops.mean(fake_logits)
            return discriminator_loss(real_logits, fake_logits), means

        value, means = self.minimize(loss, self.discriminator.trainable_variables, self.d_optimizer)
        return value, *means

    @backend.compiled
    def functional_gradient_step(self, x):
        """x + eta s(D(x)) grad D(x) with the current discriminator, x (b, h, w, c)."""
        return self._step(lambda x: self.logits(x, training=True), x)

    @backend.compiled
    def snapshot_step(self, x, t):
        """x + eta s(D_t(x)) grad D_t(x) with the t-th snapshot, t = 0 .. T-1."""
        weights = [ops.take(snapshot, t, axis=0) for snapshot in self.snapshots]
        others = [v.value for v in self.discriminator.non_trainable_variables]

        def snapshot(x):
            logits, _ = self.discriminator.stateless_call(weights, others, x, training=True)
            return ops.cast(logits, "float32")

        return self._step(snapshot, x)

    def _step(self, discriminator, x):
        logits, gradient = backend.input_gradient(discriminator, x)  # (b, 1), (b, h, w, c)
        scale = self.step_size * SCALINGS[self.scaling](logits)
        return x + ops.reshape(scale, (-1, 1, 1, 1)) * gradient

    @backend.compiled
    def store_snapshot(self, t):
        """Keeps the current discriminator as D_t."""
        now = ops.arange(self.num_steps) == t  # (T,)
        for snapshot, v in zip(self.snapshots, self.discriminator.trainable_variables, strict=True):
            here = ops.reshape(now, (-1,) + (1,) * len(v.shape))
            snapshot.assign(ops.where(here, v.value[None], snapshot.value))

    def composite(self, x, steps):
        """G_steps from G_0's images x (n, h, w, c), in mini-batches of b; n % b form one more."""

        def all_steps(x):
            return backend.repeat(
                steps, lambda t, x: self.snapshot_step(x, ops.convert_to_tensor(t, "int32")), x
            )

        rest = x.shape[0] % self.batch_size
        whole = x.shape[0] - rest
        parts = [self.in_minibatches(all_steps, x[:whole])] if whole else []
        parts += [all_steps(x[whole:])] if rest else []
        return ops.concatenate(parts)

    @backend.compiled
    def approximate(self, latents):
        """G_0: the approximator's images (n, h, w, c) of latents (n, d), in inference mode."""
        return self(latents)

    def in_minibatches(self, function, x):
        """`function` on x (n, ...) in mini-batches of b, for it depends on its batch."""

        def first_to_last(_, x):
            # After n / b turns every mini-batch has had its turn and is back in its place.
            return ops.concatenate([x[self.batch_size :], function(x[: self.batch_size])])

        return backend.repeat(x.shape[0] // self.batch_size, first_to_last, x)
