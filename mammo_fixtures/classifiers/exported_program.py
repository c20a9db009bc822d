"""`.pt2` files, written by `torch.export.save`: a graph of operators and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mammo_fixtures.classifiers.batches import StoredShape, in_batches
from mammo_fixtures.classifiers.declaration import NAME, embedded_text
from mammo_fixtures.classifiers.exported_archive import refuse_pickles
from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    import torch


@dataclass(slots=True, eq=False)
class ExportedNetwork:
    """An exported program, which has no modes: it computes what it did when it was exported."""

    program: Any
    shape: StoredShape
    _module: Any = field(default=None)

    def place_on(self, device: torch.device, precision: str) -> None:
        """Move weights and constants there."""
        from torch.export.passes import move_to_device_pass

        tensors = [*self.program.state_dict.values(), *self.program.constants.values()]
        if any(getattr(tensor, "device", device) != device for tensor in tensors):
            self.program = move_to_device_pass(self.program, device)
        self._module = self.program.module()
        for parameter in self._module.parameters():
            parameter.requires_grad_(False)

    def __call__(self, batch: Any) -> Any:
        return in_batches(self._module, batch, self.shape)


def read_exported(path: Path, *, allow_pickle: bool) -> tuple[ExportedNetwork, str]:
    """The network in a `.pt2` file, and the declaration inside it, empty where there is none.

    Raises UnusableInput where the file holds a pickle that torch would run, unless `allow_pickle` says otherwise.
    """
    import torch

    if not allow_pickle:
        refuse_pickles(path)
    extra = {NAME: ""}
    try:
        program = torch.export.load(path, extra_files=extra)
    except Exception as error:  # torch raises what its deserialiser meets, of any kind
        raise UnusableInput(
            f"classifier {path.name}: a .pt2 file must be one that torch.export.save wrote and torch "
            f"{torch.__version__} reads, it raised {type(error).__name__}: {error}; export it again"
        ) from error
    return ExportedNetwork(program, _shape(program)), embedded_text(extra[NAME], path)


def _shape(program: Any) -> StoredShape:
    """What the program was exported for; an exam-level one by its first view."""
    names = set(program.graph_signature.user_inputs)
    inputs = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    values = [node.meta.get("val") for node in inputs]
    lengths = next((each.shape for each in values if hasattr(each, "shape") and len(each.shape) == 4), None)
    if lengths is None:
        return StoredShape()
    batch, *rest = (_fixed(length) for length in lengths)
    return StoredShape(
        batch=batch,
        least_batch=_least(lengths[0], program.range_constraints),
        channels=rest[0],
        rows=rest[1],
        columns=rest[2],
    )


def _fixed(length: Any) -> int | None:
    return length if isinstance(length, int) else None


def _least(length: Any, ranges: Mapping[Any, Any]) -> int:
    allowed = ranges.get(getattr(getattr(length, "node", None), "expr", None))
    return max(1, int(allowed.lower)) if allowed is not None else 1
