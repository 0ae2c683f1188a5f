"""A small convolutional classifier whose predictions and features judge generated images.

Scores of generated images need a classifier trained on the labels of the real data: the
inception score and the diversity score read its class probabilities, the Frechet distance its
penultimate activations. The network is plain: one block per width, each of two 3x3 convolutions
with batch normalization and ReLU, the second of stride 2; then the average over all positions,
dropout and a linear layer.
"""

import dataclasses

import keras
import numpy as np
from keras import ops

from kzoo import backend
from kzoo.batching import in_batches
from kzoo.checks import (
    check_flag,
    check_image_shape,
    check_positive_int,
    check_positive_ints,
    check_rate,
)
from kzoo.classifier.backbone import blocks, feature_count, features_of
from kzoo.configs import ConfiguredModel
from kzoo.images import check_images, to_float
from kzoo.models.training_state import TrainingState
from kzoo.presets import PresetMixin

SCORES = ("inception_score", "diversity_score", "frechet_distance")
WIDTHS = (16, 32, 96)
EVALUATION_BATCH = 500  # images per forward pass of `activations`; bounds the memory it takes


@dataclasses.dataclass(frozen=True)
class Reference:
    """Statistics of real training images, and the scores that real test images get.

    Args:
        mean: `(d,)`, mean of the classifier's features of the training images.
        covariance: `(d, d)`, their covariance (normalized by n - 1).
        label_distribution: `(num_classes,)`, the share of each label in the training images, or
            the classifier's average prediction on them (see `kzoo.metrics.measure_reference`).
        num_train: how many training images these are of.
        scores: dict of the test images' `inception_score`, `diversity_score` and
            `frechet_distance` (to the training images).
        num_test: how many test images these are of.
    """

    mean: np.ndarray
    covariance: np.ndarray
    label_distribution: np.ndarray
    num_train: int
    scores: dict
    num_test: int


