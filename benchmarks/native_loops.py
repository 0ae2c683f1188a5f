"""Hand-written training loops, one per backend, around a Keras network's loss: no kzoo, no `fit`.

Each takes a pixel model for its network only and returns a function of a batch that makes one
step of Adam (learning rate 1e-3, Keras's other constants) and returns the loss.
"""

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def tensorflow_step(model):
    import tensorflow as tf

    values = [variable.value for variable in model.trainable_variables]
    first = [tf.Variable(tf.zeros_like(value)) for value in values]
    second = [tf.Variable(tf.zeros_like(value)) for value in values]
    powers = [tf.Variable(1.0), tf.Variable(1.0)]

    @tf.function(autograph=False)
    def step(images):
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(model.log_prob(images))
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


def torch_step(model):
    import torch

    values = [variable.value for variable in model.trainable_variables]
    adam = torch.optim.Adam(values, RATE, (BETA_1, BETA_2), EPSILON)

    def step(images):
        adam.zero_grad(set_to_none=True)
        loss = -torch.mean(model.log_prob(torch.from_numpy(images)))
        loss.backward()
        adam.step()
        return float(loss.detach())

    return step


def jax_step(model):
    import functools

    import jax
    import jax.numpy as jnp
    import keras

    trained = model.trainable_variables
    fixed = model.non_trainable_variables

    def loss_of(values, images):
        mapping = [*zip(trained, values), *((v, v.value) for v in fixed)]
        with keras.StatelessScope(mapping):
            return -jnp.mean(model.log_prob(images))

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(values, first, second, count, images):
        loss, gradients = jax.value_and_grad(loss_of)(values, images)
        first = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(first, gradients)]
        second = [BETA_2 * v + (1 - BETA_2) * g * g for v, g in zip(second, gradients)]
        rate = RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        moments = zip(values, first, second)
        values = [w - rate * m / (jnp.sqrt(v) + EPSILON) for w, m, v in moments]
        return loss, values, first, second

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


STEPS = {"tensorflow": tensorflow_step, "torch": torch_step, "jax": jax_step}
