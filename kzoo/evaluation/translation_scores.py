"""How near the images of a translation model are to the targets in test pairs."""

import numpy as np

from kzoo.evaluation.classifier_metric import enlarge
from kzoo.evaluation.frechet_distance import frechet_distance, gaussian_of
from kzoo.evaluation.image_pairs import psnr, ssim
from kzoo.evaluation.scores import Score


def pair_scores(images, references, protocol):
    """L1, PSNR and SSIM of images, beside `references`: what each of them should be.

    The mean absolute error of a value in units of [0, 1], the mean peak signal-to-noise ratio in
    dB, and the mean structural similarity, of images that are large enough for it.
    """
    ratios = psnr(images, references)
    error = np.abs(images.astype("float64") - references).mean() / 255.0
    scores = [
        Score("l1", float(error), "", f"{protocol}; mean absolute error, values in [0, 1]"),
        Score("psnr", float(ratios.mean()), "dB", f"{protocol}; mean over images"),
    ]
    if min(images.shape[1:3]) >= 11:
        similarity = float(ssim(images, references).mean())
        scores.append(Score("ssim", similarity, "", f"{protocol}; 11x11 windows, mean of channels"))
    return scores


def cycle_scores(model, a, b):
    """How near images are to themselves after they were translated to the other domain and back.

    Args:
        model: with `translate(images, to)`, to "b" and "a".
        a, b: images of the two domains.

    Returns:
        `(scores, translations)`: the mean absolute error of a value in units of [0, 1] for images
        of a, and of b; and b translated to a.
    """
    to_b, to_a = model.translate(a, to="b"), model.translate(b, to="a")
    cycles = {"a": (a, model.translate(to_b, to="a")), "b": (b, model.translate(to_a, to="b"))}
    how = "translated and back, uint8 in between; mean absolute error, values in [0, 1]"
    scores = [
        Score(f"cycle_l1_{name}", float(np.abs(x.astype("float64") - y).mean() / 255.0), "", how)
        for name, (x, y) in cycles.items()
    ]
    return scores, to_a


def feature_score(images, references, classifier, name, protocol):
    """The Frechet distance between images and references on a classifier's features.

    There may be fewer images than features, as many sets of pairs are small. The covariances are
    then singular, and the distance is larger than with many images; compare values with the same
    references only.

    Args:
        images, references: two or more each, (n, h, w, 3), of the classifier's size or smaller by a
            whole factor.
        classifier: a `kzoo.Classifier` of colour images, called `name`.

    Returns:
        A single `Score`.
    """
    gaussians = []
    for part in (images, references):
        features, _ = classifier.activations(enlarge(part, classifier.image_shape))
        gaussians += gaussian_of(features)
    how = f"{protocol}; {len(images):,} images and as many references, "
    how += f"{classifier.num_features} features of classifier {name}"
    return Score(f"{name}_frechet_distance", frechet_distance(*gaussians), "", how)
