"""CFGGAN "lsun_bedroom": xICFG from noise on bedrooms of 64x64.

    taskset -c 0 python applications/cfggan_lsun_bedroom.py --mixed-precision  # one core

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 3, on the DCGAN networks with 1x1 convolutions. The
paper's runs (4-block ResNet, T=15, N=640, 10 epochs of the approximator) take a GPU and thousands
of stages. Here a stage is short: T=7, N=320, 3 epochs, and Adam, which must not restart with it.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "CFGGAN, LSUN bedroom",
    "description": "xICFG (Algorithm 3) with T=7, convolutional, on LSUN bedroom, 64x64.",
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "command": "python applications/cfggan_lsun_bedroom.py --mixed-precision",
    "notes": "Trained from noise for 40 minutes on one CPU core.",
}


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0],
        None,
        "weights/cfggan/lsun_bedroom",
        mixed_precision=True,
        data="lsun/bedroom",
        minutes=40,
    )
    args = parser.parse_args()
    data = recipe.load(args, "train", image_size=64)

    def build():
        return kzoo.CFGGAN(
            image_shape=(64, 64, 3),
            latent_dim=100,
            num_steps=7,
            step_size=0.5,
            pool_size=320,
            batch_size=args.batch_size,
            approximator_epochs=3,
            restart_optimizer=False,
            width=32,
        )

    def fit(model):
        adam = {"learning_rate": 2e-4, "beta_1": 0.5}
        model.compile(
            d_optimizer=keras.optimizers.Adam(**adam),
            g_optimizer=keras.optimizers.Adam(**adam),
        )
        recipe.fit(args, model, data)

    recipe.train(args, build, fit).save_to_preset(args.output, **METADATA)


if __name__ == "__main__":
    main()
