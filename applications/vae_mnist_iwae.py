"""VAE "mnist_iwae": VAE "mnist_fc", trained further with the 50-sample bound, MNIST, 28x28.

    KERAS_BACKEND=tensorflow python applications/vae_mnist_iwae.py
    kzoo evaluate weights/vae/mnist_iwae --write

Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016 (arXiv:1509.00519). It
starts from the weights of the preset vae/mnist_fc (`--start`), which `vae_mnist_fc.py` trains. The
second command measures the likelihood of the test images and writes the model card.
"""

import vae_mnist_fc
import vae_recipe

import kzoo

METADATA = {
    "title": "Importance weighted auto-encoder, MNIST",
    "description": "Importance weighted auto-encoder (Burda, Grosse and Salakhutdinov, 2016, "
    "arXiv:1509.00519), k = 50, with the networks of the preset vae/mnist_fc, from whose weights "
    "the training starts: so all but the last epochs are those of a VAE, a deviation from the "
    "paper. Then Adam with a peak learning rate of 1e-3, a warm-up of 500 updates and a cosine "
    "decay to 0; batches of 100.",
    "command": f"{vae_mnist_fc.METADATA['command']}\n"
    "KERAS_BACKEND=tensorflow python applications/vae_mnist_iwae.py",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": vae_recipe.DATA,
    "notes": vae_recipe.NOTES + " Here the loss is the 50-sample bound. Trained with bfloat16 "
    "activations.",
}


def build(dtype):
    return vae_mnist_fc.build(dtype, num_importance_samples=50, kl_warmup=0)


def main():
    parser = vae_recipe.parser(
        __doc__.splitlines()[0], 30, "weights/vae/mnist_iwae", dtype="mixed_bfloat16"
    )
    parser.add_argument("--start", default="vae/mnist_fc", help="preset to start from")
    args = parser.parse_args()
    start = kzoo.VAE.from_preset(args.start)
    vae_recipe.train(args, build, METADATA, rate=1e-3, start=start)


if __name__ == "__main__":
    main()
