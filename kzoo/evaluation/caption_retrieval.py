"""Whether an image shows what its caption says: its caption is looked for among others.

* Reed et al. 2016, "Learning deep representations of fine-grained visual descriptions",
  arXiv:1605.05395, section 5: retrieval by the compatibility of images and texts [1].
* Xu et al. 2018 (AttnGAN), arXiv:1711.10485, section 4.1: the R-precision of generated images, for
  which each caption stands among 99 others [2].

The encoder that judges must not be the one that the images were drawn with: a generator learns what
its own encoder reads, whether a person sees it or not.
"""

import numpy as np

from kzoo.checks import check_positive_int
from kzoo.evaluation.classifier_metric import check_uint8_images


def caption_retrieval(encoder, images, captions, num_captions=100, top=1, seed=0):
    """The share of images whose own caption is among the `top` that fit them best.

    For every image, its caption stands among `num_captions` different ones, the others drawn at
    random from all captions given. By chance the share is `top / num_captions`.

    Args:
        encoder: a `kzoo.TextImageEncoder`, or whatever has its `embed_images` and `embed_captions`.
        images: uint8 array (n, h, w, c), drawn by a model or real.
        captions: n strings, of the images in the same order.
        num_captions: how many captions an image has to choose from, at least 2.
        top: how many of them may be taken.
        seed: an int, of the other captions.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: if there are not as many captions as images, or too few different ones.

    Example:

    ```python
    drawn = gan.generate(captions=test_captions, seed=0)
    judge = kzoo.TextImageEncoder.from_captions(captions, image_shape=(64, 64, 3))  # then trained
    kzoo.metrics.caption_retrieval(judge, drawn, test_captions)
    ```
    """
    images, captions = check_uint8_images(images), [str(caption) for caption in captions]
    top = check_positive_int("top", top)
    if len(captions) != len(images):
        raise ValueError(
            f"Expected a caption for each of {len(images)} images, got {len(captions)}."
        )
    different, own = np.unique(captions, return_inverse=True)  # own: int (n,)
    if not 2 <= check_positive_int("num_captions", num_captions) <= len(different):
        raise ValueError(
            f"num_captions must be at least 2, and at most the number of different captions, "
            f"{len(different)}; got {num_captions!r}."
        )
    scores = encoder.embed_images(images) @ encoder.embed_captions(list(different)).T
    rng = np.random.default_rng(seed)
    found = 0
    for row, index in zip(scores, own, strict=True):
        others = rng.permutation(np.delete(row, index))[: num_captions - 1]
        # An equal score counts against the caption: an encoder that knows nothing finds none.
        found += int(np.sum(others >= row[index]) < top)
    return found / len(images)
