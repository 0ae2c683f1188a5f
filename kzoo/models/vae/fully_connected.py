"""The fully connected networks of `kzoo.VAE`.

[1] Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114), appendix C.
[2] Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016 (arXiv:1509.00519),
    section 5: two hidden layers of 200 tanh units on either side of 50 latents.

Black is 0 and white 1 for the first layer, as there: with -1 for the many black pixels, one
direction of the inputs would drive most units into saturation.
"""

import math

import keras
from keras import layers


def fully_connected_encoder(input_shape, outputs, widths, **options):
    """Maps images to the parameters of q(z|x).

    Args:
        input_shape: (height, width, channels).
        outputs: number of parameters.
        widths: units of the hidden layers.
        **options: the hidden layers' `activation`, and the layers' `dtype` (policy).

    Returns:
        A `keras.Model` from (b, height, width, channels) to (b, outputs).
    """
    x = images = keras.Input(input_shape)
    x = layers.Rescaling(0.5, 0.5)(layers.Flatten()(x))
    for width in widths:
        x = layers.Dense(width, **options)(x)
    return keras.Model(images, layers.Dense(outputs)(x), name="encoder")


def fully_connected_decoder(output_shape, inputs, widths, **options):
    """Maps latents to the parameters of p(x|z).

    Args:
        output_shape: (height, width, parameters per pixel).
        inputs: how many numbers come in.
        widths, **options: as in `fully_connected_encoder`; `widths` are read from the last to the
            first.

    Returns:
        A `keras.Model` from (b, inputs) to (b, height, width, parameters per pixel).
    """
    x = latents = keras.Input((inputs,))
    for width in widths[::-1]:
        x = layers.Dense(width, **options)(x)
    # The widest layer also computes in the hidden layers' precision.
    x = layers.Dense(math.prod(output_shape), dtype=options.get("dtype"))(x)
    return keras.Model(latents, layers.Reshape(output_shape)(x), name="decoder")
