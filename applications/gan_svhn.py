"""GAN "svhn": GAN with the non-saturating loss, on SVHN.

    taskset -c 0 python applications/gan_svhn.py --mixed-precision  # one core

Goodfellow et al. 2014 (arXiv:1406.2661) and Radford et al. 2016 (arXiv:1511.06434), with the 1x1
convolutions of Johnson, Zhang 2018 (arXiv:1801.06309). The preset holds the exponential moving
average of the generator's weights.
"""

import gan_recipe

import kzoo

METADATA = {
    "title": "GAN, SVHN",
    "description": "GAN with the non-saturating loss, on networks with 1x1 convolutions; "
    "SVHN, 32x32.",
    "trained_on": {"data": "svhn_cropped", "split": "train", "num_images": 9_000},
    "data": "SVHN (TFDS svhn_cropped 3.1.0), 9,000 digits at 32x32: the first 9,000 of the "
    "official test set, no others",
    "command": "python applications/gan_svhn.py --mixed-precision",
    "notes": "Trained on one CPU core.",
}


if __name__ == "__main__":
    gan_recipe.run(
        kzoo.GAN,
        __doc__.splitlines()[0],
        preset="svhn",
        data="svhn_cropped",
        image_shape=(32, 32, 3),
        epochs=95,
        adam={"learning_rate": 2e-4, "beta_1": 0.5},
        metadata=METADATA,
    )
