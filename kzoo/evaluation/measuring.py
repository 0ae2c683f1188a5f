"""Which scores a model gets: those of every protocol whose methods it has."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kzoo.evaluation import protocols
from kzoo.evaluation.capabilities import can, is_binary, learns_labels
from kzoo.evaluation.likelihood_scores import NLL_IMAGES, likelihood_scores
from kzoo.evaluation.reconstruction_scores import discrete_code_scores, reconstruction_scores
from kzoo.evaluation.scores import untracked


@dataclass
class Given:
    """What the protocols measure with. The two functions are called when a protocol needs them.

    Attributes:
        images: function `(labels, binarize)`, two bools, that returns `(images, labels or None,
            text)`: test images, uint8 (n, h, w, c), and what they are.
        classifier: function without arguments that returns `(classifier, text)`, or `None` where
            there is none.
        num_samples: images to draw.
        importance_samples: latents per image, for a likelihood that is estimated from them.
        nll_images: how many of the test images have their likelihood estimated; `None` for all.
        generate: further arguments of the model's `generate`, a dict.
        seed: of samples and latents.
        track: as in `kzoo.evaluation.protocols.sample`.
        judge: function without arguments that returns a `kzoo.evaluation.judge.Judge`, or `None`
            where there is none.
    """

    images: Callable[[bool, bool], tuple]
    classifier: Callable[[], tuple | None]
    num_samples: int = 10_000
    importance_samples: int = 5_000
    nll_images: int | None = NLL_IMAGES
    generate: dict = field(default_factory=dict)
    seed: int = 0
    track: Callable = untracked
    judge: Callable[[], Any] = lambda: None
    _drawn: tuple | None = None

    def samples(self, model):
        """`(batches, text)`: the samples of a model, drawn once and kept, and what they are."""
        if self._drawn is None:
            arguments = {"num_samples": self.num_samples, "seed": self.seed, **self.generate}
            batches = list(protocols.sample(model, track=self.track, **arguments))
            self._drawn = batches, protocols.describe_sample(model, **arguments)
        return self._drawn


class Protocol(NamedTuple):
    """One way to score a model.

    Attributes:
        needs: names of the methods that the model must have.
        measure: function `(model, given)` that returns `(scores, class histogram or None, text)`;
            text says what was measured with.
        unless: names of methods. A model that has one of them is scored by that instead.
    """

    needs: tuple[str, ...]
    measure: Callable[[Any, Given], tuple]
    unless: tuple[str, ...] = ()

    def suits(self, model):
        """Whether the model can be scored by this protocol."""
        return can(model, *self.needs) and not any(can(model, name) for name in self.unless)


def _accuracy(model, given):
    images, labels, text = given.images(True, False)
    return *protocols.accuracy_scores(model, images, labels), text


def _likelihood(model, given):
    images, labels, text = given.images(learns_labels(model), is_binary(model))
    scores = likelihood_scores(
        model,
        images,
        given.importance_samples,
        given.seed,
        given.track,
        labels,
        given.nll_images,
    )
    return scores, None, text


def _reconstruction(model, given):
    images, _, text = given.images(False, is_binary(model))
    return reconstruction_scores(model, images), None, text


def _samples(model, given):
    found = given.classifier()
    if found is None:
        return [], None, ""
    classifier, text = found
    return *protocols.sample_scores(*given.samples(model), classifier), text


def _judged(model, given):
    judge = given.judge()
    if judge is None:
        return [], None, ""
    return judge.scores(*given.samples(model)), None, judge.text


def _codes(model, given):
    images, labels, text = given.images(learns_labels(model), False)
    return discrete_code_scores(model, images, labels), None, text


#: In the order of their scores.
PROTOCOLS = (
    Protocol(("activations",), _accuracy),
    Protocol(("log_likelihood",), _likelihood),
    Protocol(("reconstruct",), _reconstruction, unless=("log_likelihood",)),
    Protocol(("generate",), _samples, unless=("log_likelihood",)),
    Protocol(("generate",), _judged),
    Protocol(("encode_to_codes", "decode_codes", "prior_images"), _codes),
)


def measure(model, given):
    """Scores a model by every protocol that it has the methods for.

    Args:
        model: a `kzoo.GenerativeModel` or a `kzoo.Classifier`.
        given: a `Given`.

    Returns:
        `(scores, class_histogram)`: a list of `kzoo.evaluation.scores.Score`; and how many samples
        were classified as each class, an int array `(num_classes,)`, or `None`.

    Raises:
        ValueError: if the model has the methods of no protocol, or what is given does not fit it.
    """
    suitable = [protocol for protocol in PROTOCOLS if protocol.suits(model)]
    if not suitable:
        methods = ", ".join(dict.fromkeys(name for p in PROTOCOLS for name in p.needs))
        raise ValueError(
            f"Nothing of a {type(model).__name__} can be measured: expected a model with one of "
            f"the methods {methods}."
        )
    scores, histogram = [], None
    for protocol in suitable:
        own, counts, text = protocol.measure(model, given)
        scores += [score._replace(protocol=f"{text}; {score.protocol}") for score in own]
        histogram = counts if histogram is None else histogram
    return scores, histogram
