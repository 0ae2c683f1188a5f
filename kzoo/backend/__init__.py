"""The one place where kzoo touches a backend.

Keras 3 hides TensorFlow, JAX and PyTorch behind `keras.ops`. But it has no gradients and few loops,
and each backend has a `train_step` of its own; generative models need all three. So each backend
has one file here, with functions of the same names:

Gradients and steps

* `value_and_grad(fn, variables)` calls a loss function and returns its gradients with respect to
  the variables, for an optimizer.
* `input_gradient(fn, x)` returns the gradient with respect to the input, such as that of a critic
  at an image. It may be called inside of `value_and_grad`.
* `apply_gradients(optimizer, gradients, variables, scaler)` makes one step of a Keras optimizer.
  It handles loss scaling (float16) and batches that are spread over several devices.
* `weight_averages(optimizer)` gives the averages that an optimizer with `use_ema=True` keeps.
* `portable(config)` is the config of an optimizer, without the backend's own class.

Loops

* `repeat(n, body, carry)` runs `carry = body(i, carry)` n times. Inside of a compiled program it is
  a loop, and not n copies of its body.
* `scan(body, carry, steps)` runs along a sequence and keeps what every step gives, like an RNN.
* `map_batches(function, x, size)` runs a function on one batch of a long array after the other.
* `row(variable, index)`, `assign_row(variable, index, value)` read and write one row of a variable
  without a copy of the others.

Convolutions

* `convolution(x, kernel, strides)`, `transposed_convolution(x, kernel, strides)` pad an image by
  the same zeros on all sides, which Keras's "same" padding does not do.

Compiled programs

* `compiled` is a decorator: the method of a model becomes one program of the backend. Any number of
  threads may call it.
* `compiled_loops` is the same for long loops over small operations, such as drawing pixels.
* `loops_compile()` says whether XLA should compile a whole training update made of long loops.
* `devices()` names the processors that there are.

Several devices

* `replica()` is `(index, count)` of the replica that sees a part of the batch, under
  `tf.distribute` and `torch.distributed`. On JAX there is one program for all devices.
* `random_rows(draw, shape)` draws random numbers for the examples of a batch.
* `replica_mean(x)` is the mean of a tensor over the replicas.
* `joint_losses(losses)` are those of a whole batch, of which a process of PyTorch sees a part.

Export

* `argmax(x)` is that of Keras, by operations that other runtimes have.
* `EXPORTS` and `EXPORTED_BATCH` say which files `model.export` can write. Within
  `exporting(format)` programs use only operations that other runtimes have.

Training

* `StepTrainer` is what a model inherits besides `keras.Model`: Keras's `fit` and `evaluate` call
  its `_train(data)` and `_test(data)`, which return the logs. What reads the variables does so
  `with model.with_state():`, also while `fit` runs (on JAX they are elsewhere in the meantime).
* `KerasTrainer` is what a model inherits that trains by Keras's own `train_step`, for PyTorch's
  processes to make one step together.

* `pipeline(data, shuffle)` is what `fit` gets in place of a `PyDataset`, and `own_pipelines()` says
  whether it is something else, which it is on TensorFlow.

All of this uses public names of Keras and of the backends only; `kzoo.backend.jax` names the
exception. Code that only makes kzoo faster is in `kzoo.backend.fast`, and can be switched off.

No other folder of kzoo imports a backend, and only the backend that Keras runs on is imported.
"""

import importlib

import keras

from kzoo._environment import BACKENDS
from kzoo.backend import common

if keras.backend.backend() not in BACKENDS:
    raise ImportError(
        f"kzoo runs on the Keras backends {', '.join(BACKENDS)}; "
        f"Keras is set to {keras.backend.backend()!r}. Set KERAS_BACKEND to one of them."
    )
_implementation = importlib.import_module(f"kzoo.backend.{keras.backend.backend()}")

EXPORTED_BATCH = _implementation.EXPORTED_BATCH
EXPORTS = _implementation.EXPORTS
KerasTrainer = _implementation.KerasTrainer
StepTrainer = _implementation.StepTrainer
apply_gradients = _implementation.apply_gradients
argmax = common.argmax
assign_row = _implementation.assign_row
compiled = _implementation.compiled
compiled_loops = _implementation.compiled_loops
convolution = _implementation.convolution
devices = _implementation.devices
exporting = common.exporting
input_gradient = _implementation.input_gradient
joint_losses = getattr(_implementation, "joint_losses", common.joint_losses)
loops_compile = _implementation.loops_compile
map_batches = _implementation.map_batches
own_pipelines = getattr(_implementation, "own_pipelines", common.own_pipelines)
pipeline = getattr(_implementation, "pipeline", common.pipeline)
portable = common.portable
repeat = _implementation.repeat
replica = _implementation.replica
replica_mean = _implementation.replica_mean
row = _implementation.row
scan = _implementation.scan
transposed_convolution = _implementation.transposed_convolution
value_and_grad = _implementation.value_and_grad
weight_averages = common.weight_averages


def random_rows(draw, shape, axis=0, seed=None):
    """Random numbers for the examples of a batch, of which this replica has a part.

    A replica draws those of the whole batch, from equal seeds, and takes its own. So several
    devices see the numbers that one device would see. All parts have to be equally large.

    Args:
        draw: function of a shape and `seed=`, such as `keras.random.normal`.
        shape: of this replica's part.
        axis: of the examples.
        seed: what `draw` takes as its seed.
    """
    index, count = replica()
    if count == 1:
        return draw(shape, seed=seed)
    shape = list(shape)
    starts = [index * n if i == axis else 0 for i, n in enumerate(shape)]
    whole = [count * n if i == axis else n for i, n in enumerate(shape)]
    return keras.ops.slice(draw(tuple(whole), seed=seed), starts, shape)
