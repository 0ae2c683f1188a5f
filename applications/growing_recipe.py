"""What the recipes that count their training in images share.

Training goes on where it stopped, from a checkpoint after every `UPDATES` updates. Every batch is
drawn by its number, so that a resumed training sees the batches that an uninterrupted one sees.
"""

import itertools
import time

import keras
import numpy as np

import kzoo
from kzoo.evaluation.capabilities import can
from kzoo.images import to_float

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


def batches(
    images,
    batch_size,
    seed,
    mirror=False,
    sources=None,
    labels=None,
    crop=None,
    apart=False,
):
    """Random batches without end.

    Args:
        images: uint8 array (n, h, w, c).
        batch_size: images per batch, drawn with replacement.
        seed: int; a batch depends on it and on its own number alone.
        mirror: whether half of the images, chosen at random, are mirrored left to right.
        sources: array (n, ...), what each image comes from, such as uint8 images or the tokens of
            captions; batches are then `(images, sources)`. Images among them are mirrored and cut
            out alike.
        labels: int array (n,), of the images; batches are then `(images, labels)`.
        crop: the side of the square that is cut out of each image at random; `None` for the whole.
        apart: whether the sources of a batch are drawn, mirrored and cut out by themselves. There
            may be more of them than images, or fewer.
    """
    arrays = (images,) if sources is None else (images, sources)
    for number in itertools.count():
        rng = np.random.default_rng([seed, number])
        batch = ()
        for group in [(array,) for array in arrays] if apart else [arrays]:
            chosen = rng.integers(0, len(group[0]), batch_size)
            parts = tuple(array[chosen] for array in group)
            if mirror:
                turned = rng.random(batch_size) < 0.5
                for part in parts:
                    if part.ndim == 4:
                        part[turned] = part[turned, :, ::-1]
            if crop is not None:
                spare = np.array(images.shape[1:3]) - crop
                corners = rng.integers(0, spare + 1, (batch_size, 2))
                parts = tuple(_cut(x, corners, crop) if x.ndim == 4 else x for x in parts)
            batch += parts
        yield batch if labels is None else (*batch, labels[chosen])


def _cut(images, corners, side):
    """A square of every image (b, h, w, c), whose upper left corners are (b, 2)."""
    parts = [x[top : top + side, left : left + side] for x, (top, left) in zip(images, corners)]
    return np.stack(parts)


class Report(keras.callbacks.Callback):
    """Prints a line after every epoch: what it took, and what the discriminator makes of images.

    Args:
        images: uint8 array (n, h, w, c), real images.
        batch_size: images per update.
        **condition: of the images, such as `sources` or `captions`, of a model that takes them.
    """

    def __init__(self, images, batch_size, **condition):
        super().__init__()
        self.batch_size = batch_size
        self.images = images[:64]
        self.condition = {name: values[:64] for name, values in condition.items()}
        self._clocks = None

    def on_epoch_begin(self, epoch, logs=None):
        self._clocks = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        seen = UPDATES * self.batch_size
        spent = [
            1000 * (now - before) / seen
            for now, before in zip((time.perf_counter(), time.process_time()), self._clocks)
        ]
        values = {**self._judged(), **(logs or {})}
        print(
            f"{(epoch + 1) * seen} images, {spent[0]:.1f} ms per image, {spent[1]:.1f} of them on "
            "the processor; " + ", ".join(f"{name} {value:.3f}" for name, value in values.items()),
            flush=True,
        )

    def _judged(self):
        """Means of a discriminator's values, of a model with one: `{name: float}`."""
        if not can(self.model, "logits"):
            return {}
        fake = self.model.generate(len(self.images), seed=1, averaged=False, **self.condition)
        checked = self.model.check_condition(len(self.images), **self.condition)
        condition = {c.name: c.to_tensor(checked[c.name]) for c in self.model.conditioned_on}
        return {
            name: keras.ops.convert_to_numpy(self.model.logits(to_float(part), **condition)).mean()
            for name, part in (("D(real)", self.images), ("D(fake)", fake))
        }


def settle(model, batches=100, seed=0, beside=None):
    """Gives the averaged generator the batch norm statistics of its own weights.

    During training it has those of the generator, whose weights are others.

    Args:
        model: a `kzoo.GAN` with an averaged generator. It draws the classes equally often.
        batches: of 64 latents; the moving statistics forget all but the last few tens.
        seed: int, of the latents.
        beside: function of a count that gives as many rows of what the generator takes beside the
            latents; by default the classes in turn, of a model that takes classes.
    """
    network = model.averaged_generator
    seed = keras.random.SeedGenerator(seed)
    network.trainable = True  # otherwise batch norm takes its moving statistics
    if beside is None:
        given = [keras.ops.convert_to_tensor(c.default(64)) for c in model.conditioned_on]
    for _ in range(batches):
        latents = keras.random.normal((64, model.latent_dim), seed=seed)
        if beside is not None:
            given = [beside(64)]
        network([latents, *given] if given else latents, training=True)
    network.trainable = False


def without_average(model):
    """A model whose generator is the average that a trained one keeps: it draws the same images.

    Its preset is smaller by one generator.

    Args:
        model: a model with `average_decay`; a GAN after `settle`, where it has batch norm.
    """
    smaller = type(model).from_config({**model.get_config(), "average_decay": None})
    name = model.generator_name
    generator, average = getattr(model, name).weights, getattr(model, f"averaged_{name}").weights
    taken = {id(weight): mean for weight, mean in zip(generator, average, strict=True)}
    left_out = {id(weight) for weight in (*average, model.average_updates)}
    kept = [taken.get(id(w), w) for w in model.weights if id(w) not in left_out]
    smaller.set_weights([keras.ops.convert_to_numpy(weight) for weight in kept])
    return smaller


def train(
    args,
    model,
    images,
    count,
    folder,
    mirror=False,
    sources=None,
    labels=None,
    crop=None,
    apart=False,
    shown=None,
    further_callbacks=(),
):
    """Trains a compiled model until it has seen `count` real images.

    Args:
        args: what `recipe.parser` parsed.
        model: a compiled model of two networks, such as a `kzoo.GAN`.
        images: uint8 array (n, h, w, c).
        count: how many real images; a multiple of `UPDATES` times the batch size, or rounded up.
        folder: of checkpoint, log and sheets.
        mirror, sources, labels, crop, apart: see `batches`.
        shown: `(images, sources)` for the log and, with sources, for the sheets; those that the
            model is trained on by default.
        further_callbacks: of this recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen, beside = (images, sources) if shown is None else shown
    given = labels if beside is None else beside
    condition = {} if given is None else {model.conditioned_on[0].name: given}
    report = Report(seen, args.batch_size, **condition)
    checkpoint = kzoo.callbacks.Checkpoint(folder / "checkpoint")
    epochs = -(-count // (UPDATES * args.batch_size))
    done = checkpoint.epochs_done()
    if done < epochs:
        text = f"{folder}: goes on after {done * UPDATES} updates, until {epochs * UPDATES}"
        print(text, flush=True)
    model.fit(
        batches(images, args.batch_size, args.seed, mirror, sources, labels, crop, apart),
        epochs=epochs,
        steps_per_epoch=UPDATES,
        verbose=0,
        callbacks=[
            kzoo.callbacks.CheckFinite(),
            report,
            kzoo.callbacks.SampleGrid(
                folder / "samples",
                len(report.images),
                every=SHEETS,
                **({} if sources is None else report.condition),
            ),
            *further_callbacks,
            keras.callbacks.CSVLogger(folder / "log.csv", append=True),
            checkpoint,
        ],
    )
