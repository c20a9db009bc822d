"""What identifies a classifier: its weights, its code and its declaration."""

from __future__ import annotations

import hashlib
from dataclasses import fields

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.classifiers.inputs import INPUT_VERSION
from mammo_fixtures.classifiers.network_state import NetworkState

_DECIDES_NO_SCORE = ("network", "name", "notes", "cancels")
_DECIDES_ONCE_DECLARED = (("missing_views", "refuse"),)
"""Fields that came later: left at these, they change no fingerprint, so that scores from before stay good."""


def fingerprint(classifier: Classifier) -> str:
    """32 hexadecimal digits that change whenever scores may; empty where that cannot be told.

    A `torch.nn.Module` is known by its weights, its attributes and the source of its classes, with what they import
    from their own package. A bare callable, a TorchScript module, or a network with an attribute that cannot be looked
    into, may hold anything, so it is only known where the classifier declares a `fingerprint` of its own.
    """
    import torch

    text = _declaration(classifier)
    rule = classifier.aggregate if callable(classifier.aggregate) else None
    digest = hashlib.sha256(f"input {INPUT_VERSION}|{text}".encode())
    state = NetworkState(digest.update)
    if not isinstance(classifier.network, torch.nn.Module) or not state.take(classifier.network):
        if not classifier.fingerprint:
            return ""
        # The name too, because two networks may both call themselves "1".
        digest = hashlib.sha256(f"input {INPUT_VERSION}|{text}|{classifier.name}".encode())
        state = NetworkState(digest.update)
    if rule is not None and not state.take(rule):
        return ""
    state.take_sources()
    return digest.hexdigest()[:32]


def _declaration(classifier: Classifier) -> str:
    declared = {each.name: getattr(classifier, each.name) for each in fields(classifier)}
    if callable(classifier.aggregate):
        declared["aggregate"] = "rule"
    return "|".join(
        f"{name}={value!r}"
        for name, value in declared.items()
        if name not in _DECIDES_NO_SCORE and (name, value) not in _DECIDES_ONCE_DECLARED
    )
