"""CFGGAN: composite functional gradient learning (xICFG).

Johnson, Zhang 2018, "Composite functional gradient learning of generative adversarial models",
arXiv:1801.06309: Algorithm 3 (xICFG) with Algorithm 2 (ICFG) inside, Theorem 2.1 for the step.

The generator is not trained by gradient descent on its weights. It grows,

    G_t(z) = G_{t-1}(z) + eta grad D_t(G_{t-1}(z)),  t = 1 .. T,

where D_t is the discriminator after its t-th round of updates. A stage is T such steps from
G_0 = the approximator, a network of fixed size, which is then fitted to G_T ("distilled"), so that
the next stage can start from it. Images are drawn from G_T of the last stage.

Deviations from the paper's text, after the authors' published code where that differs:
* s_t(x) = 1.
* The approximator starts every stage with a fresh optimizer; its learning rate is cut by 10
  whenever the loss of an epoch rises, at most 3 times.
* The discriminator's gradient uses the statistics of the batch (training mode), also when images
  are drawn, so that an image depends on the others of its mini-batch.
* Batch norm's scale starts at 1, not at a uniform random number.
"""

import keras
from keras import ops

from kzoo import backend
from kzoo.losses.adversarial import discriminator_loss
from kzoo.models import data as model_data
from kzoo.models.adversarial import AdversarialModel, check_network
from kzoo.models.cfggan.divergence import StopOnDivergence
from kzoo.networks import dcgan_discriminator, dcgan_generator


