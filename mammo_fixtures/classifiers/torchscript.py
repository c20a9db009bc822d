"""TorchScript files: a program and its weights, run by torch's own interpreter."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mammo_fixtures.classifiers.declaration import NAME, embedded_text
from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    import torch


@dataclass(slots=True, eq=False)
class TorchScriptNetwork:
    """A TorchScript file, loaded to the device that it is placed on.

    Its `.pkl` members look like pickles, but torch reads them in C++ with an unpickler that makes tensors, containers
    and TorchScript's own types only; no Python of the file runs. The program itself runs.
    """

    path: Path
    module: Any
    _device: str = "cpu"

    def place_on(self, device: torch.device, precision: str) -> None:
        """Load it there: a frozen program cannot be moved."""
        if str(device) != self._device:
            self.module, self._device = _loaded(self.path, str(device), {}), str(device)
        for parameter in self.module.parameters():
            parameter.requires_grad_(False)

    def __call__(self, batch: Any) -> Any:
        return self.module(batch)


def read_torchscript(path: Path) -> tuple[TorchScriptNetwork, str]:
    """The network in a TorchScript file, and the declaration inside it, empty where there is none."""
    _check_whole(path)
    extra = {NAME: ""}
    module = _loaded(path, "cpu", extra)
    return TorchScriptNetwork(path, module), embedded_text(extra[NAME], path)


def _check_whole(path: Path) -> None:
    """Refuse a damaged program: torch looks at no checksum, and its unpickler may never end on a flipped bit."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not re.search(r"/data/\d+$", name):  # weights: large, and only numbers
                    archive.read(name)
    except Exception as error:  # zipfile raises its own, OSError, zlib.error and others
        said = str(error) or type(error).__name__
        raise UnusableInput(
            f"classifier {path.name}: TorchScript must be a whole archive, got {said}; copy it again"
        ) from error


def _loaded(path: Path, device: str, extra: dict[str, str]) -> Any:
    import torch

    try:
        with _quiet():
            module = torch.jit.load(str(path), map_location=device, _extra_files=extra)  # type: ignore[no-untyped-call]
    except Exception as error:  # RuntimeError mostly, and whatever reading a damaged program meets
        said = str(error).strip() or type(error).__name__
        raise UnusableInput(
            f"classifier {path.name}: TorchScript must be readable by torch {torch.__version__}, it says: "
            f"{said.splitlines()[-1]}; write it again"
        ) from error
    return module.eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """torch asks users of TorchScript to move on; whoever has a file to test cannot."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.*is deprecated", category=DeprecationWarning)
        yield
