"""Losses of adversarial training.

Goodfellow et al. 2014, arXiv:1406.2661: a discriminator returns logits D(x), and sigmoid(D(x)) is
the probability that x is real. The other losses take D(x) as it is: least squares (Mao et al. 2017,
arXiv:1611.04076), the Wasserstein distance (Arjovsky et al. 2017, arXiv:1701.07875) and the hinge
loss (Lim, Ye 2017, "Geometric GAN", arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, eqs.
16 and 17).
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


def hinge_discriminator_loss(real, fake):
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))) (eq. 16 of Miyato et al.); at least 0.

    Images beyond the margin, real ones above 1 and generated ones below -1, no longer count.

    Args:
        real: discriminator outputs on real images, any shape.
        fake: discriminator outputs on generated images, any shape.

    Returns:
        Scalar; 2 for a discriminator that gives 0 everywhere.
    """
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))


DISCRIMINATOR_LOSSES = {"logistic": discriminator_loss, "hinge": hinge_discriminator_loss}


def hinge_generator_loss(fake):
    """-E D(G(z)) (eq. 17 of Miyato et al.); any scalar."""
    return -ops.mean(fake)


GENERATOR_LOSSES = {
    "minimax": minimax_loss,
    "non_saturating": non_saturating_loss,
    "hinge": hinge_generator_loss,
}


def critic_loss(real, fake):
    """E D(G(z)) - E D(x), the negative of the Wasserstein distance's estimate; any scalar."""
    return ops.mean(fake) - ops.mean(real)


def wasserstein_generator_loss(fake):
    """-E D(G(z)); any scalar."""
    return -ops.mean(fake)


def least_squares_discriminator_loss(real, fake, fake_label=0.0, real_label=1.0):
    """1/2 E (D(x) - b)^2 + 1/2 E (D(G(z)) - a)^2, a and b the labels; at least 0."""
    return 0.5 * (ops.mean(ops.square(real - real_label)) + ops.mean(ops.square(fake - fake_label)))


def least_squares_generator_loss(fake, label=1.0):
    """1/2 E (D(G(z)) - c)^2, c the label; at least 0."""
    return 0.5 * ops.mean(ops.square(fake - label))