@keras.saving.register_keras_serializable(package="kzoo")
class CFGGAN(AdversarialModel):
    """Generator grown by composite functional gradients (xICFG, Algorithm 3).

    One Keras step is one stage; it takes `num_steps * discriminator_steps * batch_size` images,
    to which `fit` regroups whatever batches it is given. Defaults are the paper's for MNIST
    padded to 32x32.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: length of the latent vectors z ~ N(0, I).
        num_steps: T, functional gradient steps per stage.
        discriminator_steps: U, discriminator updates before each of them.
        step_size: eta. The paper uses .5 (MNIST) and .25 (SVHN) with batch norm.
        pool_size: N, how many latents a stage's approximator is fitted on; a multiple of
            `batch_size`.
        batch_size: b, mini-batch of every network; generated images depend on it.
        approximator_epochs: passes over the N pairs (z, G_T(z)) per stage.
        fixed_pool: `True`: one pool of N latents per stage, advanced by each new step, feeds the
            discriminator and then the approximator (the ICML paper). `False`: fresh latents for
            every discriminator update and for the approximator, 1.7 times the gradients (the
            authors' later code).
        width: features of the DCGAN networks next to the image; unused for given networks.
        max_gap: training stops when D(real) - D(generated) exceeds it after `gap_patience` stages.
        gap_patience: stages to wait for before that.
        discriminator: the user's own `keras.Model`, images to values (b, 1); DCGAN's with 1x1
            convolutions when `None`. Must be differentiable; dropout does not belong in it.
        approximator: the user's own `keras.Model`, latents (b, latent_dim) to images
            (b, h, w, c) in [-1, 1]; DCGAN's with 1x1 convolutions when `None`.

    Raises:
        ValueError: if an argument or a network's shapes do not fit.

    Example:

    ```python
    model = kzoo.CFGGAN()
    model.compile()                                # RMSprop(2.5e-4, rho=.95), as in the paper
    model.fit(kzoo.datasets.load("mnist", pad_to=32), epochs=20)
    model.generate(64, seed=0)                     # from G_T
    model.generate(64, seed=0, steps=0)            # from the approximator
    ```
    """

    generator_name = "approximator"
    loss_names = ("d_loss", "g_loss", "d_real", "d_fake")
    trains_in_loops = True

    def __init__(
        self,
        image_shape=(32, 32, 1),
        latent_dim=100,
        num_steps=15,
        discriminator_steps=1,
        step_size=0.5,
        pool_size=640,
        batch_size=64,
        approximator_epochs=10,
        fixed_pool=True,
        width=32,
        max_gap=40.0,
        gap_patience=2000,
        discriminator=None,
        approximator=None,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, **kwargs)
        check = model_data.check_positive_int
        self.num_steps = check("num_steps", num_steps)
        self.discriminator_steps = check("discriminator_steps", discriminator_steps)
        self.step_size = model_data.check_positive("step_size", step_size)
        self.pool_size = check("pool_size", pool_size)
        self.batch_size = check("batch_size", batch_size)
        if self.pool_size % self.batch_size:
            raise ValueError(
                f"pool_size must be a multiple of batch_size={batch_size}, got {pool_size}."
            )
        self.approximator_epochs = check("approximator_epochs", approximator_epochs)
        self.fixed_pool = bool(fixed_pool)
        self.width = check("width", width)
        self.max_gap = model_data.check_positive("max_gap", max_gap)
        self.gap_patience = int(gap_patience)
        self._given_networks = {
            "approximator": approximator is not None,
            "discriminator": discriminator is not None,
        }
        extension = {"width": self.width, "pointwise": True, "init_stddev": 0.01}
        if discriminator is None:
            discriminator = dcgan_discriminator(self.image_shape, **extension)
        if approximator is None:
            approximator = dcgan_generator(
                self.image_shape, self.latent_dim, name="approximator", **extension
            )
        self.discriminator = check_network("discriminator", discriminator, self.image_shape, (1,))
        self.approximator = check_network(
            "approximator", approximator, (self.latent_dim,), self.image_shape
        )
        # Snapshots of D_1 .. D_T, stacked, for G_T needs them all.
        self.snapshots = [
            self.add_weight(
                shape=(self.num_steps, *v.shape),
                initializer="zeros",
                trainable=False,
                name=f"snapshot_{i}",
            )
            for i, v in enumerate(self.discriminator.trainable_variables)
        ]
        self.stage = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="stage"
        )
        self.gap = self.add_weight(shape=(), initializer="zeros", trainable=False, name="gap")
        self.seed_generator = keras.random.SeedGenerator()
        self.build()

    def get_config(self):
        names = (
            "num_steps discriminator_steps step_size pool_size batch_size approximator_epochs "
            "fixed_pool width max_gap gap_patience"
        )
        config = {name: getattr(self, name) for name in names.split()}
        return {**super().get_config(), **config, **self._networks_config()}

    def default_optimizer(self):
        """RMSprop with the paper's settings; epsilon stands inside the square root, as there."""
        return keras.optimizers.RMSprop(2.5e-4, rho=0.95, epsilon=1e-37)

    def examples_per_step(self, batch_size):
        return self.num_steps * self.discriminator_steps * self.batch_size

    def compile(self, d_optimizer=None, g_optimizer=None, **kwargs):
        super().compile(d_optimizer, g_optimizer, **kwargs)
        if isinstance(self.g_optimizer.get_config()["learning_rate"], dict):
            raise ValueError(
                "CFGGAN cuts the approximator's learning rate itself: g_optimizer needs a "
                "constant learning rate, got a schedule."
            )

    def fit(self, x=None, y=None, batch_size=None, callbacks=None, **kwargs):
        self._assert_compiled("fit")
        if int(ops.convert_to_numpy(self.stage)) == 0:
            self.initialize_approximator()
        callbacks = [*(callbacks or []), StopOnDivergence(self.max_gap, self.gap_patience)]
        return super().fit(x, y, batch_size=batch_size, callbacks=callbacks, **kwargs)

    # Algorithm 3: xICFG -----------------------------------------------------------------------

    def update(self, x):
        """One stage of Algorithm 3: ICFG from the approximator, then distillation into it."""
        real = ops.reshape(x, (-1, self.batch_size, *self.image_shape))  # (T U, b, h, w, c)
        latents = self._latents(self.pool_size)  # (N, d)
        pool = self.approximate(latents)  # (N, h, w, c)
        pool, d_loss, d_real, d_fake = self.grow(real, pool)
        self.gap.assign(d_real - d_fake)
        if not self.fixed_pool:
            latents = self._latents(self.pool_size)
            pool = self.composite(self.approximate(latents), self.num_steps)
        g_loss = self.distill(latents, pool)
        self.stage.assign_add(1)
        return {"d_loss": d_loss, "g_loss": g_loss, "d_real": d_real, "d_fake": d_fake}

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
            real_logits = self.discriminator(real, training=True)  # (b, 1)
            fake_logits = self.discriminator(fake, training=True)
            means = ops.mean(real_logits), ops.mean(fake_logits)
            return discriminator_loss(real_logits, fake_logits), means

        value, means = self.minimize(
            loss, self.discriminator.trainable_variables, self.d_optimizer
        )
        return value, *means

    @backend.compiled
    def functional_gradient_step(self, x):
        """x + eta grad D(x) with the current discriminator, x (b, h, w, c)."""
        _, gradient = backend.input_gradient(lambda x: self.discriminator(x, training=True), x)
        return x + self.step_size * gradient

    @backend.compiled
    def snapshot_step(self, x, t):
        """x + eta grad D_t(x) with the t-th snapshot, t = 0 .. T-1."""
        weights = [ops.take(snapshot, t, axis=0) for snapshot in self.snapshots]
        others = [v.value for v in self.discriminator.non_trainable_variables]

        def snapshot(x):
            return self.discriminator.stateless_call(weights, others, x, training=True)[0]

        _, gradient = backend.input_gradient(snapshot, x)
        return x + self.step_size * gradient

    @backend.compiled
    def store_snapshot(self, t):
        """Keeps the current discriminator as D_t."""
        now = ops.arange(self.num_steps) == t  # (T,)
        for snapshot, v in zip(
            self.snapshots, self.discriminator.trainable_variables, strict=True
        ):
            here = ops.reshape(now, (-1,) + (1,) * len(v.shape))
            snapshot.assign(ops.where(here, v.value[None], snapshot.value))

    def composite(self, x, steps):
        """G_steps from G_0's images x: `steps` snapshot steps on each mini-batch of x."""

        def all_steps(x):
            return backend.repeat(
                steps, lambda t, x: self.snapshot_step(x, ops.convert_to_tensor(t, "int32")), x
            )

        return all_steps(x) if x.shape[0] == self.batch_size else self.in_minibatches(all_steps, x)

    @backend.compiled
    def approximate(self, latents):
        """G_0: the approximator's images (n, h, w, c) of latents (n, d), in inference mode."""
        return self.approximator(latents, training=False)

    def in_minibatches(self, function, x):
        """`function` on x (n, ...) in mini-batches of b, for it depends on its batch."""

        def first_to_last(_, x):
            # After n / b turns every mini-batch has had its turn and is back in its place.
            return ops.concatenate([x[self.batch_size :], function(x[: self.batch_size])])

        return backend.repeat(x.shape[0] // self.batch_size, first_to_last, x)

    # The approximator -------------------------------------------------------------------------

    def distill(self, latents, targets):
        """Fits the approximator to `targets` = G_T(latents); returns the last epoch's loss.

        Args:
            latents: (N, latent_dim).
            targets: (N, h, w, c).
        """
        optimizer = self.g_optimizer
        keep = {id(optimizer.iterations), id(optimizer.learning_rate)}
        for v in optimizer.variables:  # a fresh optimizer every stage
            if id(v) not in keep:
                v.assign(ops.zeros(v.shape, v.dtype))
        initial_rate = ops.convert_to_tensor(optimizer.learning_rate)

        def epoch(_, carry):
            last, cuts = carry
            order = keras.random.shuffle(ops.arange(self.pool_size), seed=self.seed_generator)

            def minibatch(i, total):
                rows = ops.take(ops.reshape(order, (-1, self.batch_size)), i, axis=0)  # (b,)
                z, target = ops.take(latents, rows, axis=0), ops.take(targets, rows, axis=0)
                return total + self.approximator_step(z, target)

            batches = self.pool_size // self.batch_size
            loss = backend.repeat(batches, minibatch, ops.zeros(())) / batches
            cuts = cuts + ops.cast(ops.logical_and(loss > last, cuts < 3), "float32")
            optimizer.learning_rate.assign(initial_rate * 0.1**cuts)
            return loss, cuts

        start = ops.convert_to_tensor(float("inf"), "float32"), ops.zeros(())
        loss, _ = backend.repeat(self.approximator_epochs, epoch, start)
        optimizer.learning_rate.assign(initial_rate)
        return loss

    @backend.compiled
    def approximator_step(self, latents, targets):
        """One update of 1/2 ||G~(z) - G_T(z)||^2, summed over pixels, mean over the batch."""

        def loss():
            error = self.approximator(latents, training=True) - targets  # (b, h, w, c)
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
        self.distill(latents, ops.reshape(images, (-1, *self.image_shape)))

    def _latents(self, count):
        return keras.random.normal((count, self.latent_dim), seed=self.seed_generator)

    # Evaluation and sampling ------------------------------------------------------------------

    def evaluation(self, x):
        """D's loss on images x and on b images of G_T, and the approximator's distance to G_T."""
        start = self.approximate(self._latents(self.batch_size))
        fake = self.composite(start, self.num_steps)  # (b, h, w, c)
        real_logits = self.discriminator(x, training=True)
        fake_logits = self.discriminator(fake, training=True)
        return {
            "d_loss": discriminator_loss(real_logits, fake_logits),
            "g_loss": 0.5 * ops.sum(ops.square(start - fake)) / self.batch_size,
            "d_real": ops.mean(real_logits),
            "d_fake": ops.mean(fake_logits),
        }

    def generate(self, num_samples, seed=None, batch_size=None, steps=None):
        """Draws images from G_steps; as in `GenerativeModel.generate`, and:

        Args:
            num_samples: how many.
            seed: int, `SeedGenerator` or `None`.
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
        num_samples = model_data.check_positive_int("num_samples", num_samples)
        self.sync_state()
        # Whole mini-batches: none of the images may depend on padding.
        whole = num_samples + -num_samples % self.batch_size
        noise = self.draw_noise(whole, model_data.seed_generator(seed))
        noise = ops.convert_to_numpy(noise)
        images = self._map_batches(self.transform_noise, noise, self.batch_size, steps=steps)
        return images[:num_samples]

    def transform_noise(self, noise, steps=None):
        """Latents (n, latent_dim) to G_steps's images, floats not yet clipped to [-1, 1]."""
        return self.composite(
            self.approximate(noise), self.num_steps if steps is None else int(steps)
        )
