"""Classifiers: what they declare, how they are loaded, run and told apart."""

from mammo_fixtures.classifiers.arrays import on_arrays
from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.classifiers.ensemble import ensemble
from mammo_fixtures.classifiers.http_endpoint import http_classifier
from mammo_fixtures.classifiers.loading import load_classifier
from mammo_fixtures.classifiers.weights import read_weights

__all__ = ["Classifier", "ensemble", "http_classifier", "load_classifier", "on_arrays", "read_weights"]
