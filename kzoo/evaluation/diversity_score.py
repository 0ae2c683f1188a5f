"""Diversity score (Johnson & Zhang 2018, arXiv:1801.06309, section 4)."""

import keras
import numpy as np

from kzoo.evaluation.classifier_metric import ClassifierMetric


@keras.saving.register_keras_serializable(package="kzoo")
class DiversityScore(ClassifierMetric):
    """Diversity score exp(-KL(Pr(y) || Pr*(y))): do the classes occur as often as in real data?

    Pr(y) is the average prediction p(y|x) over the images, Pr*(y) the distribution of the real
    labels. The score is between 0 and 1, and 1 where the two agree. It is 0 if the images have a
    class that the real data lack.

    Args:
        classifier: name of a `kzoo.Classifier` preset, or a `kzoo.Classifier`.
        reference: Pr*(y): `(num_classes,)` shares or counts of the real labels, or "uniform";
            by default those of the training labels stored with the classifier.
        name, dtype: as in any Keras metric; the state is float64 in any case.

    Raises:
        ValueError: if the classifier is neither a string nor a `kzoo.Classifier`; if the
            reference has another length than there are classes, or is negative or zero in sum; if
            none is given and the classifier has none stored.
    """

    score = "diversity_score"
    of_one_label = True

    def __init__(self, classifier="mnist", reference=None, name=None, dtype=None):
        super().__init__(classifier, name=name, dtype=dtype)
        self.reference = reference
        self._reference = self._distribution(reference)

    def _distribution(self, reference):
        num_classes = self.classifier.num_classes
        if reference is None:
            if self.classifier.reference is None:
                raise ValueError(
                    "The classifier has no stored label distribution; give DiversityScore "
                    f"`reference`: {num_classes} shares, or 'uniform'."
                )
            reference = self.classifier.reference.label_distribution
        elif isinstance(reference, str) and reference == "uniform":
            reference = np.ones(num_classes)
        try:
            shares = np.asarray(reference, "float64")
        except (TypeError, ValueError):
            shares = np.zeros(0)
        if shares.shape != (num_classes,) or not (shares >= 0).all() or not shares.sum() > 0:
            raise ValueError(
                f"`reference` must be {num_classes} shares of classes, not negative and not all "
                f"zero, or 'uniform'; got {reference!r}."
            )
        return shares / shares.sum()

    def reset_state(self):
        """Forgets all images."""
        self.count = 0
        self._probabilities = np.zeros(self.classifier.num_classes)  # sum over x of p(y|x)

    def update_activations(self, features, probabilities):
        self._probabilities += np.sum(probabilities, axis=0, dtype="float64")
        self.count += len(probabilities)

    def result(self):
        """The score, a float.

        Raises:
            ValueError: if there were no images.
        """
        if not self.count:
            raise ValueError("DiversityScore needs at least one image; got none.")
        p = self._probabilities / self.count
        present = p > 0  # 0 log 0 = 0
        with np.errstate(divide="ignore"):  # a class that real data lack: KL = inf, score 0
            divergence = np.sum(p[present] * np.log(p[present] / self._reference[present]))
        return float(np.exp(-divergence))

    def get_config(self):
        reference = self.reference
        if not (reference is None or isinstance(reference, str)):
            reference = np.asarray(reference, "float64").tolist()
        return {**super().get_config(), "reference": reference}
