"""The likelihood of test images under the models of a density."""

import numpy as np

from kzoo.checks import seed_generator
from kzoo.evaluation.capabilities import can, is_binary
from kzoo.evaluation.scores import Score, untracked

LIKELIHOOD_GROUP = 125  # test images between two steps of the progress bar
LATENTS = 500  # decoded at once
LATENT_GROUP = 100  # the same, where the likelihood is estimated from latents
NLL_IMAGES = 1000  # test images whose likelihood is estimated


def likelihood_scores(
    model,
    images,
    importance_samples=5000,
    seed=0,
    track=untracked,
    labels=None,
    nll_images=NLL_IMAGES,
):
    """Negative log-likelihood of test images, in nats per image.

    Of a model with latents, which has `elbo` too, the scores of `bound_scores`. Of others, such as
    a `kzoo.PixelModel`, the exact -log p(x), also in bits per dimension; given the label of each
    image, if the model is class-conditional.

    Args:
        model: a model with `log_likelihood`.
        images: of 0 and 255 only if `is_binary(model)`.
        importance_samples: latents per image, where the likelihood is estimated from them.
        seed: an int, of the latents.
        track: as in `kzoo.evaluation.protocols.sample`.
        labels: for a class-conditional model.
        nll_images: the likelihood is estimated for this many of the first images; `None` for
            all.
    """
    if is_binary(model) and not np.isin(images, (0, 255)).all():
        raise ValueError(
            f"This {type(model).__name__} is a distribution of black and white pixels: its "
            "likelihood needs binarized images (uint8 0 and 255), got grey values."
        )
    if can(model, "elbo"):
        return bound_scores(model, images, importance_samples, seed, track, labels, nll_images)
    nll = -_mean(model.log_likelihood, images, "Likelihood", track, labels, LIKELIHOOD_GROUP)
    protocol = "exact" if labels is None else "exact, given the labels"
    return [
        Score("nll", nll, "nats", protocol),
        Score("bits_per_dim", float(model.bits_per_dim(nll)), "bits/dim", protocol),
    ]


def bound_scores(
    model, images, importance_samples, seed=0, track=untracked, labels=None, nll_images=NLL_IMAGES
):
    """Scores of a model with latents, such as a `kzoo.VAE`, on test images.

    The negative evidence lower bound from one latent per image, and the importance-sampled
    estimate of -log p(x), an upper bound on average. Of a model with `elbo_terms` also the bound's
    two terms and how many latent dimensions are active; -log p(x) in bits per dimension if it is a
    model of 256 grey levels; and the k-sample bound, if it was trained with one. The arguments are
    those of `likelihood_scores`.
    """
    latents = seed_generator(seed)
    one = f"one latent per image, seed {seed}"
    terms = []
    if can(model, "elbo_terms", "active_units"):
        bound, terms = _terms(model, images, latents, labels, one)
    else:
        options = {"seed": latents, "batch_size": LATENTS}
        bound = -_mean(model.elbo, images, "Bound", track, labels, LIKELIHOOD_GROUP, **options)

    def nll(count, description):
        options = {"seed": latents, "batch_size": LATENTS, "num_samples": count}
        first = images[:nll_images], None if labels is None else labels[:nll_images]
        return -_mean(
            model.log_likelihood, first[0], description, track, first[1], LATENT_GROUP, **options
        )

    part = "" if nll_images is None or len(images) <= nll_images else f"first {nll_images:,}; "
    many = f"{part}{importance_samples} importance samples, seed {seed}"
    total = nll(importance_samples, "Likelihood")
    scores = [Score("negative_elbo", bound, "nats", one), Score("nll", total, "nats", many)]
    if not is_binary(model) and getattr(model, "likelihood", None) != "gaussian":  # a density
        scores.append(Score("bits_per_dim", float(model.bits_per_dim(total)), "bits/dim", many))
    k = getattr(model, "num_importance_samples", 1)
    if k > 1:
        protocol = f"{part}{k} samples, seed {seed}"
        scores.append(Score("negative_bound", nll(k, "Bound"), "nats", protocol))
    return scores + terms


def _terms(model, images, latents, labels, one):
    """`(negative ELBO, scores)` of a model that gives the bound's two terms."""
    given = {"seed": latents, "labels": labels}
    reconstruction, kl = (
        float(term.mean(dtype="float64")) for term in model.elbo_terms(images, **given)
    )
    active = model.active_units(images, **given)
    return reconstruction + kl, [
        Score("reconstruction", reconstruction, "nats", one),
        Score("kl", kl, "nats", "closed form" if model.analytic_kl else one),
        Score(
            "active_units",
            float(active.sum()),
            f"of {model.latent_dim}",
            "variance of the posterior mean over the images above .01",
        ),
    ]


def _mean(method, images, description, track, labels, group, **options):
    """The mean of what a model's method gives for each image, computed in groups."""
    groups = []
    for start in track(range(0, len(images), group), description):
        part = slice(start, start + group)
        given = {} if labels is None else {"labels": labels[part]}
        groups.append(method(images[part], **given, **options))
    return float(np.concatenate(groups).mean(dtype="float64"))
