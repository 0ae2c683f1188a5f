"""Every model of `kzoo.__all__`, as small as its arguments allow: for tests of what all share."""

import inspect

import numpy as np

import kzoo

CLASSES = 3
SHAPE = (8, 8, 1)
SMALL = {
    "approximator_epochs": 1,
    "batch_size": 4,
    "blocks": 1,
    "code_dim": 4,
    "compressed_dim": 3,
    "context_features": 2,
    "dense_width": 8,
    "discriminator_steps": 2,
    "dropout": 0.0,
    "filters": 4,
    "head_filters": 4,
    "latent_dim": 4,
    "latent_dims": (3, 2),
    "max_words": 4,
    "num_blocks": 1,
    "num_codes": 4,
    "num_layers": 2,
    "num_mixtures": 2,
    "num_resnets": 1,
    "num_resolutions": 2,
    "num_steps": 2,
    "pool_size": 8,
    "receptive_field": 16,
    "text_dim": 4,
    "units": 4,
    "vocabulary": ["a", "red", "flower"],
    "width": 4,
    "widths": (4, 4),
    "word_dim": 4,
}


def parameters_of(model_class):
    """The names of all constructor arguments, those of base classes included."""
    names = []
    for base in model_class.__mro__[: model_class.__mro__.index(kzoo.GenerativeModel) + 1]:
        if "__init__" in vars(base):
            names += inspect.signature(base.__init__).parameters
    if "arguments" in names:  # passed on to the models of every scale
        names += ["units", "num_layers", "head_filters"]
    return [name for name in names if name not in model_class.refused_arguments]


def is_model(value):
    abstract = (kzoo.GenerativeModel, kzoo.PixelModel, kzoo.MultiScale)
    return (
        inspect.isclass(value)
        and issubclass(value, kzoo.GenerativeModel)
        and (value not in abstract)
    )


PUBLIC = [name for name in kzoo.__all__ if is_model(getattr(kzoo, name))]
# A model that takes classes is tried with and without.
MODELS = [
    (name, classes)
    for name in PUBLIC
    for classes in (None, CLASSES)
    if classes is None or "num_classes" in parameters_of(getattr(kzoo, name))
]


def small(name, **arguments):
    model_class = getattr(kzoo, name)
    names = parameters_of(model_class)
    chosen = {key: value for key, value in SMALL.items() if key in names}
    if "context_features" in names and name != "MultiScalePixelRNN":
        del chosen["context_features"]  # another condition
    arguments = {key: value for key, value in arguments.items() if value is not None}
    return model_class(image_shape=SHAPE, **{**chosen, **arguments})


def values_of(condition, count, seed=3):
    """Values of a condition for `count` images, as its `input_spec` says.

    They are classes, tokens of three words or images.
    """
    spec = condition.input_spec()
    if len(spec.shape) == 1:
        return (np.arange(count) % CLASSES).astype("int64")
    rng = np.random.default_rng(seed)
    if len(spec.shape) == 2:
        return rng.integers(2, 5, (count, *spec.shape[1:])).astype("int64")
    return rng.integers(0, 256, (count, *spec.shape[1:])).astype("uint8")


def beside(model, count):
    """`(name of the feature, values)`: what stands beside images in the data of a model.

    These are the values of its condition. A model without any gets labels, which it ignores.
    """
    if not model.conditioned_on:
        return "label", (np.arange(count) % CLASSES).astype("int64")
    (condition,) = model.conditioned_on
    return condition.keys[0], values_of(condition, count)
