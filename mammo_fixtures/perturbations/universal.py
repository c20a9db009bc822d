"""One field for every view of a position, fitted on other exams: a perturbation that knows nothing of this one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.exams.limits import check_tensors
from mammo_fixtures.perturbations.adversarial import DIGITAL_UNIT, box, into_box
from mammo_fixtures.perturbations.keyed import Key
from mammo_fixtures.perturbations.record import Perturbation
from mammo_fixtures.whole_file import whole

if TYPE_CHECKING:
    from torch import Tensor

    from mammo_fixtures.perturbations.shared import Shared

GRID_MM = 0.1
FOLDS = 2
_FORMAT = "mammo-robustness universal fields 1"


def fold_of(exam_id: str, seed: int) -> int:
    """The half of the cohort that an exam belongs to, 0 or 1, keyed."""
    return Key(exam_id=exam_id, side="", position="", seed=seed).digest("universal fold") % FOLDS


@dataclass(frozen=True, kw_only=True, eq=False)
class UniversalFields:
    """Directions in −1 … 1 by half of the cohort and view position, each (rows, columns) on a grid of 0.1 mm.

    Column 0 lies at the chest wall, the middle row at the vertical centre of the breast. The field of a half was
    fitted on that half and judges the other.
    """

    directions: Mapping[tuple[int, str], Tensor]
    seed: int
    """Decides the halves."""

    def against(self, exam_id: str) -> dict[str, Tensor]:
        """Directions by position for an exam: those of the half that it is not in."""
        other = (fold_of(exam_id, self.seed) + 1) % FOLDS
        return {position: field for (fold, position), field in self.directions.items() if fold == other}

    @cached_property
    def digest(self) -> bytes:
        """Of all that decides a perturbed view."""
        digest = hashlib.sha256(f"{_FORMAT}|{self.seed}".encode())
        for fold, position in sorted(self.directions):
            field = self.directions[fold, position].cpu().contiguous()
            digest.update(f"|{fold}|{position}|{tuple(field.shape)}|".encode() + field.numpy().tobytes())
        return digest.digest()[:20]

    def write(self, path: Path) -> None:
        """Keep as safetensors; a reader never sees half a file."""
        from safetensors.torch import save_file

        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {f"{fold}.{name}": field.cpu().contiguous() for (fold, name), field in self.directions.items()}
        with whole(path) as partial:
            save_file(tensors, partial, metadata={"format": _FORMAT, "seed": str(self.seed), "grid_mm": str(GRID_MM)})

    @classmethod
    def readable(cls, path: Path) -> bool:
        """Whether there is a file to read, and it is whole."""
        try:
            cls.read(path)
        except UnusableInput:
            return False
        return True

    @classmethod
    def read(cls, path: Path) -> UniversalFields:
        """Read what `write` wrote."""
        from safetensors import safe_open

        where, remedy = f"universal fields {path}: ", "give the universal.safetensors of a report"
        try:
            with path.open("rb") as stream:
                check_tensors(stream)
            with safe_open(path, framework="pt") as file:
                notes = file.metadata() or {}
                directions = {}
                if (notes.get("format"), notes.get("grid_mm")) != (_FORMAT, str(GRID_MM)):
                    raise UnusableInput(
                        f"{where}must be fields that a run of this suite saved, got another safetensors file; {remedy}"
                    )
                for name in file.keys():  # noqa: SIM118 (not a dict)
                    fold, _, position = name.partition(".")
                    directions[int(fold), position] = field = file.get_tensor(name)
                    if not (field.ndim == 2 and field.is_floating_point() and field.numel() and field.abs().max() <= 1):
                        raise UnusableInput(
                            f"{where}fields must be (rows, columns) in −1 … 1, got another in {name}; {remedy}"
                        )
                return cls(directions=directions, seed=int(notes["seed"]))
        except Exception as error:  # SafetensorError, OSError, ValueError, and what torch raises of a shape
            if str(error).startswith(where):
                raise
            raise UnusableInput(f"{where}must be a readable safetensors file, got: {error}; {remedy}") from error


def sampled(
    field: Tensor, shape: tuple[int, int], spacing_mm: tuple[float, float], chest_wall: str, centre: int
) -> Tensor:
    """A field at the pixels of a view, bilinear, 0 beyond its edges; `centre` is the row at the breast's middle.

    Differentiable in the field. Bilinear weights are positive and sum to 1, so no value grows.
    """
    import torch

    rows = (torch.arange(shape[0], dtype=torch.float64) - centre) * (spacing_mm[0] / GRID_MM)
    columns = torch.arange(shape[1], dtype=torch.float64) * (spacing_mm[1] / GRID_MM)
    on_pixels = _along(_along(field, rows + field.shape[0] // 2).T, columns).T
    return on_pixels.flip(1) if chest_wall == "right" else on_pixels


def _along(field: Tensor, places: Tensor) -> Tensor:
    """Rows of a field at evenly spaced places between them, 0 beyond its ends."""
    import torch

    # Places a hair beside a row are that row: 0.1 mm has no exact float.
    places = torch.where((places - places.round()).abs() < 1e-6, places.round(), places)
    count, start, rows = places.numel(), int(places[0].floor()), field.shape[0]
    if float(places[0]) == start and float(places[-1]) == start + count - 1:
        low, high = max(start, 0), min(start + count, rows)
        if low >= high:
            return field.new_zeros((count, field.shape[1]))
        return torch.nn.functional.pad(field[low:high], (0, 0, low - start, count - (high - start)))
    first = places.floor()
    part = (places - first).to(field)[:, None]
    inside = [((at >= 0) & (at <= rows - 1)).to(field)[:, None] for at in (first, first + 1)]
    lower, upper = (field.index_select(0, at.clamp(0, rows - 1).long().to(field.device)) for at in (first, first + 1))
    return lower * (inside[0] * (1 - part)) + upper * (inside[1] * part)


def universal_direction(shared: Shared, fields: Mapping[str, Tensor] | None) -> Tensor:
    """The direction of a view; 0 where there is no field of its position."""
    import torch

    if fields is None:
        raise UnusableInput(
            f"{shared.view.name}: universal needs fields fitted to a classifier, got a view alone; "
            "score a cohort with score(...)"
        )
    field = fields.get(shared.view.position)
    if field is None:
        return torch.zeros_like(shared.pixels)
    return of_view(shared, field.to(device=shared.device, dtype=torch.float32))


def of_view(shared: Shared, field: Tensor) -> Tensor:
    """A field as it lies on a view."""
    top, bottom, _, _ = shared.breast_box
    return sampled(field, shared.view.shape, shared.spacing_mm, shared.chest_wall, (top + bottom) // 2)


def universal(pixels: Tensor, *, epsilon: float, universal_direction: Tensor, out: Tensor | None = None) -> Tensor:
    """The field fitted on the other half of the cohort, at most ε at every pixel: x + ε · direction.

    The same for every view of its position, mirrored by side, anchored at chest wall × vertical centre of the breast.
    Severities scale one field.
    """
    import torch

    out = torch.add(pixels, universal_direction, alpha=epsilon * DIGITAL_UNIT, out=out)
    return into_box(out, *box(pixels, epsilon * DIGITAL_UNIT))


UNIVERSAL = Perturbation(
    name="universal",
    apply=universal,
    parameter="epsilon",
    unit="digital units",
    unit_label="du",
    integer_digits=2,
    decimals=0,
    severities=(1, 2, 4, 8, 16),
    valid=(1e-3, 4095.0),
    nothing=0.0,
    needs="gradient",
    shares=("universal_direction",),
    source=(
        "Moosavi-Dezfooli et al. 2017, arXiv:1610.08401; cross-fitted in two halves, so that no exam is judged by a "
        "field that knows it."
    ),
)
