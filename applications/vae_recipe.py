"""What the recipes of the VAEs share: data, schedule, precision, watched likelihood."""

import csv
import math

import keras
import recipe

import kzoo

DATA = (
    "MNIST (TFDS mnist 3.0.1), 28x28, all 60,000 training images, dynamically binarized: in every "
    "epoch a pixel is white anew with the probability of its grey value. The 10,000 test images "
    "are binarized once."
)
NOTES = (
    "Sheets show the mean image of p(x|z) for z drawn from the prior. The likelihood is comparable "
    "with others on dynamically (not statically) binarized MNIST. The log of the training holds "
    "the loss of the test images after every epoch; nothing is selected by it."
)


def parser(description, epochs, output, batch_size=100, data="mnist", dtype="float32"):
    """The arguments of a recipe, with the precision of the training."""
    parser = recipe.parser(description, epochs, output, batch_size=batch_size, data=data)
    parser.add_argument(
        "--dtype",
        default=dtype,
        help="Keras dtype policy of the training; the preset is float32 in any case",
    )
    return parser


def train(args, build, metadata, rate, binarize=True, start=None, scale=None, clip=None, side=None):
    """Trains a VAE and saves its preset.

    The learning rate rises to `rate` over 500 updates and falls to 0 along a cosine.

    Args:
        args: what `parser` parsed.
        build: function of a dtype policy that returns the model.
        metadata: of the preset.
        rate: peak learning rate of Adam.
        binarize: whether the images are binarized: anew in every epoch, the test images once.
        start: a model whose weights are taken first; it has the same networks.
        scale: where the pixels' learned scale starts, on the scale of images in [-1, 1]; 1 if
            None. Adam moves its logarithm by a learning rate per update at most.
        clip: largest norm of the gradients.
        side: in pixels, of photographs that are cropped to a square, resized, and in training
            mirrored at random.
    """
    keras.utils.set_random_seed(args.seed)
    ways = ("dynamic", "static") if binarize else (None, None)
    size = {} if side is None else {"image_size": side}
    augment = None if side is None else keras.layers.RandomFlip("horizontal", dtype="float32")
    data = recipe.load(args, "train", binarize=ways[0], augment=augment, **size)
    test = recipe.load(args, "test", binarize=ways[1], batch_size=100, **size)
    test, _ = kzoo.datasets.to_arrays(test)

    model = build(args.dtype)
    if start is not None:
        model.encoder.set_weights(start.encoder.get_weights())
        model.decoder.set_weights(start.decoder.get_weights())
    if scale is not None:
        model.log_scale.assign(math.log(scale))
    steps = args.epochs * (args.steps_per_epoch or len(data))
    warmup = min(500, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 10, steps - warmup, warmup_target=rate, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(schedule, global_clipnorm=clip))
    recipe.fit(args, model, data, validation_data=(test,), validation_batch_size=100)
    preset = build("float32")
    preset.set_weights(model.get_weights())
    notes = f"{metadata['notes']} {curve(args.work)}"
    preset.save_to_preset(args.output, half_precision=True, **{**metadata, "notes": notes})


def curve(work, points=12):
    """A sentence with the test images' losses during a training, from its log."""
    with open(work / "log.csv", encoding="utf-8") as file:
        losses = {int(row["epoch"]) + 1: float(row["val_loss"]) for row in csv.DictReader(file)}
    every = max(1, len(losses) // points)
    shown = {e: loss for e, loss in losses.items() if e % every == 0 or e == max(losses)}
    values = ", ".join(f"{loss:.4g} ({epoch})" for epoch, loss in shown.items())
    return f"Loss of the test images, in nats, after epochs: {values}."
