"""VAE "mnist_2d": fully connected with two latents, binarized MNIST, 28x28.

    KERAS_BACKEND=tensorflow python applications/vae_mnist_2d.py
    kzoo evaluate weights/vae/mnist_2d --write

Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114), figure 4: two latents,
so that all of the latent space can be shown. The second command measures the likelihood of the
test images and writes the model card.
"""

import vae_recipe

import kzoo

METADATA = {
    "title": "VAE with two latents, MNIST",
    "description": "Variational auto-encoder (Kingma and Welling, 2014, arXiv:1312.6114) with two "
    "Gaussian latents and Bernoulli pixels: two hidden layers of 300 ELU units in the encoder and "
    "in the decoder. The weight of the KL term rises from 0 to 1 in the first 6,000 updates. Adam "
    "with a peak learning rate of 2e-3, a warm-up of 500 updates and a cosine decay to 0; batches "
    "of 100.",
    "command": "KERAS_BACKEND=tensorflow python applications/vae_mnist_2d.py",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": vae_recipe.DATA,
    "notes": vae_recipe.NOTES,
}


def build(dtype):
    return kzoo.VAE(
        image_shape=(28, 28, 1),
        latent_dim=2,
        likelihood="bernoulli",
        networks="fully_connected",
        widths=(300, 300),
        activation="elu",
        kl_warmup=6000,
        seed=0,
        dtype=dtype,
    )


def main():
    parser = vae_recipe.parser(__doc__.splitlines()[0], 200, "weights/vae/mnist_2d")
    vae_recipe.train(parser.parse_args(), build, METADATA, rate=2e-3)


if __name__ == "__main__":
    main()
