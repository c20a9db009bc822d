"""Makes the images of a few conditions, into buffers that are used again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """Buffers of one process: fresh memory pages cost more than the arithmetic."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._buffers: list[torch.Tensor] = []

    def make(self, wanted: Sequence[tuple[Shared, Condition]]) -> list[Image]:
        """An image each."""
        return [self._made(place, shared, condition) for place, (shared, condition) in enumerate(wanted)]

    def forget(self) -> None:
        """Give the buffers back, where memory is short."""
        self._buffers.clear()

    def _made(self, place: int, shared: Shared, condition: Condition) -> Image:
        if condition == CLEAN or condition.perturbation == MISSING_VIEW.name:
            return Image(condition=condition, pixels=shared.pixels)
        record = PERTURBATIONS[condition.perturbation]
        pixels = apply(record, shared, condition.severity, self._buffer(place, shared.view.shape))
        # What is noted is remembered with the scores, so that reports can count it also where nothing is computed.
        said = record.flag(shared, condition.severity) if record.flag and not record.notes else ""
        image = Image(condition=condition, pixels=pixels, said=said, notes=_notes(shared, condition))
        if said or not _must_differ(record, condition.severity, shared):
            return image
        return replace(image, unchanged=_comparison(pixels, record, shared, condition.severity))

    def _buffer(self, place: int, shape: tuple[int, int]) -> torch.Tensor:
        import torch

        while len(self._buffers) <= place:
            self._buffers.append(torch.empty(0))
        if self._buffers[place].shape != shape:
            self._buffers[place] = torch.empty(shape, dtype=torch.float32, device=self._device)
        return self._buffers[place]


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
