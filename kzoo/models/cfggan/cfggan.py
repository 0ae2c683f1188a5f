"""CFGGAN: composite functional gradient learning (CFG, ICFG and xICFG).

Johnson, Zhang 2018, "Composite functional gradient learning of generative adversarial models",
arXiv:1801.06309: Algorithms 1 (CFG), 2 (ICFG) and 3 (xICFG), Theorem 2.1 for the step.

The generator is not trained by gradient descent on its weights. It grows,

    G_t(z) = G_{t-1}(z) + eta s(D_t(G_{t-1}(z))) grad D_t(G_{t-1}(z)),  t = 1 .. T,

where D_t is the discriminator after its t-th round of updates, and G_0 is a network of fixed
size, the approximator. xICFG then fits the approximator to G_T ("distills" it), so that the next
stage of T steps can start from there. Images are drawn from G_T of the last stage.

Deviations from the paper's text, after the authors' published code where that differs:
* s_t(x) = 1 unless `scaling` says otherwise.
* The approximator starts every stage with a fresh optimizer, unless `restart_optimizer=False`; its
  learning rate is cut by 10 whenever the loss of an epoch rises, at most 3 times.
* The discriminator's gradient uses the statistics of the batch (training mode), also when images
  are drawn, so that an image depends on the others of its mini-batch.
* Batch norm's scale starts at 1, not at a uniform random number.

Not in the paper are class-conditional models, an average of the approximator's weights over the
stages, and what changes the discriminator's training: `discriminator_loss="hinge"`, augmentation,
spectral normalization, R1. Steps along such a D are computed in the same way; with augmentation,
along the gradient of D(T(x)), T random, as a GAN's generator is trained with it (eq. 5 of
arXiv:2006.10738). Where D_t is used later, a product with its kernels adapts the vectors of
spectral normalization, which are kept of the last D only; so its steps then differ a little from
those at its time. But Theorem 2.1 holds for a D that is the logarithm of a ratio of densities,
which the logistic loss learns.
"""

import keras
from keras import ops

from kzoo.checks import check_flag, check_name, check_natural, check_positive, check_positive_int
from kzoo.losses.adversarial import DISCRIMINATOR_LOSSES
from kzoo.models.adversarial.base import LatentGAN
from kzoo.models.cfggan.distillation import Distillation
from kzoo.models.cfggan.drawing import Drawing, half_squared_distance
from kzoo.models.cfggan.growth import ALGORITHMS, Growth, check_scaling, check_step_size, in_rows
from kzoo.models.cfggan.refinement import Refinement
from kzoo.models.cfggan.stopping import StageLimit, StopOnDivergence
from kzoo.networks.given import shape_of_images


