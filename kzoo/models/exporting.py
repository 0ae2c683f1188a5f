"""Writing models for other programs: `model.export`, by Keras's exporters.

| format | TensorFlow | JAX | PyTorch |
|---|---|---|---|
| `"tf_saved_model"` | yes | with TensorFlow installed | by Keras, not tried |
| `"onnx"` | with tf2onnx | with jax2onnx, not tried | GAN and VAE, with onnxscript |
| `"litert"` | yes | not tried | with litert-torch, not tried |
| `"torch"` | - | - | all but CFGGAN, for one example at a time |

A CFGGAN is written as G_T, its T gradients included, for mini-batches of its own size. On PyTorch a
model whose class has weights of its own beside its networks (pixel models, CFGGAN) is not
written as ONNX. `input_signature` chooses other sizes.
"""

import keras


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
    """`export` of a model that knows what it takes (a mixin before `keras.Model`)."""

    def input_specs(self):
        """What `call` takes, a list of `keras.InputSpec`: images in [-1, 1], then conditions."""
        images = keras.InputSpec(shape=(None, *self.image_shape), dtype="float32")
        return [images, *(condition.input_spec() for condition in self.conditioned_on)]

    def exported_call(self, *inputs):
        """What an exported model computes: `call`, unless a subclass says otherwise."""
        return self(*inputs)

    def export(
        self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **kwargs
    ):
        """Writes what `exported_call` computes for other programs: `keras.Model.export`.

        Args:
            filepath: of the artifact.
            format: `"tf_saved_model"`, `"onnx"`, `"litert"`, `"torch"` or `"openvino"`, where the
                backend has it.
            verbose: whether to say what was written.
            input_signature: of a model with several inputs, a list that holds the list of them; by
                default that of `input_specs()`.
            **kwargs: of the format.
        """
        if input_signature is None:
            specs = [
                keras.InputSpec(shape=(self.fixed_batch, *spec.shape[1:]), dtype=spec.dtype)
                for spec in self.input_specs()
            ]
            input_signature = specs if len(specs) == 1 else [specs]
        self.sync_state()
        Forward(self, self.exported_call).export(
            filepath, format, verbose, input_signature, **kwargs
        )
