"""The classifier by which images of clothes are scored: a small CNN on Fashion-MNIST, 32x32.

    python applications/classifier_fashion_mnist.py

Training images are mirrored at random and shifted by up to 2 pixels. The preset also holds
statistics of the training images and scores of the test images, to compare the scores of generated
images with.
"""

import classifier_recipe
import keras
import recipe

import kzoo

COMMAND = "KERAS_BACKEND=tensorflow python applications/classifier_fashion_mnist.py"


def build():
    return kzoo.Classifier(
        image_shape=(32, 32, 1), num_classes=10, widths=(16, 32, 96), dropout=0.3
    )


def augmentation():
    return [
        keras.layers.RandomFlip("horizontal", dtype="float32"),
        keras.layers.RandomTranslation(2 / 32, 2 / 32, fill_mode="constant", dtype="float32"),
    ]


def main():
    parser = classifier_recipe.parser(__doc__.splitlines()[0], 40, "fashion_mnist", "fashion_mnist")
    args = parser.parse_args()
    data = recipe.load(args, "train", pad_to=32, labels=True, drop_remainder=True)
    classifier = classifier_recipe.train(args, build, augmentation, data)
    accuracy = classifier_recipe.save(args, classifier, "fashion_mnist", pad_to=32)
    classifier_recipe.write_card(
        args,
        classifier,
        *classifier_recipe.labelled_scores(classifier, accuracy),
        title="Classifier, Fashion-MNIST",
        description=classifier_recipe.describe(classifier, "Fashion-MNIST padded to 32x32"),
        command=COMMAND,
        data="Fashion-MNIST (MIT licence), zero-padded to 32x32, a subset: "
        f"{classifier.reference.num_train:,} training and {classifier.reference.num_test:,} test "
        "images, whose grey values are stretched until the brightest pixel of each image is "
        "white. In training, images are mirrored and shifted by up to 2 pixels.",
        notes=f"{classifier_recipe.REAL_IMAGES} {classifier_recipe.statistics_note(classifier)}",
    )


if __name__ == "__main__":
    main()
