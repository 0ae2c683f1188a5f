"""A smooth transition from one layer's outputs to another's."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class Fade(keras.layers.Layer):
    """(1 - alpha) old + alpha new, alpha a weight that is not trained and starts at 0.

    Karras, Aila, Laine, Lehtinen 2018, "Progressive growing of GANs", arXiv:1710.10196, section 2
    and figure 2: new layers come into a trained network smoothly, as alpha rises from 0 to 1.

    Input shape: a list of two equal shapes, those of old and new.
    Output shape: the same shape, once.

    Example:

    ```python
    fade = kzoo.layers.Fade()
    x = fade([old, new])       # old
    fade.alpha.assign(1.0)
    x = fade([old, new])       # new
    ```
    """

    def build(self, input_shape):
        if len(input_shape) != 2 or tuple(input_shape[0]) != tuple(input_shape[1]):
            raise ValueError(f"Fade needs a list of two inputs of equal shape, got {input_shape}.")
        self.alpha = self.add_weight((), "zeros", trainable=False, name="alpha")

    def call(self, inputs):
        old, new = inputs
        return old + ops.convert_to_tensor(self.alpha) * (new - old)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])
