"""VAE "svhn": a residual VAE with a mixture of logistics per pixel, SVHN in colour, 32x32.

    KERAS_BACKEND=tensorflow python applications/vae_svhn.py
    kzoo evaluate weights/vae/svhn --write

Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114), with the pixels of
PixelCNN++ (Salimans et al., 2017, arXiv:1701.05517). The second command measures the likelihood of
the test images and writes the model card.
"""

import vae_recipe

import kzoo

METADATA = {
    "title": "VAE, SVHN",
    "description": "Variational auto-encoder (Kingma and Welling, 2014, arXiv:1312.6114) with 64 "
    "Gaussian latents; a pixel is a mixture of 5 discretized logistics whose channels depend on "
    "one another (Salimans et al., 2017, arXiv:1701.05517). One residual block of 3x3 convolutions "
    "with ELU at each of the sizes 16x16, 8x8 and 4x4, with 32, 64 and 128 channels, and a dense "
    "layer of 256. The weight of the KL term rises from 0 to 1 in the first 1,000 updates. Adam "
    "with a peak learning rate of 1e-3, a warm-up of 500 updates and a cosine decay to 0; batches "
    "of 50.",
    "command": "KERAS_BACKEND=tensorflow python applications/vae_svhn.py",
    "trained_on": {"data": "svhn_cropped", "split": "train", "num_images": 9_000},
    "data": "SVHN (TFDS svhn_cropped 3.1.0), 32x32, a subset: the first 9,000 digits of the "
    "official test set to train, the next 1,000 to test. Not comparable with published numbers.",
    "notes": "Sheets show the mean image of p(x|z) for z drawn from the prior. The log of the "
    "training holds the loss of the test images after every epoch; nothing is selected by it. "
    "Trained with bfloat16 activations.",
}


def build(dtype):
    return kzoo.VAE(
        image_shape=(32, 32, 3),
        latent_dim=64,
        likelihood="discretized_logistic_mixture",
        num_mixtures=5,
        networks="residual",
        widths=(32, 64, 128),
        kernel_size=3,
        dense_width=256,
        num_blocks=1,
        activation="elu",
        kl_warmup=1000,
        seed=0,
        dtype=dtype,
    )


def main():
    parser = vae_recipe.parser(
        __doc__.splitlines()[0],
        30,
        "weights/vae/svhn",
        batch_size=50,
        data="svhn_cropped",
        dtype="mixed_bfloat16",
    )
    vae_recipe.train(parser.parse_args(), build, METADATA, rate=1e-3, binarize=False)


if __name__ == "__main__":
    main()
