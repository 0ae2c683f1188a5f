"""What the recipes of a GAN or WGAN-GP on small images share.

A recipe, `applications/<family>_<preset>.py`, chooses the data, the optimizer and the
number of epochs.
"""

import keras
import recipe


def run(
    model_class,
    description,
    preset,
    data,
    image_shape,
    epochs,
    adam,
    metadata,
    arguments=None,
    decay=False,
    **options,
):
    """Parses the command line, trains on DCGAN's networks with 1x1 convolutions, saves the preset.

    Args:
        model_class: `kzoo.GAN` or a class with the same arguments.
        description: one line for `--help`.
        preset: the preset's name, such as "svhn".
        data: TFDS name of the data set.
        image_shape: `(height, width, channels)`.
        epochs: passes over the data.
        adam: arguments of both networks' `keras.optimizers.Adam`. The preset holds the exponential
            moving average of the generator's weights.
        metadata: entries of the preset's `metadata.json`.
        arguments: further ones of `model_class`.
        decay: whether the learning rates fall linearly to 0 over all epochs, or stay constant.
        **options: of `recipe.load`, such as `pad_to`.
    """
    parser = recipe.parser(
        description,
        epochs,
        f"weights/{model_class.__name__.lower()}/{preset}",
        mixed_precision=True,
        data=data,
    )
    args = parser.parse_args()
    images = recipe.load(args, "train", **options)

    def build():
        return model_class(
            image_shape=image_shape, latent_dim=100, width=32, pointwise=True, **(arguments or {})
        )

    def rate(start):
        if not decay:
            return start
        steps = (args.steps_per_epoch or len(images)) * args.epochs
        return keras.optimizers.schedules.PolynomialDecay(start, steps, end_learning_rate=0.0)

    def fit(model):
        of_discriminator = {**adam, "learning_rate": rate(adam["learning_rate"])}
        of_generator = {**of_discriminator, "use_ema": True, "ema_momentum": 0.99}
        model.compile(
            d_optimizer=keras.optimizers.Adam(**of_discriminator),
            g_optimizer=keras.optimizers.Adam(**of_generator),
        )
        recipe.fit(args, model, images)

    model = recipe.train(args, build, fit)
    model.save_to_preset(args.output, half_precision=True, **metadata)
