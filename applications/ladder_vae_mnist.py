"""LadderVAE "mnist": four stochastic layers on dynamically binarized MNIST, 28x28.

    KERAS_BACKEND=torch python applications/ladder_vae_mnist.py
    KERAS_BACKEND=torch python applications/ladder_vae_mnist.py --start weights/laddervae/mnist \\
        --epochs 8 --work runs/laddervae-mnist-2
    kzoo evaluate weights/laddervae/mnist --write

Sønderby et al., Ladder Variational Autoencoders, 2016 (arXiv:1602.02282), with residual
convolutional networks, which take much less training than the paper's fully connected ones. The
second command goes on from the weights of the first one. The last one measures the likelihood of
the test images and writes the model card. On a CPU with bfloat16, PyTorch trains it fastest.
"""

import keras
import pixel_recipe
import recipe

import kzoo

METADATA = {
    "title": "LadderVAE, MNIST",
    "description": "Ladder variational auto-encoder (Sønderby et al., 2016, arXiv:1602.02282) for "
    "binary pixels: four stochastic layers, two maps of 14x14 and four of 7x7, four of 7x7 again "
    "and 32 numbers, with convolutional residual blocks of 32, 64, 64 and 256 features. Deviations "
    "from the paper: convolutions instead of dense layers, no batch norm, Adam (learning rate 1e-3 "
    "after a warm-up of 500 updates, cosine decay to 0; then the same again; gradients of a norm "
    "of at most 100), batches of 100, KL warm-up over 5 epochs.",
    "command": "KERAS_BACKEND=torch python applications/ladder_vae_mnist.py\n"
    "KERAS_BACKEND=torch python applications/ladder_vae_mnist.py --start weights/laddervae/mnist "
    "--epochs 8 --work runs/laddervae-mnist-2",
    "trained_on": {"data": "mnist", "split": "train", "num_images": 60_000},
    "data": pixel_recipe.DATA,
}
NOTES = (
    "Sheets show the mean image of p(x|z), in grey, for z drawn from the prior. The numbers are "
    "comparable with others on dynamically (not statically) binarized MNIST. Trained with bfloat16 "
    "activations: 18 epochs, then 8. The log of the training "
    "holds the negative ELBO of 1,000 test images after every epoch; nothing is selected by it."
)


def build(dtype, kl_warmup=3000):
    return kzoo.LadderVAE(
        image_shape=(28, 28, 1),
        networks="convolutional",
        latent_dims=(2, 4, 4, 32),
        widths=(32, 64, 64, 256),
        strides=(2, 2, 1, 7),
        batch_norm=False,
        kl_warmup=kl_warmup,
        dtype=dtype,
    )


def main():
    parser = pixel_recipe.parser(
        __doc__.splitlines()[0], 18, "weights/laddervae/mnist", batch_size=100
    )
    parser.add_argument("--start", help="preset whose weights are taken, without a KL warm-up")
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    data = recipe.load(args, "train", binarize="dynamic")
    test = recipe.load(args, "test", binarize="static")
    test, _ = kzoo.datasets.to_arrays(test)

    model = build(args.dtype, kl_warmup=0 if args.start else 3000)
    if args.start:
        model.set_weights(kzoo.LadderVAE.from_preset(args.start).get_weights())
    steps = args.epochs * (args.steps_per_epoch or len(data))
    warmup = min(500, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - warmup, warmup_target=1e-3, warmup_steps=warmup
    )
    # A rare image whose posterior is far from a narrow prior would throw the weights far off.
    model.compile(keras.optimizers.Adam(schedule, global_clipnorm=100.0))
    watched = test[: pixel_recipe.WATCHED]
    recipe.fit(args, model, data, validation_data=watched, validation_batch_size=100)
    preset = build("float32")
    preset.set_weights(model.get_weights())
    notes = f"{NOTES} {pixel_recipe.curve(args.work, 'val_loss', 'nats (-ELBO)')}"
    preset.save_to_preset(args.output, half_precision=True, **METADATA, notes=notes)


if __name__ == "__main__":
    main()
