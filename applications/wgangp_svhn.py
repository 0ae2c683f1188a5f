"""WGANGP "svhn": WGAN-GP, on SVHN.

    taskset -c 0 python applications/wgangp_svhn.py  # one core
    taskset -c 0 python applications/wgangp_svhn.py --epochs 112  # from a rate of 2.9e-4

Gulrajani et al. 2017 (arXiv:1704.00028), Algorithm 1, on DCGAN's networks with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309). One critic update per generator update, in
place of five, with which the generator would get far fewer updates in the same time. The rate of
1e-3 is high: it learns several times as fast as 2e-4 here. It falls linearly to 0. The preset holds
the exponential moving average of the generator's weights.
"""

import gan_recipe

import kzoo

METADATA = {
    "title": "WGANGP, SVHN",
    "description": "WGAN-GP, on networks with 1x1 convolutions; SVHN, 32x32.",
    "trained_on": {"data": "svhn_cropped", "split": "train", "num_images": 9_000},
    "data": "SVHN (TFDS svhn_cropped 3.1.0), 9,000 digits at 32x32: the first 9,000 of the "
    "official test set, no others",
    "command": "python applications/wgangp_svhn.py\n"
    "python applications/wgangp_svhn.py --epochs 112",
    "notes": "Trained on one CPU core with TensorFlow, in about an hour. The data are the first "
    "9,000 digits of SVHN's official test set: scores are not comparable with published ones.",
}


if __name__ == "__main__":
    gan_recipe.run(
        kzoo.WGANGP,
        __doc__.splitlines()[0],
        preset="svhn",
        data="svhn_cropped",
        image_shape=(32, 32, 3),
        epochs=80,
        adam={"learning_rate": 1e-3, "beta_1": 0.0, "beta_2": 0.9},
        arguments={"discriminator_steps": 1},
        decay=True,
        metadata=METADATA,
    )
