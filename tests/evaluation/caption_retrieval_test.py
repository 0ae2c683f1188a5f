"""Retrieval of captions: counted by hand, with encoders whose vectors are known."""

import numpy as np
import pytest

import kzoo
from kzoo.metrics import caption_retrieval

CAPTIONS = [f"image {i}" for i in range(6)]
IMAGES = np.arange(6, dtype="uint8")[:, None, None, None] * np.ones((1, 4, 4, 1), "uint8")


class Known:
    """Image i and the caption "image j" have the score `scores[i, j]`."""

    def __init__(self, scores):
        self.scores = np.asarray(scores, "float32")

    def embed_images(self, images):
        return self.scores[images[:, 0, 0, 0]]

    def embed_captions(self, captions):
        return np.eye(6, dtype="float32")[[int(caption.split()[1]) for caption in captions]]


def test_shares():
    perfect = Known(np.eye(6))
    assert caption_retrieval(perfect, IMAGES, CAPTIONS, 6) == 1.0
    assert caption_retrieval(perfect, IMAGES, CAPTIONS[1:] + CAPTIONS[:1], 6) == 0.0
    assert caption_retrieval(Known(np.zeros((6, 6))), IMAGES, CAPTIONS, 6) == 0.0
    # The score of image i's own caption is the i-th best of its row.
    ranks = Known([[-abs(j - i) - (6 - i if j == i else 0) for j in range(6)] for i in range(6)])
    order = [int((row >= row[i]).sum()) for i, row in enumerate(ranks.scores)]  # 1 is the best
    for top in (1, 2, 4):
        expected = np.mean([rank <= top for rank in order])
        assert caption_retrieval(ranks, IMAGES, CAPTIONS, 6, top) == pytest.approx(expected)


def test_fewer_captions_are_easier_and_equal_ones_are_one():
    rng = np.random.default_rng(0)
    noisy = Known(np.eye(6) + rng.normal(size=(6, 6)))
    shares = [caption_retrieval(noisy, IMAGES, CAPTIONS, count) for count in (2, 6)]
    assert shares[0] >= shares[1]
    twice = np.concatenate([IMAGES, IMAGES])
    assert caption_retrieval(Known(np.eye(6)), twice, CAPTIONS * 2, 6) == 1.0
    assert caption_retrieval(noisy, IMAGES, CAPTIONS, 3, seed=4) == caption_retrieval(
        noisy, IMAGES, CAPTIONS, 3, seed=4
    )


def test_a_real_encoder():
    encoder = kzoo.TextImageEncoder((8, 8, 1), ["image", "0", "1"], text_dim=4, width=2)
    images = np.zeros((3, 8, 8, 1), "uint8")
    share = caption_retrieval(encoder, images, ["image 0", "image 1", "0"], num_captions=2)
    assert 0 <= share <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((IMAGES, CAPTIONS[:5], 5), "a caption for each of 6 images, got 5"),
        ((IMAGES, CAPTIONS, 7), "the number of different captions, 6; got 7"),
        ((IMAGES, CAPTIONS, 1), "at least 2"),
        ((IMAGES, CAPTIONS, 2.5), "num_captions must be a positive integer, got 2.5"),
        ((IMAGES.astype("float32"), CAPTIONS, 2), "uint8"),
        ((IMAGES, CAPTIONS, 2, 0), "top must be a positive integer, got 0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        caption_retrieval(Known(np.eye(6)), *arguments)
