"""TensorFlow on a CPU: strided convolutions without copies that are padded with zeros.

TensorFlow can leave out the padding itself ("SAME"). But under strides 2 it then puts one zero more
behind an image of even size than in front of it, where kzoo has as many on both sides. Mirrored
images have it the other way round, which is the same convolution but for zeros that strides pass
over. And a transposed convolution to an image's few features is up to 5 times slower in oneDNN than
in TensorFlow's own code, which explicit padding selects.
"""

import tensorflow as tf

_FEW = 4  # features, up to which TensorFlow's own code is taken


def convolution(x, kernel, strides):
    """`kzoo.backend.common.convolution`: x (b, h, w, c), kernel (k, k, c, f)."""
    kernel = tf.convert_to_tensor(kernel)  # custom gradients take no variables
    if strides == 1:
        return tf.nn.conv2d(x, kernel, 1, "SAME")
    return _convolved(x, kernel, strides)


def transposed_convolution(x, kernel, strides):
    """`kzoo.backend.common.transposed_convolution`: x (b, h, w, c), kernel (k, k, f, c)."""
    kernel = tf.convert_to_tensor(kernel)
    batch, height, width = _static(x)[:3]
    shape = (batch, height * strides, width * strides, kernel.shape[2])
    if strides == 1:
        return tf.nn.conv2d_transpose(x, kernel, shape, 1, "SAME")
    return _transposed(x, kernel, strides, shape)


def _static(x):
    """The sizes of a tensor, ints where they are known."""
    return tuple(tf.shape(x)[i] if size is None else size for i, size in enumerate(x.shape))


def _convolved(x, kernel, strides):
    """A convolution, whose gradient for x is `_transposed`."""
    shape = _static(x)

    @tf.custom_gradient
    def convolve(x, kernel):
        def gradients(upstream):
            return (
                _transposed(upstream, kernel, strides, shape),
                _kernel_gradient(x, kernel, upstream, strides),
            )

        return tf.nn.conv2d(_padded(x, kernel), kernel, strides, "VALID"), gradients

    return convolve(x, kernel)


def _transposed(x, kernel, strides, shape):
    """The transpose of a convolution of tensors of this shape."""

    @tf.custom_gradient
    def transpose(x, kernel):
        def gradients(upstream):
            return (
                _convolved(upstream, kernel, strides),
                _kernel_gradient(upstream, kernel, x, strides),
            )

        margin = kernel.shape[0] // 2
        arguments = {"input_sizes": shape, "strides": [1, strides, strides, 1]}
        if shape[-1] <= _FEW:
            # TensorFlow's own code is up to 20 times slower in less than float32.
            wide = x.dtype if x.dtype.size >= 4 else tf.float32
            outputs = tf.raw_ops.Conv2DBackpropInput(
                filter=tf.cast(kernel, wide),
                out_backprop=tf.cast(x, wide),
                padding="EXPLICIT",
                explicit_paddings=[0, 0, margin, margin, margin, margin, 0, 0],
                **arguments,
            )
            return tf.cast(outputs, x.dtype), gradients
        axes = _mirrored_axes(kernel, strides, shape)
        if axes is not None:
            outputs = tf.raw_ops.Conv2DBackpropInput(
                filter=_mirrored(kernel, [axis - 1 for axis in axes]),
                out_backprop=_mirrored(x, axes),
                padding="SAME",
                **arguments,
            )
            return _mirrored(outputs, axes), gradients
        batch, height, width, features = shape
        padded = (batch, height + 2 * margin, width + 2 * margin, features)
        outputs = tf.nn.conv2d_transpose(x, kernel, padded, strides, "VALID")
        return tf.slice(outputs, (0, margin, margin, 0), shape), gradients

    return transpose(x, kernel)


def _kernel_gradient(x, kernel, upstream, strides):
    """The gradient of a convolution of x with respect to the kernel."""
    axes = _mirrored_axes(kernel, strides, x.shape)
    gradient = tf.raw_ops.Conv2DBackpropFilter(
        input=_padded(x, kernel) if axes is None else _mirrored(x, axes),
        filter_sizes=kernel.shape,
        out_backprop=upstream if axes is None else _mirrored(upstream, axes),
        strides=[1, strides, strides, 1],
        padding="VALID" if axes is None else "SAME",
    )
    return gradient if axes is None else _mirrored(gradient, [axis - 1 for axis in axes])


def _padded(x, kernel):
    # By tf.pad: with explicit padding of its own, conv2d goes without oneDNN.
    margin = (kernel.shape[0] // 2,) * 2
    return tf.pad(x, ((0, 0), margin, margin, (0, 0)))


def _mirrored_axes(kernel, strides, shape):
    """The axes of an image along which "SAME" padding is kzoo's if they are mirrored.

    Returns:
        List of axes; `None` if there are none that make it so.
    """
    axes = []
    for axis in (1, 2):
        size = shape[axis]
        if not isinstance(size, int):
            return None
        zeros = max((-(-size // strides) - 1) * strides + kernel.shape[0] - size, 0)
        if zeros - zeros // 2 != kernel.shape[0] // 2:
            return None
        axes += [axis] if zeros % 2 else []
    return axes


def _mirrored(x, axes):
    return tf.reverse(x, axes) if axes else x
