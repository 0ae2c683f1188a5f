"""Recorded programs of PyTorch operations that are replayed in memory set aside for them.

A small operation costs PyTorch more to prepare than to compute. A program is recorded once, as the
calls that a function makes; replaying it leaves out Keras, the views of tensors, which stay valid,
and the allocation of results, which have their places.
"""

import collections
import functools
import threading

import keras
import numpy as np
import torch
from torch.utils import _pytree as tree
from torch.utils._python_dispatch import TorchDispatchMode

from kzoo.backend.common import program_of

_PRODUCTS = (torch.ops.aten.mm.default, torch.ops.aten.matmul.default)
_COPIES = ("clone", "_to_copy", "lift_fresh_copy")


def replayed(method):
    """Records a method once per kind of arguments and replays the operations: loops unrolled."""

    @functools.wraps(method)
    def wrapper(self, *args):
        flat, structure = tree.tree_flatten(args)
        flat = [keras.ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a for a in flat]
        tensors = [a for a in flat if isinstance(a, torch.Tensor)]
        # As text: a structure of PyTorch 2.6 has no hash.
        key = (method.__qualname__, repr(structure)) + tuple(
            (tuple(a.shape), a.stride(), a.dtype, a.device) if isinstance(a, torch.Tensor) else a
            for a in flat
        )

        def function(*tensors):
            rest = iter(tensors)
            arguments = [next(rest) if isinstance(a, torch.Tensor) else a for a in flat]
            return method(self, *tree.tree_unflatten(arguments, structure))

        return program_of(self, key, lambda: Program(function, tensors))(*tensors)

    return wrapper


class Program:
    """The operations that a function runs on tensors of the same shapes, without gradients.

    One thread at a time replays it: its memory is its own.

    Args:
        function: of tensors, returns a nest of tensors. What it does must not depend on values.
        inputs: list of tensors, for which it is recorded.
    """

    def __init__(self, function, inputs):
        self.lock = threading.Lock()
        with torch.inference_mode():
            # Copies: a tensor given twice has two places.
            self.inputs = [a.clone() for a in inputs]
            with _Recorder(self.inputs) as recorder:
                outputs = function(*self.inputs)
            calls = _with_sums_of_products(recorder.calls)
            places = _Places(calls, outputs)
            self.outputs = tree.tree_map_only(torch.Tensor, places.of, outputs)
            self.steps = []
            for call in places.needed:
                if not call.is_view:
                    args, kwargs, result = tree.tree_map_only(
                        torch.Tensor, places.of, (call.args, call.kwargs, call.result)
                    )
                    self.steps.append(_step(call.op, args, kwargs, result))

    def __call__(self, *inputs):
        """What the function gives for the tensors."""
        with self.lock, torch.inference_mode():
            for place, value in zip(self.inputs, inputs, strict=True):
                place.copy_(value)
            for step, args, kwargs in self.steps:
                step(*args, **kwargs)
            outputs = tree.tree_map_only(torch.Tensor, torch.clone, self.outputs)
        return outputs


class _Call:
    """An operation, what it was called with, and what it gave."""

    def __init__(self, op, args, kwargs, result):
        self.op = op
        self.args = args
        self.kwargs = kwargs
        self.result = result
        self.writes = op._schema.is_mutable
        self.read = {_storage(a) for a in _tensors((args, kwargs))}
        self.given = {_storage(a) for a in _tensors(result)}
        self.is_view = not self.writes and self.given <= self.read
        self.is_copy = op is torch.ops.aten.clone.default and _layout(args[0]) == _layout(result)


class _Recorder(TorchDispatchMode):
    """Keeps the calls, and their tensors, so that no two of these share an address."""

    def __init__(self, inputs):
        super().__init__()
        self.calls = []
        self.varying = {_storage(a) for a in inputs}  # and what depends on them

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        call = _Call(op, args, kwargs or {}, op(*args, **(kwargs or {})))
        if call.read & self.varying:
            if not call.given:
                raise TypeError(f"A compiled loop must not depend on values; it calls {op}.")
            self.varying |= call.given
        if call.given:
            self.calls.append(call)
        return call.result


