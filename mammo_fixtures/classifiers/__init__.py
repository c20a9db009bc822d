"""Classifiers: what they declare, how they are loaded, run and told apart."""

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.classifiers.loading import load_classifier

__all__ = ["Classifier", "load_classifier"]
