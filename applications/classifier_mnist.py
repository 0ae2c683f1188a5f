"""The classifier on which images of digits are scored: a small CNN on MNIST, padded to 32x32.

    python applications/classifier_mnist.py

Training images are rotated by up to 10 degrees and shifted by up to 2 pixels. AdamW (weight
decay .01) warms up for one epoch to a learning rate of .003 and decays to 0 along a cosine.
The preset also holds statistics of the training images and scores of the test images, against
which the scores of generated images are read.
"""

import keras
import numpy as np
import recipe

import kzoo

COMMAND = "python applications/classifier_mnist.py"


def main():
    parser = recipe.parser(__doc__.splitlines()[0], 14, "weights/classifier/mnist", batch_size=128)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    data = recipe.load(args, "train", pad_to=32, labels=True, drop_remainder=True)

    classifier = kzoo.Classifier(
        image_shape=(32, 32, 1), num_classes=10, widths=(16, 32, 96), dropout=0.3
    )
    model = keras.Sequential(
        [
            keras.Input(classifier.image_shape, dtype="uint8"),
            keras.layers.Rescaling(1 / 127.5, offset=-1.0),  # black, the fill value below, is -1
            keras.layers.RandomRotation(10 / 360, fill_mode="constant", fill_value=-1.0),
            keras.layers.RandomTranslation(2 / 32, 2 / 32, fill_mode="constant", fill_value=-1.0),
            classifier,
        ]
    )
    epoch = args.steps_per_epoch or len(data)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(args.epochs - 1, 1) * epoch, warmup_target=3e-3, warmup_steps=epoch
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-2),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        data,
        epochs=args.epochs,
        steps_per_epoch=args.steps_per_epoch,
        callbacks=recipe.callbacks(args),
        verbose=2,
    )

    (images, labels), (test_images, test_labels) = (
        kzoo.datasets.to_arrays(recipe.load(args, split, pad_to=32, labels=True, shuffle=False))
        for split in ("train", "test")
    )
    classifier.reference = kzoo.metrics.measure_reference(classifier, images, labels, test_images)
    classifier.save_to_preset(args.output)
    _, probabilities = classifier.activations(test_images)
    accuracy = 100 * np.mean(probabilities.argmax(axis=1) == test_labels)
    write_card(args.output, accuracy, classifier.reference)
    print(f"test accuracy {accuracy:.2f}%, reference scores {classifier.reference.scores}")


def write_card(folder, accuracy, reference):
    n = f"the {reference.num_test:,} test images"
    protocols = {
        "inception_score": f"{n}, one split",
        "diversity_score": f"{n} against the labels of the {reference.num_train:,} training images",
        "frechet_distance": f"{n} against the {reference.num_train:,} training images",
    }
    kzoo.presets.write_model_card(
        folder,
        title="Classifier, MNIST",
        description="Small convolutional classifier of MNIST digits padded to 32x32, which "
        "kzoo.metrics scores generated images with: three blocks of two 3x3 convolutions (the "
        "second of stride 2), each with batch normalization and ReLU, of 16, 32 and 96 channels; "
        "average pooling to 96 features; dropout 0.3; a linear layer.",
        command=COMMAND,
        data=f"MNIST (TFDS mnist 3.0.1), zero-padded to 32x32: {reference.num_train:,} training "
        f"and {reference.num_test:,} test images. In training, images are rotated by up to 10 "
        "degrees and shifted by up to 2 pixels.",
        scores=[
            ("accuracy", accuracy, "%", n, COMMAND),
            *((name, reference.scores[name], "", protocols[name], COMMAND) for name in protocols),
        ],
        notes="The inception score, the diversity score and the Frechet distance are those of "
        "real images: a perfect generator scores about the same with as many samples. They are "
        "stored with the weights, as are mean and covariance of the features of the training "
        "images and the distribution of their labels (9,327 of the parameters). The Frechet "
        "distance is taken on this classifier's features: it is no FID, and comparable under this "
        "classifier only. Training takes about 12 minutes on two CPU threads with TensorFlow.",
        sheet=None,
    )


if __name__ == "__main__":
    main()
