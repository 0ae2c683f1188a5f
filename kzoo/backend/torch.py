"""PyTorch: autograd and eager loops. `kzoo.backend.tensorflow` documents the functions."""

import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import torch
from torch.utils import _pytree as tree

from kzoo.backend.common import compiled_cache, split_aux
from kzoo.backend.replay import Program

_FEW = 4  # features of an image: oneDNN wants 8 or more


def value_and_grad(fn, variables):
    """The value of a loss and its gradients with respect to variables."""
    values = [variable.value for variable in variables]
    with torch.enable_grad():
        loss, aux = split_aux(fn())
        gradients = torch.autograd.grad(
            loss,
            values,
            # The outer of two nested derivatives needs the graph of the inner one's backward
            # pass, which input_gradient keeps; nothing differentiates this one again.
            allow_unused=True,
        )
    detached = keras.tree.map_structure(_detach, (loss, aux))
    return detached, [
        torch.zeros_like(value) if gradient is None else gradient
        for value, gradient in zip(values, gradients, strict=True)
    ]


def input_gradient(fn, x):
    """The value of a function and the gradient of its sum with respect to its input."""
    differentiable = torch.is_grad_enabled()
    with torch.enable_grad():
        if not (differentiable and x.requires_grad):
            x = x.detach().requires_grad_(True)
        value = fn(x)
        (gradient,) = torch.autograd.grad(
            value.sum(), x, create_graph=differentiable, allow_unused=True
        )
    if gradient is None:
        gradient = torch.zeros_like(x)
    return (value, gradient) if differentiable else (value.detach(), gradient)


def _detach(x):
    return x.detach() if isinstance(x, torch.Tensor) else x


def batch_norm(x, gamma, beta, epsilon):
    """Normalizes x (b, h, w, c) over all but the channels, with the statistics of x."""
    outputs, mean, inverse = torch.native_batch_norm(
        x.movedim(-1, 1), gamma, beta, None, None, True, 0.0, epsilon
    )
    return outputs.movedim(1, -1), mean.detach(), inverse.detach() ** -2 - epsilon


def convolution(x, kernel, strides, bias=None):
    """Convolves x (b, h, w, c) with kernel (k, k, c, f) and k // 2 zeros on every side."""
    if kernel.shape[0] == strides == 1:
        outputs = x @ kernel[0, 0]
        return outputs if bias is None else outputs + bias
    # In this layout once: otherwise oneDNN brings it there for every gradient again.
    kernel = kernel.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    inputs = x.movedim(-1, 1), kernel, bias, strides
    if _is_slow(x, x.shape[-1], strides):
        outputs = _FewConvolved.apply(*inputs)
    else:
        outputs = _convolved(*inputs)
    return outputs.movedim(1, -1)


def transposed_convolution(x, kernel, strides, bias=None):
    """The transpose of `convolution`: x (b, h, w, c) to (b, h strides, w strides, f)."""
    inputs = x.movedim(-1, 1), kernel.permute(3, 2, 0, 1)
    if _is_slow(x, kernel.shape[2], strides):
        shape = [size * strides for size in x.shape[1:3]]
        outputs = _FewTransposed.apply(*inputs, strides, shape)
        outputs = outputs if bias is None else outputs + bias[:, None, None]
    else:
        outputs = torch.nn.functional.conv_transpose2d(
            *inputs,
            bias,
            stride=strides,
            padding=kernel.shape[0] // 2,
            output_padding=strides - 1,
        )
    return outputs.movedim(1, -1)


def _is_slow(x, features, strides):
    """Whether oneDNN's transposed convolution of x to `features` features is slow."""
    return strides > 1 and features <= _FEW and x.device.type == "cpu"


def _convolved(x, kernel, bias, strides):
    padding = kernel.shape[-1] // 2
    return torch.nn.functional.conv2d(x, kernel, bias, stride=strides, padding=padding)


