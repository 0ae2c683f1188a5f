"""PyTorch: autograd and eager loops. `kzoo.backend.tensorflow` documents the functions."""

import functools

import keras
import numpy as np
import torch

from kzoo.backend.common import split_aux, without_strides

# Features of an image for which a CPU is faster without strides: oneDNN wants 8 or more.
_FEW = 4


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


def convolution(x, kernel, strides):
    """Convolves x (b, h, w, c) with kernel (k, k, c, f) and k // 2 zeros on every side."""
    before = after = kernel.shape[0] // 2
    if kernel.shape[0] == strides == 1:
        return x @ kernel[0, 0]
    if strides > 1 and x.shape[-1] <= _FEW and x.device.type == "cpu":
        x, kernel, before, after = without_strides(x, kernel, strides)
        strides = 1
    if before != after:
        x = torch.nn.functional.pad(x, (0, 0, before - after, 0, before - after, 0))
    outputs = torch.nn.functional.conv2d(
        x.movedim(-1, 1), kernel.permute(3, 2, 0, 1), stride=strides, padding=after
    )
    return outputs.movedim(1, -1)


def transposed_convolution(x, kernel, strides):
    """The transpose of `convolution`: x (b, h, w, c) to (b, h strides, w strides, f)."""
    outputs = torch.nn.functional.conv_transpose2d(
        x.movedim(-1, 1),
        kernel.permute(3, 2, 0, 1),
        stride=strides,
        padding=kernel.shape[0] // 2,
        output_padding=strides - 1,
    )
    return outputs.movedim(1, -1)


def repeat(n, body, carry):
    """Runs `carry = body(i, carry)` for i = 0 .. n-1."""
    for i in range(int(n)):
        carry = body(i, carry)
    return carry


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


def loops_compile():
    """Never: a loop of training steps stays eager."""
    return False


class StepTrainer:
    """Runs `_train(data) -> logs` and `_test(data) -> logs` under `fit` and `evaluate`."""

    def train_step(self, data):
        # Only value_and_grad and input_gradient record gradients.
        with torch.no_grad():
            return self._train(data)

    def test_step(self, data):
        with torch.no_grad():
            return self._test(data)

    def sync_state(self):
        """Nothing to do: `fit` works on the variables themselves."""
