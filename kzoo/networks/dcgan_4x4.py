"""DCGAN's networks with 4x4 kernels, as spectrally normalized GANs use them.

* Radford, Metz, Chintala 2016 (DCGAN), arXiv:1511.06434, section 3 [1].
* Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral normalization for generative adversarial
  networks", arXiv:1802.05957, appendix B.4, table 3: 4x4 kernels with strides 2, and one more 3x3
  layer at the smallest map [2].
* Brock, Donahue, Simonyan 2019 (BigGAN), arXiv:1809.11096, section 3: orthogonal initialization of
  spectrally normalized networks [3]; here the weights always start so.

With strides 2, a 4x4 kernel covers every pixel equally often and a 5x5 kernel does not. So there is
less of a checkerboard pattern in the images.

Deviations from [2]: the discriminator has no 3x3 layers but the last; LeakyReLU has slope .2 as in
[1]; the generator ends with at least 32 features before the image.

The layers are named by the side of the map that they make: "to_8" halves or doubles a map to 8x8.
Networks for images of twice the size and half the `width` have the same inner layers under the same
names, so that they can take over the weights (`kzoo.GAN(grow_from=...)`).

* Karras, Aila, Laine, Lehtinen 2018, "Progressive growing of GANs", arXiv:1710.10196, figure 2: the
  layers next to the image are faded in beside the smaller network's. These work at half the size:
  the image is halved by averages of 2x2 pixels, and doubled by repeating pixels [4].
"""

import keras
from keras.initializers import Orthogonal

from kzoo.layers import Fade, LatentCodes
from kzoo.layers import channels_last as layers
from kzoo.networks.shared import LEAK, depth_of, normalization, spectrally_normalized

_KERNEL = 4
_FEWEST = 32  # features of the generator's last map


def _check_fading(fading, depth, image_shape):
    if fading and depth < 2:
        raise ValueError(
            "A network that is faded in has a smaller one for half the image's side, which must "
            f"be at least 8; got image_shape={tuple(image_shape)}."
        )


def dcgan_4x4_discriminator(
    image_shape,
    width=64,
    batch_norm=True,
    spectral_normalization=False,
    fading=False,
    name="discriminator",
):
    """Images (b, height, width, channels) in [-1, 1] to logits (b, 1).

    Args:
        width: features after the first convolution; doubled at every halving of the image.
        batch_norm: normalizes every convolution but the first [1].
        fading: adds the smaller network's first layer and a `kzoo.layers.Fade` from it to the first
            two here [4]; for images with sides of at least 8.
    """
    depth, (height, _) = depth_of(image_shape)
    _check_fading(fading, depth, image_shape)
    batch_norm = batch_norm and not spectral_normalization
    layer = spectrally_normalized(layers.Conv2D, spectral_normalization)
    dense = spectrally_normalized(layers.Dense, spectral_normalization)

    def convolution(x, filters, kernel, strides, name, norm):
        x = layer(
            filters,
            kernel,
            strides=strides,
            padding="same",
            use_bias=not norm,
            kernel_initializer=Orthogonal(),
            name=name,
        )(x)
        x = normalization(f"{name}_norm")(x) if norm else x
        return layers.LeakyReLU(LEAK, name=f"{name}_relu")(x)

    inputs = x = layers.Input(image_shape)
    for level in range(depth):
        to = f"to_{height * 2 ** (depth - 1 - level)}"
        x = convolution(x, width * 2**level, _KERNEL, 2, to, batch_norm and level > 0)
        if fading and level == 1:
            old = layers.AveragePooling2D(2, name="half")(inputs)
            old = convolution(old, width * 2, _KERNEL, 2, f"old_{to}", False)
            x = Fade(name="fade")([old, x])
    x = convolution(x, x.shape[-1], 3, 1, f"at_{height}", batch_norm)
    x = layers.Flatten(name="flatten")(x)
    x = dense(1, kernel_initializer=Orthogonal(), name="logit")(x)
    return keras.Model(inputs, x, name=name)


def dcgan_4x4_generator(
    image_shape,
    latent_dim,
    width=64,
    batch_norm=True,
    codes=0,
    fading=False,
    name="generator",
):
    """Latents (b, latent_dim) to images (b, height, width, channels) in [-1, 1].

    Args:
        width: features at half the image's side; doubled at every halving of the image. At the
            full side there are `width / 2` features, but at least 32.
        batch_norm: normalizes all but the last layer [1].
        codes: categories of the categorical latent that `kzoo.layers.LatentCodes` makes of the
            first latents; 0 for none.
        fading: adds the smaller network's last layer and a `kzoo.layers.Fade` from it to the last
            two here [4].
    """
    depth, (height, width_) = depth_of(image_shape)
    _check_fading(fading, depth, image_shape)

    def activated(x, name):
        x = normalization(f"{name}_norm")(x) if batch_norm else x
        return layers.ReLU(name=f"{name}_relu")(x)

    features = width * 2 ** (depth - 1)
    inputs = x = layers.Input((latent_dim,))
    x = LatentCodes(codes, name="codes")(x) if codes else x
    x = layers.Dense(
        height * width_ * features, kernel_initializer=Orthogonal(), name="projection"
    )(x)
    x = layers.Reshape((height, width_, features), name="map")(x)
    x = activated(x, "projection")
    for level in range(1, depth + 1):
        before = x
        to = f"to_{height * 2**level}"
        features = width * 2 ** (depth - 1 - level) if level < depth else max(width // 2, _FEWEST)
        x = layers.Conv2DTranspose(
            features,
            _KERNEL,
            strides=2,
            padding="same",
            use_bias=not batch_norm,
            kernel_initializer=Orthogonal(),
            name=to,
        )(x)
        x = activated(x, to)

    def image(x, side):
        return layers.Conv2D(
            image_shape[-1],
            3,
            padding="same",
            activation="tanh",
            kernel_initializer=Orthogonal(),
            name=f"image_{side}",
        )(x)

    x = image(x, image_shape[0])
    if fading:
        old = layers.UpSampling2D(2, name="doubled")(image(before, image_shape[0] // 2))
        x = Fade(name="fade")([old, x])
    return keras.Model(inputs, x, name=name)
