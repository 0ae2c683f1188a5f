"""Which scores a model gets: those of every protocol whose methods it has."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from kzoo.evaluation import protocols
from kzoo.evaluation.capabilities import can, conditions_of, is_binary, learns_labels, takes_pairs
from kzoo.evaluation.conditional_accuracy import conditional_scores
from kzoo.evaluation.likelihood_scores import NLL_IMAGES, likelihood_scores
from kzoo.evaluation.reconstruction_scores import discrete_code_scores, reconstruction_scores
from kzoo.evaluation.scores import over_seeds, untracked
from kzoo.evaluation.translation_scores import cycle_scores, feature_score, pair_scores


@dataclass
class Given:
    """The data and classifiers that the protocols need. Functions are called when needed.

    Attributes:
        images: function `(labels, binarize)`, two bools, that returns `(images, labels or None,
            text)`: test images, uint8 (n, h, w, c), and what they are.
        classifier: function without arguments that returns `(classifier, text, own)`, or `None`
            where there is none: what it compares samples with, and whether the classes of the data
            are its own.
        num_samples: images to draw.
        importance_samples: latents per image, for a likelihood that is estimated from them.
        nll_images: how many of the test images have their likelihood estimated; `None` for all.
        generate: further arguments of the model's `generate`, a dict.
        seed: of samples and latents.
        seeds: from how many seeds samples are drawn, `seed` and those after it; each time
            `num_samples`.
        track: as in `kzoo.evaluation.protocols.sample`.
        judge: function without arguments that returns a `kzoo.evaluation.judge.Judge`, or `None`
            where there is none.
        pairs: function without arguments that returns `(images, sources, text)`: test images and
            what they come from, uint8 (n, h, w, c), and what they are.
        features: function without arguments that returns `(classifier, name)`, of which the
            features of translated images are taken, or `None` where there is none.
        notice: function `(what, error)` that says which scores are left out, and why.
    """

    images: Callable[[bool, bool], tuple]
    classifier: Callable[[], tuple | None]
    num_samples: int = 10_000
    importance_samples: int = 5_000
    nll_images: int | None = NLL_IMAGES
    generate: dict = field(default_factory=dict)
    seed: int = 0
    seeds: int = 1
    track: Callable = untracked
    judge: Callable[[], Any] = lambda: None
    pairs: Callable[[], tuple] = lambda: ()
    features: Callable[[], tuple | None] = lambda: None
    notice: Callable[[str, Exception], None] = lambda what, error: None
    _drawn: tuple | None = None

    def samples(self, model):
        """`(batches, text)`: the samples of a model, drawn once and kept, and what they are."""
        if self._drawn is None:
            arguments = {"num_samples": self.num_samples, "seed": self.seed, **self.generate}
            batches = list(protocols.sample(model, track=self.track, **arguments))
            text = protocols.describe_sample(model, seeds=self.seeds, **arguments)
            self._drawn = batches, text
        return self._drawn


class Protocol(NamedTuple):
    """One way to score a model.

    Attributes:
        needs: names of the methods that the model must have.
        measure: function `(model, given)` that returns `(scores, class histogram or None, text)`;
            text says what was measured with.
        unless: names of methods. A model that has one of them is scored by that instead.
        pairs: whether it is for the models that learn pairs of images; it is for all others if not.
        seeded: whether it is of `Given.samples`, and measured for each seed.
    """

    needs: tuple[str, ...]
    measure: Callable[[Any, Given], tuple]
    unless: tuple[str, ...] = ()
    pairs: bool = False
    seeded: bool = False

    def suits(self, model):
        """Whether the model can be scored by this protocol."""
        suits = can(model, *self.needs) and takes_pairs(model) == self.pairs
        return suits and not any(can(model, name) for name in self.unless)


def _accuracy(model, given):
    images, labels, text = given.images(True, False)
    return *protocols.accuracy_scores(model, images, labels), text


def _likelihood(model, given):
    images, labels, text = given.images(learns_labels(model), is_binary(model))
    scores = likelihood_scores(
        model, images, given.importance_samples, given.seed, given.track, labels, given.nll_images
    )
    return scores, None, text


def _reconstruction(model, given):
    images, _, text = given.images(False, is_binary(model))
    return reconstruction_scores(model, images), None, text


def _samples(model, given):
    found = given.classifier()
    if found is None:
        return [], None, ""
    classifier, text, own = found
    batches, protocol = given.samples(model)
    scores, histogram = protocols.sample_scores(batches, protocol, classifier)
    return scores + (_conditional(model, given, classifier) if own else []), histogram, text


def _conditional(model, given, classifier):
    """The scores of a class-conditional model whose classes are those of the classifier."""
    classes = {condition.name: condition for condition in conditions_of(model)}.get("labels")
    if classes is None or classes.num_classes != classifier.num_classes:
        return []
    try:
        real = given.images(True, False)
    except (ImportError, OSError, ValueError) as error:
        given.notice("No scores beside test images of each class", error)
        real = None
    batches, protocol = given.samples(model)
    labels = given.generate.get("labels")
    asked = protocols.conditions_of_sample(model, given.num_samples, labels=labels)["labels"]
    return conditional_scores(batches, asked, protocol, classifier, real)


def _judged(model, given):
    judge = given.judge()
    if judge is None:
        return [], None, ""
    return *judge.measure(*given.samples(model)), judge.text


def _translation(model, given):
    images, sources, text = given.pairs()
    drawn = protocols.sample(
        model, len(sources), given.seed, given.track, sources=sources, **given.generate
    )
    drawn, what = np.concatenate(list(drawn)), f"translated with seed {given.seed}"
    scores = pair_scores(drawn, images, what)
    found = given.features()
    if found is not None:
        scores.append(feature_score(drawn, images, *found, what))
    return scores, None, text


def _cycle(model, given):
    b, a, text = given.pairs()
    scores, back = cycle_scores(model, a, b)
    found = given.features()
    if found is not None:
        score = feature_score(back, a, *found, "translated from b to a")
        scores.append(score._replace(name=f"{score.name}_to_a"))
    return scores, None, text


def _codes(model, given):
    images, labels, text = given.images(learns_labels(model), False)
    return discrete_code_scores(model, images, labels), None, text


#: In the order of their scores.
PROTOCOLS = (
    Protocol(("activations",), _accuracy),
    Protocol(("log_likelihood",), _likelihood),
    Protocol(("reconstruct",), _reconstruction, unless=("log_likelihood",)),
    Protocol(("generate",), _samples, unless=("log_likelihood",), seeded=True),
    Protocol(("generate",), _judged, seeded=True),
    Protocol(("generate",), _translation, pairs=True),
    Protocol(("translate",), _cycle, pairs=True),
    Protocol(("encode_to_codes", "decode_codes", "prior_images"), _codes),
)


def measure(model, given):
    """Scores a model by every protocol that it has the methods for.

    Args:
        model: a `kzoo.GenerativeModel` or a `kzoo.Classifier`.
        given: a `Given`.

    Returns:
        `(scores, class_histogram or None)`; of several seeds, the histogram of the first.

    Raises:
        ValueError: if the model has the methods of no protocol, or what is given does not fit it.
    """
    suitable = [protocol for protocol in PROTOCOLS if protocol.suits(model)]
    if not suitable:
        methods = ", ".join(dict.fromkeys(name for p in PROTOCOLS for name in p.needs))
        raise ValueError(
            f"A {type(model).__name__} cannot be scored: expected a model with one of the methods "
            f"{methods}."
        )
    if given.seeds > 1 and not any(protocol.seeded for protocol in suitable):
        raise ValueError(
            f"seeds={given.seeds} is for scores of samples, and a {type(model).__name__} has none."
        )
    found = [[] for _ in suitable]  # of each protocol, what it measured for each seed
    for seed in range(given.seed, given.seed + given.seeds):
        run = replace(given, seed=seed, _drawn=None)
        for protocol, measured in zip(suitable, found, strict=True):
            if protocol.seeded or not measured:
                measured.append(protocol.measure(model, run))
    scores, histogram = [], None
    for measured in found:
        own = over_seeds([each[0] for each in measured])
        _, counts, text = measured[0]
        scores += [score._replace(protocol=f"{text}; {score.protocol}") for score in own]
        histogram = counts if histogram is None else histogram
    return scores, histogram
