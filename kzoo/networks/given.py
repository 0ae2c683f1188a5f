"""Networks that a user gives to a model."""

import contextlib

import keras

from kzoo.checks import as_line


def check_network(name, network, inputs, output, kind=keras.Model):
    """Checks a user's Keras model.

    Args:
        name, network, inputs, kind: as in `output_shapes`.
        output: shape of the output without the batch; `None` for a size that may be any.

    Returns:
        The network, built.

    Raises:
        ValueError: unless it is a `keras.Model` that maps such inputs to such an output.
    """
    given = output_shapes(name, network, inputs, kind)
    expected = (None, *output)
    fits = len(given) == 1 and len(given[0]) == len(expected)
    if not fits or any(e not in (None, g) for g, e in zip(given[0], expected)):
        raise ValueError(
            f"{name} must map inputs {_with_batch(inputs)} to outputs {expected}, got outputs "
            f"{', '.join(map(str, given))}."
        )
    return network


def output_shapes(name, network, inputs, kind=keras.Model):
    """The shapes of a network's outputs for symbolic inputs, which also builds it.

    Args:
        name: of the argument, for the message.
        network: what was given.
        inputs: list of `(shape, dtype)` without the batch, one for each input.
        kind: the class that it must be of; `keras.Layer` also takes a single layer.

    Raises:
        ValueError: if it is of another class, or does not take such inputs.
    """
    if not isinstance(network, kind):
        raise ValueError(f"{name} must be a keras.Model, got {network!r}.")
    tensors = [keras.Input(shape, dtype=dtype) for shape, dtype in inputs]
    try:
        outputs = network(tensors if len(tensors) > 1 else tensors[0])
    except Exception as error:  # whatever its layers raise on a shape they cannot take
        raise ValueError(
            f"{name} does not take inputs of shape {_with_batch(inputs)}: {as_line(error)}"
        ) from error
    return [tuple(tensor.shape) for tensor in keras.tree.flatten(outputs)]


def _with_batch(inputs):
    return " and ".join(str((None, *shape)) for shape, _ in inputs)


def shape_of_images(image_shape, seen_by, drawn_by, default=(32, 32, 1), classes=0):
    """The image shape of a model: as given, or that of the user's networks, or the default.

    Args:
        image_shape: what the user gave, or `None`.
        seen_by: the network whose input, or first input, is the images; or a name or `None`.
        drawn_by: the network whose output is the images; or a name or `None`.
        default: where the networks do not say it.
        classes: how many of the channels that `seen_by` takes are those of a label.
    """
    if image_shape is not None:
        return image_shape
    seen = getattr(seen_by, "input_shape", None)
    if isinstance(seen, list) and seen:
        seen = seen[0]
    for shape, more in ((seen, classes), (getattr(drawn_by, "output_shape", None), 0)):
        if isinstance(shape, tuple) and len(shape) == 4 and None not in shape[1:]:
            return (*shape[1:3], shape[3] - more)
    return default


def copy_of(network):
    """A copy of a Keras model, with weights of its own."""
    config = keras.saving.serialize_keras_object(network)
    copy = keras.saving.deserialize_keras_object(config)
    if not copy.built:
        copy.build(network.input_shape)
    copy.set_weights(network.get_weights())
    return copy


@contextlib.contextmanager
def dtype_policy(policy):
    """A context in which new layers have this Keras dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
