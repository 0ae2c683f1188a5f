"""Trains every model on several devices and on one, with equal batches, and compares the weights.

    KERAS_BACKEND=tensorflow python -m tests.distributed              # all models
    KERAS_BACKEND=torch python -m tests.distributed GAN VAE           # some of them
    KERAS_BACKEND=torch python -m tests.distributed --overhead        # what several devices cost
    KERAS_BACKEND=jax python -m tests.distributed --model-parallel    # weights in parts

The devices are parts of the processor: two of `tf.distribute.MirroredStrategy`, four of JAX's
`DataParallel`, or two processes of `torch.distributed`. Prints a line for each model: the largest
difference of a weight, in units of the largest change of a trained weight. A model that does
not train on several devices is said to be refused. Networks are without batch norm, whose
statistics are those of a device's part of the batch.

`--overhead` trains a GAN and a VAE with their default networks. It prints the processor time of a
step, of all devices together, on one device and on several with equal batches. Their ratio is what
it costs to divide the work, and says nothing of what is gained by more processors.

`--model-parallel`, on JAX, trains a VAE and a GAN of dense layers by Keras's `ModelParallel`: the
batch is divided in two, and so is the kernel of each layer. It prints the difference as above.
"""

import argparse
import json
import os
import time

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
COUNT = {"tensorflow": 2, "jax": 4, "torch": 2}
if BACKEND == "jax":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={COUNT['jax']}"

import keras  # noqa: E402
import numpy as np  # noqa: E402

import kzoo  # noqa: E402
from tests.small_models import CLASSES, PUBLIC, SHAPE, beside, parameters_of, small  # noqa: E402

BATCH, UPDATES = 16, 2
NAMES = [*PUBLIC, "Classifier"]
TIMED = {"batch": 64, "updates": 10, "image_shape": (32, 32, 1)}


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


def translators():
    """Smooth networks: the small ones of CycleGAN turn rounding of 1e-7 into 1e-2 of the change."""
    layers = keras.layers
    hidden = [layers.Conv2D(4, 3, padding="same", activation="tanh") for _ in range(2)]
    outputs = [layers.Conv2D(1, 3, padding="same", activation="tanh") for _ in range(2)]
    pairs = zip(hidden, outputs, strict=True)
    ab, ba = (keras.Sequential([keras.Input(SHAPE), *pair]) for pair in pairs)
    return {"generator_ab": ab, "generator_ba": ba}


def classifier():
    layers = keras.layers
    backbone = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(4, "relu")])
    model = kzoo.Classifier(SHAPE, CLASSES, dropout=0.0, backbone=backbone)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01), loss)
    return model


def made(name):
    """A small compiled model; SGD, as Adam makes much of the rounding of tiny gradients."""
    keras.utils.set_random_seed(0)
    if name == "Classifier":
        return classifier()
    model_class = getattr(kzoo, name)
    given = {"batch_norm": False} if name == "LadderVAE" else {}
    if "discriminator_steps" in parameters_of(model_class) and name != "CFGGAN":
        given = {"discriminator_steps": 1, "average_decay": 0.9}
        given |= {} if name == "BEGAN" else networks()
    if name == "CycleGAN":
        given = translators()
    model = small(name, **given)
    rate = 0.1 if name == "TextToImageGAN" else 0.01  # its gradients are small
    rates = {n: keras.optimizers.SGD(rate) for n in model.default_optimizers()}
    model.compile(**rates)
    return model


def data(model):
    rng = np.random.default_rng(0)
    images = np.where(rng.random((BATCH * UPDATES, *SHAPE)) < 0.4, 255, 0).astype("uint8")
    if isinstance(model, kzoo.Classifier):
        return images, np.arange(len(images)) % CLASSES
    return (images, beside(model, len(images))[1]) if model.conditioned_on else (images,)


def weights(model):
    return [keras.ops.convert_to_numpy(v).copy() for v in model.weights]


def fitted(model, rank=0, count=1):
    """The weights after an epoch of one of so many parts of every batch."""
    size = BATCH // count
    part = slice(rank * size, (rank + 1) * size)
    given = [x.reshape(UPDATES, BATCH, *x.shape[1:])[:, part] for x in data(model)]
    given = [x.reshape(-1, *x.shape[2:]) for x in given]
    keras.utils.set_random_seed(1)
    model.fit(*given, batch_size=size, shuffle=False, verbose=0)
    return weights(model)


def dense(name):
    """A compiled model of dense layers, as large as they are by default."""
    keras.utils.set_random_seed(0)
    names = ("networks",) if name == "VAE" else ("generator", "discriminator")
    model = getattr(kzoo, name)(image_shape=SHAPE, **dict.fromkeys(names, "fully_connected"))
    model.compile(**{n: keras.optimizers.SGD(0.01) for n in model.default_optimizers()})
    return model


