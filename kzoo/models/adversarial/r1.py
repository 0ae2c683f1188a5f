"""A penalty on the discriminator's gradient at real images, once every few updates.

* Mescheder, Geiger, Nowozin 2018, "Which training methods for GANs do actually converge?",
  arXiv:1801.04406, eq. 9: R1 = gamma / 2 E ||grad D(x)||^2 over real images x [1].
* Karras, Laine, Aittala, Hellsten, Lehtinen, Aila 2020 (StyleGAN2), arXiv:1912.04958, section 3.1:
  lazy regularization, the penalty at every 16th update only, times 16 [2].

Deviations: batch norm, which [1] does not use, takes its moving statistics in the penalty. The
penalty is added to the loss of an update; [2] minimizes it in a step of its own.
"""

from keras import ops

from kzoo import backend
from kzoo.checks import check_nonnegative, check_positive_int


class R1:
    """The penalty R1 of a model with a discriminator (a mixin)."""

    def _check_r1(self, weight, every):
        """Checks the arguments."""
        self.r1 = check_nonnegative("r1", weight)
        self.r1_every = check_positive_int("r1_every", every)

    def _set_r1(self):
        """With a penalty, adds a count of the discriminator's updates."""
        if self.r1:
            self.r1_updates = self.add_weight(
                (), "zeros", trainable=False, dtype="int32", name="r1_updates"
            )

    def _r1(self, real, condition):
        """The penalty at real images (b, h, w, c) as the discriminator sees them; a scalar."""

        if not self.r1:
            return 0.0

        def penalty():
            _, gradient = backend.input_gradient(lambda x: self.logits(x, **condition), real)
            gradient = ops.cast(gradient, "float32")
            return self.r1 / 2 * self.r1_every * ops.sum(ops.square(gradient)) / ops.shape(real)[0]

        if self.r1_every == 1:
            return penalty()
        turn = ops.equal(self.r1_updates.value % self.r1_every, 0)
        return ops.cond(turn, penalty, lambda: ops.zeros((), "float32"))

    def _after_r1(self):
        """Counts an update of the discriminator."""
        if self.r1:
            self.r1_updates.assign_add(1)
