"""CFGGAN: composite functional gradient learning (xICFG).

Johnson, Zhang 2018, "Composite functional gradient learning of generative adversarial models",
arXiv:1801.06309: Algorithm 3 (xICFG) with Algorithm 2 (ICFG) inside, Theorem 2.1 for the step.

The generator is not trained by gradient descent on its weights. It grows,

    G_t(z) = G_{t-1}(z) + eta s(D_t(G_{t-1}(z))) grad D_t(G_{t-1}(z)),  t = 1 .. T,

where D_t is the discriminator after its t-th round of updates. A stage is T such steps from
G_0 = the approximator, a network of fixed size, which is then fitted to G_T ("distilled"), so that
the next stage can start from it. Images are drawn from G_T of the last stage.

Deviations from the paper's text, after the authors' published code where that differs:
* s_t(x) = 1 unless `scaling` says otherwise.
* The approximator starts every stage with a fresh optimizer; its learning rate is cut by 10
  whenever the loss of an epoch rises, at most 3 times.
* The discriminator's gradient uses the statistics of the batch (training mode), also when images
  are drawn, so that an image depends on the others of its mini-batch.
* Batch norm's scale starts at 1, not at a uniform random number.
"""

import keras
from keras import ops

from kzoo.losses.adversarial import discriminator_loss
from kzoo.models import data as model_data
from kzoo.models.adversarial import AdversarialModel, check_network
from kzoo.models.cfggan.distillation import Distillation
from kzoo.models.cfggan.divergence import StopOnDivergence
from kzoo.models.cfggan.growth import SCALINGS, Growth
from kzoo.networks import dcgan_discriminator, dcgan_generator


@keras.saving.register_keras_serializable(package="kzoo")
class CFGGAN(Growth, Distillation, AdversarialModel):
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
        scaling: s(D(x)). `"constant"`: 1, as in the paper's experiments. Or the weight of grad D(x)
            in the gradient of a GAN's generator loss: `"minimax"`, sigmoid(D), or
            `"non_saturating"`, sigmoid(-D), which leaves images alone that look real already.
        pool_size: N, how many latents a stage's approximator is fitted on; a multiple of
            `batch_size`.
        batch_size: b, mini-batch of every network; generated images depend on it.
        approximator_epochs: passes over the N pairs (z, G_T(z)) per stage. 0 leaves the
            approximator as it is: every stage is Algorithm 2 (ICFG) from the same G_0, with a
            discriminator that is one stage further.
        fixed_pool: `True`: one pool of N latents per stage, advanced by each new step, feeds the
            discriminator and then the approximator (the ICML paper). `False`: fresh latents for
            every discriminator update and for the approximator, 1.7 times the gradients (the
            authors' later code).
        width: features of the DCGAN networks next to the image; unused for given networks.
        max_gap: training stops when D(real) - D(generated) exceeds it after `gap_patience` stages.
        gap_patience: stages to wait for before that.
        warm_start: `True`: the approximator, such as the generator of a trained `kzoo.GAN`, is the
            start of the first stage. `False`: `fit` first fits it to clip(z W), W ~ N(0, .01^2).
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
        scaling="constant",
        pool_size=640,
        batch_size=64,
        approximator_epochs=10,
        fixed_pool=True,
        width=32,
        max_gap=40.0,
        gap_patience=2000,
        warm_start=False,
        discriminator=None,
        approximator=None,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, **kwargs)
        check = model_data.check_positive_int
        self.num_steps = check("num_steps", num_steps)
        self.discriminator_steps = check("discriminator_steps", discriminator_steps)
        self.step_size = model_data.check_positive("step_size", step_size)
        if scaling not in SCALINGS:
            raise ValueError(f"scaling must be one of {sorted(SCALINGS)}, got {scaling!r}.")
        self.scaling = scaling
        self.pool_size = check("pool_size", pool_size)
        self.batch_size = check("batch_size", batch_size)
        if self.pool_size % self.batch_size:
            raise ValueError(
                f"pool_size must be a multiple of batch_size={batch_size}, got {pool_size}."
            )
        if approximator_epochs != 0:
            check("approximator_epochs", approximator_epochs)
        elif not warm_start:
            raise ValueError(
                "approximator_epochs=0 leaves the approximator as it is: give a trained one and "
                "warm_start=True."
            )
        self.approximator_epochs = approximator_epochs
        self.fixed_pool = bool(fixed_pool)
        self.width = check("width", width)
        self.max_gap = model_data.check_positive("max_gap", max_gap)
        self.gap_patience = int(gap_patience)
        self.warm_start = bool(warm_start)
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
            "num_steps discriminator_steps step_size scaling pool_size batch_size "
            "approximator_epochs fixed_pool width max_gap gap_patience warm_start"
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
        model_data.check_data(self, x)  # before any work
        if not self.warm_start and int(ops.convert_to_numpy(self.stage)) == 0:
            self.initialize_approximator()
        callbacks = [*(callbacks or []), StopOnDivergence(self.max_gap, self.gap_patience)]
        return super().fit(x, y, batch_size=batch_size, callbacks=callbacks, **kwargs)

    # Algorithm 3: xICFG -----------------------------------------------------------------------

    def update(self, x):
        """One stage of Algorithm 3: ICFG from the approximator, then distillation into it."""
        real = ops.reshape(x, (-1, self.batch_size, *self.image_shape))  # (T U, b, h, w, c)
        latents = self._latents(self.pool_size)  # (N, d)
        start = self.approximate(latents)  # (N, h, w, c)
        pool, d_loss, d_real, d_fake = self.grow(real, start)
        self.gap.assign(d_real - d_fake)
        if not self.fixed_pool:
            latents = self._latents(self.pool_size)
            start = self.approximate(latents)
            pool = self.composite(start, self.num_steps)
        if self.approximator_epochs:
            g_loss = self.distill(latents, pool)
        else:
            g_loss = 0.5 * ops.sum(ops.square(pool - start)) / self.pool_size
        self.stage.assign_add(1)
        return {"d_loss": d_loss, "g_loss": g_loss, "d_real": d_real, "d_fake": d_fake}

    # Evaluation and sampling ------------------------------------------------------------------

    def evaluation(self, x):
        """D's loss on images x and on b images of G_T, and the approximator's distance to G_T."""
        start = self.approximate(self._latents(self.batch_size))
        fake = self.composite(start, self.num_steps)  # (b, h, w, c)
        real_logits = self.logits(x, training=True)
        fake_logits = self.logits(fake, training=True)
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
