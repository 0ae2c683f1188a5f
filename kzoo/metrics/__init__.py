"""Scores of generated images: Keras metrics over uint8 images, most on a `kzoo.Classifier`.

The scores use a classifier trained on the labels of the real data, not the Inception network:
compare only values of one data set with one classifier. In particular the distance of
`FrechetDistance` is not an "FID", and that of `KernelDistance` no "KID". `caption_retrieval` takes
a `kzoo.TextImageEncoder`. `PSNR` and `SSIM` compare each image with its target. They and
`nearest_neighbors` compare pixels and need no classifier.
"""

from kzoo.evaluation.caption_retrieval import caption_retrieval
from kzoo.evaluation.classifier_metric import FeatureExtractor
from kzoo.evaluation.conditional_accuracy import ConditionalAccuracy
from kzoo.evaluation.density_coverage import DensityCoverage, density_coverage
from kzoo.evaluation.diversity_score import DiversityScore
from kzoo.evaluation.evaluate import evaluate_images, measure_reference
from kzoo.evaluation.frechet_distance import FrechetDistance, GaussianStatistics, frechet_distance
from kzoo.evaluation.image_pairs import PSNR, SSIM, psnr, ssim
from kzoo.evaluation.inception_score import InceptionScore
from kzoo.evaluation.kernel_distance import KernelDistance, kernel_distance
from kzoo.evaluation.nearest_neighbors import nearest_neighbors
from kzoo.evaluation.precision_recall import SamplePrecision, SampleRecall, manifold_share

__all__ = [
    "ConditionalAccuracy",
    "DensityCoverage",
    "DiversityScore",
    "FeatureExtractor",
    "FrechetDistance",
    "GaussianStatistics",
    "InceptionScore",
    "KernelDistance",
    "PSNR",
    "SSIM",
    "SamplePrecision",
    "SampleRecall",
    "caption_retrieval",
    "density_coverage",
    "evaluate_images",
    "frechet_distance",
    "kernel_distance",
    "manifold_share",
    "measure_reference",
    "nearest_neighbors",
    "psnr",
    "ssim",
]
