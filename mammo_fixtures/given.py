"""Finds the files of `fixtures/`, in a checkout, an editable install and a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def given(name: str) -> Path:
    """Path of a file that ships with the suite, `given("reference/weights.safetensors")`.

    A wheel carries the folder inside the package; a checkout has it beside the package.
    """
    for folder in (_PACKAGE / "fixtures", _PACKAGE.parent / "fixtures"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"fixtures/{name} is not part of this installation of mammo-robustness; reinstall it")
