"""Scores of samples on one classifier's features, whatever data the model learned.

The scores of `kzoo.evaluation.protocols.sample_scores` need a classifier of the model's own data.
A judge takes its features from a classifier of other images as well, and compares the samples with
real images of the model's data: with the training images, as an FID does.
"""

from kzoo.evaluation.classifier_metric import enlarge
from kzoo.evaluation.frechet_distance import FrechetDistance, GaussianStatistics
from kzoo.evaluation.kernel_distance import KernelDistance
from kzoo.evaluation.precision_recall import SamplePrecision, SampleRecall
from kzoo.evaluation.scores import Score


class Judge:
    """Frechet distance, kernel distance, precision and recall against given real images.

    Args:
        classifier: a `kzoo.Classifier` of colour images.
        name: what it is called; the scores are called `<name>_frechet_distance` and so on.
        real: `(images, text)`: the real images that samples are compared with, uint8
            `(n, height, width, 3)`, more than the classifier has features, and what they are.
            Smaller images than the classifier's are enlarged, see `enlarge`; samples too.
        held_out: `(images, text)`: other real images, more than features as well. Their scores are
            what a perfect model gets with that number of samples.

    Attributes:
        text: what is measured with, for the protocol of the scores.

    Raises:
        ValueError: if the images are too few or of a size that cannot be enlarged.
    """

    def __init__(self, classifier, name, real, held_out):
        self.classifier, self.name = classifier, name
        images, self._real_text = real
        held_out, self._held_out_text = held_out
        for count in (len(images), len(held_out)):
            if count <= classifier.num_features:
                raise ValueError(
                    f"A judge of {classifier.num_features} features needs more than as many real "
                    f"images of either kind; got {count}."
                )
        self.text = f"features of classifier {name}"
        if images.shape[1:] != classifier.image_shape:
            sizes = ["x".join(map(str, s)) for s in (images.shape[1:3], classifier.image_shape[:2])]
            self.text += f", images enlarged bilinearly from {sizes[0]} to {sizes[1]}"
        features = self._features(images)
        statistics = GaussianStatistics(classifier.num_features)
        statistics.update(features)
        self._frechet = FrechetDistance(classifier, (statistics.mean, statistics.covariance))
        self._kernel = KernelDistance(classifier, features)
        self._precision = SamplePrecision(classifier, features)
        self._recall = SampleRecall(classifier, features)
        self._references, _ = self._measure([held_out])

    def scores(self, batches, protocol):
        """The scores of images.

        Args:
            batches: iterable of uint8 arrays `(n, height, width, 3)`.
            protocol: what they are.

        Returns:
            A list of `Score`, each with the value of the images held out.

        Raises:
            ValueError: if there are no more images than features, or they are of another size.
        """
        values, deviation = self._measure(batches)
        details = {
            "frechet_distance": "; it falls with the number of images",
            "kernel_distance": f"; standard deviation {deviation:.2g} over random subsets of up to "
            f"{self._kernel.subset_size:,}",
            "precision": f"; k = {self._precision.k}",
            "recall": f"; k = {self._recall.k}",
        }
        against = f"{protocol}, against {self._real_text}; real value: {self._held_out_text}"
        return [
            Score(f"{self.name}_{name}", value, "", against + details[name], self._references[name])
            for name, value in values.items()
        ]

    def _measure(self, batches):
        features = [self._features(batch) for batch in batches]
        metrics = (self._frechet, self._kernel, self._precision, self._recall)
        for metric in metrics:
            metric.reset_state()
            for batch in features:
                metric.update_activations(batch, None)
        distances = self._kernel.of_subsets()
        values = {
            "frechet_distance": self._frechet.result(),
            "kernel_distance": float(distances.mean()),
            "precision": self._precision.result(),
            "recall": self._recall.result(),
        }
        return values, float(distances.std())

    def _features(self, images):
        return self.classifier.activations(enlarge(images, self.classifier.image_shape))[0]
