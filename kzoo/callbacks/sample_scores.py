"""Scores of generated images while a model trains."""

import keras

from kzoo.metrics.classifier_metric import resolve_classifier
from kzoo.metrics.evaluate import evaluate_images
from kzoo.models.data import check_positive_int


class SampleScores(keras.callbacks.Callback):
    """Scores generated images at the end of an epoch, for the log and for other callbacks.

    It adds `"inception_score"`, `"diversity_score"` and `"frechet_distance"` to the epoch's logs,
    where callbacks after it find them: `keras.callbacks.EarlyStopping("frechet_distance",
    mode="min", patience=5, restore_best_weights=True)` stops when samples no longer get better.
    Scores of few samples are biased; compare only those of equal numbers.

    Args:
        classifier: a `kzoo.Classifier` or the name of its preset, such as "mnist".
        num_images: how many images to score.
        every: at the end of every that many epochs.
        seed: int, of the samples.
        **options: further arguments of the model's `generate`, such as `batch_size`.

    Raises:
        ValueError: if an argument is not as described above.
    """

    def __init__(self, classifier="mnist", num_images=1000, every=1, seed=0, **options):
        super().__init__()
        self.classifier = resolve_classifier(classifier)
        self.num_images = check_positive_int("num_images", num_images)
        self.every = check_positive_int("every", every)
        self.seed = seed
        self.options = options

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        images = self.model.generate(self.num_images, seed=self.seed, **self.options)
        scores = evaluate_images([images], self.classifier)
        names = ("inception_score", "diversity_score", "frechet_distance")
        logs.update({name: float(scores[name]) for name in names})
