"""What the three backend files share."""

import contextlib

import keras
from keras import ops


def split_aux(result):
    """Splits what a loss function returned, `loss` or `(loss, aux)`, into `(loss, aux)`."""
    if isinstance(result, tuple):
        loss, aux = result
        return loss, aux
    return result, None


def compiled_cache(instance):
    """The compiled programs of one model, kept with it and out of Keras's attribute tracking."""
    return instance.__dict__.setdefault("_kzoo_compiled", {})


@contextlib.contextmanager
def replaced(instance, name, function):
    """Within it, the method `name` of an object of Keras's is another function."""
    vars(instance)[name] = function
    try:
        yield
    finally:
        del vars(instance)[name]


class _Synchronous(keras.callbacks.Callback):
    """A callback that wants to know of every batch: then Keras calls the callbacks in turn."""

    def on_train_batch_end(self, batch, logs=None):
        """Nothing to do."""

    def on_test_batch_end(self, batch, logs=None):
        """Nothing to do."""


def in_turn(callbacks, accelerator):
    """The callbacks for `fit` or `evaluate`, such that Keras does not call them by a thread.

    Where none wants to know of every batch, Keras leaves the end of every batch to a thread. On a
    CPU the two threads wait for each other's hold on Python, a millisecond per step.

    Args:
        callbacks: `None`, a callback, a list of them, or a `keras.callbacks.CallbackList`.
        accelerator: whether the model runs on one: then callbacks are left as they are.
    """
    if accelerator or isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    return [*keras.tree.flatten(callbacks or ()), _Synchronous()]


def weight_averages(optimizer):
    """The averages of weights that a Keras optimizer with `use_ema=True` keeps; else none."""
    return list(getattr(optimizer, "_model_variables_moving_average", []))


def without_strides(x, kernel, strides):
    """A strided convolution with k // 2 zeros on every side, as one with strides 1.

    Blocks of strides x strides pixels become the features of one pixel.

    Args:
        x: (b, h, w, c).
        kernel: (k, k, c, f), k odd.
        strides: int, of both sides.

    Returns:
        `(x, kernel, zeros before, zeros after)`: the same convolution with strides 1.
    """
    size, _, features, filters = kernel.shape
    margin = size // 2
    before, after = -(-margin // strides), margin // strides  # blocks that a kernel reaches
    blocks = before + after + 1
    front = before * strides - margin
    widen = (front, blocks * strides - front - size)
    kernel = ops.pad(kernel, (widen, widen, (0, 0), (0, 0)))
    kernel = ops.reshape(kernel, (blocks, strides, blocks, strides, features, filters))
    kernel = ops.transpose(kernel, (0, 2, 1, 3, 4, 5))  # (n, n, s, s, c, f)
    kernel = ops.reshape(kernel, (blocks, blocks, strides * strides * features, filters))
    batch, height, width, _ = x.shape
    rows, columns = -(-height // strides), -(-width // strides)
    if height % strides or width % strides:
        rest = ((0, rows * strides - height), (0, columns * strides - width))
        x = ops.pad(x, ((0, 0), *rest, (0, 0)))
    x = ops.reshape(x, (batch, rows, strides, columns, strides, features))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # (b, h / s, w / s, s, s, c)
    return (
        ops.reshape(x, (batch, rows, columns, strides * strides * features)),
        kernel,
        before,
        after,
    )
