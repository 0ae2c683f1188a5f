"""Captions as tokens: lower-cased words, each with the number that it has in a vocabulary.

A word is a run of letters and digits, with apostrophes inside of it ("the bird's"). Token 0 stands
where a caption has no further word, and token 1 for every word that is not in the vocabulary. So
the words of the vocabulary have the tokens 2, 3 and so on.
"""

import collections
import re

import keras
import numpy as np

from kzoo.checks import check_positive_int
from kzoo.conditions import Text
from kzoo.networks.text import PADDING

UNKNOWN, FIRST = PADDING + 1, PADDING + 2
MAX_WORDS = 24  # of a caption, unless a model is told otherwise
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words_of(caption):
    """The words of a caption (a string), in lower case and in their order."""
    return _WORD.findall(caption.lower())


def vocabulary_of(captions, min_count=1):
    """The words of captions, the most frequent first, equally frequent ones by the alphabet.

    Args:
        captions: a list or array of strings.
        min_count: how often a word must occur in the captions to be taken.

    Returns:
        A list of strings.

    Raises:
        ValueError: if the captions are not strings, or no word is left.
    """
    min_count = check_positive_int("min_count", min_count)
    counts = collections.Counter(
        word for caption in Text.to_texts(captions) for word in words_of(caption)
    )
    words = sorted((w for w, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))
    if not words:
        raise ValueError(
            f"Expected captions with a word that occurs at least {min_count} times, got "
            f"{len(captions)} captions without one."
        )
    return words


def check_vocabulary(vocabulary):
    """A vocabulary as a tuple; `ValueError` unless it is a list of different lower-case words."""
    if isinstance(vocabulary, str) or not isinstance(vocabulary, list | tuple) or not vocabulary:
        raise ValueError(
            f"vocabulary must be a list of words, got {vocabulary!r}; the class method "
            "from_captions(captions) makes one."
        )
    for word in vocabulary:
        if not isinstance(word, str) or words_of(word) != [word]:
            raise ValueError(f"vocabulary must have single lower-case words, got {word!r}.")
    repeated = [word for word, n in collections.Counter(vocabulary).items() if n > 1]
    if repeated:
        raise ValueError(f"vocabulary must have every word once, got {repeated[0]!r} twice.")
    return tuple(vocabulary)


class Captions(Text):
    """A sentence, of which a model sees the words of its vocabulary.

    Args:
        vocabulary: the words, a tuple of strings.
        max_words: how many words of a caption are seen, from the first one on.
    """

    def __init__(self, vocabulary, max_words):
        super().__init__(self._tokens)
        self.max_words = max_words
        self.vocabulary = vocabulary
        self.number = {word: i for i, word in enumerate(vocabulary, FIRST)}

    def _tokens(self, captions):
        rows = np.full((len(captions), self.max_words), PADDING, "int32")
        for row, caption in zip(rows, captions):
            words = words_of(caption)[: self.max_words]
            row[: len(words)] = [self.number.get(word, UNKNOWN) for word in words]
            if not words:
                raise ValueError(f"Expected captions with words, got {caption!r}.")
            if row.max() == UNKNOWN:
                named = ", ".join(map(repr, words))
                raise ValueError(
                    f"The model knows no word of the caption {caption!r}: expected words of its "
                    f"vocabulary, got {named}."
                )
        return rows

    def to_tokens(self, values):
        """Strings, bytes or tokens already, as int32 tokens (n, max_words)."""
        tokens = super().to_tokens(values)[:, : self.max_words]
        last = FIRST + len(self.vocabulary) - 1
        if tokens.size and not 0 <= tokens.min() <= tokens.max() <= last:
            raise ValueError(
                f"Tokens must be in 0..{last}, got values from {tokens.min()} to {tokens.max()}."
            )
        if not (tokens >= FIRST).any(axis=1).all():
            raise ValueError(
                f"Every caption needs a word of the vocabulary, a token in {FIRST}..{last}; got "
                "one without."
            )
        missing = self.max_words - tokens.shape[1]
        return np.pad(tokens, ((0, 0), (0, missing)), constant_values=PADDING)

    def input_spec(self):
        return keras.InputSpec(shape=(None, self.max_words), dtype="int32")


class Captioned:
    """What models of captions share (a mixin): attributes `vocabulary` and `max_words`."""

    @classmethod
    def from_captions(cls, captions, min_count=1, **arguments):
        """A new model whose vocabulary are the words of these captions.

        Args:
            captions: a list or array of strings, those of the training data.
            min_count: how often a word must occur in them to be taken.
            **arguments: of the constructor.

        Raises:
            ValueError: if the captions are not strings or have no words.
        """
        return cls(vocabulary=vocabulary_of(captions, min_count), **arguments)

    def _set_vocabulary(self, vocabulary, max_words):
        self.vocabulary = check_vocabulary(vocabulary)
        self.max_words = check_positive_int("max_words", max_words)
        self._condition = Captions(self.vocabulary, self.max_words)

    @property
    def conditioned_on(self):
        return (self._condition,)

    def unknown_words(self, captions):
        """Words of captions that the model does not know, each once, by the alphabet.

        Args:
            captions: a string, or a list or array of strings.
        """
        captions = [captions] if isinstance(captions, str) else captions
        texts = self._condition.to_texts(captions)
        return sorted({w for text in texts for w in words_of(text)} - set(self.vocabulary))
