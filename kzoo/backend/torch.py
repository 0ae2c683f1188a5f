"""PyTorch: autograd and eager loops. `kzoo.backend.tensorflow` documents the functions."""

import contextlib
import functools

import keras
import numpy as np
import torch

from kzoo.backend import fast
from kzoo.backend.common import exported_format, split_aux, split_scale, unscaled, update_scale
from kzoo.backend.fast import recorded

#: The formats of `model.export`, and the package that writes each.
EXPORTS = {"onnx": "onnxscript", "torch": "torch", "litert": "litert_torch"}
#: How many examples an exported program takes at a time.
EXPORTED_BATCH = 1


def value_and_grad(fn, variables):
    """The value of a loss and its gradients with respect to variables."""
    values = [variable.value for variable in variables]
    with torch.enable_grad():
        loss, aux = split_aux(fn())
        gradients = ()
        if values:  # none of a network that is frozen
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


def apply_gradients(optimizer, gradients, variables, scaler=None):
    """One step of a Keras optimizer, along the mean of the gradients of all processes."""
    gradients = [replica_mean(gradient) for gradient in gradients]
    optimizer, scaler = split_scale(optimizer, scaler)
    if scaler is None:
        optimizer.apply(gradients, variables)
        return
    gradients, finite = unscaled(gradients, scaler)
    if finite:
        optimizer.apply(gradients, variables)
    update_scale(scaler, finite)


def replica():
    """`(index, count)` of the process, where `torch.distributed` runs several."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def replica_mean(x):
    """The mean of a tensor over the processes."""
    _, count = replica()
    if count == 1:
        return x
    x = x.detach().clone()
    torch.distributed.all_reduce(x)
    return x / count


def joint_losses(losses):
    """Losses of this process's part of a batch, `{name: scalar}`, as those of the whole batch."""
    if replica()[1] == 1:
        return losses
    means = replica_mean(torch.stack([torch.as_tensor(x) for x in losses.values()]))
    return dict(zip(losses, means, strict=True))


def input_gradient(fn, x):
    """The value of a function and the gradient of its sum with respect to its input."""
    if exported_format():
        raise RuntimeError(
            "PyTorch's exporters write no gradients: set KERAS_BACKEND=tensorflow for this one."
        )
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


def convolution(x, kernel, strides):
    """Convolves x (b, h, w, c) with kernel (k, k, c, f) and k // 2 zeros on every side.

    Not by `keras.ops`, for which the zeros are a copy of the image.
    """
    # In this layout once: otherwise oneDNN brings it there for every gradient again.
    kernel = kernel.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    padding = kernel.shape[-1] // 2
    outputs = torch.nn.functional.conv2d(x.movedim(-1, 1), kernel, stride=strides, padding=padding)
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


def map_batches(function, x, size, start=0, beside=(), in_turn=False):
    """Applies a function to batches of x and joins what it returns."""
    parts = x.split(size)
    start = int(start)
    todo = [a.split(size)[start:] for a in (x, *beside)]
    return torch.cat([*parts[:start], *map(function, *todo)])


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
    """`compiled` for long loops over small operations, which may be recorded and replayed."""
    plain, replayed = compiled(method), recorded.replayed(method)

    @functools.wraps(method)
    def wrapper(self, *args):
        return (replayed if fast.uses("recorded_loops") else plain)(self, *args)

    return wrapper


def devices():
    """The names of what Keras can compute on."""
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]


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

    def with_state(self):
        """Nothing to do: `fit` works on the variables themselves."""
        return contextlib.nullcontext()


class KerasTrainer:
    """Keras's own `train_step`, along the mean of the gradients of all processes."""

    def train_step(self, data):
        hooks = []
        if replica()[1] > 1:
            values = [variable.value for variable in self.trainable_variables]
            hooks = [x.register_post_accumulate_grad_hook(_average_gradient) for x in values]
        try:
            return super().train_step(data)
        finally:
            for hook in hooks:
                hook.remove()


def _average_gradient(x):
    x.grad = replica_mean(x.grad)
