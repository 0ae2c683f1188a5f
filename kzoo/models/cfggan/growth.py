"""How a CFGGAN's generator grows: Algorithms 1 (CFG) and 2 (ICFG) of arXiv:1801.06309, sampling."""

import keras
from keras import ops

from kzoo import backend
from kzoo.checks import check_positive
from kzoo.losses.adversarial import DISCRIMINATOR_LOSSES
from kzoo.models.cfggan.distillation import restart

ALGORITHMS = ("xicfg", "icfg", "cfg")

# s(D(x)) of a step: 1, or the weight of grad D(x) in the gradient of a GAN's generator loss.
SCALINGS = {
    "constant": ops.ones_like,
    "minimax": ops.sigmoid,
    "non_saturating": lambda logits: ops.sigmoid(-logits),
}


def in_rows(values, size):
    """A tensor (n size, ...) as (n, size, ...)."""
    return ops.reshape(values, (-1, size, *values.shape[1:]))


def check_step_size(step_size, num_steps):
    """A float, or a list of T floats; `ValueError` unless all are positive."""
    if not isinstance(step_size, list | tuple):
        return check_positive("step_size", step_size)
    if len(step_size) != num_steps:
        raise ValueError(
            f"step_size must be one number or num_steps={num_steps} of them, got "
            f"{len(step_size)}: {step_size!r}."
        )
    return [check_positive("step_size", value) for value in step_size]


def check_scaling(scaling):
    """A name in `SCALINGS`, or a function (also from its config)."""
    if isinstance(scaling, dict) and "class_name" in scaling:
        scaling = keras.saving.deserialize_keras_object(scaling)
    if not callable(scaling) and scaling not in list(SCALINGS):
        raise ValueError(
            f"scaling must be a function or one of {sorted(SCALINGS)}, got {scaling!r}."
        )
    return scaling


