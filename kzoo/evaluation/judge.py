"""Scores of samples on the features of one classifier, for models of any data.

The scores of `kzoo.evaluation.protocols.sample_scores` need a classifier of the model's own data.
A judge uses the features of a classifier that was trained on other images too. It compares samples
with the training images of the model, as an FID does.
"""

from kzoo.evaluation.classifier_metric import enlarge
from kzoo.evaluation.density_coverage import DensityCoverage
from kzoo.evaluation.evaluate import class_counts
from kzoo.evaluation.frechet_distance import FrechetDistance, gaussian_of
from kzoo.evaluation.kernel_distance import KernelDistance
from kzoo.evaluation.precision_recall import SamplePrecision, SampleRecall
from kzoo.evaluation.scores import Score


class Judge:
    """Frechet and kernel distance, precision, recall, density and coverage against real images.

    Args:
        classifier: a `kzoo.Classifier` of colour images, or a `kzoo.metrics.FeatureExtractor`.
        name: what it is called; the scores are called `<name>_frechet_distance` and so on.
        real: `(images, text)`: the real images that samples are compared with, uint8
            `(n, height, width, 3)`, more than the classifier has features, and what they are.
            Smaller images than the classifier's are enlarged, see `enlarge`; samples too.
        held_out: `(images, text)`: other real images, more than features as well. Their scores are
            what a perfect model gets with that number of samples. `None` where there are none.

    Attributes:
        text: which features are used, for the protocol of the scores.

    Raises:
        ValueError: if the images are too few or of a size that cannot be enlarged.
    """

    def __init__(self, classifier, name, real, held_out):
        self.classifier, self.name = classifier, name
        images, self._real_text = real
        held_out, self._held_out_text = held_out or (None, "")
        for count in (len(part) for part in (images, held_out) if part is not None):
            if count <= classifier.num_features:
                raise ValueError(
                    f"A judge needs more real images, and more held out, than its "
                    f"{classifier.num_features} features; got {count}."
                )
        self.text = f"features of classifier {name}"
        if images.shape[1:] != classifier.image_shape:
            sizes = ["x".join(map(str, s)) for s in (images.shape[1:3], classifier.image_shape[:2])]
            self.text += f", images enlarged bilinearly from {sizes[0]} to {sizes[1]}"
        features, _ = self._activations(images)
        self._frechet = FrechetDistance(classifier, gaussian_of(features))
        self._kernel = KernelDistance(classifier, features)
        self._precision = SamplePrecision(classifier, features)
        self._recall = SampleRecall(classifier, features)
        self._density = DensityCoverage(classifier, features)
        self._references = {} if held_out is None else self._measure([held_out])[0]

    def scores(self, batches, protocol):
        """The scores of images: the first of what `measure` returns."""
        return self.measure(batches, protocol)[0]

    def measure(self, batches, protocol):
        """The scores of images (n, h, w, 3), more than there are features, and their classes.

        Returns:
            `(scores, class_histogram)`: each score with the value of the images held out. The
            histogram is `None` where there are features alone.
        """
        values, deviation, histogram = self._measure(batches)
        details = {
            "frechet_distance": "; it falls with the number of images",
            "kernel_distance": f"; standard deviation {deviation:.2g} over random subsets of up to "
            f"{self._kernel.subset_size:,}",
            "precision": f"; k = {self._precision.k}",
            "recall": f"; k = {self._recall.k}",
            "density": f"; k = {self._density.k}",
            "coverage": f"; k = {self._density.k}",
        }
        against = f"{protocol}, against {self._real_text}"
        if self._held_out_text:
            against += f"; real value: {self._held_out_text}"
        scores = [
            Score(f"{self.name}_{n}", value, "", against + details[n], self._references.get(n))
            for n, value in values.items()
        ]
        return scores, histogram

    def _measure(self, batches):
        found = [self._activations(batch) for batch in batches]
        metrics = (self._frechet, self._kernel, self._precision, self._recall, self._density)
        for metric in metrics:
            metric.reset_state()
            for features, _ in found:
                metric.update_activations(features, None)
        distances = self._kernel.of_subsets()
        values = {
            "frechet_distance": self._frechet.result(),
            "kernel_distance": float(distances.mean()),
            "precision": self._precision.result(),
            "recall": self._recall.result(),
            **self._density.result(),
        }
        counts = [class_counts(self.classifier, p) for _, p in found if p is not None]
        return values, float(distances.std()), sum(counts) if counts else None

    def _activations(self, images):
        return self.classifier.activations(enlarge(images, self.classifier.image_shape))
