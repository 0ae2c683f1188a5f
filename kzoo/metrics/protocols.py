"""How the models' scores are measured: what `kzoo evaluate` prints and the model cards quote.

* `sample_scores`: models that draw images, by what a classifier makes of many samples.
* `likelihood_scores`: models of a density, by the likelihood of test images.
* `reconstruction_scores`: autoencoders, by how well they reconstruct test images.
* `accuracy_scores`: classifiers, by their accuracy on test images, with the scores that real
  images get.

Every score says by which protocol it was measured. All run on any backend, from a seed.
"""

from typing import NamedTuple

import keras
import numpy as np

from kzoo.metrics.evaluate import evaluate_images
from kzoo.models.base import to_float
from kzoo.models.data import check_positive_int, seed_generator
from kzoo.models.ladder_vae import LadderVAE
from kzoo.models.vae import VAE

SAMPLE_GROUP = 640  # images drawn from one seed, ten mini-batches of 64
LIKELIHOOD_GROUP = 125  # test images between two steps of the progress bar
LATENTS = 500  # decoded at once
LATENT_GROUP = 100  # test images of a VAE between two steps of the progress bar
NLL_IMAGES = 1000  # test images whose likelihood under a VAE is estimated

SAMPLE_SCORES = ("inception_score", "diversity_score", "frechet_distance")


class Score(NamedTuple):
    """One measured number.

    Attributes:
        name: what was measured, such as `"nll"`.
        value: the number.
        unit: its unit, `""` if it has none.
        protocol: how it was measured.
        reference: the same of real test images, or `None`.
    """

    name: str
    value: float
    unit: str
    protocol: str
    reference: float | None = None


def _untracked(steps, description):
    return steps


def is_binary(model):
    """Whether a model's images have black and white pixels only."""
    return getattr(model, "likelihood", None) == "bernoulli" or getattr(model, "levels", None) == 2


def sample(model, num_samples, seed=0, steps=None, track=_untracked):
    """Draws many images in groups, to show progress.

    Up to 640 images are those of `model.generate(num_samples, seed)`; more are drawn in groups of
    640 from a `SeedGenerator` of that seed.

    Args:
        model: a `kzoo.GenerativeModel`.
        num_samples: how many images.
        seed: an int.
        steps: the functional gradient steps of a `kzoo.CFGGAN`; `None` for all.
        track: function `(sequence, description)` that iterates over the sequence and shows
            how far it is.

    Returns:
        A generator of uint8 arrays `(n, height, width, channels)`.

    Raises:
        ValueError: if the number is not positive, or `steps` is out of range or given for a model
            without such steps.
    """
    check_positive_int("num_samples", num_samples)
    options = {}
    if steps is not None:
        if not hasattr(model, "num_steps"):
            raise ValueError(
                f"Received steps={steps}, and {type(model).__name__} takes no functional gradient "
                "steps: only a CFGGAN does."
            )
        options["steps"] = steps
    return _groups(model, num_samples, seed, options, track)


def _groups(model, num_samples, seed, options, track):
    if num_samples > SAMPLE_GROUP:
        seed = keras.random.SeedGenerator(seed)
    for start in track(range(0, num_samples, SAMPLE_GROUP), "Drawing images"):
        yield model.generate(min(SAMPLE_GROUP, num_samples - start), seed=seed, **options)


def sample_scores(
    model, classifier="mnist", num_samples=10_000, seed=0, steps=None, track=_untracked
):
    """Inception score, diversity score and Frechet distance of samples (clipped to [-1, 1]).

    Args:
        model, num_samples, seed, steps, track: as in `sample`.
        classifier: name of a `kzoo.Classifier` preset, or a `kzoo.Classifier` with `reference`.

    Returns:
        `(scores, class_histogram)`: a list of `Score`, and an int array `(num_classes,)` of how
        many samples were classified as each class.

    Raises:
        ValueError: as `sample` and `kzoo.metrics.evaluate_images`.
    """
    measured = evaluate_images(sample(model, num_samples, seed, steps, track), classifier)
    origin = ""
    if hasattr(model, "num_steps"):
        origin = f" of G_{model.num_steps if steps is None else steps}"
    protocol = f"{num_samples:,} samples{origin}, seed {seed}, clipped to [-1, 1]"
    scores = [
        Score(name, measured[name], "", protocol, measured["reference"][name])
        for name in SAMPLE_SCORES
    ]
    return scores, measured["class_histogram"]


