"""What the three backend files share."""

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
