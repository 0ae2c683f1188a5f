"""What only `kzoo train classifier` does: classes of the labels, held-out images, statistics."""

from kzoo.cli import data
from kzoo.cli.trained_on import TrainedOn, held_out_split
from kzoo.evaluation.capabilities import can

VALIDATION_SPLIT = 0.1


def is_classifier(model):
    """Whether a model, or a class of models, is a classifier."""
    return can(model, "activations")


def losses(model):
    """What `compile` takes besides the optimizer; empty unless the model is a classifier."""
    if not is_classifier(model):
        return {}
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return {"loss": loss, "metrics": ["accuracy"]}


def choose_held_out(args):
    """Sets `--validation-split` for data without a named split of images held out."""
    if args.validation_split is not None or not data.is_file(args.data):
        return
    names = data.array_names(args.data)
    if not any(name.endswith(f"_{held_out_split(args.data)}") for name in names):
        args.validation_split = VALIDATION_SPLIT


def count_classes(args, dataset):
    """The number of classes of the labels of a data set, as `data.open_data` opens it for `args`.

    Raises:
        ValueError: if the labels are no class numbers 0, 1, ...
    """
    from kzoo.datasets import catalog

    if not hasattr(dataset, "labels"):  # a `tf.data.Dataset`
        feature = catalog.find_builder(args.data).info.features["label"]
        if not hasattr(feature, "num_classes"):
            raise ValueError(f"--data {args.data}: its labels are no classes, but {feature}")
        return feature.num_classes
    labels = dataset.labels
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(
            f"--data {args.data}: expected labels that are class numbers 0, 1, ..., one for each "
            f"image; got {labels.dtype} of shape {labels.shape}"
        )
    return len(dataset.class_names) if dataset.class_names else int(labels.max()) + 1


class Reference:
    """The images that a classifier's statistics are measured on.

    Args:
        model: the classifier, not trained yet.
        record: what `kzoo.cli.trained_on.record` returned for its training.

    Raises:
        ValueError: if they are too few for the statistics.
    """

    def __init__(self, model, record):
        trained_on = TrainedOn({"trained_on": record})
        self._training, self._held_out = (
            data.load_images(model, trained_on.images(training=training), labels=True)
            for training in (True, False)
        )
        fewest = min(len(self._training[0]), len(self._held_out[0]))
        if fewest <= model.num_features:
            raise ValueError(
                f"the classifier has {model.num_features} features and needs more images than "
                f"that, both to train on and held out; got {len(self._training[0])} and "
                f"{len(self._held_out[0])}: give more images, a larger --validation-split, or "
                f'fewer features by --set "widths=(16,32,{fewest - 1})"'
            )

    def measure(self, model):
        """Gives the trained classifier its `reference`; returns its accuracy, and a sentence."""
        from kzoo.evaluation.protocols import accuracy_scores
        from kzoo.metrics import measure_reference

        images, labels, text = self._held_out
        (accuracy, *_), _ = accuracy_scores(model, images, labels)
        model.reference = measure_reference(model, *self._training[:2], images)
        return accuracy.value, f"Accuracy {accuracy.value:.4g} % on {text}."
