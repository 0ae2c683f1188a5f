"""The networks from images to the features of `kzoo.Classifier`."""

import keras

from kzoo.layers import channels_last as layers


def blocks(widths):
    """The classifier's own layers: per width two 3x3 convolutions, then the average over pixels."""
    stack = []
    for width in widths:
        for strides in (1, 2):
            stack += [
                layers.Conv2D(width, 3, strides, padding="same", use_bias=False),
                layers.BatchNormalization(momentum=0.9),
                layers.ReLU(),
            ]
    return keras.Sequential([*stack, layers.GlobalAveragePooling2D()])


def feature_count(backbone, image_shape):
    """The number of features that a backbone gives.

    Raises:
        ValueError: if it is not a `keras.Model` from images to one output (b, d).
    """
    if not isinstance(backbone, keras.Layer):
        raise ValueError(f"backbone must be a keras.Model, got {backbone!r}.")
    try:
        shape = backbone.compute_output_shape((None, *image_shape))
    except Exception as error:  # whatever its layers raise on a shape they cannot take
        raise ValueError(
            f"The backbone does not take images of shape {(None, *image_shape)}: {error}"
        ) from error
    if len(shape) != 2 or not isinstance(shape[-1], int):
        raise ValueError(f"The backbone must give one output (None, d), its output is {shape}.")
    return shape[-1]


def features_of(encoder, layer=None):
    """A copy of an encoder up to one of its layers; see `kzoo.Classifier.from_encoder`."""
    if not isinstance(encoder, keras.Model) or len(getattr(encoder, "inputs", None) or ()) != 1:
        raise ValueError(
            f"encoder must be a keras.Model of one known input, got {encoder!r}. Of a model of "
            "kzoo, give its `encoder`, or kzoo.latents.latent_network(model)."
        )
    outputs = encoder.outputs if layer is None else [_layer(encoder, layer).output]
    if len(outputs) != 1:
        raise ValueError(
            f"The encoder gives {len(outputs)} outputs, expected one: choose one by "
            "layer=..., or the mean of a posterior by kzoo.latents.latent_network(model)."
        )
    output = outputs[0]
    if len(output.shape) != 2:
        output = layers.Flatten()(output)
    features = keras.Model(encoder.inputs[0], output, name="backbone")
    copy = keras.models.clone_model(features)
    copy.set_weights(features.get_weights())
    return copy


def _layer(encoder, layer):
    try:
        return encoder.get_layer(layer) if isinstance(layer, str) else encoder.layers[layer]
    except (IndexError, TypeError, ValueError):
        names = [layer.name for layer in encoder.layers]
        raise ValueError(
            f"layer must be an index or a name among {names}, got {layer!r}."
        ) from None
