"""What the three backends share: the parts that `keras.ops` can express."""

import contextlib
import threading

import keras
from keras import ops

from kzoo.backend import fast, onnx_gradients

_MAKING_A_PROGRAM = threading.RLock()
_exports = []  # the format of every `exporting` that is under way


@contextlib.contextmanager
def exporting(format):
    """Within it, programs are traced for other runtimes, by the operations that all of them have.

    The paths of `fast` are not taken, and loops of a known length are written out.

    Args:
        format: of `model.export`.
    """
    if format == "onnx" and keras.backend.backend() == "tensorflow":
        onnx_gradients.teach()
    _exports.append(format)
    try:
        with fast.without(*fast.PATHS):
            yield
    finally:
        _exports.pop()


def exported_format():
    """The format, while a program is being traced within `exporting`; else `None`."""
    return _exports[-1] if _exports else None


def split_aux(result):
    """Splits what a loss function returned, `loss` or `(loss, aux)`, into `(loss, aux)`."""
    if isinstance(result, tuple):
        loss, aux = result
        return loss, aux
    return result, None


def program_of(instance, key, make):
    """The compiled program that an object keeps under a key.

    It is made once, by whichever thread asks for it first. The programs are kept with the object,
    out of Keras's attribute tracking.

    Args:
        instance: a model or a layer.
        key: whatever tells its programs apart.
        make: function without arguments that makes the program.
    """
    programs = instance.__dict__.setdefault("_kzoo_compiled", {})
    if key not in programs:
        with _MAKING_A_PROGRAM:
            if key not in programs:
                programs[key] = make()
    return programs[key]


def weight_averages(optimizer):
    """The averages of weights that a Keras optimizer with `use_ema=True` keeps; else none."""
    if not optimizer.use_ema:
        return []
    # Keras gives no list of them: it adds "average" to the name of the weight.
    return [v for v in optimizer.variables if v.name.endswith("_average")]


def portable(config):
    """A config whose optimizers do not name the backend that they were saved on.

    Keras has classes of its own for optimizers on PyTorch, which a config names by their module.
    Each has the name of a public one.
    """
    if isinstance(config, list | tuple):
        return [portable(x) for x in config]
    if not isinstance(config, dict):
        return config
    config = {key: portable(value) for key, value in config.items()}
    of_keras = str(config.get("module")).startswith("keras.")
    if of_keras and hasattr(keras.optimizers, str(config.get("class_name"))):
        config["module"] = "keras.optimizers"
    return config


def argmax(x):
    """The index of the largest value along the last axis, the first of equal ones: int32 (...).

    Not Keras's `argmax` of floats, which has bit operations on TensorFlow that no other runtime
    knows.
    """
    largest = ops.equal(x, ops.max(x, axis=-1, keepdims=True))
    return ops.cast(ops.argmax(ops.cast(largest, "int32"), axis=-1), "int32")


def split_scale(optimizer, scaler):
    """Parts an optimizer from the loss scaling around it.

    Args:
        optimizer: a Keras optimizer, maybe a `LossScaleOptimizer`.
        scaler: the optimizer by whose `scale_loss` the loss was scaled, or `None`.

    Returns:
        `(optimizer, scaler)`: the inner optimizer, and the `LossScaleOptimizer` or `None`.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer.inner_optimizer, optimizer
    if isinstance(scaler, keras.optimizers.LossScaleOptimizer):
        return optimizer, scaler
    return optimizer, None


def unscaled(gradients, scaler):
    """The gradients of the loss itself, and whether all of them are finite (a bool tensor)."""
    scale = ops.convert_to_tensor(scaler.dynamic_scale)
    gradients = [ops.divide(gradient, scale) for gradient in gradients]
    finite = ops.stack([ops.all(ops.isfinite(gradient)) for gradient in gradients])
    return gradients, ops.all(finite)


def update_scale(scaler, finite):
    """Halves the loss scale after an overflow, doubles it after many steps without one."""
    steps = ops.where(finite, ops.convert_to_tensor(scaler.step_counter) + 1, 0)
    grows = ops.equal(steps, scaler.dynamic_growth_steps)
    factor = ops.where(grows, 2.0, ops.where(finite, 1.0, 0.5))
    scaler.step_counter.assign(ops.where(grows, 0, steps))
    scaler.dynamic_scale.assign(ops.convert_to_tensor(scaler.dynamic_scale) * factor)


def convolution(x, kernel, strides):
    """Convolves x with kernel_size // 2 zeros on every side.

    Args:
        x: (b, h, w, c).
        kernel: (k, k, c, f), k odd.
        strides: int, of both sides.

    Returns:
        (b, ceil(h / strides), ceil(w / strides), f).
    """
    size = kernel.shape[0]
    # Behind the image, only as many as the windows reach: converters know no gradient over more.
    ends = [
        max(0, (-(-side // strides) - 1) * strides + size - side - size // 2)
        for side in x.shape[1:3]
    ]
    margins = [(size // 2, end) for end in ends]
    x = ops.pad(x, ((0, 0), *margins, (0, 0)))
    return ops.conv(x, kernel, strides, "valid", data_format="channels_last")


def transposed_convolution(x, kernel, strides):
    """The transpose of `convolution`, for outputs of `strides` times the size.

    Args:
        x: (b, h, w, c).
        kernel: (k, k, f, c), k odd.
        strides: int, of both sides.

    Returns:
        (b, h * strides, w * strides, f).
    """
    height, width = (side * strides for side in x.shape[1:3])
    size = kernel.shape[0]
    y = ops.conv_transpose(x, kernel, strides, "valid", data_format="channels_last")
    missing = (0, max(0, strides - 1 - size // 2))  # where the strides pass over a small kernel
    if missing[1]:
        y = ops.pad(y, ((0, 0), missing, missing, (0, 0)))
    shape = (ops.shape(y)[0], height, width, kernel.shape[2])
    return ops.slice(y, (0, size // 2, size // 2, 0), shape)


def joint_losses(losses):
    """Losses `{name: scalar}` of a batch. Keras joins those of the parts that devices see."""
    return losses


def own_pipelines():
    """Whether `pipeline` makes a pipeline of its own."""
    return False


def pipeline(data, shuffle=False):
    """What Keras's `fit` and `evaluate` get in place of a `PyDataset`, and of its `shuffle`."""
    return data, shuffle
