"""CFGGAN "svhn": convolutional xICFG from noise on street view house numbers.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/cfggan_svhn.py  # one core
    kzoo evaluate weights/cfggan/svhn --write

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 3 from noise with T=15, U=1 and eta=.25. To train
on a CPU, widths are 32-64-128 and a pool has 320 latents and 4 epochs; the paper has 64-128-256,
640 and 10. Adam keeps its averages from stage to stage. An epoch has 9 stages of 960 images.
Samples start from an average of the approximator's weights over the stages.

There are two parts, in whose last third the learning rates fall to 0 along a cosine. The first has
370 epochs. There are only 9,000 images, and by then D knows them by heart: its mean is 1.1 for
them, -5.0 for other photographs. So training goes on for 83 epochs with `augment`: D sees all
images in random colours and places (arXiv:2006.10738), and so do the steps. From noise this fails:
D wins all the time. It also won after 125 epochs of a longer second part.
"""

import argparse

import growing_recipe
import keras
import recipe

import kzoo

RATE = 2e-4
METADATA = {
    "title": "CFGGAN, SVHN",
    "description": "xICFG (Algorithm 3) with T=15, convolutional, on SVHN, 32x32.",
    "trained_on": {"data": "svhn_cropped", "split": "train", "num_images": 9_000},
    "data": "SVHN (TFDS svhn_cropped 3.1.0), 9,000 digits at 32x32: the first 9,000 of the "
    "official test set, no others",
    "command": "KERAS_BACKEND=tensorflow python applications/cfggan_svhn.py",
    "notes": "Trained from noise on one CPU core: 453 epochs or 4,077 stages, about 175 minutes. "
    "The data are the first 9,000 digits of SVHN's official test set: scores are not comparable "
    "with published ones.",
}


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0],
        83,
        "weights/cfggan/svhn",
        mixed_precision=True,
        data="svhn_cropped",
    )
    parser.add_argument("--plain-epochs", type=int, default=370, help="before `augment`")
    args = parser.parse_args()
    data = recipe.load(args, "train")
    plain_args = argparse.Namespace(**vars(args))
    plain_args.work, plain_args.epochs = args.work / "plain", args.plain_epochs

    def build(augment="color,translation"):
        return kzoo.CFGGAN(
            image_shape=(32, 32, 3),
            latent_dim=100,
            num_steps=15,
            step_size=0.25,
            pool_size=320,
            batch_size=args.batch_size,
            approximator_epochs=4,
            restart_optimizer=False,
            width=32,
            average_decay=0.99,
            augment=augment,
        )

    def part(args, model):
        model.compile(
            d_optimizer=keras.optimizers.Adam(RATE, beta_1=0.5),
            g_optimizer=keras.optimizers.Adam(RATE, beta_1=0.5),
        )
        recipe.fit(args, model, data, [recipe.CosineTail(RATE, args.epochs, 2 / 3)])

    def fit(model):
        plain = build(augment=None)
        part(plain_args, plain)
        model.set_weights(plain.get_weights())
        part(args, model)

    model = growing_recipe.without_average(recipe.train(args, build, fit))
    model.save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
