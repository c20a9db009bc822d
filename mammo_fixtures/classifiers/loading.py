"""Finds and loads the classifier that a setting names."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.classifiers.model_files import SUFFIXES, read_model_file
from mammo_fixtures.classifiers.source_files import remember
from mammo_fixtures.errors import ClassifierRaised, UnusableInput

_IN_A_MODULE = re.compile(r"[\w.]+:[\w.]+")
_FORMS = "'reference', 'package.module:callable', a .pt2, TorchScript or .onnx file, or an http:// endpoint"


def is_model_file(name: str) -> bool:
    """Whether a setting names a file, and not something in a module."""
    return not _is_address(name) and not _IN_A_MODULE.fullmatch(name) and name.lower().endswith(SUFFIXES)


def check_name(name: str) -> None:
    """Raises UnusableInput for what cannot name a classifier. Imports and reads nothing."""
    module_name, _, attribute = name.partition(":")
    if name != "reference" and not _is_address(name) and not is_model_file(name) and not (module_name and attribute):
        near = difflib.get_close_matches(name, ["reference"], n=1, cutoff=0.7)
        raise UnusableInput(
            f"classifier must be {_FORMS}, got {name!r}; "
            + (f"did you mean {near[0]}?" if near else "give one of these")
        )
    if _is_address(name):
        from mammo_fixtures.classifiers.endpoint_settings import check_address

        check_address(name)


def shown(name: str) -> str:
    """A setting as the run header may show it: an address without user, password and query."""
    if not _is_address(name):
        return name
    from mammo_fixtures.classifiers.http_endpoint import Endpoint

    return Endpoint(url=name).name


def load_classifier(name: str | Path, *, allow_pickle: bool = False) -> Classifier:
    """The classifier called `reference`, that `package.module:callable` gives, in a file, or behind an endpoint.

    The callable is a `Classifier`, a network, or something that needs no argument and gives either, such as a
    function or a class. What needs an argument is taken for the network itself. A network without a declaration reads
    views as they are stored and must give probabilities. Files are `.pt2`, TorchScript and `.onnx`; one that would
    run Python code of its own as it is read is refused unless `allow_pickle`.
    """
    if isinstance(name, Path):
        name = str(name)
    if not isinstance(name, str):
        raise UnusableInput(f"classifier must be {_FORMS}, got {type(name).__name__}; give one of these")
    check_name(name)
    if name == "reference":
        from mammo_fixtures.classifiers.reference import load

        return load()
    if _is_address(name):
        from mammo_fixtures.classifiers.http_endpoint import http_classifier

        return http_classifier(name)
    if is_model_file(name):
        return read_model_file(Path(name), allow_pickle=allow_pickle)
    module_name, _, attribute = name.partition(":")
    return _of_module(name, module_name, attribute)


def _is_address(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def _of_module(name: str, module_name: str, attribute: str) -> Classifier:
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise UnusableInput(
            f"classifier {name}: module {module_name!r} could not be imported: {type(error).__name__}: {error}; "
            "install it, or run from the folder that holds it"
        ) from error
    # Before the weights are read, which takes time in which a file may be edited.
    remember(module_name)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise UnusableInput(
                f"classifier {name}: module {module_name!r} has no {attribute!r}; check its spelling"
            ) from None
    if _is_loader(found):
        try:
            found = found()
        except UnusableInput as error:
            # What has no name yet is known by where it was looked for.
            if str(error).startswith("classifier: "):
                raise UnusableInput(str(error).replace("classifier:", f"classifier {name}:", 1)) from error
            raise
        except (Exception, SystemExit) as error:
            raise ClassifierRaised(
                f"classifier {name}: must load without arguments, it raised {type(error).__name__}: {error}; "
                "call it in Python to see where"
            ) from error
    if inspect.isclass(found):
        raise UnusableInput(
            f"classifier {name}: a class must need no arguments, got {found.__name__}{_signature(found)}; "
            "name a function without arguments that makes it"
        )
    if not isinstance(found, Classifier) and not callable(found):
        raise UnusableInput(
            f"classifier {name}: must give a Classifier, a torch.nn.Module or a callable, got {type(found).__name__}"
        )
    classifier: Classifier = found if isinstance(found, Classifier) else Classifier(found)
    return classifier if classifier.name else replace(classifier, name=name)


def _is_loader(found: Any) -> bool:
    """Whether it is to be called once, without arguments, to give the classifier."""
    # An instance is the network itself: the signature of a torch.nn.Module says that it needs no argument.
    if not inspect.isclass(found) and not inspect.isroutine(found) and not isinstance(found, functools.partial):
        return False
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return inspect.isclass(found)
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(p.default is not p.empty or p.kind in optional for p in parameters)


def _signature(found: Any) -> str:
    try:
        return str(inspect.signature(found))
    except (TypeError, ValueError):
        return "(…)"