class _Places:
    """Memory for the results of calls: what is no longer needed is used again.

    Args:
        calls: list of `_Call`, of a whole program.
        outputs: nest of the tensors that the program gives.

    Attributes:
        needed: the calls that remain. A copy of what is not needed after it takes its place.
    """

    def __init__(self, calls, outputs):
        last = {}
        for i, call in enumerate(calls):
            last.update(dict.fromkeys(call.read | call.given, i))
        last.update(dict.fromkeys(map(_storage, _tensors(outputs)), len(calls)))
        self.storages = {}
        self.tensors = {}
        self.needed = []
        free = collections.defaultdict(list)
        for i, call in enumerate(calls):
            over = {s for s in call.read | call.given if last[s] == i}
            if call.is_copy and call.read <= over & set(self.storages):
                (source,), (target,) = call.read, call.given
                self.storages[target] = self.storages[source]
                over -= call.read
            else:
                self.needed.append(call)
            for tensor in _tensors(call.result):
                storage = _storage(tensor)
                if storage not in self.storages and storage not in call.read:
                    size, device = tensor.untyped_storage().nbytes(), tensor.device
                    if not free[size, device]:
                        free[size, device].append(torch.UntypedStorage(size, device=device))
                    self.storages[storage] = free[size, device].pop()
            for storage in over & set(self.storages):
                place = self.storages[storage]
                free[place.nbytes(), place.device].append(place)

    def of(self, tensor):
        """The tensor in its place; itself, if no call made it."""
        place = self.storages.get(_storage(tensor))
        if place is None:
            return tensor
        key = (_storage(tensor), tensor.dtype, *_layout(tensor)[:3])
        if key not in self.tensors:
            empty = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
            self.tensors[key] = empty.set_(place, *key[2:])
        return self.tensors[key]


def _with_sums_of_products(calls):
    """The calls with `a @ b + c` in one operation where nothing else wants the product."""
    uses = collections.Counter(storage for call in calls for storage in call.read)
    result, product = [], None
    for call in calls:
        if product is not None and _adds(call, product.result, uses):
            result.remove(product)
            a, b = product.args
            x, y = call.args
            bias = y if _storage(x) == _storage(product.result) else x
            call = _Call(torch.ops.aten.addmm.default, (bias, a, b), {}, call.result)
        if call.op in _PRODUCTS and [a.dim() for a in call.args] == [2, 2]:
            product = call
        elif not call.is_view:
            product = None
        result.append(call)
    return result


def _adds(call, product, uses):
    """Whether a call adds a tensor to a product that has no other use, and keeps its shape."""
    if call.op is not torch.ops.aten.add.Tensor or call.kwargs or len(_tensors(call.args)) != 2:
        return False
    if _storage(product) not in call.read or uses[_storage(product)] != 1:
        return False
    return call.result.shape == product.shape and {a.dtype for a in call.args} == {product.dtype}


def _step(op, args, kwargs, result):
    """`(function, args, kwargs)` that runs an operation and leaves its result in its place."""

    def copied(*args, **kwargs):
        for place, value in zip(_tensors(result), _tensors(op(*args, **kwargs)), strict=True):
            place.copy_(value)

    name = op._schema.name.rpartition(":")[2]
    into = {**kwargs, "out": result}
    if op._schema.is_mutable:
        choices = [(getattr(torch.Tensor, name, op), args, kwargs)]
    elif name in _COPIES:
        choices = [(torch.Tensor.copy_, (result, args[0]), {})]
    elif name == "relu":
        choices = [(torch.clamp_min, (*args, 0), into)]
    else:
        # A function of torch takes half the time of one of torch.ops.
        choices = [(f, args, into) for f in (getattr(torch, name, None), *_with_out(op)) if f]
    for step in (*choices, (copied, args, kwargs)):
        function, positional, named = step
        try:
            function(*positional, **named)
            return step
        except (TypeError, RuntimeError):  # it takes other arguments, or has no `out`
            continue
    raise ValueError(f"{op} cannot be replayed.")


def _with_out(op):
    """The operation's overloads that write to `out`."""
    packet = op.overloadpacket
    overloads = (getattr(packet, name) for name in packet.overloads())
    return [o for o in overloads if [a.name for a in o._schema.arguments if a.is_out] == ["out"]]


def _storage(tensor):
    return tensor.untyped_storage().data_ptr()


def _layout(tensor):
    size = tensor.untyped_storage().nbytes()
    return tensor.storage_offset(), tensor.shape, tensor.stride(), size


def _tensors(nest):
    return [a for a in tree.tree_leaves(nest) if isinstance(a, torch.Tensor)]
