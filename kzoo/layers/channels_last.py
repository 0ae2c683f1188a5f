"""The layers of `keras.layers`, for images (b, height, width, channels) whatever Keras is set to.

Images are channels-last everywhere in kzoo; `keras.config.set_image_data_format` must not change
what a model is. Layers that have a `data_format` get it here, all others are Keras's own.
"""

import functools
import inspect

import keras


def __getattr__(name):
    layer = getattr(keras.layers, name)
    if "data_format" in inspect.signature(layer.__init__).parameters:
        return functools.partial(layer, data_format="channels_last")
    return layer
