"""One mammographic view: the pixels of one exposure and what is declared about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mammo_fixtures.exams.voi import Voi

MAY_SHOW = "burnt in"
"""A note of views whose pixels may tell who the patient is: what the file says of that."""
SIDES = ("L", "R")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """Pixels as stored, as fractions of the declared intensity range, and their geometry.

    `pixels` is float32 (rows, columns), read-only; 0 and 1 stand for the ends of `intensity_range`, in stored units.
    `pixel_spacing_mm` is (between rows, between columns), in the plane of the breast support.
    """

    pixels: NDArray[np.float32]
    pixel_spacing_mm: tuple[float, float]
    side: str
    position: str
    exam_id: str = ""
    intensity_range: tuple[float, float] = (0.0, 1.0)
    chest_wall: str = ""
    """Image side that the chest wall is on, `left` or `right`; empty where the file does not say."""
    intent: str = ""
    """`FOR PRESENTATION`, `FOR PROCESSING`, or empty where the file does not say."""
    noise_gain: float | None = None
    """Of linear pixels: noise variance in stored units squared for each stored unit above the range's lower end."""
    voi: tuple[Voi, ...] = ()
    region: NDArray[np.bool_] | None = None
    """Lesion region on the pixel grid, where one is known."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What the reader did on the way, for the run header (`photometric` → `MONOCHROME1, inverted`)."""

    def __post_init__(self) -> None:
        where = f"{self.name}: " if self.exam_id else ""
        if self.side not in SIDES:
            raise UnusableInput(f"{where}side must be L or R, got {self.side!r}")
        if self.pixels.ndim != 2 or self.pixels.size == 0:
            raise UnusableInput(f"{where}pixels must be (rows, columns) and not empty, got shape {self.pixels.shape}")
        if self.pixels.dtype != np.float32:
            raise UnusableInput(f"{where}pixels must be float32, got {self.pixels.dtype}; use View.from_array")
        if not _is_finite(self.pixels):
            raise UnusableInput(f"{where}pixels must be finite, got NaN or infinity")
        if len(self.pixel_spacing_mm) != 2 or not all(0 < mm < 100 for mm in self.pixel_spacing_mm):
            raise UnusableInput(
                f"{where}pixel_spacing_mm must be two positive lengths in mm (rows, columns), got "
                f"{self.pixel_spacing_mm}"
            )
        if self.noise_gain is not None and not (0 < self.noise_gain < float("inf")):
            raise UnusableInput(f"{where}noise_gain must be a positive number, got {self.noise_gain}")
        if self.noise_gain is not None and self.intent == "FOR PRESENTATION":
            raise UnusableInput(
                f"{where}noise_gain must be stated of FOR PROCESSING pixels only, whose noise variance is proportional "
                "to the signal, got pixels FOR PRESENTATION; leave it out, and the noise is measured"
            )
        self.pixels.flags.writeable = False

    @property
    def name(self) -> str:
        """How messages call this view: `exam 17, L-MLO`."""
        return f"exam {self.exam_id or '?'}, {self.side}-{self.position}"

    @property
    def shape(self) -> tuple[int, int]:
        return (self.pixels.shape[0], self.pixels.shape[1])

    def read(self) -> View:
        """Itself: a view in memory stands wherever a view in a file can."""
        return self

    @classmethod
    def from_array(
        cls,
        pixels: ArrayLike,
        *,
        pixel_spacing_mm: tuple[float, float],
        side: str,
        position: str,
        intensity_range: tuple[float, float] | None = None,
        exam_id: str = "",
        **declared: Any,
    ) -> View:
        """A view from an array (rows, columns) in stored units.

        `intensity_range` gives the stored values that 0 and 1 stand for. Unsigned integers default to their full
        range; floats must state it, because 0…1, 0…4095 and standardised values look alike to a program.
        """
        array = np.asarray(pixels)
        if intensity_range is None:
            if array.dtype.kind != "u":
                raise UnusableInput(
                    f"intensity_range must be stated for {array.dtype} pixels: "
                    "give the stored values that mean black and white, such as (0, 4095)"
                )
            intensity_range = (0.0, float(np.iinfo(array.dtype).max))
        return cls(
            pixels=as_fraction(array, intensity_range),
            pixel_spacing_mm=(float(pixel_spacing_mm[0]), float(pixel_spacing_mm[1])),
            side=side,
            position=position,
            exam_id=exam_id,
            intensity_range=(float(intensity_range[0]), float(intensity_range[1])),
            **declared,
        )


def as_fraction(stored: NDArray[Any], intensity_range: tuple[float, float]) -> NDArray[np.float32]:
    """Stored values as float32 fractions of the range: (stored − low) / (high − low)."""
    low, high = intensity_range
    if not high > low:
        raise UnusableInput(f"intensity_range must be (low, high) with low < high, got {intensity_range}")
    fraction: NDArray[np.float32] = stored.astype(np.float32)
    if low:
        fraction -= np.float32(low)
    fraction /= np.float32(high - low)
    return fraction


def _is_finite(pixels: NDArray[np.float32]) -> bool:
    """Whether no pixel is NaN or infinite: a float32 sum is the fastest witness; where it overflows, each is asked."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(pixels.sum()) or np.isfinite(pixels).all())
