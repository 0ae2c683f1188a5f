"""The classifier by which images of digits are scored: a small CNN on MNIST, padded to 32x32.

    python applications/classifier_mnist.py

Training images are rotated by up to 10 degrees and shifted by up to 2 pixels. The preset also
holds statistics of the training images and scores of the test images, to compare the scores of
generated images with.
"""

import classifier_recipe
import keras
import recipe

import kzoo

COMMAND = "python applications/classifier_mnist.py"


def build():
    return kzoo.Classifier(
        image_shape=(32, 32, 1), num_classes=10, widths=(16, 32, 96), dropout=0.3
    )


def augmentation():
    black = {"fill_mode": "constant", "dtype": "float32"}
    return [
        keras.layers.RandomRotation(10 / 360, **black),
        keras.layers.RandomTranslation(2 / 32, 2 / 32, **black),
    ]


def main():
    args = classifier_recipe.parser(__doc__.splitlines()[0], 14, "mnist", "mnist").parse_args()
    data = recipe.load(args, "train", pad_to=32, labels=True, drop_remainder=True)
    classifier = classifier_recipe.train(args, build, augmentation, data)
    accuracy = classifier_recipe.save(args, classifier, "mnist", pad_to=32)
    classifier_recipe.write_card(
        args,
        classifier,
        *classifier_recipe.labelled_scores(classifier, accuracy),
        title="Classifier, MNIST",
        description=classifier_recipe.describe(classifier, "MNIST digits padded to 32x32"),
        command=COMMAND,
        data="MNIST (TFDS mnist 3.0.1), zero-padded to 32x32: "
        f"{classifier.reference.num_train:,} training and {classifier.reference.num_test:,} test "
        "images. In training, images are rotated by up to 10 degrees and shifted by up to 2 "
        "pixels.",
        notes=f"{classifier_recipe.REAL_IMAGES} {classifier_recipe.statistics_note(classifier)} "
        "Training takes about 12 minutes on two CPU threads with TensorFlow.",
    )


if __name__ == "__main__":
    main()
