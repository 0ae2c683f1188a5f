from kzoo.classifier.classifier import Classifier, Reference

__all__ = ["Classifier", "Reference"]
