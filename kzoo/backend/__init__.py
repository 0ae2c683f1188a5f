"""The one place where kzoo touches a backend.

Keras 3 hides TensorFlow, JAX and PyTorch behind `keras.ops`, except for three things that
generative models need: gradients of a loss or of a network's input, loops that stay inside
a compiled program, and a `train_step` that several optimizers share. Each backend has one
file here with the same names (two where there is much to say of training):

* `value_and_grad(fn, variables)`: a loss and its gradients with respect to variables.
* `apply_gradients(optimizer, gradients, variables)`: one step of a Keras optimizer.
* `add_to(variable, value)`: adds to a variable, in training steps.
* `input_gradient(fn, x)`: a function's value and its gradient with respect to its input.
* `batch_norm(x, gamma, beta, epsilon)`: normalization by the statistics of a batch.
* `convolution(x, kernel, strides, bias)` and `transposed_convolution`: with symmetric zero padding.
* `repeat(n, body, carry)`: `n` times `carry = body(i, carry)`, in the graph where there is one.
* `map_batches(function, x, size)`: a function of batches, which may be under way two at a time.
* `row(variable, index)` and `assign_row(variable, index, value)`: a part of a variable.
* `scan(body, carry, steps)`: a loop along the first axis of tensors, which keeps its outputs.
* `compiled`: decorator that turns a model's method into one compiled program.
* `compiled_loops`: the same for a method of long loops over small matrix products.
* `StepTrainer`: mixin that runs `_train(data)` and `_test(data)` under Keras's `fit` and
  `evaluate`.
* `weight_averages(optimizer)`: the averages that an optimizer with `use_ema=True` keeps.
* `loops_compile()`: whether a `train_step` made of long loops should go through XLA here.

No other folder of kzoo imports a backend, and only the backend that Keras runs on is imported.
"""

import keras

from kzoo.backend.common import weight_averages

_BACKENDS = ("tensorflow", "jax", "torch")

if keras.backend.backend() == "tensorflow":
    from kzoo.backend import tensorflow as _implementation
    from kzoo.backend import tensorflow_training as _training
elif keras.backend.backend() == "jax":
    from kzoo.backend import jax as _implementation

    _training = _implementation
elif keras.backend.backend() == "torch":
    from kzoo.backend import torch as _implementation
    from kzoo.backend import torch_training as _training
else:
    raise ImportError(
        f"kzoo runs on the Keras backends {', '.join(_BACKENDS)}; "
        f"Keras is set to {keras.backend.backend()!r}. Set KERAS_BACKEND to one of them."
    )

StepTrainer = _training.StepTrainer
add_to = _training.add_to
apply_gradients = _training.apply_gradients
assign_row = _implementation.assign_row
batch_norm = _implementation.batch_norm
compiled = _implementation.compiled
compiled_loops = _implementation.compiled_loops
convolution = _implementation.convolution
input_gradient = _implementation.input_gradient
loops_compile = _implementation.loops_compile
map_batches = _implementation.map_batches
repeat = _implementation.repeat
row = _implementation.row
scan = _implementation.scan
transposed_convolution = _implementation.transposed_convolution
value_and_grad = _implementation.value_and_grad

__all__ = [
    "StepTrainer",
    "add_to",
    "apply_gradients",
    "assign_row",
    "batch_norm",
    "compiled",
    "compiled_loops",
    "convolution",
    "input_gradient",
    "loops_compile",
    "map_batches",
    "repeat",
    "row",
    "scan",
    "transposed_convolution",
    "value_and_grad",
    "weight_averages",
]
