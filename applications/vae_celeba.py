"""VAE "celeba": a residual VAE with 64 latents on faces in colour, 64x64.

    KERAS_BACKEND=tensorflow python applications/vae_celeba.py
    kzoo evaluate weights/vae/celeba --write

Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114). The second command
measures the likelihood of the test images and writes the model card.

The pixels' scale is fixed at .6, and not learned. A learned scale gives a far better likelihood
and far worse faces: the latents then hold some 400 nats, and those drawn from the prior are unlike
any that the decoder has seen.
"""

import vae_recipe

import kzoo

METADATA = {
    "title": "VAE, CelebA",
    "description": "Variational auto-encoder (Kingma and Welling, 2014, arXiv:1312.6114) with "
    "64 Gaussian latents and discretized logistic pixels of the fixed scale .6. One residual "
    "block of 3x3 convolutions with ELU at each of the sizes 32x32, 16x16, 8x8 and 4x4, with 16, "
    "32, 64 and 64 channels, and a dense layer of 128. The weight of the KL term rises from 0 to 1 "
    "in the first 1,000 updates. Adam with a peak learning rate of 1e-3, a warm-up of 500 updates "
    "and a cosine decay to 0, gradients of a norm of at most 10,000; batches of 50.",
    "command": "KERAS_BACKEND=tensorflow python applications/vae_celeba.py",
    "trained_on": {"data": "celeb_a_small", "split": "train", "num_images": 9_000},
    "data": "the first 9,000 photographs of CelebA, at half their size, cropped to a square around "
    "the centre, resized to 64x64, and mirrored at random; the next 1,000 to test",
    "notes": "Trained on photographs of real people, which were collected for non-commercial "
    "research. Sheets show the mean image of p(x|z) for z drawn from the prior: no photographs. "
    "The scale of the pixels is fixed at .6, which makes the likelihood far worse than that of a "
    "learned scale, worse even than equal probabilities for all values (8 bits/dim). In return the "
    "latents hold 108 nats in place of some 400, and faces drawn from the prior look like those "
    "that the decoder has seen. "
    "The log of the training holds the loss of the test images after every epoch; nothing is "
    "selected by it.",
}


def build(dtype):
    return kzoo.VAE(
        image_shape=(64, 64, 3),
        latent_dim=64,
        likelihood="discretized_logistic",
        scale=0.6,
        networks="residual",
        widths=(16, 32, 64, 64),
        kernel_size=3,
        dense_width=128,
        num_blocks=1,
        activation="elu",
        kl_warmup=1000,
        seed=0,
        dtype=dtype,
    )


def main():
    parser = vae_recipe.parser(
        __doc__.splitlines()[0], 20, "weights/vae/celeba", batch_size=50, data="celeb_a_small"
    )
    options = {"rate": 1e-3, "binarize": False, "clip": 1e4, "side": 64}
    vae_recipe.train(parser.parse_args(), build, METADATA, **options)


if __name__ == "__main__":
    main()
