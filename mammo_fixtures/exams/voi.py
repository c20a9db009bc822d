"""Values of interest: the windows and tables that map a view's stored values to what is displayed (PS3.3 C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mammo_fixtures.errors import UnusableInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")

Pixels = TypeVar("Pixels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window centre and width, in stored units after Rescale and before any inversion (PS3.3 C.11.2.1.2)."""

    centre: float
    width: float
    function: str = "LINEAR"
    explanation: str = ""
    inverted: bool = False
    """Whether the view's pixels were inverted when read; then values go in, and display values come out, inverted."""

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise UnusableInput(
                f"VOI LUT Function (0028,1056) must be one of {', '.join(FUNCTIONS)}, got {self.function!r}"
            )
        least = 1.0 if self.function == "LINEAR" else 0.0
        if not (np.isfinite(self.centre) and np.isfinite(self.width)) or self.width < least or not self.width:
            rule = "at least 1" if self.function == "LINEAR" else "above 0"
            raise UnusableInput(
                f"Window Width (0028,1051) of a {self.function} window must be {rule}, "
                f"got centre {self.centre:g}, width {self.width:g}"
            )

    def as_fractions(self, intensity_range: tuple[float, float]) -> tuple[float, float]:
        """Centre and width on the scale of `View.pixels`: the centre is where half the display range is reached."""
        low, high = intensity_range
        half = 0.5 if self.function == "LINEAR" else 0.0
        centre = self.centre - half
        if self.inverted:
            centre = low + high - centre
        return (centre - low) / (high - low), (self.width - 2 * half) / (high - low)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A VOI LUT: display values, as fractions, of consecutive stored values from `first` (PS3.3 C.11.2.1.1)."""

    first: int
    values: NDArray[np.float32]
    explanation: str = ""
    inverted: bool = False

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or self.values.size < 2:
            raise UnusableInput(f"VOI LUT Data (0028,3006) must hold at least 2 entries, got {self.values.size}")


Voi = Window | Table


def apply_voi(pixels: Pixels, voi: Voi, intensity_range: tuple[float, float]) -> Pixels:
    """Display values in [0, 1] of a view's pixels, perturbed or not: `apply_voi(view.pixels, view.voi[0], …)`.

    Takes a float NumPy array or torch tensor of fractions of `intensity_range` and gives a new one. Between the whole
    stored values that the standard speaks of, windows go on smoothly and tables are interpolated.
    """
    function: Any = _window if isinstance(voi, Window) else _table
    display: Pixels = function(pixels, voi, intensity_range)
    return display


def _window(pixels: Any, window: Window, intensity_range: tuple[float, float]) -> Any:
    """PS3.3 equations C.11-1 to C.11-3, written on fractions; all three are odd about the centre."""
    centre, width = window.as_fractions(intensity_range)
    if window.function == "SIGMOID":
        exponent = (pixels - centre) * (-4.0 / width)
        power = exponent.exp() if hasattr(exponent, "exp") else _exp(exponent)
        return 1.0 / (1.0 + power)
    if width == 0:  # a LINEAR window of width 1 is a step (C.11.2.1.2.1); at the centre itself, the lower side
        above = pixels >= centre if window.inverted else pixels > centre
        return above.astype(pixels.dtype) if isinstance(pixels, np.ndarray) else above.to(pixels.dtype)
    return ((pixels - centre) * (1.0 / width) + 0.5).clip(0.0, 1.0)


def _exp(exponent: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore"):  # infinity is right here: 1 / (1 + ∞) = 0
        power: NDArray[Any] = np.exp(exponent)
    return power


def _table(pixels: Any, table: Table, intensity_range: tuple[float, float]) -> Any:
    low, high = intensity_range
    last = table.values.size - 1
    # Fractions → stored values before inversion → place in the table; outside it the end entries hold.
    scale, offset = (high - low, low) if not table.inverted else (low - high, high)
    place = (pixels * scale + (offset - table.first)).clip(0.0, float(last))
    if isinstance(pixels, np.ndarray):
        below = np.minimum(place.astype(np.intp), last - 1)
        values: Any = table.values
        rest: Any = place - below.astype(place.dtype)
    else:
        below = place.long().clip(max=last - 1)
        values = pixels.new_tensor(table.values)
        rest = place - below
    start = values[below]
    display = start + (values[below + 1] - start) * rest
    return 1.0 - display if table.inverted else display
