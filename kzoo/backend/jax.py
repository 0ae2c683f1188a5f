"""JAX: pure functions around stateful-looking code. `kzoo.backend.tensorflow` documents the API.

Keras code on JAX stays free of side effects inside a `keras.StatelessScope`, which holds the
current values of the variables. Whatever JAX transforms here (a gradient, a loop's body, a
compiled method) runs in a scope of its own that starts from the values of the scope around it,
and what it assigns is handed back to that scope. Losses that layers add are collected in the scope
of the call, and are to be read there: `value_and_grad` hands none on.

One name here is private, because Keras has no public way to ask for the scope around:
`keras.src.backend.common.stateless_scope.get_stateless_scope`.
"""

import contextlib
import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend.common.stateless_scope import get_stateless_scope

from kzoo.backend import common, fast
from kzoo.backend.common import program_of, split_aux
from kzoo.backend.fast import strided

#: The formats of `model.export`, and the package that writes each.
EXPORTS = {"tf_saved_model": "tensorflow", "onnx": "jax2onnx"}
#: How many examples an exported program takes at a time: `None` for any number.
EXPORTED_BATCH = None


class _Scope(keras.StatelessScope):
    """A `StatelessScope` that knows its variables, not only their values."""

    def __init__(self, variables=(), values=()):
        super().__init__(collect_losses=True, initialize_variables=False)
        parent = get_stateless_scope()
        if parent is not None:
            self.state_mapping.update(parent.state_mapping)
        self.known = dict(getattr(parent, "known", {}))  # id -> variable
        self.updated = {}  # id -> variable, in the order of the first assignment
        for variable, value in zip(variables, values, strict=True):
            self.known[id(variable)] = variable
            self.state_mapping[id(variable)] = value

    def add_update(self, update):
        variable, _ = update
        self.known[id(variable)] = variable
        self.updated[id(variable)] = variable
        super().add_update(update)

    def updates(self):
        """The values of the variables assigned in this scope, in the order of `updated`."""
        return [self.state_mapping[key] for key in self.updated]


def _assign(variables, values):
    """Assigns in the scope around, or for good where there is none."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def value_and_grad(fn, variables):
    """The value of a loss and its gradients with respect to variables."""
    updated = []

    def loss_of(values):
        with _Scope(variables, values) as scope:
            loss, aux = split_aux(fn())
        updated[:] = scope.updated.values()
        return loss, (aux, scope.updates())

    values = [jnp.asarray(variable.value) for variable in variables]
    (loss, (aux, updates)), gradients = jax.value_and_grad(loss_of, has_aux=True)(values)
    _assign(updated, updates)
    return (loss, aux), gradients


def apply_gradients(optimizer, gradients, variables, scaler=None):
    """One step of a Keras optimizer."""
    optimizer, scaler = common.split_scale(optimizer, scaler)
    if scaler is None:
        optimizer.apply(gradients, variables)
        return
    # Not `LossScaleOptimizer.apply`: it assigns inside of a branch, which JAX does not allow.
    gradients, finite = common.unscaled(gradients, scaler)
    with _Scope() as scope:
        optimizer.apply(gradients, variables)
    for variable, value in zip(scope.updated.values(), scope.updates(), strict=True):
        variable.assign(jnp.where(finite, value, variable.value))
    common.update_scale(scaler, finite)


def replica():
    """One program sees the whole batch, wherever its parts are."""
    return 0, 1


def replica_mean(x):
    """A mean over the batch is already one over all devices."""
    return x


def input_gradient(fn, x):
    """The value of a function and the gradient of its sum with respect to its input."""
    updated = []

    def sum_of(x):
        with _Scope() as scope:
            value = fn(x)
        updated[:] = scope.updated.values()
        return jnp.sum(value), (value, scope.updates())

    gradient, (value, updates) = jax.grad(sum_of, has_aux=True)(jnp.asarray(x))
    _assign(updated, updates)
    return value, gradient


def _is_traced(scope, *trees):
    values = list(scope.state_mapping.values()) if scope is not None else []
    leaves = values + jax.tree_util.tree_leaves(trees)
    return any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)


def convolution(x, kernel, strides):
    """Convolves x (b, h, w, c) with kernel (k, k, c, f) and k // 2 zeros on every side."""
    return (strided if _is_slow(strides) else common).convolution(x, kernel, strides)


def transposed_convolution(x, kernel, strides):
    """The transpose of `convolution`: x (b, h, w, c) to (b, h strides, w strides, f)."""
    return (strided if _is_slow(strides) else common).transposed_convolution(x, kernel, strides)


def _is_slow(strides):
    return strides > 1 and jax.default_backend() == "cpu" and fast.uses("strided_convolutions")