def _few_transposed(x, kernel, strides, shape):
    """x (b, f, h, w), kernel (f, c, k, k) to (b, c, *shape): a product, then a sum of patches."""
    size = kernel.shape[-1]
    patches = kernel.flatten(1).t() @ x.flatten(2)  # (b, c k k, h w)
    # The sum in float32: up to 9 patches cover a pixel.
    patches = patches.to(torch.promote_types(patches.dtype, torch.float32))
    images = torch.nn.functional.fold(patches, shape, size, padding=size // 2, stride=strides)
    return images.to(x.dtype)


def _kernel_gradient(x, kernel, upstream, strides):
    margin = kernel.shape[-1] // 2
    return torch.ops.aten.convolution_backward(
        upstream,
        x,
        kernel,
        None,
        [strides] * 2,
        [margin] * 2,
        [1, 1],
        False,
        [0, 0],
        1,
        [False, True, False],
    )[1]


class _FewConvolved(torch.autograd.Function):
    """A convolution of few features, whose gradient for them is `_FewTransposed`."""

    @staticmethod
    def forward(ctx, x, kernel, bias, strides):
        ctx.save_for_backward(x, kernel)
        ctx.strides = strides
        return _convolved(x, kernel, bias, strides)

    @staticmethod
    def backward(ctx, upstream):
        x, kernel = ctx.saved_tensors
        wanted, of_x, of_kernel, of_bias = ctx.needs_input_grad, None, None, None
        if wanted[0]:
            of_x = _FewTransposed.apply(upstream, kernel, ctx.strides, x.shape[2:])
        if wanted[1]:
            of_kernel = _kernel_gradient(x, kernel, upstream, ctx.strides)
        if wanted[2]:
            of_bias = upstream.sum((0, 2, 3))
        return of_x, of_kernel, of_bias, None


class _FewTransposed(torch.autograd.Function):
    """A transposed convolution to few features."""

    @staticmethod
    def forward(ctx, x, kernel, strides, shape):
        ctx.save_for_backward(x, kernel)
        ctx.strides = strides
        return _few_transposed(x, kernel, strides, shape)

    @staticmethod
    def backward(ctx, upstream):
        x, kernel = ctx.saved_tensors
        wanted, of_x, of_kernel = ctx.needs_input_grad, None, None
        if wanted[0]:
            of_x = _FewConvolved.apply(upstream, kernel, None, ctx.strides)
        if wanted[1]:
            of_kernel = _kernel_gradient(upstream, kernel, x, ctx.strides)
        return of_x, of_kernel, None, None


def repeat(n, body, carry):
    """Runs `carry = body(i, carry)` for i = 0 .. n-1."""
    for i in range(int(n)):
        carry = body(i, carry)
    return carry


def map_batches(function, x, size, start=0, beside=()):
    """Applies a function to batches of x and joins what it returns."""
    parts = x.split(size)
    start = int(start)
    todo = [a.split(size)[start:] for a in (x, *beside)]
    workers = min(torch.get_num_threads(), len(todo[0]))
    if workers < 2 or torch.accelerator.is_available() or torch.is_grad_enabled():
        done = map(function, *todo)
    else:
        done = _workers(workers, torch.get_num_threads()).map(torch.no_grad()(function), *todo)
    return torch.cat([*parts[:start], *done])


@functools.cache
def _workers(count, threads):
    """Python threads that share PyTorch's: cores wait for each other within an operation."""
    everyone = threading.Barrier(count)

    def begin():
        torch.set_num_threads(threads // count)
        torch.get_num_threads()  # a thread's first question makes the number its own
        everyone.wait()

    pool = ThreadPoolExecutor(count, "kzoo")
    for begun in [pool.submit(begin) for _ in range(count)]:
        begun.result()
    torch.set_num_threads(threads)  # the workers' calls were also for threads to come
    return pool


def row(variable, index):
    """`variable[index]`."""
    return variable.value[index]


def assign_row(variable, index, value):
    """Assigns `value` to `variable[index]`."""
    variable.value.index_copy_(0, index.reshape(1).long(), value[None])


def scan(body, carry, steps, reverse=False):
    """Runs `carry, output = body(carry, step)` along the first axis of `steps`."""
    outputs = [None] * len(steps[0])
    for t in reversed(range(len(outputs))) if reverse else range(len(outputs)):
        carry, outputs[t] = body(carry, tuple(a[t] for a in steps))
    return carry, tuple(torch.stack(parts) for parts in zip(*outputs, strict=True))


def compiled(method):
    """Runs a method of a Keras model without recording gradients (PyTorch stays eager)."""

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        args, kwargs = keras.tree.map_structure(
            lambda a: keras.ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a,
            (args, kwargs),
        )
        with torch.no_grad():
            return method(self, *args, **kwargs)

    return wrapper


def compiled_loops(method):
    """Records a method once per kind of arguments and replays the operations: loops unrolled.

    Eager Keras operations take several times as long as what they call.
    """

    @functools.wraps(method)
    def wrapper(self, *args):
        flat, structure = tree.tree_flatten(args)
        flat = [keras.ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a for a in flat]
        tensors = [a for a in flat if isinstance(a, torch.Tensor)]
        key = (method.__qualname__, structure) + tuple(
            (tuple(a.shape), a.stride(), a.dtype, a.device) if isinstance(a, torch.Tensor) else a
            for a in flat
        )
        cache = compiled_cache(self)
        if key not in cache:

            def function(*tensors):
                rest = iter(tensors)
                arguments = [next(rest) if isinstance(a, torch.Tensor) else a for a in flat]
                return method(self, *tree.tree_unflatten(arguments, structure))

            cache[key] = Program(function, tensors)
        return cache[key](*tensors)

    return wrapper


def loops_compile():
    """Never: a loop of training steps stays eager."""
    return False
