"""What the recipes share that train a GAN first on small images and then on larger ones.

Training is counted in images and goes on where it stopped: every `UPDATES` updates all weights, the
optimizers' state are written beside the last such file, which they then
replace. Every batch is drawn by its number, so that a resumed training sees the batches that an
uninterrupted one would have seen.
"""

import os
import time

import keras
import numpy as np

import kzoo

UPDATES = 100  # between two checkpoints
SHEETS = 5  # checkpoints between two sheets of samples


def halved(images):
    """uint8 images (n, h, w, c) at half the size: means of 2x2 pixels, rounded."""
    count, height, width, channels = images.shape
    small = np.empty((count, height // 2, width // 2, channels), "uint8")
    for start in range(0, count, 1000):  # a part at a time: sums take more memory than images
        part = images[start : start + 1000].astype("uint16")
        part = part[:, ::2] + part[:, 1::2]
        part = part[:, :, ::2] + part[:, :, 1::2]
        small[start : start + 1000] = (part + 2) // 4
    return small


def batches(images, batch_size, seed, first, mirror=False):
    """Random batches without end, those of numbers `first`, `first` + 1 and so on.

    Args:
        images: uint8 array (n, h, w, c).
        batch_size: images per batch, drawn with replacement.
        seed: int; a batch depends on it and on its own number alone.
        first: number of the first batch.
        mirror: whether half of the images, chosen at random, are mirrored left to right.
    """
    number = first
    while True:
        rng = np.random.default_rng([seed, number])
        batch = images[rng.integers(0, len(images), batch_size)]
        if mirror:
            turned = rng.random(batch_size) < 0.5
            batch[turned] = batch[turned, :, ::-1]
        yield (batch,)
        number += 1


class Checkpoint(keras.callbacks.Callback):
    """Writes the whole state of a training after every epoch, and a line of what it does.

    Args:
        path: of the file, with the ending ".weights.h5".
        images: uint8 array (n, h, w, c), real images for the log.
        batch_size: images per update.
        seed: int; with the number of the epoch it sets the model's random state, which Keras does
            not store.
    """

    def __init__(self, path, images, batch_size, seed):
        super().__init__()
        self.path = path
        self.batch_size = batch_size
        self.seed = seed
        self.images = images[:64]
        self._clocks = None

    def restore(self, model):
        """Takes the state of the file into the compiled model; returns the updates done."""
        if self.path.exists():
            model.load_weights(self.path)
        return int(model.g_optimizer.iterations.value)

    def on_epoch_begin(self, epoch, logs=None):
        state = self.model.seed_generator.state
        state.assign(np.random.default_rng([self.seed, epoch, 1]).integers(0, 2**31, state.shape))
        self._clocks = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        seen = UPDATES * self.batch_size
        spent = [
            1000 * (now - before) / seen
            for now, before in zip((time.perf_counter(), time.process_time()), self._clocks)
        ]
        self.model.sync_state()
        beside = self.path.with_name(f"new_{self.path.name}")
        self.model.save_weights(beside)
        os.replace(beside, self.path)
        real = keras.ops.cast(self.images, "float32") / 127.5 - 1.0
        fake = self.model.generate(64, seed=1, averaged=False).astype("float32") / 127.5 - 1.0
        values = [float(keras.ops.mean(self.model.logits(part))) for part in (real, fake)]
        print(
            f"{(epoch + 1) * seen} images, {spent[0]:.1f} ms per image, {spent[1]:.1f} of them on "
            f"the processor; D(real) {values[0]:.3f}, D(fake) {values[1]:.3f}; "
            + ", ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items()),
            flush=True,
        )


def settle(model, batches=100, seed=0):
    """Gives the averaged generator the batch norm statistics of its own weights.

    During training it has those of the generator, whose weights are others.

    Args:
        model: a `kzoo.GAN` with an averaged generator.
        batches: of 64 latents; the moving statistics forget all but the last few tens.
        seed: int, of the latents.
    """
    network = model.averaged_generator
    seed = keras.random.SeedGenerator(seed)
    network.trainable = True  # otherwise batch norm takes its moving statistics
    for _ in range(batches):
        network(keras.random.normal((64, model.latent_dim), seed=seed), training=True)
    network.trainable = False


def train(args, model, images, count, folder, mirror=False):
    """Trains a compiled model until it has seen `count` real images.

    Args:
        args: what `recipe.parser` parsed.
        model: a compiled `kzoo.GAN`.
        images: uint8 array (n, h, w, c).
        count: how many real images; a multiple of `UPDATES` times the batch size, or rounded up.
        folder: of checkpoint, log and sheets.
        mirror: see `batches`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint(folder / "state.weights.h5", images, args.batch_size, args.seed)
    done = checkpoint.restore(model)
    epochs = -(-count // (UPDATES * args.batch_size))
    if done >= epochs * UPDATES:
        return
    print(f"{folder}: goes on after {done} updates, until {epochs * UPDATES}", flush=True)
    model.fit(
        batches(images, args.batch_size, args.seed, done, mirror),
        initial_epoch=done // UPDATES,
        epochs=epochs,
        steps_per_epoch=UPDATES,
        verbose=0,
        callbacks=[
            kzoo.callbacks.CheckFinite(),
            checkpoint,
            keras.callbacks.CSVLogger(folder / "log.csv", append=True),
            kzoo.callbacks.SampleGrid(folder / "samples", every=SHEETS),
        ],
    )
