"""What every pair of networks in `kzoo/networks/` must do."""

import keras
import numpy as np
from keras import ops

import kzoo


def numpy(x):
    return ops.convert_to_numpy(x)


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def of_type(network, layer_class):
    return [layer for layer in network.layers if isinstance(layer, layer_class)]


def norms(network):
    return of_type(network, keras.layers.BatchNormalization)


def randomize(network, scale):
    """Gives every weight, and every moving statistic, a value that it does not start with."""
    for seed, variable in enumerate(network.weights):
        value = scale * random(*variable.shape, seed=seed)
        positive = "variance" in variable.path or "gamma" in variable.path
        variable.assign(1 + np.abs(value) if positive else value)


def normalized(x, layer):
    """Batch normalization by the moving statistics; x as it is where `layer` is `None`."""
    if layer is None:
        return x
    gamma, beta, mean, variance = map(numpy, layer.get_weights())
    return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta


def depends_on_the_batch(network):
    """Whether the first output changes with the other inputs, in training mode."""
    randomize(network, 0.3)
    x = random(4, *network.input_shape[1:])
    together = numpy(network(x, training=True))[:1]
    alone = numpy(network(np.repeat(x[:1], 4, axis=0), training=True))[:1]
    return not np.allclose(together, alone, atol=1e-4)


def check_initial_weights(network, stddev):
    """Kernels N(0, stddev^2), of numbers of their own; biases 0."""
    kernels = [numpy(v) for v in network.trainable_variables if v.path.endswith("kernel")]
    assert len({float(kernel.flat[0]) for kernel in kernels}) == len(kernels) > 2
    deviations = np.concatenate([kernel.ravel() for kernel in kernels])
    assert abs(deviations.mean()) < 0.1 * stddev
    assert np.isclose(deviations.std(), stddev, rtol=0.1)
    for variable in network.trainable_variables:
        if variable.path.endswith("bias"):
            assert not numpy(variable).any()


def check_round_trip(network, path):
    """Through a file and a config, a network named "mine" keeps its name and its outputs."""
    randomize(network, 0.3)
    network.save(path)
    copy = keras.Model.from_config(network.get_config())
    copy.set_weights(network.get_weights())
    x = random(3, *network.input_shape[1:])
    for other in (keras.models.load_model(path), copy):
        assert other.name == "mine"
        np.testing.assert_array_equal(numpy(network(x)), numpy(other(x)))


def check_training(model, discriminator, generator):
    """One update of `model` moves every kernel of its two networks, and its images are images."""
    kernels = [
        v
        for network in (discriminator, generator)
        for v in network.trainable_variables
        if v.path.endswith("kernel")
    ]
    before = [numpy(v).copy() for v in kernels]
    images = np.random.RandomState(0).randint(0, 256, (8, *model.image_shape)).astype("uint8")
    model.compile()
    history = model.fit(images, batch_size=8, epochs=1, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    for variable, old in zip(kernels, before, strict=True):
        assert np.abs(numpy(variable) - old).max() > 0, variable.path
    assert model.generate(3, seed=0).shape == (3, *model.image_shape)


def check_models(make_discriminator, make_generator):
    """Both networks train as those of a GAN and of a CFGGAN."""
    networks = make_discriminator(), make_generator()
    gan = kzoo.GAN((8, 8, 1), 4, discriminator=networks[0], generator=networks[1])
    check_training(gan, *networks)
    networks = make_discriminator(), make_generator()
    cfggan = kzoo.CFGGAN(
        (8, 8, 1),
        4,
        num_steps=2,
        batch_size=4,
        pool_size=4,
        approximator_epochs=1,
        discriminator=networks[0],
        approximator=networks[1],
    )
    check_training(cfggan, *networks)
