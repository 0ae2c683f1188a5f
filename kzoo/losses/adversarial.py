"""Losses of adversarial training (Goodfellow et al. 2014, arXiv:1406.2661).

A discriminator returns logits D(x): sigmoid(D(x)) is the probability that x is real.
"""

from keras import ops


def discriminator_loss(real_logits, fake_logits):
    """Logistic loss -E log sigmoid(D(x)) - E log(1 - sigmoid(D(G(z)))) (eq. 1), in nats.

    Args:
        real_logits: discriminator outputs on real images, any shape.
        fake_logits: discriminator outputs on generated images, any shape.

    Returns:
        Scalar, at least 0; log 4 for a discriminator that tells nothing.
    """
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def minimax_loss(fake_logits):
    """E log(1 - sigmoid(D(G(z)))), the generator's side of eq. 1 ("GAN0"); at most 0."""
    return -ops.mean(ops.softplus(fake_logits))


def non_saturating_loss(fake_logits):
    """-E log sigmoid(D(G(z))), the "log D trick" of section 3 ("GAN1"); at least 0."""
    return ops.mean(ops.softplus(-fake_logits))


GENERATOR_LOSSES = {"minimax": minimax_loss, "non_saturating": non_saturating_loss}
