"""Finds and loads the classifier that a setting names."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import replace
from typing import Any

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.errors import UnusableInput


def load_classifier(name: str) -> Classifier:
    """The classifier called `reference`, or the one that `package.module:callable` gives.

    The callable is a `Classifier`, a network, or something that needs no argument and gives either, such as a
    function or a class. What needs an argument is taken for the network itself. A network without a declaration reads
    views as they are stored and must give probabilities.
    """
    if name == "reference":
        from mammo_fixtures.classifiers.reference import load

        return load()
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise UnusableInput(f"classifier must be 'reference' or 'package.module:callable', got {name!r}")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise UnusableInput(
            f"classifier {name}: module {module_name!r} could not be imported: {type(error).__name__}: {error}; "
            "install it, or run from the folder that holds it"
        ) from error
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise UnusableInput(f"classifier {name}: module {module_name!r} has no {attribute!r}") from None
    if _is_loader(found):
        try:
            found = found()
        except UnusableInput:
            raise
        except Exception as error:
            raise UnusableInput(f"classifier {name}: loading raised {type(error).__name__}: {error}") from error
    if not isinstance(found, Classifier):
        if not callable(found):
            raise UnusableInput(
                f"classifier {name}: must give a Classifier, a torch.nn.Module or a callable, got {type(found).__name__}"
            )
        found = Classifier(found)
    return found if found.name else replace(found, name=name)


def _is_loader(found: Any) -> bool:
    """Whether it is to be called once, without arguments, to give the classifier."""
    if isinstance(found, Classifier) or not callable(found):
        return False
    if not inspect.isclass(found) and not inspect.isroutine(found):
        return False
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return inspect.isclass(found)
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(p.default is not p.empty or p.kind in optional for p in parameters)
