"""The pixel models that the benchmarks time: sizes of the presets, untrained, weights random."""

import math

MODELS = {
    "pixelcnn": ("PixelCNN", {"levels": 2, "filters": 48, "num_blocks": 8, "head_filters": 64}),
    "gated_pixelcnn": (
        "GatedPixelCNN",
        {"levels": 2, "filters": 32, "num_layers": 8, "head_filters": 32},
    ),
    "row_lstm": ("PixelRNN", {"variant": "row_lstm", "levels": 2}),
    "diagonal_bilstm": ("PixelRNN", {"variant": "diagonal_bilstm", "levels": 2}),
    "pixelcnn_plus_plus": (
        "PixelCNNPlusPlus",
        {"filters": 40, "num_resnets": 2, "num_mixtures": 5, "dropout": 0.0},
    ),
}


def image_shape(name, size):
    """Grey images, but for PixelCNN++, whose images have 3 channels."""
    return (size, size, 3 if name == "pixelcnn_plus_plus" else 1)


def build(name, size):
    """The model for square images of that size, with random weights everywhere."""
    import numpy as np

    import kzoo

    class_name, arguments = MODELS[name]
    model = getattr(kzoo, class_name)(image_shape=image_shape(name, size), **arguments)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        fan_in = max(1, math.prod(variable.shape[:-1]))
        variable.assign(rng.normal(size=variable.shape) / fan_in**0.5)
    return model


def images(name, size, count):
    """Random images of the kind that the model takes."""
    import numpy as np

    rng = np.random.default_rng(1)
    shape = (count, *image_shape(name, size))
    if MODELS[name][1].get("levels") == 2:
        return (rng.random(shape) < 0.2).astype("uint8") * 255
    return rng.integers(256, size=shape).astype("uint8")


def names(text, parser):
    """The models of a comma-separated option."""
    chosen = [name for name in text.split(",") if name]
    for name in chosen:
        if name not in MODELS:
            parser.error(f"unknown model {name!r}, expected some of {', '.join(MODELS)}")
    return chosen
