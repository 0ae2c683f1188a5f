"""The likelihood of test images under the models of a density; see `kzoo.evaluation.protocols`."""

import numpy as np

from kzoo.checks import seed_generator
from kzoo.evaluation.scores import Score, is_binary, untracked
from kzoo.models.latent.ladder_vae import LadderVAE
from kzoo.models.latent.vae import VAE

LIKELIHOOD_GROUP = 125  # test images between two steps of the progress bar
LATENTS = 500  # decoded at once
LATENT_GROUP = 100  # test images of a VAE between two steps of the progress bar
NLL_IMAGES = 1000  # test images whose likelihood under a VAE is estimated


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

    For a `kzoo.VAE` the scores of `vae_scores`, for a `kzoo.LadderVAE` those of `ladder_scores`.
    For a `kzoo.PixelModel` the exact -log p(x), also in bits per dimension; given the label of each
    image, if the model is class-conditional.

    Args:
        model: a model with `log_likelihood`.
        images: uint8 array `(n, height, width, channels)`, of 0 and 255 only if `is_binary(model)`.
        importance_samples: latents per image, for a `kzoo.VAE`.
        seed: an int, of the latents.
        track: as in `sample`.
        labels: int array `(n,)`, for a class-conditional model.
        nll_images: how many of the images, the first, have their likelihood under a `kzoo.VAE`
            estimated; `None` for all.

    Returns:
        A list of `Score`.

    Raises:
        ValueError: if the images do not fit the model or are not as described above.
    """
    if is_binary(model) and not np.isin(images, (0, 255)).all():
        raise ValueError(
            f"This {type(model).__name__} is a distribution of black and white pixels: its "
            "likelihood needs binarized images (uint8 0 and 255), got grey values."
        )
    if isinstance(model, VAE):
        return vae_scores(model, images, importance_samples, seed, track, labels, nll_images)
    if isinstance(model, LadderVAE):
        return ladder_scores(model, images, importance_samples, seed, track, nll_images)
    nll = -_mean_log_likelihood(
        model, images, "Likelihood", track, labels, batch_size=LIKELIHOOD_GROUP
    )
    protocol = "exact" if labels is None else "exact, given the labels"
    return [
        Score("nll", nll, "nats", protocol),
        Score("bits_per_dim", float(model.bits_per_dim(nll)), "bits/dim", protocol),
    ]


def vae_scores(
    model, images, importance_samples, seed=0, track=untracked, labels=None, nll_images=NLL_IMAGES
):
    """What a `kzoo.VAE` makes of test images.

    The negative evidence lower bound and its two terms, from one latent per image; the
    importance-sampled estimate of -log p(x), an upper bound on average, also in bits per
    dimension if the model is one of 256 grey levels; the k-sample bound, if it was trained with
    one; and how many latent dimensions are active.

    Args:
        model, images, importance_samples, seed, track, labels, nll_images: as in
            `likelihood_scores`.

    Returns:
        A list of `Score`.
    """
    latents = seed_generator(seed)
    reconstruction, kl = (
        float(term.mean(dtype="float64"))
        for term in model.elbo_terms(images, seed=latents, labels=labels)
    )
    active = model.active_units(images, seed=latents, labels=labels)

    def nll(count, description):
        options = {"seed": latents, "batch_size": LATENTS, "num_samples": count}
        first = images[:nll_images], None if labels is None else labels[:nll_images]
        return -_mean_log_likelihood(
            model, first[0], description, track, first[1], LATENT_GROUP, **options
        )

    part = "" if nll_images is None or len(images) <= nll_images else f"first {nll_images:,}; "
    one = f"one latent per image, seed {seed}"
    many = f"{part}{importance_samples} importance samples, seed {seed}"
    total = nll(importance_samples, "Likelihood")
    scores = [
        Score("negative_elbo", reconstruction + kl, "nats", one),
        Score("nll", total, "nats", many),
    ]
    if not is_binary(model) and model.likelihood != "gaussian":  # a density has no bits
        scores.append(Score("bits_per_dim", float(model.bits_per_dim(total)), "bits/dim", many))
    k = model.num_importance_samples
    if k > 1:
        bound = nll(k, "Bound")
        scores.append(Score("negative_bound", bound, "nats", f"{part}{k} samples, seed {seed}"))
    kind = "closed form" if model.analytic_kl else one
    return [
        *scores,
        Score("reconstruction", reconstruction, "nats", one),
        Score("kl", kl, "nats", kind),
        Score(
            "active_units",
            float(active.sum()),
            f"of {model.latent_dim}",
            "variance of the posterior mean over the images above .01",
        ),
    ]


def ladder_scores(model, images, importance_samples, seed, track, nll_images):
    """What a `kzoo.LadderVAE` makes of test images: the negative ELBO and estimates of -log p(x).

    Args and result: as of `likelihood_scores`.
    """
    options = {"seed": seed_generator(seed), "batch_size": LATENTS}
    bound = -_mean_log_likelihood(model, images, "Bound", track, num_samples=1, **options)
    options |= {"num_samples": importance_samples, "group": LATENT_GROUP}
    nll = -_mean_log_likelihood(model, images[:nll_images], "Likelihood", track, **options)
    part = "" if nll_images is None or len(images) <= nll_images else f"first {nll_images:,}; "
    protocol = f"{part}{importance_samples} importance samples, seed {seed}"
    return [
        Score("negative_elbo", bound, "nats", f"one latent per image, seed {seed}"),
        Score("nll", nll, "nats", protocol),
    ]


def _mean_log_likelihood(
    model, images, description, track, labels=None, group=LIKELIHOOD_GROUP, **options
):
    groups = []
    for start in track(range(0, len(images), group), description):
        part = slice(start, start + group)
        given = {} if labels is None else {"labels": labels[part]}
        groups.append(model.log_likelihood(images[part], **given, **options))
    return float(np.concatenate(groups).mean(dtype="float64"))
