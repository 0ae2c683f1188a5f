"""From images to latents and back, by any model that encodes and decodes."""

import keras
import numpy as np
from keras import ops

from kzoo.batching import in_batches
from kzoo.checks import as_floats, check_latents, check_positive_int, seed_generator
from kzoo.images import to_uint8

DRAWN_AT_ONCE = 256


def check_model(model):
    """`ValueError` unless the model encodes images and decodes latents."""
    if not all(hasattr(model, name) for name in ("encode", "decode", "latent_dim")):
        raise ValueError(
            "Expected a model with `latent_dim`, `encode` and `decode`, such as a VAE or an "
            f"Autoencoder; got {type(model).__name__}."
        )
    return model


def latent_dim_of(model):
    """`model.latent_dim`; `ValueError` unless the model draws images from latents."""
    if not (getattr(model, "latent_dim", None) and hasattr(model, "transform_noise")):
        raise ValueError(
            "Expected a model with latents (`latent_dim`, `transform_noise`), such as a GAN; got "
            f"{type(model).__name__}."
        )
    return model.latent_dim


def encoded(model, images):
    """The latents of images; of a VAE, the posterior's means.

    Args:
        model: a model as `kzoo.latents` describes it.
        images: uint8 (n, h, w, c), or floats in [-1, 1].

    Returns:
        float NumPy array (n, latent_dim).

    Raises:
        ValueError: for another model, or images that do not fit it.
    """
    return moments(model, images)[0]


def decoded(model, latents, batch_size=DRAWN_AT_ONCE):
    """The images of latents (..., latent_dim), uint8 (n, h, w, c), one for each vector.

    They come from the model's `decode`, or if it has none, as a GAN, from `transform_noise`.

    Args:
        model: a model with `latent_dim` and one of the two methods.
        latents: floats (..., latent_dim).
        batch_size: how many to compute at once, of a model without `decode`.

    Raises:
        ValueError: for another model, or latents of another length.
    """
    decode, transform = (getattr(model, name, None) for name in ("decode", "transform_noise"))
    conditions = ", ".join(condition.name for condition in getattr(model, "conditioned_on", ()))
    if not (decode or transform) or not getattr(model, "latent_dim", None):
        raise ValueError(
            "Expected a model with latents (`latent_dim`, and `decode` or `transform_noise`); got "
            f"{type(model).__name__}."
        )
    if conditions and not decode:
        raise ValueError(
            f"Expected a model that draws from latents alone; this {type(model).__name__} also "
            f"needs {conditions}: see generate()."
        )
    latents = as_floats("latents", latents)
    latents = check_latents(latents.reshape(-1, *latents.shape[-1:]), model.latent_dim)
    if decode:
        return ops.convert_to_numpy(to_uint8(decode(latents)))
    return in_batches(lambda part: to_uint8(transform(part)), batch_size, latents)


def labelled(model, classifier, num_samples, seed=None):
    """Latents, and a classifier's probabilities for their images: for the arithmetic of a GAN.

    Args:
        model: a model with `latent_dim` and `transform_noise`, whose latents are N(0, I).
        classifier: a `kzoo.Classifier` of such images.
        num_samples: how many latents to draw.
        seed: int, `keras.random.SeedGenerator`, or `None` for other latents each time.

    Returns:
        `(latents, probabilities)`: float NumPy arrays (n, latent_dim) and (n, num_classes).

    Raises:
        ValueError: for another model, or if its images are not of the classifier's shape.
    """
    count = check_positive_int("num_samples", num_samples)
    latent_dim = latent_dim_of(model)
    if not hasattr(classifier, "activations"):
        raise ValueError(f"Expected a kzoo.Classifier, got {type(classifier).__name__}.")
    latents = keras.random.normal((count, latent_dim), seed=seed_generator(seed))
    latents = ops.convert_to_numpy(latents)
    probabilities = []
    for first in range(0, count, DRAWN_AT_ONCE):  # a part at a time: images take memory
        images = decoded(model, latents[first : first + DRAWN_AT_ONCE])
        probabilities.append(classifier.activations(images)[1])
    return latents, np.concatenate(probabilities)


def latent_scores(model, images):
    """How much each latent depends on the images: a number to order the latents by.

    For a model whose `encode` gives mean and log-variance, the average of the latent's
    KL(q(z|x) || N(0, 1)), in nats; for others, its variance over the images.

    Args:
        model: a model as `kzoo.latents` describes it.
        images: uint8 (n, h, w, c), or floats in [-1, 1].

    Returns:
        float NumPy array (latent_dim,), at least 0.

    Raises:
        ValueError: for another model, or images that do not fit it.
    """
    return scores_of(*moments(model, images))


def scores_of(mean, log_variance):
    """`latent_scores`, of what `moments` gives."""
    if log_variance is None:
        return np.var(mean, axis=0)
    return 0.5 * np.mean(np.exp(log_variance) + mean**2 - 1.0 - log_variance, axis=0)


def moments(model, images):
    """`(latents, log-variances)`, each (n, latent_dim): a posterior, whose prior is N(0, I).

    The second is `None` for a model whose `encode` gives latents alone.
    """
    encoded = check_model(model).encode(images)
    mean, log_variance = encoded if isinstance(encoded, tuple) else (encoded, None)
    if np.shape(mean) != (len(images), model.latent_dim):
        raise ValueError(
            f"Expected a model with latents {(len(images), model.latent_dim)} for "
            f"{len(images)} images; encode() of {type(model).__name__} gave {type(mean).__name__}"
            f"{getattr(mean, 'shape', '')}."
        )
    return mean, log_variance


def latent_network(model):
    """A `keras.Model` from images in [-1, 1] to their latents, such as a Gaussian posterior's mean.

    It shares its weights with the model. `Classifier.from_encoder` takes it.

    Args:
        model: a `kzoo.VAE`, `kzoo.Autoencoder` or the like, whose `encoder` has the latents as its
            first output, or as the first `latent_dim` numbers of its only one.

    Returns:
        A `keras.Model` from (b, h, w, c) to (b, latent_dim).

    Raises:
        ValueError: for a model without an encoder.
    """
    encoder = getattr(check_model(model), "encoder", None)
    if not isinstance(encoder, keras.Model):
        raise ValueError(f"{type(model).__name__} has no encoder that is a keras.Model.")
    images = keras.Input(model.image_shape)
    latents = keras.tree.flatten(encoder(images))[0]
    if latents.shape[-1] != model.latent_dim:
        latents = latents[:, : model.latent_dim]
    return keras.Model(images, latents, name="code_network")
