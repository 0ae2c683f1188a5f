"""WGANGP "mnist": WGAN-GP, on MNIST.

    taskset -c 0 python applications/wgangp_mnist.py --mixed-precision  # one core

Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm 1, on DCGAN's networks with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309). The
preset holds the exponential moving average of the generator's weights.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "WGANGP, MNIST",
    "description": "WGAN-GP, on networks with 1x1 convolutions; MNIST padded to 32x32.",
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/wgangp_mnist.py --mixed-precision",
    "notes": "Trained for 15 minutes on one CPU core; a GPU and more of it would make it better.",
}


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0],
        None,
        "weights/wgangp/mnist",
        mixed_precision=True,
        data="mnist",
        minutes=15,
    )
    args = parser.parse_args()
    data = recipe.load(args, "train", pad_to=32)

    def build():
        return kzoo.WGANGP(image_shape=(32, 32, 1), latent_dim=100, width=32, pointwise=True)

    def fit(model):
        adam = {"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9}
        model.compile(
            d_optimizer=keras.optimizers.Adam(**adam),
            g_optimizer=keras.optimizers.Adam(**adam, use_ema=True, ema_momentum=0.99),
        )
        recipe.fit(args, model, data)

    recipe.train(args, build, fit).save_to_preset(args.output, **METADATA)


if __name__ == "__main__":
    main()