def large(name):
    """A compiled model with its default networks."""
    keras.utils.set_random_seed(0)
    model = getattr(kzoo, name)(image_shape=TIMED["image_shape"])
    model.compile()
    return model


def timed(model, rank=0, count=1):
    """Seconds of processor time of a training step, as an array, after an epoch that compiles."""
    batch = TIMED["batch"] // count
    shape = (TIMED["updates"] * batch, *TIMED["image_shape"])
    images = np.random.default_rng(0).integers(0, 256, shape, "uint8")
    model.fit(images, batch_size=batch, verbose=0)
    start = time.process_time()
    model.fit(images, batch_size=batch, verbose=0)
    return [np.array((time.process_time() - start) / TIMED["updates"])]


def model_parallel():
    """Two parts of a batch, and two of every kernel: of its inputs, for one has a single output."""
    devices = keras.distribution.list_devices()
    layout = keras.distribution.LayoutMap(
        keras.distribution.DeviceMesh((2, 2), ("batch", "model"), devices)
    )
    layout[".*dense.*kernel"] = ("model", None)
    return keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")


# How a model is made, and what is done with it.
EQUALITY, OVERHEAD, MODEL_PARALLEL = (made, fitted), (large, timed), (dense, fitted)


def on_tensorflow(names, make, work):
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * COUNT["tensorflow"]
    tf.config.set_logical_device_configuration(cpu, parts)
    for name in names:
        strategy = tf.distribute.MirroredStrategy(
            [f"/cpu:{i}" for i in range(COUNT["tensorflow"])],
            # The default, by collective operations, fails on CPUs for a GAN with batch norm.
            cross_device_ops=tf.distribute.ReductionToOneDevice(),
        )
        with strategy.scope():
            model = unless_refused(make, name)
        yield name, [[] if model is None else work(model)]


def on_jax(names, make, work):
    distribution = model_parallel if make is dense else keras.distribution.DataParallel
    for name in names:
        keras.distribution.set_distribution(distribution())
        model = make(name)
        if make is dense:  # Keras passes over patterns that fit no weight
            kernels = [v.value for v in model.trainable_variables if v.name == "kernel"]
            assert not any(x.sharding.is_fully_replicated for x in kernels)
        found = work(model)
        keras.distribution.set_distribution(None)
        yield name, [found]


def process(rank, names, make, work, folder):
    """One of the processes of `on_torch`: it writes what it finds into a file for every model."""
    import torch

    torch.distributed.init_process_group(
        "gloo", f"file://{folder}/meeting", rank=rank, world_size=COUNT["torch"]
    )
    for name in names:
        model = unless_refused(make, name)
        found = [] if model is None else work(model, rank, COUNT["torch"])
        np.savez(f"{folder}/{name}{rank}.npz", *found)
    torch.distributed.destroy_process_group()


def on_torch(names, make, work):
    import tempfile

    import torch

    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(process, (names, make, work, folder), nprocs=COUNT["torch"])
        for name in names:
            files = [np.load(f"{folder}/{name}{rank}.npz") for rank in range(COUNT["torch"])]
            yield name, [[file[key] for key in file] for file in files]


def unless_refused(make, name):
    """The model, or `None` where it does not train on several devices."""
    try:
        return make(name)
    except ValueError as e:
        if "trains on one device" not in str(e):
            raise


ON = {"tensorflow": on_tensorflow, "jax": on_jax, "torch": on_torch}


def compare(name, found, make):
    """The difference as above, or "refused"; `found` are the weights that each process has."""
    if not all(found):
        return "refused"
    model = make(name)
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables]
    expected = fitted(model)
    after = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    change = max(np.abs(a - b).max() for a, b in zip(before, after, strict=True))
    differences = [
        np.abs(a - b).max() for part in found for a, b in zip(part, expected, strict=True)
    ]
    return float(max(differences) / change)


def overhead(name, found, make):
    """Milliseconds of a step on one device and on several, and their ratio."""
    (one,) = timed(make(name))
    several = sum(seconds for (seconds,) in found)
    return [round(1e3 * float(one), 1), round(1e3 * float(several), 1), round(several / one, 2)]


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.distributed")
    parser.add_argument("models", nargs="*")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--overhead", action="store_true", help="the time of a step")
    kind.add_argument("--model-parallel", action="store_true", help="on JAX: weights in parts")
    args = parser.parse_args()
    if args.model_parallel and BACKEND != "jax":
        parser.error(f"--model-parallel needs KERAS_BACKEND=jax, got {BACKEND}")
    make, work = EQUALITY
    if args.overhead:
        make, work = OVERHEAD
    elif args.model_parallel:
        make, work = MODEL_PARALLEL
    names = args.models or (NAMES if make is made else ["GAN", "VAE"])
    key, measure = ("ms", overhead) if args.overhead else ("difference", compare)
    for name, found in ON[BACKEND](names, make, work):
        print(json.dumps({"model": name, key: measure(name, found, make)}), flush=True)


if __name__ == "__main__":
    main()
