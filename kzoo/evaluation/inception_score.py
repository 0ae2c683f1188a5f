"""Inception score (Salimans et al. 2016, "Improved Techniques for Training GANs", section 4)."""

import keras
import numpy as np

from kzoo.checks import check_positive_int
from kzoo.evaluation.classifier_metric import ClassifierMetric


@keras.saving.register_keras_serializable(package="kzoo")
class InceptionScore(ClassifierMetric):
    """Inception score exp(E_x KL(p(y|x) || p(y))), p(y) the average of p(y|x) over the images.

    Between 1 (every image gets the same prediction) and the number of classes (every image is
    surely one class, all classes equally often). With a classifier of the data set's own labels
    instead of the Inception network, as in Johnson & Zhang 2018 (arXiv:1801.06309), section 4.

    Deviation: the i-th image counts in split i mod `splits`, instead of cutting the images into
    consecutive splits, because their number is not known beforehand.

    Args:
        classifier: name of a `kzoo.Classifier` preset, or a `kzoo.Classifier`.
        splits: the score is the mean of the scores of that many parts of the images.
        name, dtype: as in any Keras metric; the state is float64 in any case.

    Raises:
        ValueError: if the classifier is neither a string nor a `kzoo.Classifier`, or `splits` is
            not a positive integer.
    """

    score = "inception_score"
    of_one_label = True

    def __init__(self, classifier="mnist", splits=1, name=None, dtype=None):
        self.splits = check_positive_int("splits", splits)
        super().__init__(classifier, name=name, dtype=dtype)

    def reset_state(self):
        """Forgets all images."""
        self.count = 0
        self._counts = np.zeros(self.splits)
        self._probabilities = np.zeros((self.splits, self.classifier.num_classes))  # sum p(y|x)
        self._negentropies = np.zeros(self.splits)  # sum over x of sum_y p(y|x) log p(y|x)

    def update_activations(self, features, probabilities):
        p = np.asarray(probabilities, "float64")  # (n, num_classes)
        part = (self.count + np.arange(len(p))) % self.splits  # (n,)
        np.add.at(self._counts, part, 1.0)
        np.add.at(self._probabilities, part, p)
        np.add.at(self._negentropies, part, _p_log_p(p).sum(axis=1))
        self.count += len(p)

    def result(self):
        """The score, a float.

        Raises:
            ValueError: if there were fewer images than splits.
        """
        if self.count < self.splits:
            raise ValueError(
                f"InceptionScore with splits={self.splits} needs at least that many images; "
                f"got {self.count}."
            )
        marginal = self._probabilities / self._counts[:, None]  # (splits, num_classes): p(y)
        # E_x KL(p(y|x) || p(y)) is the entropy of p(y) less the mean entropy of p(y|x).
        divergence = self._negentropies / self._counts - _p_log_p(marginal).sum(axis=1)
        return float(np.mean(np.exp(divergence)))

    def get_config(self):
        return {**super().get_config(), "splits": self.splits}


def _p_log_p(p):
    return p * np.log(np.where(p > 0, p, 1.0))  # 0 log 0 = 0
