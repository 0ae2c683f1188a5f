"""Sheets and scores of samples while a model trains."""

import keras
import numpy as np

from kzoo.checks import check_name, check_optional_int, check_positive_int, check_seed
from kzoo.conditions import check_given
from kzoo.evaluation.capabilities import can, conditions_of
from kzoo.evaluation.classifier_metric import match_size, resolve_classifier
from kzoo.evaluation.evaluate import evaluate_images
from kzoo.paths import check_path, check_writable
from kzoo.visualization import image_grid


def check_model(callback, model):
    """`ValueError`, before the training begins, unless the model draws images by itself."""
    name = type(callback).__name__
    if not can(model, "generate"):
        raise ValueError(f"{name} needs a model with generate(); got {type(model).__name__}.")
    conditions = conditions_of(model)
    if conditions:
        given = {c.name: callback.options.get(c.name) for c in conditions}
        try:
            check_given(model, callback.num_images, given)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


class SampleGrid(keras.callbacks.Callback):
    """Writes sheets of generated images, `epoch_0001.png` and so on, while a model trains.

    All sheets use the same seed, so they show the same latents over time. A file is replaced as a
    whole; a resumed training goes on numbering where it stopped.

    Args:
        folder: where the sheets go; made if it does not exist.
        num_images: images per sheet.
        every: number of units from one sheet to the next.
        unit: "epoch", or "batch": a step of `fit`, which for `kzoo.CFGGAN` is a whole stage. Files
            of the latter are `batch_000001.png` and so on, counted from the start of training.
        seed: int, of the samples.
        columns: see `kzoo.visualization.image_grid`.
        scale: see `kzoo.visualization.image_grid`.
        **options: further arguments of the model's `generate`, such as `batch_size`.

    Raises:
        ValueError: if the folder cannot be made or written to, or another argument is not as
            described above.
    """

    def __init__(
        self, folder, num_images=64, every=1, unit="epoch", seed=0, columns=None, scale=1, **options
    ):
        super().__init__()
        self.num_images = check_positive_int("num_images", num_images)
        self.every = check_positive_int("every", every)
        self.unit = check_name("unit", unit, ("epoch", "batch"))
        self.seed = check_seed(seed)
        self.columns = check_optional_int("columns", columns)
        self.scale = check_positive_int("scale", scale)
        self.options = options
        # Checked now, not after an epoch of training.
        self.folder = check_path("folder", folder)
        check_writable(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._first_batch = self._last_batch = 0

    def set_model(self, model):
        check_model(self, model)
        image_shape = getattr(model, "image_shape", (0, 0, 3))
        if image_shape[2] not in (1, 3):
            raise ValueError(
                "SampleGrid shows images of shape (height, width, 1 or 3); the "
                f"{type(model).__name__} draws images of shape {image_shape}."
            )
        super().set_model(model)

    def on_epoch_begin(self, epoch, logs=None):
        steps = self.params.get("steps")
        # Without a known number of steps, only the batches of this call of `fit` can be counted.
        self._first_batch = self._last_batch = epoch * steps if steps else self._last_batch

    def on_train_batch_end(self, batch, logs=None):
        if self.unit == "batch":
            done = self._first_batch + batch + 1
            # `batch` rises by more than 1 where `steps_per_execution` does.
            if done // self.every > self._last_batch // self.every:
                self._write(f"batch_{done:06d}.png")
            self._last_batch = done

    def on_epoch_end(self, epoch, logs=None):
        if self.unit == "epoch" and (epoch + 1) % self.every == 0:
            self._write(f"epoch_{epoch + 1:04d}.png")

    def _write(self, name):
        images = self.model.generate(self.num_images, seed=self.seed, **self.options)
        image_grid(images, columns=self.columns, scale=self.scale, path=self.folder / name)


class SampleScores(keras.callbacks.Callback):
    """Scores generated images at the end of an epoch, for the log and for other callbacks.

    It adds `"inception_score"`, `"diversity_score"` and `"frechet_distance"` to the epoch's logs,
    where callbacks after it find them: `keras.callbacks.EarlyStopping("frechet_distance",
    mode="min", patience=5, restore_best_weights=True)` stops when samples no longer get better.
    Scores depend on the number of samples; compare only those of equal numbers.

    Args:
        classifier: a `kzoo.Classifier` or the name of its preset, such as "mnist".
        num_images: how many images to score, more than the classifier has features.
        every: number of epochs from one scoring to the next.
        seed: int, of the samples.
        **options: further arguments of the model's `generate`, such as `batch_size`.

    Raises:
        ValueError: if an argument is not as described above, or the classifier has no `reference`;
            from `fit`, if the classifier takes images of another shape than the model draws.
    """

    def __init__(self, classifier="mnist", num_images=1000, every=1, seed=0, **options):
        super().__init__()
        self.classifier = resolve_classifier(classifier)
        self.num_images = check_positive_int("num_images", num_images)
        if self.classifier.reference is None:
            raise ValueError(
                "SampleScores needs a classifier with a `reference`, the statistics of real "
                "images: see kzoo.metrics.measure_reference."
            )
        if self.num_images <= self.classifier.num_features:
            raise ValueError(
                "num_images must be more than the classifier's number of features, "
                f"{self.classifier.num_features}, for the Frechet distance; got {num_images}."
            )
        self.every = check_positive_int("every", every)
        self.seed = check_seed(seed)
        self.options = options

    def set_model(self, model):
        check_model(self, model)
        if hasattr(model, "image_shape"):
            match_size(np.zeros((1, *model.image_shape), "uint8"), self.classifier.image_shape)
        super().set_model(model)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        images = self.model.generate(self.num_images, seed=self.seed, **self.options)
        scores = evaluate_images([images], self.classifier)
        logs.update({name: float(scores[name]) for name in scores["reference"]})
