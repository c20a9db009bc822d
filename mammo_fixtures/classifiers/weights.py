"""Weights in files, read so that no code of the file runs."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import check_tensors

if TYPE_CHECKING:
    from torch import Tensor


def read_weights(path: str | Path, *, allow_pickle: bool = False) -> dict[str, Tensor]:
    """Tensors by name from `.safetensors` or from what `torch.save(network.state_dict(), …)` wrote, on the CPU.

    Whatever else a checkpoint holds beside tensors and plain containers is a pickle and refused, because reading it
    runs its code; `allow_pickle` says that its maker is trusted. Raises UnusableInput.
    """
    file = Path(path)
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            with file.open("rb") as stream:
                check_tensors(stream)
            return load_file(file)
        except Exception as error:  # SafetensorError and OSError, and what torch raises of a shape
            raise UnusableInput(f"weights {file.name}: must be a whole .safetensors file, it says: {error}") from error
    found = torch_load(file, allow_pickle=allow_pickle)
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    import torch

    if not isinstance(found, dict) or not all(isinstance(each, torch.Tensor) for each in found.values()):
        raise UnusableInput(
            f"weights {file.name}: must hold tensors by name, as network.state_dict() gives them, got "
            f"{type(found).__name__}; save that"
        )
    return found


def torch_load(path: Path, *, allow_pickle: bool) -> Any:
    """What `torch.save` wrote, through torch's restricted unpickler unless pickles are allowed."""
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=not allow_pickle)
    except pickle.UnpicklingError as error:
        if allow_pickle:
            raise _unreadable(path, error) from error
        raise UnusableInput(
            f"{path.name} holds Python objects (a pickle), which may run any code when they are read, so it is "
            "refused; export the network with torch.export.save, or save its state_dict and name a function that makes "
            "the network, package.module:load; or allow it with --mammo-allow-pickle where you trust its maker"
        ) from error
    except Exception as error:  # of a damaged file, many kinds; of an allowed pickle, whatever its code raises
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UnusableInput:
    return UnusableInput(
        f"{path.name} must be a whole file that torch.save wrote, reading it raised {type(error).__name__}: {error}"
    )
