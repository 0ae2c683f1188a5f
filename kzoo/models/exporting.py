"""Writing models to files: `model.save`, and `model.export` for other programs.

`backend.EXPORTS` says which formats each backend writes; `docs/guide/presets.md` has the measured
differences. A file computes one function of the model, one of `exports()`. The file of a CFGGAN
contains its gradients, and takes mini-batches of its own size; LiteRT and PyTorch's exporters
cannot write gradients.
"""

import importlib.util

import keras
import numpy as np

from kzoo import backend
from kzoo.checks import check_name, check_optional_int
from kzoo.paths import SUFFIXES, check_path, check_writable

#: The formats whose exporters demand the names of `SUFFIXES`.
_STRICT = ("litert", "torch")


class Forward(keras.Model):
    """A function of a model's inputs, as a model of one input or of a list of them.

    Args:
        model: whose weights the function uses.
        function: of as many tensors as the model has inputs.
    """

    def __init__(self, model, function):
        super().__init__(name=model.name)
        # Its parts and not the model itself, whose own inputs TensorFlow would look into.
        for i, part in enumerate(model.layers):
            setattr(self, f"part_{i}", part)  # each an attribute, as PyTorch finds them
        of_parts = {id(v) for part in model.layers for v in part.variables}
        for i, variable in enumerate(v for v in model.variables if id(v) not in of_parts):
            setattr(self, f"variable_{i}", variable)
        self.function = function
        self.built = True

    def call(self, inputs):
        inputs = inputs if isinstance(inputs, list | tuple) else [inputs]
        return self.function(*inputs)


class Exporting:
    """`save` and `export` of a model that knows what it takes (a mixin before `keras.Model`)."""

    #: What `call` takes before the conditions: `("images",)`, `("latents",)` or `()`.
    called_on = ("images",)

    def input_specs(self):
        """What `call` takes, a list of `keras.InputSpec`: images or latents, then conditions."""
        specs = {"images": self.images_spec, "latents": self.latents_spec}
        return [*(specs[name]() for name in self.called_on), *self.condition_specs()]

    def images_spec(self):
        """Images, floats (n, h, w, c) in [-1, 1]."""
        return keras.InputSpec("float32", (None, *self.image_shape), name="images")

    def latents_spec(self):
        """Latents (n, latent_dim)."""
        return keras.InputSpec("float32", (None, self.latent_dim), name="latents")

    def condition_specs(self):
        """The conditions, by their names."""
        specs = [(condition.name, condition.input_spec()) for condition in self.conditioned_on]
        return [keras.InputSpec(spec.dtype, spec.shape, name=name) for name, spec in specs]

    def exported_call(self, *inputs):
        """What an exported model computes: `call`, unless a subclass says otherwise."""
        return self(*inputs)

    def exports(self):
        """What `export` can write: `{name: (function of tensors, list of `keras.InputSpec`)}`."""
        return {"call": (self.exported_call, self.input_specs())}

    def export(
        self,
        filepath,
        format="tf_saved_model",
        verbose=None,
        input_signature=None,
        function="call",
        batch_size=None,
        half_precision=False,
        **kwargs,
    ):
        """Writes a function of the model for other programs, by `keras.Model.export`.

        Args:
            filepath: of the file; of a folder for `"tf_saved_model"`.
            format: `"tf_saved_model"`, `"onnx"`, `"litert"` or `"torch"`, one that the backend
                writes.
            verbose: whether to print what was written.
            input_signature: in place of what `exports()` says; of a function of several inputs, a
                list that holds the list of them.
            function: a name in `exports()`: `"call"`, or another function of the model, such as
                `"encode"` and `"decode"` of a VAE, `"start"` and `"step"` of a CFGGAN.
            batch_size: how many examples the file takes at a time. `None`: any number where the
                backend can (PyTorch: 1), and `batch_size` of a CFGGAN.
            half_precision: whether an ONNX file stores its weights in float16, which halves its
                size. It still computes in float32.
            **kwargs: of the format, as in `keras.Model.export`.

        Raises:
            ValueError: if the backend does not write the format, there is no such function, or
                `half_precision` is asked of another format.
            ImportError: if the package that writes the format is missing.
            RuntimeError: on PyTorch, if gradients are a part of the function.
        """
        check_format(format, half_precision)
        exports = self.exports()
        check_name("function", function, exports)
        filepath = check_path("filepath", filepath)
        check_writable(filepath.parent)
        if format in _STRICT and filepath.suffix != SUFFIXES[format]:
            raise ValueError(
                f"format={format!r} takes the name of a {SUFFIXES[format]} file, got "
                f"{str(filepath)!r}."
            )
        check_optional_int("batch_size", batch_size)
        function, specs = exports[function]
        if input_signature is None:
            size = batch_size or self.fixed_batch or backend.EXPORTED_BATCH
            specs = [sized(spec, size) for spec in specs]
            input_signature = specs if len(specs) == 1 else [specs]
        with self.with_state(), backend.exporting(format):
            Forward(self, function).export(
                str(filepath), format, verbose, input_signature, **kwargs
            )
        if half_precision:
            halve_weights(filepath)

    def save(self, filepath, *args, **kwargs):
        """Saves the model with its optimizers, as `keras.Model.save`.

        Raises:
            ValueError: for a file of Keras's old format, `.h5`, which cannot hold these models.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                f"{type(self).__name__}.save() expects the name of a .keras file, got "
                f"{str(filepath)!r}. save_weights() writes files that end in .weights.h5."
            )
        super().save(filepath, *args, **kwargs)


def check_format(format, half_precision=False):
    """Checks that the backend writes files of a format, with weights in float16 or not.

    Raises:
        ValueError, ImportError: as `export`.
    """
    check_name("format", format, backend.EXPORTS)
    if half_precision and format != "onnx":
        raise ValueError(f"half_precision is for ONNX files, got format={format!r}.")
    missing = missing_packages(format)
    if missing:
        raise ImportError(
            f"format={format!r} needs {' and '.join(missing)}: pip install {' '.join(missing)}"
        )


def missing_packages(format):
    """The packages that are needed to write a format and are not installed."""
    needed = [*(["onnx"] if format == "onnx" else []), backend.EXPORTS[format]]
    return [name for name in needed if importlib.util.find_spec(name) is None]


def sized(spec, batch_size):
    """A `keras.InputSpec` for batches of a size, or any size (`None`)."""
    rows = bool(spec.shape) and spec.shape[0] is None
    shape = (batch_size, *spec.shape[1:]) if rows else spec.shape
    return keras.InputSpec(spec.dtype, shape, name=spec.name)


def halve_weights(filepath):
    """Has an ONNX file keep its float32 weights in float16; each is cast back before its use."""
    import onnx

    model = onnx.load(filepath)
    graph, casts = model.graph, []
    for i, weights in enumerate(graph.initializer):
        values = onnx.numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < 16:
            continue
        name, half = weights.name, f"{weights.name}_half"
        graph.initializer[i].CopyFrom(onnx.numpy_helper.from_array(values.astype("float16"), half))
        to = onnx.TensorProto.FLOAT
        casts.append(onnx.helper.make_node("Cast", [half], [name], to=to))
    for node in reversed(casts):
        graph.node.insert(0, node)
    onnx.save(model, filepath)
