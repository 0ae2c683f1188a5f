"""PyTorch: `kzoo.backend.tensorflow_training` documents the functions."""

import functools
import math

import keras
import torch

from kzoo.backend.common import in_turn, replaced

_ADAM, _RMSPROP = type(keras.optimizers.Adam()), type(keras.optimizers.RMSprop())


def apply_gradients(optimizer, gradients, variables):
    """`optimizer.apply`, on a CPU with fewer passes over the weights for Adam and RMSprop.

    Keras makes some ten passes, each over all weights.
    """
    step = None
    if variables[0].value.is_cpu:
        if type(optimizer) is _ADAM and not optimizer.amsgrad:
            step = _adam
        elif type(optimizer) is _RMSPROP and not (optimizer.momentum or optimizer.centered):
            step = _rmsprop
    if step is None:
        optimizer.apply(gradients, variables)
        return
    with replaced(optimizer, "_parallel_update_step", functools.partial(step, optimizer)):
        optimizer.apply(gradients, variables)


def _adam(optimizer, gradients, variables, learning_rate):
    if any(a.dtype != torch.float32 for a in (*gradients, *(v.value for v in variables))):
        _ADAM._parallel_update_step(optimizer, gradients, variables, learning_rate)
        return
    indices = [optimizer._get_variable_index(variable) for variable in variables]
    for variable in variables:
        # The fused step walks through memory, so weights, gradients and moments have to lie there
        # alike. Keras's orthogonal initializer makes weights that are transposed in memory.
        if not variable.value.is_contiguous():
            variable.value.data = variable.value.data.contiguous()
    step = float(optimizer.iterations.value) + 1.0
    # PyTorch adds epsilon to the unbiased root of the second moment, Keras to the biased one.
    epsilon = optimizer.epsilon / math.sqrt(1.0 - optimizer.beta_2**step)
    torch._fused_adam_(
        [variable.value for variable in variables],
        [gradient.contiguous() for gradient in gradients],
        [optimizer._momentums[index].value for index in indices],
        [optimizer._velocities[index].value for index in indices],
        [],
        [torch.tensor(step)] * len(variables),
        lr=float(learning_rate),
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        weight_decay=0.0,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )


def _rmsprop(optimizer, gradients, variables, learning_rate):
    rate, rho = float(learning_rate), optimizer.rho
    for variable, gradient in zip(variables, gradients, strict=True):
        velocity = optimizer._velocities[optimizer._get_variable_index(variable)].value
        velocity.mul_(rho).addcmul_(gradient, gradient, value=1.0 - rho)
        variable.value.addcdiv_(gradient, (velocity + optimizer.epsilon).sqrt_(), value=-rate)


def add_to(variable, value):
    """Adds a tensor or a number to a `keras.Variable`, past Keras's conversions."""
    variable.value.add_(value)


class StepTrainer:
    """Runs `_train(data) -> logs` and `_test(data) -> logs` under `fit` and `evaluate`."""

    def train_step(self, data):
        # Only value_and_grad and input_gradient record gradients.
        with torch.no_grad():
            return self._train(data)

    def test_step(self, data):
        with torch.no_grad():
            return self._test(data)

    def fit(self, *args, callbacks=None, **kwargs):
        """`keras.Model.fit`, which on a CPU has no other thread call the callbacks."""
        callbacks = in_turn(callbacks, torch.cuda.is_available())
        return super().fit(*args, callbacks=callbacks, **kwargs)

    def evaluate(self, *args, callbacks=None, **kwargs):
        """`keras.Model.evaluate`, which on a CPU has no other thread call the callbacks."""
        callbacks = in_turn(callbacks, torch.cuda.is_available())
        return super().evaluate(*args, callbacks=callbacks, **kwargs)

    def sync_state(self):
        """Nothing to do: `fit` works on the variables themselves."""
