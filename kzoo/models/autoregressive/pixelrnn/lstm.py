"""An LSTM whose states depend on several states of the step before. Its gradient is written out.

The cell of the PixelRNN (van den Oord et al. 2016, arXiv:1601.06759, eq. 3), for all positions of
a row or of a diagonal at once:

    [o, f, i, g] = [sigmoid, sigmoid, sigmoid, tanh](K_ss * h' + K_is * x + bias)
    c = f c' + i g
    h = o tanh(c)

The backends can derive the gradient of a loop, but theirs keeps many more intermediate results
and is several times slower.
"""

from keras import ops

from kzoo import backend


def cell(z, c):
    """Eq. 3: the new states `(h, c)` from the gates' inputs z (..., 4 units) and the old c."""
    units = c.shape[-1]
    gates = ops.sigmoid(z[..., : 3 * units])
    o, f, i = _parts(gates, units)
    g = ops.tanh(z[..., 3 * units :])
    c = f * c + i * g
    return o * ops.tanh(c), c


def lstm(inputs, kernel, bias, offsets, keep=None):
    """Runs the LSTM over the steps t = 0 .. T-1.

    At step t, position n takes the states h of the positions `n + offset` at step t - 1, for
    every offset, and the state c of position n at step t - 1. States outside of 0 .. n-1 and
    before the first step are zero.

    Args:
        inputs: (T, directions, n, b, features). The directions are independent LSTMs.
        kernel: (directions, features + len(offsets) * units, 4 units): K_is, then K_ss of each
            offset.
        bias: (directions, 4 units).
        offsets: tuple of distinct ints.
        keep: (T, n), 0 where h at offset 0 and c count as zero, else 1; `None` for 1 everywhere.

    Returns:
        The states h (T, directions, n, b, units).
    """
    # Always in float32: states and gradients are sums over many steps.
    inputs, kernel, bias = (ops.cast(a, "float32") for a in (inputs, kernel, bias))
    if keep is not None:
        keep = ops.convert_to_tensor(keep, "float32")[:, None, :, None, None]  # (T, 1, n, 1, 1)

    @ops.custom_gradient
    def run(inputs, kernel, bias):
        h, residuals = _forward(inputs, kernel, bias, offsets, keep)

        def gradient(*args, upstream=None):
            upstream = args[-1] if upstream is None else upstream
            return _backward(upstream, inputs, kernel, h, residuals, offsets, keep)

        return h, gradient

    return run(inputs, kernel, bias)


def _forward(inputs, kernel, bias, offsets, keep):
    units = bias.shape[-1] // 4

    def step(states, at):
        h, c = states
        x, *mask = at
        z = _product(ops.concatenate([x, *_gather(h, offsets, *mask)], axis=-1), kernel)
        z = z + bias[:, None, None]
        gates, g = ops.sigmoid(z[..., : 3 * units]), ops.tanh(z[..., 3 * units :])
        o, f, i = _parts(gates, units)
        new = f * _masked(c, *mask) + i * g
        h = o * ops.tanh(new)
        return (h, new), (h, c, gates, g)

    zeros = ops.zeros_like(inputs[0, ..., :units])
    steps = (inputs,) if keep is None else (inputs, keep)
    _, (h, *residuals) = backend.scan(step, (zeros, zeros), steps)
    return h, residuals


def _backward(upstream, inputs, kernel, h, residuals, offsets, keep):
    """The gradients of `inputs`, `kernel` and `bias`, last step first."""
    units, features = h.shape[-1], inputs.shape[-1]
    transposed = ops.transpose(kernel, (0, 2, 1))

    def step(sums, at):
        dh, dc, d_kernel, d_bias = sums
        upstream, x, h, c, gates, g, *mask = at  # h, c: of the step before
        o, f, i = _parts(gates, units)
        c = _masked(c, *mask)
        tanh_c = ops.tanh(f * c + i * g)
        dh = dh + upstream
        dc = dc + dh * o * (1.0 - tanh_c * tanh_c)
        dz = ops.concatenate(
            [
                dh * tanh_c * o * (1.0 - o),
                dc * c * f * (1.0 - f),
                dc * g * i * (1.0 - i),
                dc * i * (1.0 - g * g),
            ],
            axis=-1,
        )
        sources = ops.concatenate([x, *_gather(h, offsets, *mask)], axis=-1)
        d_kernel = d_kernel + _outer(sources, dz)
        d_bias = d_bias + ops.sum(dz, axis=(1, 2))
        d_sources = _product(dz, transposed)
        dh = _scatter(d_sources[..., features:], offsets, *mask)
        return (dh, _masked(dc * f, *mask), d_kernel, d_bias), (d_sources[..., :features],)

    zeros = ops.zeros_like(h[0])
    before = ops.concatenate([zeros[None], h[:-1]])
    steps = (upstream, inputs, before, *residuals) + (() if keep is None else (keep,))
    sums = (zeros, zeros, ops.zeros_like(kernel), ops.zeros_like(kernel[:, 0]))
    (_, _, d_kernel, d_bias), (d_inputs,) = backend.scan(step, sums, steps, reverse=True)
    return d_inputs, d_kernel, d_bias


def _parts(x, size):
    return [x[..., i : i + size] for i in range(0, x.shape[-1], size)]


def _masked(x, mask=None):
    return x if mask is None else x * mask


def _shift(x, offset):
    """x (d, n, b, f) at `n + offset`, zeros outside."""
    if not offset:
        return x
    rest = (0, 0), (0, 0)
    if offset > 0:
        return ops.pad(x[:, offset:], ((0, 0), (0, offset), *rest))
    return ops.pad(x[:, :offset], ((0, 0), (-offset, 0), *rest))


def _gather(h, offsets, mask=None):
    """The states that every position takes, one (d, n, b, units) per offset."""
    return [_shift(h, offset) if offset else _masked(h, mask) for offset in offsets]


def _scatter(d_gathered, offsets, mask=None):
    """The transpose of `_gather`, from (d, n, b, len(offsets) * units)."""
    parts = _parts(d_gathered, d_gathered.shape[-1] // len(offsets))
    parts = [
        _shift(part, -offset) if offset else _masked(part, mask)
        for part, offset in zip(parts, offsets, strict=True)
    ]
    return sum(parts[1:], start=parts[0])


def _product(x, kernel):
    """x (d, n, b, f), kernel (d, f, F): (d, n, b, F)."""
    directions, positions, batch, features = ops.shape(x)
    x = ops.matmul(ops.reshape(x, (directions, positions * batch, features)), kernel)
    return ops.reshape(x, (directions, positions, batch, kernel.shape[-1]))


def _outer(x, y):
    """x (d, n, b, f), y (d, n, b, F): the kernel's gradient (d, f, F)."""
    x, y = (ops.reshape(a, (a.shape[0], -1, a.shape[-1])) for a in (x, y))
    return ops.matmul(ops.transpose(x, (0, 2, 1)), y)
