"""VAE "lfw_faces": a residual VAE with 64 latents on grey faces, 64x64.

    KERAS_BACKEND=tensorflow python applications/vae_lfw_faces.py
    kzoo evaluate weights/vae/lfw_faces --write

Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114). The second command
measures the likelihood of the test images and writes the model card.
"""

import vae_recipe

import kzoo

METADATA = {
    "title": "VAE, LFW faces",
    "description": "Variational auto-encoder (Kingma and Welling, 2014, arXiv:1312.6114) with "
    "64 Gaussian latents and discretized logistic pixels of one scale, learned "
    "from .1 on. One residual block of 3x3 convolutions with ELU at each of the "
    "sizes 32x32, 16x16, 8x8 and 4x4, with 16, 32, 64 and 128 channels, and a "
    "dense layer of 256. The weight of the KL term rises from 0 to 1 in the "
    "first 1,000 updates. Adam with a peak learning rate of 1e-3, a warm-up of "
    "500 updates and a cosine decay to 0, gradients of a norm of at most "
    "10,000; batches of 50.",
    "command": "KERAS_BACKEND=tensorflow python applications/vae_lfw_faces.py",
    "trained_on": {"data": "lfw_gray_faces", "split": "train", "num_images": 11_805},
    "data": "Labeled Faces in the Wild as tight grey crops, 64x64: 11,805 images to train, 951 of "
    "other persons to test.",
    "notes": "Sheets show the mean image of p(x|z) for z drawn from the prior: no photographs. The "
    "log of the training holds the loss of the test images after every epoch; nothing is selected "
    "by it. Trained with bfloat16 activations.",
}


def build(dtype):
    return kzoo.VAE(
        image_shape=(64, 64, 1),
        latent_dim=64,
        likelihood="discretized_logistic",
        networks="residual",
        widths=(16, 32, 64, 128),
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
        40,
        "weights/vae/lfw_faces",
        batch_size=50,
        data="lfw_gray_faces",
        dtype="mixed_bfloat16",
    )
    vae_recipe.train(
        parser.parse_args(), build, METADATA, rate=1e-3, binarize=False, scale=0.1, clip=1e4
    )


if __name__ == "__main__":
    main()
