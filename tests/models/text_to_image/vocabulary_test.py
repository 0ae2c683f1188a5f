"""Captions as tokens: words, cuts, unknown words and the messages of errors."""

import numpy as np
import pytest

from kzoo.models.text_to_image.vocabulary import Captions, vocabulary_of, words_of

WORDS = ("a", "red", "flower")


def captions(max_words=4):
    return Captions(WORDS, max_words)


def test_words():
    assert words_of("A yellow-red Flower, the bird's!  ") == [
        *("a", "yellow", "red", "flower", "the", "bird's")
    ]
    assert words_of("été 2016_x") == ["été", "2016", "x"]
    assert words_of(" ... ") == []


def test_a_vocabulary_has_the_most_frequent_words_first():
    given = ["a red flower", "A flower!", np.str_("a bee"), b"bee flower"]
    assert vocabulary_of(given) == ["a", "flower", "bee", "red"]
    assert vocabulary_of(np.array(["a red flower", "a flower"]), min_count=2) == ["a", "flower"]
    with pytest.raises(ValueError, match="at least 3 times, got 2 captions without one"):
        vocabulary_of(["a b", "b a"], min_count=3)
    with pytest.raises(ValueError, match="captions as n strings"):
        vocabulary_of([1, 2])


def test_tokens():
    text = captions()
    expected = [[2, 3, 4, 0], [1, 4, 0, 0], [3, 3, 3, 3]]
    given = ["A red flower", "blue flower", "red red red red flower"]
    np.testing.assert_array_equal(text.check(given), expected)
    np.testing.assert_array_equal(text.check(np.array([s.encode() for s in given])), expected)
    np.testing.assert_array_equal(text.check("red", 2), [[3, 0, 0, 0]] * 2)
    assert text.check(given).dtype == "int32"
    np.testing.assert_array_equal(
        text.check(np.array([[2, 1], [0, 4]])), [[2, 1, 0, 0], [0, 4, 0, 0]]
    )
    np.testing.assert_array_equal(text.check(np.full((1, 6), 3)), [[3] * 4])
    assert text.input_spec().shape == (None, 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["blue bee"], "knows no word of the caption 'blue bee'.*got 'blue', 'bee'"),
        (["red", ""], "captions with words, got ''"),
        (["red", 3], "captions as n strings or int tokens"),
        ([None, "red"], "captions as n strings or int tokens"),
        (np.zeros((2, 3)), r"int tokens \(n, length\), got an array of shape \(2, 3\)"),
        (np.array([[2, 5]]), r"Tokens must be in 0\.\.4, got values from 2 to 5"),
        (np.array([[2, 3], [0, 1]]), r"a token in 2\.\.4"),
    ],
)
def test_captions_that_do_not_fit(values, message):
    with pytest.raises(ValueError, match=message):
        captions().check(values)


def test_a_number_of_captions_that_does_not_fit():
    with pytest.raises(ValueError, match="captions for 3 images, got 2"):
        captions().check(["red", "flower"], 3)
