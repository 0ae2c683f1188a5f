"""VAE "mnist_iaf": the networks of VAE "mnist" with an inverse autoregressive flow, MNIST, 28x28.

    KERAS_BACKEND=tensorflow python applications/vae_mnist_iaf.py
    kzoo evaluate weights/vae/mnist_iaf --write

Kingma et al., Improved Variational Inference with Inverse Autoregressive Flow, 2016
(arXiv:1606.04934). Networks and training are those of `vae_mnist.py`. The second command measures
the likelihood of the test images and writes the model card.
"""

import vae_mnist
import vae_recipe

import kzoo

STEPS, UNITS, CONTEXT = 4, 640, 64

METADATA = {
    "title": "VAE, inverse autoregressive flow, MNIST",
    "description": "Variational auto-encoder with an inverse autoregressive flow as its posterior "
    f"(Kingma et al., 2016, arXiv:1606.04934): {STEPS} steps, each with a masked network of one "
    f"hidden layer of {UNITS} ELU units, which sees a context of {CONTEXT} numbers from the "
    "encoder. All else is that of the preset vae/mnist: networks, 32 latents, training.",
    "command": "KERAS_BACKEND=tensorflow python applications/vae_mnist_iaf.py",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": vae_recipe.DATA,
    "notes": vae_mnist.METADATA["notes"] + " The KL term in the log is estimated from one sample.",
}


def build(dtype):
    posterior = kzoo.posteriors.InverseAutoregressiveFlow(steps=STEPS, units=UNITS, context=CONTEXT)
    return vae_mnist.build(dtype, posterior)


def main():
    parser = vae_recipe.parser(
        __doc__.splitlines()[0], 60, "weights/vae/mnist_iaf", dtype="mixed_bfloat16"
    )
    vae_recipe.train(parser.parse_args(), build, METADATA, rate=2e-3)


if __name__ == "__main__":
    main()
