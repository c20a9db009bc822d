"""What identifies a classifier: its weights, its code and its declaration."""

from __future__ import annotations

import hashlib
from dataclasses import fields

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.classifiers.inputs import INPUT_VERSION
from mammo_fixtures.classifiers.network_state import NetworkState

_DECIDES_NO_SCORE = ("network", "name", "notes", "cancels")


def fingerprint(classifier: Classifier) -> str:
    """32 hexadecimal digits that change whenever scores may; empty where that cannot be told.

    A `torch.nn.Module` is known by its weights, its attributes and the source of its classes, with what they import
    from their own package. A bare callable, a TorchScript module, or a network with an attribute that cannot be looked
    into, may hold anything, so it is only known where the classifier declares a `fingerprint` of its own.
    """
    import torch

    declared = {each.name: getattr(classifier, each.name) for each in fields(classifier)}
    text = "|".join(f"{name}={value!r}" for name, value in declared.items() if name not in _DECIDES_NO_SCORE)
    digest = hashlib.sha256(f"input {INPUT_VERSION}|{text}".encode())
    state = NetworkState(digest.update)
    if isinstance(classifier.network, torch.nn.Module) and state.take(classifier.network):
        state.take_sources()
    elif classifier.fingerprint:
        # The name too, because two networks may both call themselves "1".
        digest = hashlib.sha256(f"input {INPUT_VERSION}|{text}|{classifier.name}".encode())
    else:
        return ""
    return digest.hexdigest()[:32]
