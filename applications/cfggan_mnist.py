"""CFGGAN "mnist": ICFG on MNIST, padded to 32x32, from the generator of GAN "mnist".

    python applications/gan_mnist.py --mixed-precision
    python applications/cfggan_mnist.py

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 2 with T=5 and U=20: the GAN's generator is G_0
and its discriminator, trained on between the steps, gives D_1 .. D_5. That discriminator is steep
(its gradient has a norm of 20 to 30), and so the step is short; s(x) = sigmoid(-D(x)) leaves images
alone that look real already. The GAN drew its 30 codes equally often in training; G_0 draws them as
often as the network that recognizes them finds them in the training images. `--from-noise` runs the
paper's Algorithm 3 (xICFG) instead: T=15, U=1, N=640, b=64, RMSprop, DCGAN networks of widths
32-64-128. It takes thousands of stages, and so a GPU; `cfggan_mnist_xicfg.py` and
`cfggan_mnist_fc.py` are runs from noise for a CPU.
"""

import keras
import recipe

import kzoo
from kzoo.layers import LatentCodes

METADATA = {
    "title": "CFGGAN, MNIST",
    "description": "ICFG with T=5 on MNIST padded to 32x32, from the generator of GAN mnist.",
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/cfggan_mnist.py",
    "notes": "The approximator is the generator of GAN mnist with the same weights; only its 30 "
    "codes are drawn as often as they are recognized in the training images (no labels), "
    "where the GAN draws them equally often. One stage of ICFG, no distillation. What "
    "separates it from that GAN is small and comes from the codes; see the measurements in "
    "the model card of the shipped weights.",
}


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 1, "weights/cfggan/mnist", mixed_precision=True)
    parser.add_argument(
        "--from-noise", action="store_true", help="the paper's settings, without a trained GAN"
    )
    parser.add_argument("--gan", default="gan/mnist", help="preset to start from")
    args = parser.parse_args()
    data = recipe.load(args, "train", pad_to=32)
    shared = {
        "image_shape": (32, 32, 1),
        "latent_dim": 100,
        "pool_size": 640,
        "batch_size": args.batch_size,
    }

    def from_noise():
        return kzoo.CFGGAN(**shared, num_steps=15, step_size=0.5, width=32)

    def from_gan():
        gan = kzoo.GAN.from_preset(args.gan)
        images, _ = kzoo.datasets.to_arrays(data)
        codes = LatentCodes(gan.codes, gan.code_probabilities(images), name="codes")

        def with_codes(layer):
            return (
                codes if isinstance(layer, LatentCodes) else layer.from_config(layer.get_config())
            )

        approximator = keras.models.clone_model(gan.generator, clone_function=with_codes)
        approximator.set_weights(gan.generator.get_weights())
        return kzoo.CFGGAN(
            **shared,
            num_steps=5,
            discriminator_steps=20,
            step_size=3e-4,
            scaling="non_saturating",
            algorithm="icfg",
            warm_start=True,
            approximator=approximator,
            discriminator=gan.discriminator,
        )

    def fit(model):
        if args.from_noise:
            model.compile()  # the paper's RMSprop
        else:
            model.compile(d_optimizer=keras.optimizers.Adam(1e-5, beta_1=0.5))
            args.steps_per_epoch = args.steps_per_epoch or 1  # one stage
        recipe.fit(args, model, data)

    model = recipe.train(args, from_noise if args.from_noise else from_gan, fit)
    model.save_to_preset(args.output, **METADATA)


if __name__ == "__main__":
    main()