class Growth:
    """Functional gradient steps, for a model with a discriminator and an approximator."""

    def _add_state(self):
        """Weights that no optimizer updates: snapshots of D, how far training is, its losses."""
        trainable = self.discriminator.trainable_variables
        # D_1 .. D_T, stacked, for G_T needs them all.
        self.snapshots = self._zeros("snapshot", [(self.num_steps, *v.shape) for v in trainable])
        self.stage = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="stage"
        )
        # The losses of the last stage.
        self.record = self._zeros("record", [(len(self.loss_names),)])[0]
        self.first_discriminator = []  # where every D_t of CFG starts
        if self.algorithm == "cfg":
            self.first_discriminator = self._zeros("first", [v.shape for v in trainable])
            for first, v in zip(self.first_discriminator, trainable, strict=True):
                first.assign(v)

    def _zeros(self, name, shapes):
        return [
            self.add_weight(shape=shape, initializer="zeros", trainable=False, name=f"{name}_{i}")
            for i, shape in enumerate(shapes)
        ]

    def grow(self, real, pool, labels=None, own=None):
        """Algorithm 2 (ICFG) from images `pool` = G_0(z) (n, h, w, c).

        Args:
            real: mini-batches of real images (T U, b, h, w, c).
            pool: the approximator's images: of n = N latents with a fixed pool; of n = T U b with
                fresh latents, a mini-batch for every update of the discriminator, which grows
                until its turn.
            labels: of the real images (T U, b), for a class-conditional model.
            own: of the approximator's images (n,).

        Returns:
            `(pool, d_loss, D(real), D(generated), grad_norm)`, the losses of the last update and
            the norm of the last step. The fixed pool has become G_T(z); with fresh latents there
            is no norm.
        """
        steps = self.discriminator_steps

        def growth_step(t, carry):
            pool, d_loss, d_real, d_fake, grad_norm = carry

            def discriminator_update(u, _):
                turn = t * steps + u
                minibatch = ops.take(real, turn, axis=0)  # (b, h, w, c)
                given = None if labels is None else ops.take(labels, turn, axis=0)
                fake, of_fake = self.generated(pool, own, turn)
                return self.discriminator_step(minibatch, fake, given, of_fake)

            d_loss, d_real, d_fake = backend.repeat(
                steps, discriminator_update, (d_loss, d_real, d_fake)
            )
            t = ops.convert_to_tensor(t, "int32")
            self.store_snapshot(t)
            before, used = pool, 0 if self.fixed_pool else (t + 1) * steps

            def one_step(x, given=None):
                return self.functional_gradient_step(x, t, given, True)

            pool = self.in_minibatches(one_step, before, own, used)
            if self.fixed_pool:
                grad_norm = self.gradient_norm(before, pool, t)
            return pool, d_loss, d_real, d_fake, grad_norm

        zero = ops.zeros(())
        return backend.repeat(self.num_steps, growth_step, (pool, zero, zero, zero, zero))

    def train_alone(self, real, t, labels=None):
        """Algorithm 1, line 2: D_t, 0-based t, from where every D starts, against fresh G_t(z).

        Args:
            real: mini-batches of real images (U, b, h, w, c).
            t: steps that the generator has grown, an int32 scalar.
            labels: of the real images (U, b), for a class-conditional model.

        Returns:
            `(d_loss, D(real), D(generated))` of the last update.
        """
        discriminator = self.discriminator.trainable_variables
        for v, first in zip(discriminator, self.first_discriminator, strict=True):
            v.assign(first)
        restart(self.d_optimizer)

        def discriminator_update(u, _):
            given = None if labels is None else ops.take(labels, u, axis=0)
            fake, own = self.fresh(t, labels)
            return self.discriminator_step(ops.take(real, u, axis=0), fake, given, own)

        zero = ops.zeros(())
        losses = backend.repeat(self.discriminator_steps, discriminator_update, (zero, zero, zero))
        self.store_snapshot(t)
        return losses

    def last_step(self, x, labels=None, training=False):
        """G_T's images from those of G_{T-1} (n, h, w, c), and the norm of the step."""
        t = ops.convert_to_tensor(self.num_steps - 1, "int32")
        after = self.in_minibatches(self._step_of(t, training), x, labels)
        return after, self.gradient_norm(x, after, t)

    def _step_of(self, t, training):
        """`snapshot_step` with D_t, a function of a mini-batch and its labels."""

        def step(x, labels=None):
            return self.snapshot_step(x, t, labels, training)

        return step

    def gradient_norm(self, before, after, t):
        """The root of E ||s grad D||^2, the norm over pixels, from images around step t."""
        squares = ops.sum(ops.square(after - before)) / before.shape[0]
        return ops.sqrt(squares) / self._eta(t)

    def generated(self, pool, labels, turn):
        """A mini-batch (b, h, w, c) for the discriminator, from the fixed pool or fresh; labels."""
        if self.fixed_pool:
            order = keras.random.shuffle(ops.arange(self.pool_size), seed=self.seed_generator)
            rows = order[: self.batch_size]
        else:
            rows = turn * self.batch_size + ops.arange(self.batch_size)
        given = None if labels is None else ops.take(labels, rows, axis=0)
        return ops.take(pool, rows, axis=0), given

    def fresh(self, t, labels=None):
        """A mini-batch of G_t(z) of latents drawn anew (b, h, w, c), and its labels (b,)."""
        latents, own = self._latents(self.batch_size), self.drawn_labels(self.batch_size, labels)
        return self.composite(self.approximate(latents, own), t, own, training=True), own

    def drawn_labels(self, count, labels):
        """Labels (n,) of generated images, drawn from those of real ones; `None` for none."""
        if labels is None:
            return None
        labels = ops.reshape(labels, (-1,))
        rows = keras.random.randint((count,), 0, ops.shape(labels)[0], seed=self.seed_generator)
        return ops.take(labels, rows, axis=0)

    @backend.compiled
    def discriminator_step(self, real, fake, labels=None, own=None):
        """One update of D on mini-batches (b, h, w, c); returns `(loss, D(real), D(fake))`.

        Args:
            real, fake: images (b, h, w, c).
            labels, own: theirs (b,), or `None`.
        """
        real, fake = self.augmented(real), self.augmented(fake)

        def loss():
            real_logits = self.logits(real, training=True, labels=labels)  # (b, 1)
            fake_logits = self.logits(fake, training=True, labels=own)
            means = ops.mean(real_logits), ops.mean(fake_logits)
            value = DISCRIMINATOR_LOSSES[self.discriminator_loss](real_logits, fake_logits)
            given = {} if labels is None else {"labels": labels}
            return value + self._r1(real, given), means

        value, means = self.minimize(loss, self.discriminator.trainable_variables, self.d_optimizer)
        self._after_r1()
        return value, *means

    @backend.compiled
    def functional_gradient_step(self, x, t=0, labels=None, training=False):
        """x + eta_t s(D(x)) grad D(x) with the current discriminator, x (b, h, w, c)."""
        weights = [v.value for v in self.discriminator.trainable_variables]
        return self._step(self._discriminator(weights, t, labels, training), x, t)

    @backend.compiled
    def snapshot_step(self, x, t, labels=None, training=False):
        """x + eta_t s(D_t(x)) grad D_t(x) with the t-th snapshot, t = 0 .. T-1."""
        weights = [backend.row(s, t) for s in self.snapshots]
        return self._step(self._discriminator(weights, t, labels, training), x, t)

    def _discriminator(self, weights, t, labels=None, training=False):
        """D with these trainable weights, as a function that assigns no weights.

        With `augmented_steps` it is D(T(x)), T the model's augmentation: random in training, in
        sampling the same each time for every t and place in a mini-batch.
        """
        others = [v.value for v in self.discriminator.non_trainable_variables]

        def logits(x):
            if self.augment and self.augmented_steps:
                x = self.augmented(x) if training else self.augmentation.spread(x, t)
            inputs = x if labels is None else [x, labels]
            values, _ = self.discriminator.stateless_call(weights, others, inputs, training=True)
            return ops.cast(values, "float32")

        return logits

    def _step(self, discriminator, x, t):
        logits, gradient = backend.input_gradient(discriminator, x)  # (b, 1), (b, h, w, c)
        scaling = self.scaling if callable(self.scaling) else SCALINGS[self.scaling]
        scale = self._eta(t) * ops.cast(scaling(logits), "float32")
        return x + ops.reshape(scale, (-1, 1, 1, 1)) * gradient

    def _eta(self, t):
        """The step size of step t, 0-based."""
        if isinstance(self.step_size, float):
            return self.step_size
        return ops.take(ops.convert_to_tensor(self.step_size, "float32"), t)

    @backend.compiled
    def store_snapshot(self, t):
        """Keeps the current discriminator as D_t."""
        for snapshot, v in zip(self.snapshots, self.discriminator.trainable_variables, strict=True):
            backend.assign_row(snapshot, t, v.value)

    def composite(self, x, steps, labels=None, training=False):
        """G_steps from G_0's images x (n, h, w, c), in mini-batches of b; n % b form one more."""
        rest = x.shape[0] % self.batch_size

        def step(t, x):
            one_step = self._step_of(ops.convert_to_tensor(t, "int32"), training)
            whole = x.shape[0] - rest
            given = (None, None) if labels is None else (labels[:whole], labels[whole:])
            if not rest:
                return self.in_minibatches(one_step, x, labels)
            last = one_step(x[whole:], given[1])
            if not whole:
                return last
            return ops.concatenate([self.in_minibatches(one_step, x[:whole], given[0]), last])

        return backend.repeat(steps, step, x)

    @backend.compiled
    def approximate(self, latents, labels=None):
        """G_0: the approximator's images (n, h, w, c) of latents (n, d), in inference mode."""
        return self(latents, labels=labels)

    def in_minibatches(self, function, x, labels=None, start=0):
        """`function` on x (n, ...) in mini-batches of b, the first `start` of which stay."""
        beside = () if labels is None else (labels,)
        in_turn = self.augment is not None  # it draws random numbers
        return backend.map_batches(function, x, self.batch_size, start, beside, in_turn)
