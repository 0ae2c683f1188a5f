"""WGANGP "lsun_bedroom": WGAN-GP, on LSUN bedroom.

    taskset -c 0 python applications/wgangp_lsun_bedroom.py --mixed-precision  # one core

Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm 1, on DCGAN's networks with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309). One critic update per generator update, at
twice the generator's rate, after Heusel et al. 2017 (arXiv:1706.08500), in place of five at the
same rate, with which the generator would get far fewer updates in the same time. The preset holds
the exponential moving average of the generator's weights.
"""

import gan_recipe

import kzoo

METADATA = {
    "title": "WGANGP, LSUN bedroom",
    "description": "WGAN-GP, on networks with 1x1 convolutions; LSUN bedroom, 64x64.",
    "trained_on": {"data": "lsun/bedroom", "split": "train", "num_images": 9_700},
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "command": "python applications/wgangp_lsun_bedroom.py --mixed-precision",
    "notes": "Trained on one CPU core.",
}


if __name__ == "__main__":
    gan_recipe.run(
        kzoo.WGANGP,
        __doc__.splitlines()[0],
        preset="lsun_bedroom",
        data="lsun/bedroom",
        image_shape=(64, 64, 3),
        epochs=20,
        adam={"learning_rate": 4e-4, "beta_1": 0.0, "beta_2": 0.9},
        generator_rate=2e-4,
        arguments={"discriminator_steps": 1},
        metadata=METADATA,
        image_size=64,
    )
