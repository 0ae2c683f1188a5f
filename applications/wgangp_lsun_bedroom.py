"""WGANGP "lsun_bedroom": WGAN-GP, on LSUN bedroom.

    export KERAS_BACKEND=tensorflow
    taskset -c 0 python applications/wgangp_lsun_bedroom.py --mixed-precision  # one core
    taskset -c 0 python applications/wgangp_lsun_bedroom.py --mixed-precision --epochs 64

Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm 1, on DCGAN's networks with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309). One critic update per generator update, in
place of five, with which the generator would get far fewer updates in the same time. The rate of
1e-3 is high, as in `wgangp_svhn.py`. It falls linearly to 0. The preset holds the exponential
moving average of the generator's weights. The second command goes on from a rate of 3.75e-4.
"""

import gan_recipe

import kzoo

METADATA = {
    "title": "WGANGP, LSUN bedroom",
    "description": "WGAN-GP, on networks with 1x1 convolutions; LSUN bedroom, 64x64.",
    "trained_on": {"data": "lsun/bedroom", "split": "train", "num_images": 9_700},
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "command": "KERAS_BACKEND=tensorflow python applications/wgangp_lsun_bedroom.py "
    "--mixed-precision\n"
    "KERAS_BACKEND=tensorflow python applications/wgangp_lsun_bedroom.py "
    "--mixed-precision --epochs 64",
    "notes": "Seen: 620,800 images, about two hours and ten minutes of one CPU core in bfloat16. "
    "Beds, windows and corners can be recognized in more than half of the samples; others are a "
    "muddle of textures.",
}


if __name__ == "__main__":
    gan_recipe.run(
        kzoo.WGANGP,
        __doc__.splitlines()[0],
        preset="lsun_bedroom",
        data="lsun/bedroom",
        image_shape=(64, 64, 3),
        epochs=40,
        adam={"learning_rate": 1e-3, "beta_1": 0.0, "beta_2": 0.9},
        arguments={"discriminator_steps": 1},
        decay=True,
        metadata=METADATA,
        image_size=64,
    )