def repeat(n, body, carry):
    """Runs `carry = body(i, carry)`: one loop in a traced program, a Python loop outside of one."""
    scope = get_stateless_scope()
    if common.exported_format() or not _is_traced(scope, n, carry):
        for i in range(int(n)):
            carry = body(i, carry)
        return carry

    variables = list(scope.known.values()) if isinstance(scope, _Scope) else []
    carry = jax.tree.map(jnp.asarray, carry)

    def step(i, state):
        carry, values = state
        with _Scope(variables, values) as inner:
            new = body(i, carry)
        # Keeps dtypes (a weak type must not turn strong), as a loop's carry has to.
        new = jax.tree.map(lambda a, old: jnp.asarray(a, old.dtype), new, carry)
        return new, [inner.get_current_value(variable) for variable in variables]

    values = [jnp.asarray(variable.value) for variable in variables]
    carry, values = jax.lax.fori_loop(0, n, step, (carry, values))
    _assign(variables, values)
    return carry


def map_batches(function, x, size, start=0, beside=(), in_turn=False):
    """Applies a function to batches of x (n, ...), in place of which come what it returns."""

    def one(i, x):
        first = (start + i) * size
        parts = [jax.lax.dynamic_slice_in_dim(a, first, size) for a in (x, *beside)]
        return jax.lax.dynamic_update_slice_in_dim(x, function(*parts), first, 0)

    return repeat(x.shape[0] // size - start, one, x)


def row(variable, index):
    """`variable[index]`."""
    return variable.value[index]


def assign_row(variable, index, value):
    """Assigns `value` to `variable[index]`."""
    variable.assign(variable.value.at[index].set(value))


def scan(body, carry, steps, reverse=False):
    """Runs `carry, output = body(carry, step)` along the first axis of `steps`: `lax.scan`."""
    return jax.lax.scan(body, carry, steps, reverse=reverse)


def compiled(method):
    """Makes a method of a Keras model one compiled program, or part of the one it is called in."""

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        scope = get_stateless_scope()
        if _is_traced(scope, args, kwargs) or not (scope is None or isinstance(scope, _Scope)):
            return method(self, *args, **kwargs)
        variables = _variables(self) if scope is None else list(scope.known.values())
        arguments, structure = jax.tree_util.tree_flatten((args, kwargs))
        traced = [isinstance(a, jax.Array | np.ndarray) for a in arguments]
        static = tuple(None if is_array else a for a, is_array in zip(arguments, traced))
        key = (method.__qualname__, structure, static, tuple(traced), tuple(map(id, variables)))

        def make():
            return _jit(functools.partial(method, self), variables, structure, static, traced)

        values = [jnp.asarray(variable.value) for variable in variables]
        arrays = [a for a, is_array in zip(arguments, traced) if is_array]
        output, updated, updates = program_of(self, key, make)(values, arrays)
        _assign(updated, updates)
        return output

    return wrapper


compiled_loops = compiled


def _variables(model):
    optimizer = getattr(model, "optimizer", None)
    return list(model.variables) + (list(optimizer.variables) if optimizer is not None else [])


def _jit(function, variables, structure, static, traced):
    """Compiles `function`; returns `(values, arrays) -> (output, updated variables, values)`."""
    updated = []

    @jax.jit
    def program(values, arrays):
        arrays = iter(arrays)
        arguments = [
            next(arrays) if is_array else a for a, is_array in zip(static, traced, strict=True)
        ]
        args, kwargs = jax.tree_util.tree_unflatten(structure, arguments)
        with _Scope(variables, values) as scope:
            output = function(*args, **kwargs)
        updated[:] = scope.updated.values()
        return output, scope.updates()

    def run(values, arrays):
        output, updates = program(values, arrays)
        return output, updated, updates

    return run


def devices():
    """The names of what Keras can compute on."""
    return list(keras.distribution.list_devices())


def loops_compile():
    """Whether a `train_step` made of long loops should be compiled by XLA as a whole.

    Not on a CPU, where XLA runs a convolution inside a loop about 20 times slower: there the
    loops run in Python and call the compiled methods of the model.
    """
    return jax.default_backend() != "cpu"


class StepTrainer:
    """Runs `_train(data) -> logs` and `_test(data) -> logs` under `fit` and `evaluate`."""

    def train_step(self, state, data):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return _run_step(self._train, groups, state, data)

    def test_step(self, state, data):
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        return _run_step(self._test, groups, state, data)

    def fit(self, *args, **kwargs):
        history = super().fit(*args, **kwargs)
        # At the end of fit Keras writes an optimizer's averaged weights into the model, and both
        # then share one buffer, which the next donating step would delete for the optimizer.
        for variable in self.optimizer.variables:
            variable.assign(jnp.copy(variable.value))
        return history

    @contextlib.contextmanager
    def with_state(self):
        """Writes the state that a running `fit` holds back into the variables.

        Keras takes it out of them while a step runs. So another thread waits until `fit` ends.
        """
        with self.one_thread:
            self.jax_state_sync()
            yield


class KerasTrainer:
    """Keras's own `train_step` is one step of all devices already."""


def _run_step(step, groups, state, data):
    variables = [variable for group in groups for variable in group]
    values = [value for group in state for value in group]
    with _Scope(variables, values) as scope:
        logs = step(data)
    new_state = tuple([scope.get_current_value(v) for v in group] for group in groups)
    return logs, new_state
