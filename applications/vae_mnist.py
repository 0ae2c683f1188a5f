"""VAE "mnist": a residual convolutional VAE with 32 latents on binarized MNIST, 28x28.

    KERAS_BACKEND=tensorflow python applications/vae_mnist.py
    kzoo evaluate weights/vae/mnist --write

Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114), with networks like
those of Kingma et al., 2016 (arXiv:1606.04934). The second command measures the likelihood of the
test images and writes the model card.
"""

import vae_recipe

import kzoo

METADATA = {
    "title": "VAE, residual convolutional, MNIST",
    "description": "Variational auto-encoder (Kingma and Welling, 2014, arXiv:1312.6114) with 32 "
    "Gaussian latents and Bernoulli pixels. Encoder and decoder like those of Kingma et al., 2016 "
    "(arXiv:1606.04934): one residual block of 3x3 convolutions with ELU at each of the sizes "
    "14x14, 7x7 and 4x4, with 32, 64 and 64 channels, and a dense layer of 256. The weight of the "
    "KL term rises from 0 to 1 in the first 3,000 updates. Adam with a peak learning rate of 2e-3, "
    "a warm-up of 500 updates and a cosine decay to 0; batches of 100.",
    "command": "KERAS_BACKEND=tensorflow python applications/vae_mnist.py",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": vae_recipe.DATA,
    "notes": vae_recipe.NOTES + " Trained with bfloat16 activations.",
}


def build(dtype, posterior="diagonal_gaussian"):
    return kzoo.VAE(
        image_shape=(28, 28, 1),
        latent_dim=32,
        likelihood="bernoulli",
        networks="residual",
        widths=(32, 64, 64),
        kernel_size=3,
        dense_width=256,
        num_blocks=1,
        activation="elu",
        posterior=posterior,
        kl_warmup=3000,
        seed=0,
        dtype=dtype,
    )


def main():
    parser = vae_recipe.parser(
        __doc__.splitlines()[0], 60, "weights/vae/mnist", dtype="mixed_bfloat16"
    )
    vae_recipe.train(parser.parse_args(), build, METADATA, rate=2e-3)


if __name__ == "__main__":
    main()
