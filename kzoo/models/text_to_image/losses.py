"""The two losses of text to image: of pairs in one space, and of a matching-aware discriminator.

* Reed, Akata, Lee, Schiele 2016, "Learning deep representations of fine-grained visual
  descriptions", CVPR, arXiv:1605.05395: structured joint embedding, eqs. 1 to 3, and the hinge loss
  that bounds it [1].
* Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, "Generative adversarial text to image synthesis",
  arXiv:1605.05396: Algorithm 1 [2].
* Miyato et al. 2018, arXiv:1802.05957, eqs. 16 and 17: the hinge loss of GANs [3].
"""

from keras import ops


def joint_embedding_loss(images, texts, same):
    """Structured joint embedding of pairs of an image and a text [1].

    The compatibility of an image v and a text t is F(v, t) = theta(v) . phi(t). An image should be
    more compatible with its own text than with any other, by a margin of 1 (the loss Delta of [1]
    between two classes), and a text with its own image.

    Deviations: F is that of single pairs, where [1] takes its mean over a class. The loss is the
    mean over all wrong partners in the batch, where [1] takes the worst one; this suits networks
    that are not pretrained, which those of [1] are.

    Args:
        images: theta(v) (b, d).
        texts: phi(t) (b, d), in the same order.
        same: bools (b, b), whether pairs i and j have equal captions. Those are not wrong partners.

    Returns:
        Scalar, at least 0: the loss of the images (f_v) plus that of the texts (f_t).
    """
    scores = ops.matmul(images, ops.transpose(texts))  # F(v_i, t_j), (b, b)
    own = ops.diagonal(scores)  # (b,)
    wrong = 1.0 - ops.cast(same, scores.dtype)
    of_images = wrong * ops.relu(1.0 + scores - own[:, None])
    of_texts = wrong * ops.relu(1.0 + scores - own[None, :])
    return ops.sum(of_images + of_texts) / ops.maximum(ops.sum(wrong), 1.0)


def matching_aware_loss(real, wrong, fake, is_wrong, hinge=False):
    """-log s_r - (log(1 - s_w) + log(1 - s_f)) / 2, lines 7 to 10 of Algorithm 1 of [2].

    Args:
        real: logits (b, 1) of real images with their texts; s_r = sigmoid(real).
        wrong: logits (b, 1) of real images with the texts of others.
        fake: logits (b, 1) of generated images with their texts.
        is_wrong: bools (b,), whether the wrong text really differs; only then it counts.
        hinge: whether max(0, 1 - x) stands for -log s and max(0, 1 + x) for -log(1 - s) [3].

    Returns:
        `(loss, wrong_loss)`, scalars: the loss, and its part -log(1 - s_w), which is low if the
        discriminator rejects wrong texts; 0 in a batch whose texts are all equal.
    """
    loss_of = (lambda x: ops.relu(1.0 - x)) if hinge else (lambda x: ops.softplus(-x))
    real, wrong, fake = loss_of(real), loss_of(-wrong), loss_of(-fake)  # 1 - s(x) = s(-x)
    weights = ops.cast(is_wrong, wrong.dtype)[:, None]  # (b, 1)
    wrong_loss = ops.sum(weights * wrong) / ops.maximum(ops.sum(weights), 1.0)
    return ops.mean(real) + (wrong_loss + ops.mean(fake)) / 2.0, wrong_loss