@keras.saving.register_keras_serializable(package="kzoo")
class Classifier(PresetMixin, ConfiguredModel, TrainingState, backend.KerasTrainer, keras.Model):
    """A small convolutional classifier of images.

    `classifier(x)` maps images `(batch, height, width, channels)`, uint8 or floats in [-1, 1], to
    logits `(batch, num_classes)`. It trains as any Keras model does: compile it with
    `SparseCategoricalCrossentropy(from_logits=True)` and fit it on `(images, labels)`. With several
    labels per image (`multi_label`), take `BinaryCrossentropy(from_logits=True)`, and as labels a 0
    or a 1 for each class. `kzoo train classifier` trains one on the command line.

    Args:
        image_shape: `(height, width, channels)` of the images.
        num_classes: int, at least 2.
        widths: the channels of each block; every block halves height and width. The last width
            is the number of features. `None` takes (16, 32, 96).
        dropout: rate of the dropout between the features and the linear layer, in [0, 1).
        backbone: `keras.Model` from images in [-1, 1] (b, h, w, c) to features (b, d), in place of
            the blocks; `widths` must then be `None`. See `from_encoder`.
        multi_label: whether the classes are attributes, of which an image may have several or none.
            Such a classifier gives a Frechet distance, but no inception score.
        class_names: names of the classes, `num_classes` strings; `None` for none.

    Attributes:
        num_features: the number of features, d.
        reference: a `kzoo.classifier.Reference`, statistics and scores of the real data,
            or None. Assignable; saved with the weights, as float32.

    Raises:
        ValueError: if an argument is outside the range given above.

    Example:

    >>> classifier = kzoo.Classifier.from_preset("mnist")
    >>> features, probabilities = classifier.activations(images)  # (n, 96), (n, 10)
    """

    def __init__(
        self,
        image_shape=(32, 32, 1),
        num_classes=10,
        widths=None,
        dropout=0.3,
        backbone=None,
        multi_label=False,
        class_names=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.multi_label = check_flag("multi_label", multi_label)
        self.image_shape = check_image_shape(image_shape)
        self.num_classes = check_positive_int("num_classes", num_classes)
        if self.num_classes < 2 and not self.multi_label:
            raise ValueError(f"num_classes must be at least 2, got {num_classes}.")
        self.class_names = None
        if class_names is not None:
            sequence = isinstance(class_names, list | tuple | np.ndarray)
            self.class_names = [str(name) for name in class_names] if sequence else []
            if len(set(self.class_names)) != self.num_classes:
                raise ValueError(
                    f"class_names must be {self.num_classes} different names, got {class_names!r}."
                )
        if backbone is not None and widths is not None:
            raise ValueError(f"A backbone has its own layers: widths must be None, got {widths!r}.")
        if backbone is None:
            widths = WIDTHS if widths is None else widths
        self.widths = None if widths is None else check_positive_ints("widths", widths)
        self.dropout = check_rate("dropout", dropout)
        self.networks_by_name = {"backbone": None} if backbone is None else {}
        self.backbone = blocks(self.widths) if backbone is None else backbone
        self.num_features = feature_count(self.backbone, self.image_shape)
        self.drop = keras.layers.Dropout(dropout)
        self.head = keras.layers.Dense(self.num_classes)
        # As in a Normalization layer, statistics of the data are weights: saved with the others.
        d, k = self.num_features, self.num_classes
        self._mean = self._statistic("reference_mean", (d,))
        self._covariance = self._statistic("reference_covariance", (d, d))
        self._label_distribution = self._statistic("reference_label_distribution", (k,))
        self._scores = self._statistic("reference_scores", (len(SCORES),))
        self._counts = self._statistic("reference_counts", (2,))  # train, test; 0: no reference
        self.build((None, *self.image_shape))

    def _statistic(self, name, shape):
        return self.add_weight(shape, "zeros", "float32", trainable=False, name=name)

    @classmethod
    def from_encoder(
        cls, encoder, num_classes, trainable_encoder=True, layer=None, dropout=0.0, **kwargs
    ):
        """A classifier that starts from the features of a trained encoder: transfer learning.

        The encoder is copied with its weights, so that training the classifier leaves the model
        that the encoder belongs to as it is. The linear layer on top starts from new weights.

        Args:
            encoder: `keras.Model` from images in [-1, 1] (b, h, w, c) to features (b, d), such as
                `autoencoder.encoder`, or `kzoo.latents.latent_network(vae)`, the posterior's mean:
                the output of `vae.encoder` itself is the mean and the log-variance.
            num_classes: int, at least 2.
            trainable_encoder: whether `fit` changes the encoder (fine-tuning), or only the
                linear layer on top of it (frozen).
            layer: the encoder's layer whose output, flattened, are the features: a name, or an
                index of `encoder.layers`. -2 is the hidden layer before the latents, for
                kzoo's encoders. `None` takes the output.
            dropout: see `kzoo.Classifier`.
            **kwargs: `multi_label`, `class_names`; `name`, `dtype` and the like, as in Keras.

        Raises:
            ValueError: if the encoder is not a `keras.Model` of one input and output, or has no
                such layer.

        Example:

        >>> classifier = kzoo.Classifier.from_encoder(autoencoder.encoder, 10)
        """
        backbone = features_of(encoder, layer)
        backbone.trainable = trainable_encoder
        return cls(backbone.input_shape[1:], num_classes, None, dropout, backbone, **kwargs)

    # Asked by the command line, as of a `kzoo.GenerativeModel`.

    @classmethod
    def arguments_for(cls, image_shape, batch_size=None):
        return {"image_shape": tuple(image_shape)}

    def default_optimizers(self):
        return {"optimizer": keras.optimizers.Adam(1e-3)}

    def fit(self, x=None, y=None, batch_size=None, callbacks=None, **kwargs):
        """Trains the classifier; arguments as in `keras.Model.fit`.

        With a `kzoo.callbacks.Checkpoint`, a training that was stopped goes on.
        """
        callbacks = keras.tree.flatten(callbacks or ())
        return super().fit(y=y, batch_size=batch_size, **self.resumed(x, callbacks, **kwargs))

    def build(self, input_shape):
        if not self.backbone.built:
            self.backbone.build(input_shape)
        self.head.build((None, self.num_features))
        self.built = True

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

    @property
    def score_names(self):
        """The names of its scores of samples: `SCORES`, or for `multi_label` the last of them."""
        return SCORES[-1:] if self.multi_label else SCORES

    @property
    def reference(self):
        num_train, num_test = (int(count) for count in ops.convert_to_numpy(self._counts))
        if not num_train:
            return None
        mean, covariance, label_distribution, scores = (
            ops.convert_to_numpy(statistic).astype("float64")
            for statistic in (self._mean, self._covariance, self._label_distribution, self._scores)
        )
        return Reference(
            mean=mean,
            covariance=covariance,
            label_distribution=label_distribution,
            num_train=num_train,
            scores={n: s for n, s in zip(SCORES, scores.tolist()) if n in self.score_names},
            num_test=num_test,
        )

    @reference.setter
    def reference(self, reference):
        self._mean.assign(reference.mean)
        self._covariance.assign(reference.covariance)
        self._label_distribution.assign(reference.label_distribution)
        # A score that there is not is stored as 0.
        self._scores.assign([reference.scores.get(name, 0.0) for name in SCORES])
        self._counts.assign([reference.num_train, reference.num_test])

    def features(self, x, training=False):
        """The penultimate activations `(batch, d)` of images `(batch, height, width, channels)`."""
        check_images(self, x)
        return self.backbone(to_float(x), training=training)  # (b, d)

    def call(self, x, training=False):
        features = self.features(x, training=training)  # (b, d)
        return self.head(self.drop(features, training=training))  # (b, num_classes)

    def activations(self, images):
        """What the metrics use, in one pass over the images.

        Args:
            images: NumPy array `(n, height, width, channels)`, uint8 or floats in [-1, 1].

        Returns:
            `(features, probabilities)`: NumPy arrays, `(n, d)` of float32 and
            `(n, num_classes)` of float64. Rows sum to 1, except with `multi_label`: then each
            number is the probability of one attribute.

        Raises:
            ValueError: if there are no images, or their type, shape or values do not fit.
        """
        check_images(self, images)
        features, logits = in_batches(self._forward, EVALUATION_BATCH, images)
        logits = logits.astype("float64")
        if self.multi_label:
            return features, np.exp(-np.logaddexp(0.0, -logits))  # sigmoid
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return features, exponentials / exponentials.sum(axis=1, keepdims=True)

    @backend.compiled
    def _forward(self, images):
        features = self.features(images)
        return features, self.head(features)
