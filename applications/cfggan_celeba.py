"""CFGGAN "celeba": a VAE's faces of 64x64, grown sharp by xICFG.

    KERAS_BACKEND=tensorflow taskset -c 0 python applications/cfggan_celeba.py  # one core

Johnson, Zhang 2018, arXiv:1801.06309, Algorithm 3 with T=15, U=1 and eta=.25, but not from noise:
the first G_0 is the decoder of VAE celeba. Its faces are blurred and otherwise right, so the
discriminator does not win at first, as it does against noise. The discriminator is the paper's
DCGAN with widths 16-32-64-128; a pool has 320 latents and 4 epochs. An epoch has 10 stages of 960
images, which are mirrored at random. In the second half the learning rates fall to 0 along a
cosine. Samples start from an average of the approximator's weights over the stages.
"""

import growing_recipe
import keras
import numpy as np
import recipe

import kzoo
from kzoo.images import to_uint8

RATE = 2e-4
STAGES = 10  # of an epoch
METADATA = {
    "title": "CFGGAN, CelebA",
    "description": "xICFG (Algorithm 3) with T=15, from the decoder of VAE celeba; faces, 64x64.",
    "trained_on": {"data": "celeb_a_small", "split": "train", "num_images": 9_000},
    "data": "the first 9,000 photographs of CelebA, at half their size, cropped to a square around "
    "the centre and resized to 64x64",
    "classifier": "celeba",
    "command": "KERAS_BACKEND=tensorflow python applications/cfggan_celeba.py",
    "notes": "The approximator is the decoder of VAE celeba, trained on: 900 stages of 960 images, "
    "about 110 minutes of one CPU core. Trained on photographs of real people, which were "
    "collected for non-commercial research. Generated faces only are shown.",
}


def build(vae, batch_size):
    """The untrained model, whose G_0 is the decoder of a VAE of faces."""
    return kzoo.CFGGAN(
        image_shape=(64, 64, 3),
        latent_dim=vae.latent_dim,
        num_steps=15,
        step_size=0.25,
        pool_size=320,
        batch_size=batch_size,
        approximator_epochs=4,
        restart_optimizer=False,
        width=16,
        average_decay=0.99,
        warm_start=True,
        approximator=vae.decoder,
    )


def draw(vae, model, path):
    """Faces of the same latents in each column: the VAE's, then those of G_0, G_5, G_10, G_15."""
    noise = model.draw_noise(model.batch_size, seed=0)
    rows = [vae.transform_noise(noise)]
    rows += [model.transform_noise(noise, steps=t) for t in (0, 5, 10, 15)]
    images = np.concatenate([keras.ops.convert_to_numpy(to_uint8(row))[:12] for row in rows])
    kzoo.visualization.image_grid(images, columns=12, path=path)


def main():
    parser = recipe.parser(
        __doc__.splitlines()[0], 90, "weights/cfggan/celeba", data="celeb_a_small"
    )
    parser.set_defaults(steps_per_epoch=STAGES)
    parser.add_argument("--vae", default="vae/celeba", help="preset to start from")
    args = parser.parse_args()
    images, _ = kzoo.datasets.to_arrays(recipe.load(args, "train", shuffle=False, image_size=64))
    keras.utils.set_random_seed(args.seed)
    model = build(kzoo.VAE.from_preset(args.vae), args.batch_size)
    model.compile(
        d_optimizer=keras.optimizers.Adam(RATE, beta_1=0.5),
        g_optimizer=keras.optimizers.Adam(RATE, beta_1=0.5),
    )
    data = growing_recipe.batches(images, model.examples_per_step(None), args.seed, mirror=True)
    recipe.fit(args, model, data, [recipe.CosineTail(RATE, args.epochs)], sheets_every=5)
    model = growing_recipe.without_average(model)
    model.save_to_preset(args.output, half_precision=True, **METADATA)
    draw(kzoo.VAE.from_preset(args.vae), model, args.output / "from_vae.png")


if __name__ == "__main__":
    main()
