from kzoo.models.classifier.classifier import Classifier
from kzoo.models.classifier.reference import Reference

__all__ = ["Classifier", "Reference"]
