"""What the recipes of the pixel models share: data, schedule, precision."""

import csv

import keras
import recipe

import kzoo

DATA = (
    "MNIST (TFDS mnist 3.0.1), 28x28, all 60,000 training images, dynamically binarized: in every "
    "epoch a pixel is white anew with the probability of its grey value. The 10,000 test images "
    "are binarized once."
)
WATCHED = 1000  # test images whose likelihood the log holds
NOTES = (
    "The likelihood is exact. It is comparable with others on dynamically (not statically) "
    "binarized MNIST. The log of the training holds the likelihood of 1,000 test images after "
    "every epoch; nothing is selected by it."
)


def parser(description, epochs, output, batch_size, **options):
    """The arguments of a recipe, with the precision of the training."""
    parser = recipe.parser(description, epochs, output, batch_size=batch_size, **options)
    parser.add_argument(
        "--dtype",
        default="mixed_bfloat16",
        help="Keras dtype policy of the training; the preset is float32 in any case",
    )
    return parser


def train(args, build, metadata, rate=2e-3, labels=False, start=None):
    """Trains a model on binarized MNIST, with the learning rates of `schedule`; saves its preset.

    Args:
        args: what `parser` parsed.
        build: function of a dtype policy that returns the model.
        metadata: of the preset.
        rate: peak learning rate of Adam.
        labels: whether the model is conditional on the digits' classes.
        start: an unconditional model with the same networks, whose weights are taken first.
    """
    keras.utils.set_random_seed(args.seed)
    data = recipe.load(args, "train", binarize="dynamic", labels=labels)
    test = recipe.load(args, "test", binarize="static", batch_size=100, labels=labels)
    images, classes = (a if a is None else a[:WATCHED] for a in kzoo.datasets.to_arrays(test))

    model = build(args.dtype)
    if start is not None:
        take_weights(model, start)
    model.compile(keras.optimizers.Adam(schedule(args, data, rate)))
    validation = (images, classes) if labels else images
    recipe.fit(args, model, data, validation_data=validation, validation_batch_size=100)
    save(args, model, build, metadata)


def schedule(args, data, rate):
    """A learning rate that rises to `rate` over 500 updates and falls to 0 along a cosine."""
    steps = args.epochs * (args.steps_per_epoch or len(data))
    warmup = min(500, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        rate / 10, steps - warmup, warmup_target=rate, warmup_steps=warmup
    )


def save(args, model, build, metadata, score="val_nll", unit="nats"):
    """Saves the model's weights as a preset, with the curve of its training."""
    preset = build("float32")
    preset.set_weights(model.get_weights())
    notes = f"{metadata['notes']} {curve(args.work, score, unit)}"
    preset.save_to_preset(args.output, half_precision=True, **{**metadata, "notes": notes})


def curve(work, name, unit):
    """A sentence with the test images' scores after every epoch, from the log of a training."""
    with open(work / "log.csv", encoding="utf-8") as file:
        scores = [float(row[name]) for row in csv.DictReader(file)]
    values = ", ".join(f"{score:.4g}" for score in scores)
    return f"Likelihood of the watched test images after each epoch, in {unit}: {values}."


def take_weights(model, source):
    """Gives a conditional model the weights of an unconditional one, and the condition none."""
    values = {variable.path.partition("/")[2]: variable for variable in source.weights}
    for variable in model.weights:
        name = variable.path.partition("/")[2]
        variable.assign(values[name] if name in values else 0.0 * variable)
