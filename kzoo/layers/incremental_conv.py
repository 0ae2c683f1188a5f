"""A convolution along a row, computed pixel by pixel."""

from keras import ops


class IncrementalConv:
    """Computes a convolution for one pixel of a row, when the later pixels are not yet known.

    A mixin. The layer has `left`, the number of pixels to the left that a pixel sees,
    `in_features`, and a method `row_cache`, which is called once per row. It returns
    `(addend, kernel)`: (batch, 1 or width, filters), or `None`, and
    ((left + 1) * in_features, filters).
    """

    strides = 1

    def initial_row(self, batch_size, width):
        """The inputs in a row before its first pixel, zeros, with the padding to their left."""
        return ops.zeros((batch_size, self.left + width, self.in_features), self.compute_dtype)

    def store(self, row, x, column):
        """`row` with the input x (batch, in_features) of the pixel at `column`."""
        return ops.slice_update(row, (0, column + self.left, 0), x[:, None])

    def step(self, row_cache, row, column):
        """The outputs (batch, filters) at a column, from the inputs stored in `row` so far."""
        addend, kernel = row_cache
        batch_size, _, features = row.shape
        window = ops.slice(row, (0, column, 0), (batch_size, self.left + 1, features))
        y = ops.matmul(ops.reshape(window, (batch_size, (self.left + 1) * features)), kernel)
        if addend is None:
            return y
        if addend.shape[1] == 1:
            return y + addend[:, 0]
        return y + at_column(addend, column // self.strides)


def at_column(x, column):
    """x (b, w, f) at a column, an int or an integer tensor: (b, f)."""
    return ops.squeeze(ops.slice(x, (0, column, 0), (x.shape[0], 1, x.shape[2])), 1)
