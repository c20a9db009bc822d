"""Makes the images of a few conditions, into buffers that are used again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from mammo_fixtures.classifiers.downloads import Download
from mammo_fixtures.perturbations import PERTURBATIONS, Shared, apply
from mammo_fixtures.perturbations.exam_views import MISSING_VIEW
from mammo_fixtures.perturbations.resampling_control import CONTROL
from mammo_fixtures.scoring.score_table import CLEAN, Condition

if TYPE_CHECKING:
    import torch

    from mammo_fixtures.perturbations.record import Perturbation

UNCHANGED = "the pixels are those of the clean view"
_ROWS = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """A view under a condition."""

    condition: Condition
    pixels: torch.Tensor
    """(rows, columns), valid until the next images are made. Not to be changed."""
    said: str = ""
    unchanged: Callable[[], bool] = lambda: False
    """Tells whether nothing was changed, although it should have been. Waits for a GPU."""
    notes: Mapping[tuple[str, str, Condition, str], float] = field(default_factory=dict)
    """Numbers that reports tell, by side, position, condition and name."""

    @property
    def flag(self) -> str:
        """What is out of the ordinary with the condition on this view; waits for a GPU."""
        return self.said or (UNCHANGED if self.unchanged() else "")


class Images:
    """Memory of one process that images are made in: fresh pages cost more than the arithmetic."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._memory: torch.Tensor | None = None

    def make(self, wanted: Sequence[tuple[Shared, Condition]], *, in_a_row: bool = False) -> list[Image]:
        """An image each; several `in_a_row` one after another in memory, as a batch of one shape is."""
        return [
            self._made(shared, condition, room, copied=in_a_row and len(wanted) > 1)
            for (shared, condition), room in zip(wanted, self._rooms([s.view.shape for s, _ in wanted]), strict=True)
        ]

    def forget(self) -> None:
        """Give the memory back, where it is short."""
        self._memory = None

    def _made(self, shared: Shared, condition: Condition, room: torch.Tensor, *, copied: bool) -> Image:
        if condition == CLEAN or condition.perturbation == MISSING_VIEW.name:
            return Image(condition=condition, pixels=room.copy_(shared.pixels) if copied else shared.pixels)
        record = PERTURBATIONS[condition.perturbation]
        pixels = apply(record, shared, condition.severity, room)
        # What is noted is remembered with the scores, so that reports can count it also where nothing is computed.
        said = record.flag(shared, condition.severity) if record.flag and not record.notes else ""
        image = Image(condition=condition, pixels=pixels, said=said, notes=_notes(shared, condition))
        if said or not _must_differ(record, condition.severity, shared):
            return image
        return replace(image, unchanged=_comparison(pixels, record, shared, condition.severity))

    def _rooms(self, shapes: Sequence[tuple[int, int]]) -> list[torch.Tensor]:
        import torch

        sizes = [rows * columns for rows, columns in shapes]
        if self._memory is None or self._memory.numel() < sum(sizes):
            # Given back before more is asked for.
            self._memory = None
            self._memory = torch.empty(sum(sizes), dtype=torch.float32, device=self._device)
        ends = accumulate(sizes)
        return [
            self._memory[end - size : end].view(shape) for size, end, shape in zip(sizes, ends, shapes, strict=True)
        ]


def _must_differ(record: Perturbation, severity: float, shared: Shared) -> bool:
    """Whether a perturbation is there to change the pixels of this view: not its declaration, not a region it lacks.

    Nor a resampling control, which is the identity where the movement is by whole pixels.
    """
    if record.name.endswith(CONTROL):
        return False
    if record.redeclare is not None or severity == record.nothing:
        return False
    return record.needs != "region" or shared.view.region is not None


def _comparison(pixels: torch.Tensor, record: Perturbation, shared: Shared, severity: float) -> Callable[[], bool]:
    """Tells whether all pixels are the clean ones; every 16th row nearly always does, at a sixteenth of the cost."""
    import torch

    clean = shared.pixels
    if pixels.device.type != "cuda":
        same = torch.equal(pixels[::_ROWS], clean[::_ROWS]) and torch.equal(pixels, clean)
        return lambda: same
    some = Download((pixels[::_ROWS] == clean[::_ROWS]).all())
    # The buffer holds another image when the GPU has told: then, rarely, the image is made once more.
    return lambda: bool(some.wait()) and torch.equal(apply(record, shared, severity, torch.empty_like(clean)), clean)


def _notes(shared: Shared, condition: Condition) -> dict[tuple[str, str, Condition, str], float]:
    found = {
        name: note(shared, condition.severity) for name, note in PERTURBATIONS[condition.perturbation].notes.items()
    }
    view = shared.view
    return {(view.side, view.position, condition, name): value for name, value in found.items() if value is not None}


def follows_gradient(condition: Condition) -> bool:
    """Whether the gradient is followed while scoring, and not before it as for universal fields."""
    return condition != CLEAN and "ascent" in PERTURBATIONS[condition.perturbation].shares
