"""VAE "mnist": a convolutional VAE with 32 latents on dynamically binarized MNIST, 28x28.

Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114).
"""

import keras
import recipe

import kzoo

parser = recipe.parser(
    description=__doc__.splitlines()[0], epochs=60, output="weights/vae/mnist", batch_size=100
)
parser.add_argument("--test-samples", type=int, default=500, help="importance samples per image")
args = parser.parse_args()
keras.utils.set_random_seed(args.seed)

# The training images are binarized anew in every epoch, the test images once.
train = recipe.load(args, "train", binarize="dynamic")
test = recipe.load(args, "test", binarize="static", batch_size=500)

model = kzoo.VAE(
    image_shape=(28, 28, 1),
    latent_dim=32,
    likelihood="bernoulli",
    widths=(32, 64, 128),
    kernel_size=3,
    dense_width=256,
    activation="elu",
    seed=args.seed,
)
steps = args.epochs * (args.steps_per_epoch or len(train))
model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)))
model.fit(
    train,
    epochs=args.epochs,
    steps_per_epoch=args.steps_per_epoch,
    validation_data=test,
    callbacks=recipe.callbacks(args),
    verbose=2,
)
model.save_to_preset(args.output)

images, _ = kzoo.datasets.to_arrays(test)
bound = model.evaluate(test, verbose=0, return_dict=True)
nll = -model.log_likelihood(images, num_samples=args.test_samples, seed=args.seed)
print(f"negative ELBO {bound['loss']:.2f} nats, NLL {nll.mean():.2f} nats")
