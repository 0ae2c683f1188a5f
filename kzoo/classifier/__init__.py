from kzoo.classifier.classifier import Classifier
from kzoo.classifier.reference import Reference

__all__ = ["Classifier", "Reference"]
