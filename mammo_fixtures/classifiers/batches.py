"""Networks that were stored for batches of one size, called with batches of any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mammo_fixtures.errors import UnusableInput


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredShape:
    """Lengths of the input (batch, channels, rows, columns) that a file was stored with; None where it takes any."""

    batch: int | None = None
    least_batch: int = 1
    channels: int | None = None
    rows: int | None = None
    columns: int | None = None

    def check(self, declared: Mapping[str, Any], where: str) -> None:
        """Refuse a declaration that the file cannot be called with."""
        channels = declared.get("channels", 1)
        if self.channels not in (None, channels):
            raise UnusableInput(
                f"{where}: it was stored for {self.channels} channels, got {channels} declared; "
                f"declare channels = {self.channels}"
            )
        size = declared.get("input_size")
        stored = (self.rows, self.columns)
        for length, wanted in zip(stored, size or (None, None), strict=True):
            if length not in (None, wanted):
                got = f"{size[0]} × {size[1]} declared" if size else "no input_size declared"
                shown = ["any number of" if each is None else str(each) for each in stored]
                example = [each or 1024 for each in stored]
                raise UnusableInput(
                    f"{where}: it was stored for {shown[0]} rows and {shown[1]} columns, got {got}; "
                    f"declare input_size = {example}"
                )


def in_batches(network: Callable[[Any], Any], batch: Any, shape: StoredShape) -> Any:
    """What the network gives for a batch, in calls of the size that it takes; the last one filled up by repetition."""
    import torch

    count = len(next(iter(batch.values()))) if isinstance(batch, Mapping) else len(batch)
    if (shape.batch is None and count >= shape.least_batch) or count == shape.batch:
        return network(batch)
    size = shape.batch or shape.least_batch
    parts = []
    for start in range(0, count, size):
        rows = torch.tensor([min(start + i, count - 1) for i in range(size)])
        parts.append(network(_chosen(batch, rows)))
    return _joined(parts, count)


def _chosen(batch: Any, rows: Any) -> Any:
    if isinstance(batch, Mapping):
        return {name: _chosen(images, rows) for name, images in batch.items()}
    return batch[rows.to(batch.device)]


def _joined(parts: list[Any], count: int) -> Any:
    import torch

    if isinstance(parts[0], Mapping):
        return {side: _joined([part[side] for part in parts], count) for side in parts[0]}
    return torch.cat([torch.as_tensor(part) for part in parts])[:count]