@keras.saving.register_keras_serializable(package="kzoo")
class CFGGAN(Refinement, Growth, Distillation, Drawing, LatentGAN):
    """Generator grown by composite functional gradients.

    * `algorithm="xicfg"` (Algorithm 3): stages of T functional gradient steps with U discriminator
      updates before each, then distillation into the approximator.
    * `"icfg"` (Algorithm 2): the same without distillation: every stage starts from the same G_0,
      with a discriminator trained for one more stage. So the generator never has more than T steps.
    * `"cfg"` (Algorithm 1): every D_t starts anew and is trained to (near) optimality by U
      updates, hundreds of them; T steps in all, after which `fit` stops.

    One Keras step is one stage of `num_steps * discriminator_steps * batch_size` images, for CFG
    one functional gradient step of `discriminator_steps * batch_size`; `fit` regroups whatever
    batches it is given. Defaults are the paper's for xICFG on MNIST padded to 32x32.

    The losses are of the last discriminator update and of the approximator: `d_loss`; `d_real` and
    `d_fake`, the means of D over real and generated images; `g_loss`, the mean of
    1/2 ||G~(z) - G_T(z)||^2 over the mini-batches of the last epoch of distillation, each taken
    before its update of the approximator G~ (without distillation, of G_0 itself); and
    `grad_norm`, the root of E ||s grad D_T(G_{T-1}(z))||^2. With s = 1, a step lowers the
    divergence by eta grad_norm^2, to first order; in general by eta E s ||grad D||^2 (Theorem 2.1).
    `kzoo.callbacks.StageHistory` keeps the losses of every stage.

    Args:
        image_shape: `(height, width, channels)`; `None` takes that of the user's networks, else
            (32, 32, 1).
        latent_dim: length of the latent vectors z ~ N(0, I).
        algorithm: `"xicfg"`, `"icfg"` or `"cfg"`.
        num_steps: T, functional gradient steps per stage.
        discriminator_steps: U, discriminator updates before each of them.
        step_size: eta, one number or T of them. The paper uses .5 (MNIST) and .25 (SVHN) with
            batch norm.
        scaling: s(D(x)). `"constant"`: 1, as in the paper's experiments. Or the weight of grad D(x)
            in the gradient of a GAN's generator loss: `"minimax"`, sigmoid(D), or
            `"non_saturating"`, sigmoid(-D), which hardly moves images that look real already. Or a
            function of D's values (b, 1) to positive numbers (b, 1), registered with Keras.
        pool_size: N, how many latents a stage's approximator is fitted on; a multiple of
            `batch_size`.
        batch_size: b, mini-batch of every network; generated images depend on it.
        approximator_epochs: passes over the N pairs (z, G_T(z)) per stage.
        restart_optimizer: whether the averages of gradients in the approximator's optimizer are
            reset before every stage, as in the authors' code. Adam should keep them (`False`): its
            first steps after a reset are too long.
        fixed_pool: `True`: one pool of N latents per stage, moved by each new step, for the
            discriminator and then the approximator (the ICML paper). `False`: fresh latents for
            every discriminator update, T U b in all, and for the approximator, 1.7 times the
            gradients (the authors' later code). CFG always draws fresh ones.
        width: features of the DCGAN and ResNet networks next to the image.
        max_gap: training stops when D(real) - D(generated) exceeds it after `gap_patience` stages;
            the weights are then those of the last epoch before.
        gap_patience: stages to wait for before that.
        warm_start: `True`: the approximator, such as the generator of a trained `kzoo.GAN`, is the
            start G_0. `False`: `fit` first fits it to clip(z W), W ~ N(0, .01^2).
        batch_norm: of the DCGAN and ResNet networks. Without it the paper's eta is 2.5 (MNIST,
            ResNet) or .5 (SVHN).
        discriminator: `"dcgan"` (with 1x1 convolutions), `"resnet"`, `"fully_connected"`,
            `"fully_connected_shortcuts"` (see `kzoo.networks`), or the user's own `keras.Model`,
            images to values (b, 1), which must be differentiable and without dropout.
        approximator: one of the same names, or the user's own `keras.Model`, latents
            (b, latent_dim) to images (b, h, w, c) in [-1, 1]. The paper's settings for
            `"fully_connected"`: T=25, eta=.1, learning rates of 1e-4.
        discriminator_loss: `"logistic"`, as in the paper, or `"hinge"`.
        augmented_steps: with `augment`, whether the steps also see the images as D does in
            training. `False` is for a D that treats images alike with and without augmentation,
            which one with batch norm does not.
        **kwargs: `num_classes` and `conditioning` of a class-conditional model, `augment`,
            `spectral_normalization`, `average_decay` (of the approximator, over the stages), `r1`
            and `r1_every`, as `LatentGAN` describes them; `name`, `dtype` and the like, as
            in `keras.Model`.

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

    `generate` takes `steps`, t in 0 .. T: the functional gradient steps from the approximator's
    images, T by default. Images are drawn in mini-batches of `batch_size` only.
    """

    generator_name = "approximator"
    loss_names = ("d_loss", "g_loss", "d_real", "d_fake", "grad_norm")
    distributes = False
    trains_in_loops = True
    refused_conditioning = {
        "auxiliary": "samples move along the gradient of D, which would not see the label, so "
        "that nothing would move them towards their class"
    }

    def __init__(
        self,
        image_shape=None,
        latent_dim=100,
        algorithm="xicfg",
        num_steps=15,
        discriminator_steps=1,
        step_size=0.5,
        scaling="constant",
        pool_size=640,
        batch_size=64,
        approximator_epochs=10,
        restart_optimizer=True,
        fixed_pool=True,
        width=32,
        max_gap=40.0,
        gap_patience=2000,
        warm_start=False,
        batch_norm=True,
        discriminator="dcgan",
        approximator="dcgan",
        discriminator_loss="logistic",
        augmented_steps=True,
        **kwargs,
    ):
        image_shape = shape_of_images(image_shape, discriminator, approximator)
        super().__init__(image_shape, latent_dim, **kwargs)
        check = check_positive_int
        self.algorithm = check_name("algorithm", algorithm, ALGORITHMS)
        self.num_steps = check("num_steps", num_steps)
        self.discriminator_steps = check("discriminator_steps", discriminator_steps)
        self.step_size = check_step_size(step_size, self.num_steps)
        self.scaling = check_scaling(scaling)
        self.pool_size = check("pool_size", pool_size)
        self.batch_size = check("batch_size", batch_size)
        if self.pool_size % self.batch_size:
            raise ValueError(
                f"pool_size must be a multiple of batch_size={batch_size}, got {pool_size}."
            )
        self.approximator_epochs = check("approximator_epochs", approximator_epochs)
        self.restart_optimizer = check_flag("restart_optimizer", restart_optimizer)
        self.fixed_pool = check_flag("fixed_pool", fixed_pool)
        self.width = check("width", width)
        self.max_gap = check_positive("max_gap", max_gap)
        self.gap_patience = check_natural("gap_patience", gap_patience)
        self.warm_start = check_flag("warm_start", warm_start)
        self.discriminator_loss = check_name(
            "discriminator_loss", discriminator_loss, DISCRIMINATOR_LOSSES
        )
        self.augmented_steps = check_flag("augmented_steps", augmented_steps)
        options = {"width": self.width, "pointwise": True, "init_stddev": 0.01}
        options["batch_norm"] = self.batch_norm = check_flag("batch_norm", batch_norm)
        self._set_networks(discriminator, approximator, options, {})
        self._add_state()
        self._finish()

    def default_optimizer(self):
        """RMSprop with the paper's settings; epsilon stands inside the square root, as there."""
        return keras.optimizers.RMSprop(2.5e-4, rho=0.95, epsilon=1e-37)

    @classmethod
    def arguments_for(cls, image_shape, batch_size=None):
        arguments = super().arguments_for(image_shape, batch_size)
        return arguments if batch_size is None else {**arguments, "batch_size": batch_size}

    def examples_per_step(self, batch_size):
        steps = 1 if self.algorithm == "cfg" else self.num_steps
        return steps * self.discriminator_steps * self.batch_size

    def compile(self, *optimizers, **kwargs):
        super().compile(*optimizers, **kwargs)
        if isinstance(self.g_optimizer.get_config()["learning_rate"], dict):
            raise ValueError(
                "CFGGAN cuts the approximator's learning rate itself: g_optimizer needs a "
                "constant learning rate, got a schedule."
            )

    def before_training(self, images, condition):
        """The start of the approximator, once the data are known to fit."""
        if self.algorithm == "cfg" and self.stages_done >= self.num_steps:
            raise ValueError(f"All num_steps={self.num_steps} steps of CFG are done.")
        if not self.warm_start and self.stages_done == 0:
            self.initialize_approximator()

    def training_callbacks(self):
        callbacks = [StopOnDivergence(self.max_gap, self.gap_patience)]
        if self.algorithm == "cfg":
            callbacks.append(StageLimit(self.num_steps))
        return callbacks

    # The three algorithms ---------------------------------------------------------------------

    def update(self, x, condition):
        """One stage of Algorithm 2 or 3, or one step of Algorithm 1; returns the losses."""
        real = in_rows(x, self.batch_size)  # (T U, b, h, w, c)
        labels = None if self.num_classes is None else in_rows(condition["labels"], self.batch_size)
        stage = self.cfg_step if self.algorithm == "cfg" else self.icfg_stage
        losses = stage(real, labels)
        self._update_average()
        self.record.assign(ops.stack(losses))
        self.stage.assign_add(1)
        return self.named_losses(*losses)

    def icfg_stage(self, real, labels=None):
        """T steps from the approximator (Algorithm 2), then distillation (Algorithm 3).

        Args:
            real: mini-batches of real images (T U, b, h, w, c).
            labels: theirs, (T U, b), for a class-conditional model.

        Returns:
            The losses, in the order of `loss_names`.
        """
        if self.fixed_pool:
            latents, own, start = self._pool(self.pool_size, labels)
            pool, *d_losses, grad_norm = self.grow(real, start, labels, own)
        else:
            minibatches = self.num_steps * self.discriminator_steps
            _, own, start = self._pool(minibatches * self.batch_size, labels)
            _, *d_losses, _ = self.grow(real, start, labels, own)
            latents, own, start = self._pool(self.pool_size, labels)
            pool = self.composite(start, self.num_steps - 1, own, training=True)
            pool, grad_norm = self.last_step(pool, own, training=True)
        if self.algorithm == "xicfg":
            g_loss = self.distill(latents, pool, own)
        else:
            g_loss = half_squared_distance(start, pool)
        return d_losses[0], g_loss, *d_losses[1:], grad_norm

    def _pool(self, count, labels):
        """n latents (n, d), labels (n,) drawn from the real ones, and the approximator's images."""
        latents, own = self._latents(count), self.drawn_labels(count, labels)
        return latents, own, self.approximate(latents, own)

    def cfg_step(self, real, labels=None):
        """D_t from its start to (near) optimality, one step along it (Algorithm 1, lines 2-4)."""
        t = ops.convert_to_tensor(self.stage)
        d_losses = self.train_alone(real, t, labels)
        _, own, start = self._pool(self.batch_size, labels)
        before = self.composite(start, t, own, training=True)
        after = self.functional_gradient_step(before, t, own, True)
        grad_norm = self.gradient_norm(before, after, t)
        return d_losses[0], half_squared_distance(start, after), *d_losses[1:], grad_norm