def likelihood_scores(
    model,
    images,
    importance_samples=5000,
    seed=0,
    track=_untracked,
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
    model, images, importance_samples, seed=0, track=_untracked, labels=None, nll_images=NLL_IMAGES
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


def reconstruction_scores(model, images):
    """How well an autoencoder reconstructs test images, none of them corrupted.

    Args:
        model: a `kzoo.Autoencoder`.
        images: uint8 array `(n, height, width, channels)`.

    Returns:
        A list of `Score`: `reconstruction`, the loss that the model reports, per image; and `mse`,
        the mean squared error of a pixel in units of [0, 1], comparable between losses.

    Raises:
        ValueError: if the images do not fit the model.
    """
    errors, squares = [], []
    for start in range(0, len(images), LATENTS):
        batch = images[start : start + LATENTS]
        x, parameters = to_float(batch), model.pixel_parameters(model.encode(batch))
        errors.append(keras.ops.convert_to_numpy(model.reconstruction_error(x, parameters)))
        difference = keras.ops.convert_to_numpy((model.mean_image(parameters) - x) / 2.0)
        squares.append(np.mean(difference**2, axis=(1, 2, 3)))
    unit, what = {
        "l2": ("", "squared error in units of [-1, 1], summed over an image"),
        "cross_entropy": ("nats", "cross-entropy, summed over an image"),
    }[model.reconstruction_loss]
    return [
        Score("reconstruction", float(np.concatenate(errors).mean(dtype="float64")), unit, what),
        Score(
            "mse",
            float(np.concatenate(squares).mean(dtype="float64")),
            "",
            "mean over pixels, in units of [0, 1]",
        ),
    ]


def code_scores(model, images, labels=None):
    """How well a `kzoo.VQVAE` reconstructs test images, and what its prior makes of their codes.

    Args:
        model: a `kzoo.VQVAE` with a prior.
        images: uint8 array `(n, height, width, channels)`.
        labels: int array `(n,)`, for a class-conditional prior.

    Returns:
        A list of `Score`.

    Raises:
        ValueError: if the images do not fit the model, or it has no prior.
    """
    codes = model.encode_to_codes(images)
    error = model.decode_codes(codes) / 255.0 - images / 255.0
    uses = np.bincount(codes.ravel(), minlength=model.num_codes)
    frequencies = uses[uses > 0] / codes.size
    perplexity = np.exp(-np.sum(frequencies * np.log(frequencies)))
    log_prior = model.prior.log_likelihood(model.prior_images(images), labels)
    bits = -float(np.mean(log_prior, dtype="float64")) / np.log(2.0)
    return [
        Score("reconstruction_mse", float(np.mean(np.square(error))), "", "values in [0, 1]"),
        Score("codes_in_use", float(perplexity), "", f"perplexity, of {model.num_codes} codes"),
        Score("prior_bits", bits, "bits/image", "exact, of the codes under the prior"),
    ]


def accuracy_scores(classifier, images, labels):
    """Accuracy on test images, and the scores that these real images get.

    Args:
        classifier: a `kzoo.Classifier`.
        images: uint8 array `(n, height, width, channels)`.
        labels: int array `(n,)`.

    Returns:
        `(scores, class_histogram)`: a list of `Score`, of the accuracy in percent and, if the
        classifier has a `reference`, of the images' inception score, diversity score and Frechet
        distance; and how many images were classified as each class, an int array
        `(num_classes,)`.

    Raises:
        ValueError: if images and labels do not fit each other or the classifier.
    """
    if len(labels) != len(images):
        raise ValueError(f"Expected one label per image, got {len(labels)} for {len(images)}.")
    _, probabilities = classifier.activations(images)
    predictions = probabilities.argmax(axis=1)
    accuracy = 100.0 * float(np.mean(predictions == labels))
    scores = [Score("accuracy", accuracy, "%", "labels against the most likely class")]
    if classifier.reference is not None:
        measured = evaluate_images(images, classifier)
        train = f"{classifier.reference.num_train:,} training images"
        scores += [Score(name, measured[name], "", f"against {train}") for name in SAMPLE_SCORES]
    return scores, np.bincount(predictions, minlength=classifier.num_classes)
