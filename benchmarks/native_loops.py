"""Hand-written training loops, one per backend, around a Keras network's loss: no kzoo, no `fit`.

Each takes a model for its networks only, and a loss of a model and a batch, and returns a function
of a batch that makes one step of Adam (learning rate 1e-3, Keras's other constants) and returns the
loss. The losses: -log p(x) of a pixel model, and the negative ELBO of a VAE with Bernoulli pixels.
`compare` times one of them against `fit`.
"""

import statistics
import time

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def nll(model, images):
    """-log p(x) of a pixel model, the mean over the batch."""
    return -model.log_prob(images).mean()


def tensorflow_nll(model, images):
    import tensorflow as tf

    return -tf.reduce_mean(model.log_prob(images))


def tensorflow_negative_elbo(model, images):
    import tensorflow as tf

    x = tf.cast(images, tf.float32) / 255.0
    mean, log_variance = tf.split(model.encoder(2.0 * x - 1.0, training=True), 2, axis=-1)
    z = mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))
    logits = model.decoder(z, training=True)
    pixels = tf.nn.sigmoid_cross_entropy_with_logits(x, logits)
    kl = 0.5 * tf.reduce_sum(tf.exp(log_variance) + mean**2 - 1.0 - log_variance, axis=-1)
    return tf.reduce_mean(tf.reduce_sum(pixels, axis=(1, 2, 3)) + kl)


def torch_negative_elbo(model, images):
    import torch
    from torch.nn import functional

    x = images.float() / 255.0
    mean, log_variance = model.encoder(2.0 * x - 1.0, training=True).chunk(2, dim=-1)
    z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    logits = model.decoder(z, training=True)
    pixels = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    kl = 0.5 * (log_variance.exp() + mean**2 - 1.0 - log_variance).sum(-1)
    return (pixels.sum((1, 2, 3)) + kl).mean()


def jax_negative_elbo(model, images):
    import jax
    import jax.numpy as jnp

    x = images.astype(jnp.float32) / 255.0
    key = jax.random.key(jnp.sum(images, dtype=jnp.uint32))  # other noise for another batch
    mean, log_variance = jnp.split(model.encoder(2.0 * x - 1.0, training=True), 2, axis=-1)
    z = mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape)
    logits = model.decoder(z, training=True)
    pixels = jax.nn.softplus(logits) - x * logits
    kl = 0.5 * jnp.sum(jnp.exp(log_variance) + mean**2 - 1.0 - log_variance, axis=-1)
    return jnp.mean(jnp.sum(pixels, axis=(1, 2, 3)) + kl)


NEGATIVE_ELBO = {
    "tensorflow": tensorflow_negative_elbo,
    "torch": torch_negative_elbo,
    "jax": jax_negative_elbo,
}


def tensorflow_step(model, loss_of=tensorflow_nll):
    import tensorflow as tf

    values = [variable.value for variable in model.trainable_variables]
    first = [tf.Variable(tf.zeros_like(value)) for value in values]
    second = [tf.Variable(tf.zeros_like(value)) for value in values]
    powers = [tf.Variable(1.0), tf.Variable(1.0)]

    @tf.function(autograph=False)
    def step(images):
        with tf.GradientTape() as tape:
            loss = loss_of(model, images)
        gradients = tape.gradient(loss, values, unconnected_gradients="zero")
        for power, beta in zip(powers, (BETA_1, BETA_2)):
            power.assign(power * beta)
        for value, m, v, gradient in zip(values, first, second, gradients):
            tf.raw_ops.ResourceApplyAdam(
                var=value.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=RATE,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )
        return loss

    return lambda images: float(step(images))


def torch_step(model, loss_of=nll):
    import torch

    values = [variable.value for variable in model.trainable_variables]
    adam = torch.optim.Adam(values, RATE, (BETA_1, BETA_2), EPSILON)

    def step(images):
        adam.zero_grad(set_to_none=True)
        loss = loss_of(model, torch.from_numpy(images))
        loss.backward()
        adam.step()
        return float(loss.detach())

    return step


def jax_step(model, loss_of=nll):
    import functools

    import jax
    import jax.numpy as jnp
    import keras

    trained = model.trainable_variables
    fixed = model.non_trainable_variables

    def loss(values, images):
        mapping = [*zip(trained, values), *((v, v.value) for v in fixed)]
        with keras.StatelessScope(mapping):
            return loss_of(model, images)

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(values, first, second, count, images):
        value, gradients = jax.value_and_grad(loss)(values, images)
        first = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(first, gradients)]
        second = [BETA_2 * v + (1 - BETA_2) * g * g for v, g in zip(second, gradients)]
        rate = RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        moments = zip(values, first, second)
        values = [w - rate * m / (jnp.sqrt(v) + EPSILON) for w, m, v in moments]
        return value, values, first, second

    state = [
        [jnp.array(variable.value) for variable in trained],
        [jnp.zeros(variable.shape) for variable in trained],
        [jnp.zeros(variable.shape) for variable in trained],
    ]
    count = 0

    def run(images):
        nonlocal count
        count += 1
        loss, *state[:] = step(*state, jnp.float32(count), images)
        return float(loss)

    return run


def compare(model, native, images, batch, repetitions, score):
    """`fit` against a hand-written loop, in turns over all images in their order.

    Args:
        model: a compiled kzoo model.
        native: function of a batch that makes one step and returns the loss.
        images: array whose length is a multiple of `batch`.
        batch: images per step.
        repetitions: turns of each; one more, the first, compiles.
        score: name of the model's loss in Keras's history.

    Returns:
        dict of the median seconds per step, `fit` and `native`, and the `losses` of both in their
        first turns.
    """
    batches = [images[i : i + batch] for i in range(0, len(images), batch)]

    def fitted():
        history = model.fit(images, batch_size=batch, shuffle=False, verbose=0).history
        return history[score][0]

    def looped():
        losses = [native(images) for images in batches]
        return sum(losses) / len(losses)

    seconds, losses = {"fit": [], "native": []}, {"fit": [], "native": []}
    for _ in range(repetitions + 1):
        for key, turn in (("fit", fitted), ("native", looped)):
            start = time.perf_counter()
            losses[key].append(turn())
            seconds[key].append((time.perf_counter() - start) / len(batches))
    return {
        "fit": statistics.median(seconds["fit"][1:]),
        "native": statistics.median(seconds["native"][1:]),
        "losses": [losses["fit"][0], losses["native"][0]],
    }


STEPS = {"tensorflow": tensorflow_step, "torch": torch_step, "jax": jax_step}
