"""How `cfg_study_runs.py` measures a model: scores of its images, losses of its networks."""

import keras
import numpy as np
from cfg_study_settings import BATCH_SIZE, LATENT_DIM
from keras import ops

import kzoo
from kzoo.classifier.classifier import SCORES
from kzoo.evaluation import protocols
from kzoo.images import to_float

LOSSES = ("d_loss", "g_loss", "d_real", "d_fake", "scale", "grad_norm")


def scores(model, classifier, num_samples, steps=None):
    """Inception score, diversity score, Frechet distance and class histogram, from seed 0."""
    images = protocols.sample(model, num_samples, seed=0, steps=steps)
    return kzoo.metrics.evaluate_images(images, classifier)


def all_scores(model, classifier, num_samples):
    """The scores as columns, and the class histograms; those of the approximator end in _0."""
    measured = scores(model, classifier, num_samples)
    columns = {name: float(measured[name]) for name in SCORES}
    if hasattr(model, "num_steps"):
        approximator = scores(model, classifier, num_samples, steps=0)
        columns.update({f"{name}_0": float(approximator[name]) for name in SCORES})
        measured = {**measured, "class_histogram_0": approximator["class_histogram"]}
    names = [name for name in measured if name.startswith("class_histogram")]
    return columns, {name: measured[name].tolist() for name in names}


def losses(model, images):
    """Where the two networks of a model stand; nothing in the model changes.

    For a CFGGAN they are those of its last stage. For the others they are taken as training takes
    them, with the statistics of mini-batches of 64: `d_loss` (without WGAN-GP's penalty),
    `g_loss`, the means of D over real and generated images `d_real` and `d_fake`, and for a GAN
    `scale`, the mean of sigmoid(D(G(z))): the factor that the gradient of the minimax loss has, and
    that of the non-saturating one lacks.

    Args:
        model: a `kzoo.CFGGAN`, `GAN` or `WGANGP`; of the authors' code nothing is recorded.
        images: uint8 array of real images (n, h, w, c).

    Returns:
        dict of some of `LOSSES`, floats.
    """
    if hasattr(model, "last_losses"):
        return model.last_losses()
    with model.with_state():
        return _judged(model, images)


def _judged(model, images):
    """`losses` of a model that does not record them: of its networks as they are."""

    def call(network, x):
        variables = [
            [v.value for v in group]
            for group in (network.trainable_variables, network.non_trainable_variables)
        ]
        return ops.cast(network.stateless_call(*variables, x, training=True)[0], "float32")

    seed, batches = keras.random.SeedGenerator(0), []
    for start in range(0, len(images), BATCH_SIZE):
        real = to_float(ops.convert_to_tensor(np.asarray(images[start : start + BATCH_SIZE])))
        latents = keras.random.normal((len(real), LATENT_DIM), seed=seed)
        fake = call(model.discriminator, call(model.generator, latents))  # (b, 1)
        real = call(model.discriminator, real)
        values = {
            "d_loss": model.discriminator_criterion(real, fake),
            "g_loss": model.generator_criterion(fake),
            "d_real": ops.mean(real),
            "d_fake": ops.mean(fake),
        }
        if isinstance(model, kzoo.GAN):
            values["scale"] = ops.mean(ops.sigmoid(fake))
        batches.append({name: float(ops.convert_to_numpy(v)) for name, v in values.items()})
    return {name: float(np.mean([batch[name] for batch in batches])) for name in batches[0]}
