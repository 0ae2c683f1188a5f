"""GAN "mnist": DCGAN with the non-saturating loss on MNIST, padded to 32x32.

    python applications/gan_mnist.py
    python applications/gan_mnist.py --mixed-precision   # as the published weights were trained

Goodfellow et al. 2014 (arXiv:1406.2661) and Radford et al. 2016 (arXiv:1511.06434), with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309), noise on the discriminator's inputs
(Arjovsky, Bottou 2017, arXiv:1701.04862), and a code of 30 values in the latents, kept in use as in
InfoGAN (Chen et al. 2016, arXiv:1606.03657), so that digits do not lie between two classes. No
labels are used. The learning rate falls to 0 along a cosine. The preset holds the exponential
moving average of the generator's weights.
"""

import keras
import recipe

import kzoo

METADATA = {
    "title": "GAN, MNIST",
    "description": "DCGAN with 1x1 convolutions, the non-saturating loss and a latent code of 30 "
    "values (InfoGAN) on MNIST at 32x32.",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": "MNIST (TFDS mnist 3.0.1), 60,000 training images, zero-padded to 32x32",
    "command": "python applications/gan_mnist.py --mixed-precision",
    "notes": "Trained on three CPU threads. The code is the largest of the first 30 latents; it "
    "was found without labels.",
}


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 30, "weights/gan/mnist", mixed_precision=True)
    args = parser.parse_args()
    data = recipe.load(args, "train", pad_to=32)
    steps = (args.steps_per_epoch or len(data)) * args.epochs

    def build():
        return kzoo.GAN(
            image_shape=(32, 32, 1),
            latent_dim=100,
            width=48,
            pointwise=True,
            codes=30,
            information=1.0,
            instance_noise=0.1,
        )

    def fit(model):
        rate = keras.optimizers.schedules.CosineDecay(2e-4, steps)
        model.compile(
            d_optimizer=keras.optimizers.Adam(rate, beta_1=0.5),
            g_optimizer=keras.optimizers.Adam(rate, beta_1=0.5, use_ema=True, ema_momentum=0.999),
        )
        recipe.fit(args, model, data)

    recipe.train(args, build, fit).save_to_preset(args.output, half_precision=True, **METADATA)


if __name__ == "__main__":
    main()
