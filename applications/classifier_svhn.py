"""The classifier by which images of house numbers are scored: a small CNN on SVHN, 32x32.

    python applications/classifier_svhn.py --mixed-precision

Training images are rotated by up to 10 degrees, scaled by up to 10 %, shifted by up to 2 pixels
and, half of them, inverted: digits are as often dark on light as light on dark. They are not
flipped. The preset also holds statistics of the training images and scores of the test images, to
compare the scores of generated images with.
"""

import classifier_recipe
import keras
import recipe

import kzoo

COMMAND = "python applications/classifier_svhn.py --mixed-precision"


def build():
    return kzoo.Classifier(
        image_shape=(32, 32, 3), num_classes=10, widths=(32, 64, 128), dropout=0.3
    )


def augmentation():
    edges = {"fill_mode": "nearest", "dtype": "float32"}
    return [
        keras.layers.RandomRotation(10 / 360, **edges),
        keras.layers.RandomZoom((-0.1, 0.1), (-0.1, 0.1), **edges),
        keras.layers.RandomTranslation(2 / 32, 2 / 32, **edges),
        keras.layers.RandomInvert(factor=(0.5, 0.5), value_range=(0, 255), dtype="float32"),
    ]


def main():
    parser = classifier_recipe.parser(__doc__.splitlines()[0], 30, "svhn", "svhn_cropped")
    args = parser.parse_args()
    data = recipe.load(args, "train", labels=True, drop_remainder=True)
    classifier = classifier_recipe.train(args, build, augmentation, data)

    accuracy = classifier_recipe.save(args, classifier, "svhn_cropped")
    reference = classifier.reference
    classifier_recipe.write_card(
        args,
        classifier,
        *classifier_recipe.labelled_scores(classifier, accuracy),
        title="Classifier, SVHN",
        description=classifier_recipe.describe(classifier, "SVHN digits, 32x32 in colour"),
        command=COMMAND,
        data="A subset of SVHN (TFDS svhn_cropped 3.1.0, prepared with the first 10,000 digits of "
        "the official test set and none of the official training set): the first 9,000 are the "
        "training images here and the last 1,000 the test images. In training, images are rotated "
        "by up to 10 degrees, scaled by up to 10 %, shifted by up to 2 pixels, and inverted with "
        "probability .5.",
        notes="Training and test images are both parts of the official SVHN TEST set, so neither "
        "the accuracy nor scores under this classifier compare with published SVHN numbers, and "
        "a model of the official training set would be judged by other images than it learned. "
        f"{classifier_recipe.REAL_IMAGES} {classifier_recipe.statistics_note(classifier)} It falls "
        f"with the number of images, and only {reference.num_test:,} were held out: a model that "
        "is scored with more can come below the real value. Weights were trained on one CPU thread "
        "with TensorFlow, in bfloat16 where layers allow it; they are float32.",
    )


if __name__ == "__main__":
    main()
