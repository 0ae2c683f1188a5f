"""VAE "mnist_fc": fully connected, one layer of 50 latents, binarized MNIST, 28x28.

    KERAS_BACKEND=tensorflow python applications/vae_mnist_fc.py
    kzoo evaluate weights/vae/mnist_fc --write

Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114), with networks like
those of Burda, Grosse and Salakhutdinov, 2016 (arXiv:1509.00519). The second command measures the
likelihood of the test images and writes the model card.
"""

import vae_recipe

import kzoo

METADATA = {
    "title": "VAE, fully connected, MNIST",
    "description": "Variational auto-encoder (Kingma and Welling, 2014, arXiv:1312.6114) with one "
    "stochastic layer of 50 Gaussian latents and Bernoulli pixels: two hidden layers of 300 ELU "
    "units in the encoder and in the decoder, like the networks of Burda, Grosse and "
    "Salakhutdinov, 2016 (arXiv:1509.00519), which have 200 tanh units. Further deviations from "
    "that paper: the weight of the KL term rises from 0 to 1 in the first 6,000 updates; batches "
    "of 100 (20); Adam with a peak learning rate of 3e-3, a warm-up of 500 updates and a cosine "
    "decay to 0.",
    "command": "KERAS_BACKEND=tensorflow python applications/vae_mnist_fc.py",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": vae_recipe.DATA,
    "notes": vae_recipe.NOTES + " Widths, activation and learning rate were chosen among a few by "
    "that loss after short runs.",
}


def build(dtype, num_importance_samples=1, kl_warmup=6000):
    return kzoo.VAE(
        image_shape=(28, 28, 1),
        latent_dim=50,
        likelihood="bernoulli",
        networks="fully_connected",
        widths=(300, 300),
        activation="elu",
        num_importance_samples=num_importance_samples,
        kl_warmup=kl_warmup,
        seed=0,
        dtype=dtype,
    )


def main():
    parser = vae_recipe.parser(__doc__.splitlines()[0], 400, "weights/vae/mnist_fc")
    vae_recipe.train(parser.parse_args(), build, METADATA, rate=3e-3)


if __name__ == "__main__":
    main()
