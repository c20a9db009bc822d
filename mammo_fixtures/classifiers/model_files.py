"""Classifiers from files: what kind of file it is, what it declares, and its fingerprint."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mammo_fixtures.classifiers.classifier import Classifier
from mammo_fixtures.classifiers.declaration import EXAMPLE, made, parsed
from mammo_fixtures.errors import UnusableInput

SUFFIXES = (".pt2", ".pt", ".pth", ".ts", ".torchscript", ".jit", ".onnx", ".safetensors", ".pkl", ".pickle")
"""Endings by which a setting is taken for a file; the content decides which kind it is."""


def read_model_file(path: Path, *, allow_pickle: bool = False) -> Classifier:
    """The classifier in a TorchScript, `.pt2` or `.onnx` file, declared inside it or in a `.toml` of the same name.

    Its fingerprint is a digest of the file and of the runtime's version, so that its scores are kept.
    """
    if not path.is_file():
        raise UnusableInput(f"classifier {path.name}: the file must exist, got {str(path)!r}; check the path")
    files = [path]
    if path.suffix == ".onnx":
        from mammo_fixtures.classifiers.onnx_file import check_names, external_files, read_onnx

        onnx, inside = read_onnx(path)
        declared = _declared(path, inside)
        check_names(onnx, declared)
        onnx.shape.check(declared, f"classifier {path.name}")
        files += external_files(path)
        return _classifier(onnx, declared, path, files, "onnxruntime")
    kind = _kind(path)
    if kind == "exported":
        from mammo_fixtures.classifiers.exported_program import read_exported

        exported, inside = read_exported(path, allow_pickle=allow_pickle)
        declared = _declared(path, inside)
        exported.shape.check(declared, f"classifier {path.name}")
        return _classifier(exported, declared, path, files, "torch")
    if kind == "torchscript":
        from mammo_fixtures.classifiers.torchscript import read_torchscript

        script, inside = read_torchscript(path)
        return _classifier(script, _declared(path, inside), path, files, "torch")
    return _classifier(_pickled(path, allow_pickle), _declared(path, ""), path, files, "torch")


def _kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # no archive, or a damaged one, of which zipfile raises many kinds
        return "pickle"
    if any(name.endswith(("/models/model.json", "serialized_exported_program.json")) for name in names):
        return "exported"
    if any("/code/" in name for name in names) and any(name.endswith("/constants.pkl") for name in names):
        return "torchscript"
    if any("/data/aotinductor/" in name for name in names):
        raise UnusableInput(
            f"classifier {path.name}: a package of compiled code runs as it is read, got one of AOTInductor; write the "
            "program itself with torch.export.save"
        )
    return "pickle"


def _pickled(path: Path, allow_pickle: bool) -> Any:
    """The network that `torch.save(network, …)` wrote, where pickles are allowed."""
    import torch

    from mammo_fixtures.classifiers.weights import torch_load

    remedy = "name a function that makes the network and loads them, package.module:load"
    if path.suffix == ".safetensors":
        raise UnusableInput(f"classifier {path.name}: it holds weights and no network; {remedy}")
    try:
        found = torch_load(path, allow_pickle=allow_pickle)
    except UnusableInput as error:
        raise UnusableInput(f"classifier {error}") from error
    if not isinstance(found, torch.nn.Module):
        raise UnusableInput(
            f"classifier {path.name}: it holds weights and no network, got {type(found).__name__}; {remedy}"
        )
    return found


def _declared(path: Path, inside: str) -> dict[str, Any]:
    """The declaration in the file or in the `.toml` beside it; both, where they say the same."""
    beside = path.with_suffix(".toml")
    embedded = parsed(inside, f"the declaration in {path.name}") if inside else None
    stated = parsed(_text(beside), beside.name) if beside.is_file() else None
    if embedded is not None and stated is not None and embedded != stated:
        name = next(name for name in {**embedded, **stated} if embedded.get(name) != stated.get(name))
        raise UnusableInput(
            f"classifier {path.name}: the declaration in the file and {beside.name} must agree, got {name} "
            f"{embedded.get(name)!r} in the file and {stated.get(name)!r} beside it; remove {beside.name} or correct it"
        )
    found = stated if stated is not None else embedded
    if found is None:
        raise UnusableInput(
            f"classifier {path.name}: a file does not say what it reads, so {beside.name} must stand beside it; "
            f"for example: {EXAMPLE} (one a line; docs/classifiers.md)"
        )
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path.name}: a declaration must be readable UTF-8, got {error}") from error


def _classifier(network: Any, declared: dict[str, Any], path: Path, files: Iterable[Path], runtime: str) -> Classifier:
    import importlib

    digest = hashlib.sha256(f"{runtime} {importlib.import_module(runtime).__version__}".encode())
    for file in files:
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return made(network, declared, name=path.name, fingerprint=digest.hexdigest()[:32])
