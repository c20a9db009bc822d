"""What identifies a classifier: its weights, its code and its declaration."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.classifiers.inputs import INPUT_VERSION

_PLAIN = (bool, int, float, complex, str, bytes, tuple, type(None))


def fingerprint(classifier: Classifier) -> str:
    """32 hexadecimal digits that change whenever scores may; empty where that cannot be told.

    A `torch.nn.Module` is known by its weights, the source files of its classes and their plain attributes. A bare
    callable may hold anything, so it is only known where the classifier declares a `fingerprint` of its own.
    """
    import torch

    digest = hashlib.sha256(f"input {INPUT_VERSION}".encode())
    for each in fields(classifier):
        if each.name not in ("network", "notes"):
            digest.update(f"|{each.name}={getattr(classifier, each.name)!r}".encode())
    if not classifier.fingerprint:
        if not isinstance(classifier.network, torch.nn.Module):
            return ""
        known = _digest_module(classifier.network, digest.update)
        if not known:
            return ""
    return digest.hexdigest()[:32]


def _digest_module(network: Any, update: Callable[[bytes], object]) -> bool:
    import torch

    sources: set[str] = set()
    for name, module in network.named_modules():
        kind = type(module)
        update(f"|{name}:{kind.__module__}.{kind.__qualname__}".encode())
        if kind.__module__.split(".")[0] == "torch":
            sources.add(f"torch {torch.__version__}")
        else:
            source = _source_of(kind)
            if not source:
                return False
            sources.add(source)
        plain = {k: v for k, v in vars(module).items() if isinstance(v, _PLAIN) and k != "training"}
        update(repr(sorted(plain.items())).encode())
    for source in sorted(sources):
        update(source.encode())
    for name, tensor in network.state_dict().items():
        if not isinstance(tensor, torch.Tensor):
            return False
        update(f"|{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return True


def _source_of(kind: type) -> str:
    """The whole source file of a class: its forward may call anything else in there."""
    try:
        return inspect.getsource(sys.modules[kind.__module__])
    except (OSError, TypeError, KeyError):
        return ""
