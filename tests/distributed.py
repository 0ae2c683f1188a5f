"""Trains every model on several devices and on one, with equal batches, and compares the weights.

    KERAS_BACKEND=tensorflow python -m tests.distributed              # all models
    KERAS_BACKEND=torch python -m tests.distributed GAN VAE           # some of them

The devices are parts of the processor: two of `tf.distribute.MirroredStrategy`, four of JAX's
`DataParallel`, or two processes of `torch.distributed`. Prints a line for each model: the largest
difference of a weight, in units of the largest change of a weight by training. A model that does
not train on several devices is said to be refused. Networks are without batch norm, whose
statistics are those of a device's part of the batch.
"""

import json
import os
import sys

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
COUNT = {"tensorflow": 2, "jax": 4, "torch": 2}
if BACKEND == "jax":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={COUNT['jax']}"

import keras  # noqa: E402
import numpy as np  # noqa: E402

import kzoo  # noqa: E402
from tests.small_models import PUBLIC, SHAPE, beside, parameters_of, small  # noqa: E402

BATCH, UPDATES = 16, 2


def networks():
    """A generator and a discriminator without batch norm."""
    layers = keras.layers
    size = int(np.prod(SHAPE))
    generator = [keras.Input((4,)), layers.Dense(size, "tanh"), layers.Reshape(SHAPE)]
    discriminator = [keras.Input(SHAPE), layers.Flatten(), layers.Dense(4, "relu")]
    return {
        "generator": keras.Sequential(generator),
        "discriminator": keras.Sequential([*discriminator, layers.Dense(1)]),
    }


def made(name):
    """A small compiled model; SGD, as Adam makes much of the rounding of tiny gradients."""
    keras.utils.set_random_seed(0)
    model_class = getattr(kzoo, name)
    given = {}
    if "discriminator_steps" in parameters_of(model_class) and name != "CFGGAN":
        given = {"discriminator_steps": 1, "average_decay": 0.9}
        given |= {} if name == "BEGAN" else networks()
    model = small(name, **given)
    rates = {n: keras.optimizers.SGD(0.01) for n in model.default_optimizers()}
    model.compile(**rates)
    return model


def data(model):
    rng = np.random.default_rng(0)
    images = np.where(rng.random((BATCH * UPDATES, *SHAPE)) < 0.4, 255, 0).astype("uint8")
    return (images, beside(model, len(images))[1]) if model.conditioned_on else (images,)


def weights(model):
    return [keras.ops.convert_to_numpy(v).copy() for v in model.weights]


def fitted(model, part=slice(None)):
    """The weights after an epoch of a part of every batch."""
    given = [x.reshape(UPDATES, BATCH, *x.shape[1:])[:, part] for x in data(model)]
    size = given[0].shape[1]
    given = [x.reshape(-1, *x.shape[2:]) for x in given]
    keras.utils.set_random_seed(1)
    model.fit(*given, batch_size=size, shuffle=False, verbose=0)
    return weights(model)


def on_tensorflow(name):
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(
        [f"/cpu:{i}" for i in range(COUNT["tensorflow"])],
        # The default, by collective operations, fails on CPUs for a GAN with batch norm.
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )
    with strategy.scope():
        model = made(name)
    return fitted(model)


def on_jax(name):
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    try:
        return fitted(made(name))
    finally:
        keras.distribution.set_distribution(None)


def process(rank, names, folder):
    """One of the processes of `on_torch`: it writes the weights of every model into a file."""
    import torch

    torch.distributed.init_process_group(
        "gloo", f"file://{folder}/meeting", rank=rank, world_size=COUNT["torch"]
    )
    size = BATCH // COUNT["torch"]
    part = slice(rank * size, (rank + 1) * size)
    for name in names:
        found = trained(lambda name=name: fitted(made(name), part))
        np.savez(f"{folder}/{name}{rank}.npz", *found or ())
    torch.distributed.destroy_process_group()


def on_torch(names):
    import tempfile

    import torch

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(process, (names, folder), nprocs=COUNT["torch"])
        for name in names:
            files = [np.load(f"{folder}/{name}{rank}.npz") for rank in range(COUNT["torch"])]
            parts = [[file[key] for key in file] for file in files]
            for a, b in zip(*parts, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)  # the processes agree
            found[name] = parts[0] or None
    return found


def trained(run):
    """What `run()` returns, or `None` where the model is refused."""
    try:
        return run()
    except ValueError as e:
        if "trains on one device" not in str(e):
            raise


def compare(name, found):
    """The difference as above, or "refused"; `found` are the weights of several devices."""
    if found is None:
        return "refused"
    model = made(name)
    before = weights(model)
    expected = fitted(model)
    change = max(np.abs(a - b).max() for a, b in zip(before, expected, strict=True))
    difference = max(np.abs(a - b).max() for a, b in zip(found, expected, strict=True))
    return float(difference / change)


def main():
    if BACKEND == "tensorflow":
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        parts = [tf.config.LogicalDeviceConfiguration()] * COUNT["tensorflow"]
        tf.config.set_logical_device_configuration(cpu, parts)
    names = sys.argv[1:] or PUBLIC
    one = {"tensorflow": on_tensorflow, "jax": on_jax}
    all_of_them = on_torch(names) if BACKEND == "torch" else {}
    for name in names:
        if BACKEND in one:
            all_of_them[name] = trained(lambda name=name: one[BACKEND](name))
        line = {"model": name, "difference": compare(name, all_of_them[name])}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
