"""GAN "lsun_bedroom": GAN with the non-saturating loss, on LSUN bedroom.

    taskset -c 0 python applications/gan_lsun_bedroom.py --mixed-precision  # one core

Goodfellow et al. 2014 (arXiv:1406.2661) and Radford et al. 2016 (arXiv:1511.06434), with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309). The
preset holds the exponential moving average of the generator's weights.
"""

import gan_recipe

import kzoo

METADATA = {
    "title": "GAN, LSUN bedroom",
    "description": "GAN with the non-saturating loss, on networks with 1x1 convolutions; "
    "LSUN bedroom, 64x64.",
    "data": "LSUN bedroom (TFDS lsun/bedroom 3.1.0), 9,700 photographs at 64x64 of the 3,033,042 "
    "of the official training set",
    "command": "python applications/gan_lsun_bedroom.py --mixed-precision",
    "notes": "Trained for 35 minutes on one CPU core; a GPU and more of it would make it better.",
}


if __name__ == "__main__":
    gan_recipe.run(
        kzoo.GAN,
        __doc__.splitlines()[0],
        preset="lsun_bedroom",
        data="lsun/bedroom",
        image_shape=(64, 64, 3),
        minutes=35,
        adam={"learning_rate": 2e-4, "beta_1": 0.5},
        metadata=METADATA,
        image_size=64,
    )
