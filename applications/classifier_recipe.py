"""What the recipes of the classifiers share: how they train, and the card of what they reached.

A recipe, `applications/classifier_<preset>.py`, chooses the data, the size of the network and
the augmentation.
"""

import keras
import numpy as np
import recipe

import kzoo

REAL_IMAGES = (
    "The inception score, the diversity score and the Frechet distance are those of real images: "
    "a perfect generator scores about the same with as many samples."
)


def parser(description, epochs, preset, data):
    """The arguments of a classifier's recipe.

    Args:
        description: one line for `--help`.
        epochs: what the published weights were trained for.
        preset: the preset's name, such as "svhn".
        data: TFDS name of the training data.

    Returns:
        `argparse.ArgumentParser`, as that of `recipe.parser`.
    """
    return recipe.parser(
        description,
        epochs,
        f"weights/classifier/{preset}",
        batch_size=128,
        mixed_precision=True,
        data=data,
    )


def train(
    args, build, augmentation, data, extend=None, loss=None, metrics=("accuracy",), **options
):
    """Trains a classifier on augmented images.

    AdamW (weight decay .01) warms up for one epoch to a learning rate of .003, which then decays
    to 0 along a cosine.

    Args:
        args: what `parser` parsed.
        build: function without arguments that returns the untrained `kzoo.Classifier`.
        augmentation: function without arguments that returns the layers which distort images
            `(n, height, width, channels)` in [0, 255].
        data: training batches `(images, labels)`, uint8 and int, as many in each epoch.
        extend: function of the classifier that returns the layer to train in its place, from
            images in [-1, 1]; for what is learned beside the classes. `None` trains the classifier.
        loss, metrics: as in `compile`; by default those of the labels under the classifier.
        **options: further arguments of `fit`, such as `class_weight`.

    Returns:
        The trained `kzoo.Classifier`, which computes in float32.
    """

    def fit(classifier):
        model = keras.Sequential(
            [
                keras.Input(classifier.image_shape, dtype="uint8"),
                *augmentation(),
                keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32"),
                extend(classifier) if extend else classifier,
            ]
        )
        epoch = args.steps_per_epoch or len(data)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(args.epochs - 1, 1) * epoch, warmup_target=3e-3, warmup_steps=epoch
        )
        model.compile(
            optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-2),
            loss=loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=list(metrics),
        )
        model.fit(
            data,
            epochs=args.epochs,
            steps_per_epoch=args.steps_per_epoch,
            callbacks=recipe.callbacks(args, data),
            verbose=2,
            **options,
        )

    return recipe.train(args, build, fit)


def accuracy(classifier, images, labels):
    """The share of images whose most likely class is their label, in percent.

    Args:
        classifier: a `kzoo.Classifier`.
        images: uint8 array `(n, height, width, channels)`.
        labels: int array `(n,)`.
    """
    _, probabilities = classifier.activations(images)
    return 100.0 * float(np.mean(probabilities.argmax(axis=1) == labels))


def save(args, classifier, dataset, **options):
    """Measures the reference on labelled data with a split "test", and saves the preset.

    Args:
        args: what `parser` parsed.
        classifier: the trained `kzoo.Classifier`, which is given its `reference`.
        dataset: TFDS name, recorded in the preset's metadata.
        **options: of `recipe.load`, such as `pad_to`.

    Returns:
        The accuracy on the test images, in percent.
    """
    (images, labels), (test_images, test_labels) = (
        kzoo.datasets.to_arrays(recipe.load(args, split, labels=True, shuffle=False, **options))
        for split in ("train", "test")
    )
    classifier.reference = kzoo.metrics.measure_reference(classifier, images, labels, test_images)
    trained_on = {"data": dataset, "split": "train", "num_images": len(images)}
    classifier.save_to_preset(args.output, trained_on=trained_on)
    return accuracy(classifier, test_images, test_labels)


def labelled_scores(classifier, accuracy):
    """`scores` and `protocols` of `write_card`, after `save`."""
    train = f"{classifier.reference.num_train:,} training images"
    test = f"the {classifier.reference.num_test:,} test images"
    return [("accuracy", accuracy, "%", test)], {
        "inception_score": f"{test}, one split",
        "diversity_score": f"{test} against the labels of the {train}",
        "frechet_distance": f"{test} against the {train}",
    }


def describe(classifier, what):
    """What a classifier is, for its card.

    Args:
        classifier: a `kzoo.Classifier`.
        what: what it tells apart, such as "MNIST digits padded to 32x32".
    """
    *widths, last = classifier.widths
    return (
        f"Small convolutional classifier of {what}, which kzoo.metrics scores generated images "
        f"with: {('one', 'two', 'three', 'four')[len(widths)]} blocks of two 3x3 convolutions "
        "(the second of stride 2), each with batch normalization and ReLU, of "
        f"{', '.join(map(str, widths))} and {last} channels; average pooling to {last} features; "
        f"dropout {classifier.dropout}; a linear layer."
    )


def statistics_note(classifier):
    """What every card says of the stored statistics and of the distance."""
    d, k = classifier.num_features, classifier.num_classes
    count = d + d * d + k + 5  # three scores and two counts
    return (
        "They are stored with the weights, as are mean and covariance of the features of the "
        f"training images and the distribution of their labels ({count:,} of the parameters). "
        "The Frechet distance is taken on this classifier's features: it is no FID, and "
        "comparable under this classifier only."
    )


def write_card(args, classifier, scores, protocols, **card):
    """Writes the model card and prints the scores.

    Args:
        args: what `parser` parsed.
        classifier: a `kzoo.Classifier` with `reference`, saved to `args.output`.
        scores: list of `(name, value, unit, protocol)`, which come first.
        protocols: dict of how each score of `classifier.reference` was measured.
        **card: the other arguments of `kzoo.presets.write_model_card`.
    """
    reference = classifier.reference.scores
    rows = [*scores, *((name, reference[name], "", protocols[name]) for name in protocols)]
    kzoo.presets.write_model_card(
        args.output,
        scores=[(*row, card["command"]) for row in rows],
        sheet=None,
        **card,
    )
    for name, value, unit, protocol in rows:
        print(f"{name} {value:.5g}{unit and ' '}{unit}: {protocol}")
