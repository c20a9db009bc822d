"""The intensity range that a manifest states for a view, held against the pixels."""

from __future__ import annotations

from mammo_fixtures.errors import UnusableInput


def stated_range(
    low: float | None, high: float | None, default: tuple[float, float], found: tuple[float, float]
) -> tuple[float, float]:
    """The stated range, its missing end from the default; the values found must lie within it."""
    stated = (default[0] if low is None else low, default[1] if high is None else high)
    if not stated[0] < stated[1]:
        raise UnusableInput(
            f"intensity_low must be below intensity_high, got {stated[0]:g} and {stated[1]:g}; correct the manifest"
        )
    if found[0] < stated[0] or found[1] > stated[1]:
        raise UnusableInput(
            f"pixels must lie within the stated intensity range {stated[0]:g}…{stated[1]:g}, "
            f"got {found[0]:g}…{found[1]:g}; correct intensity_low and intensity_high in the manifest"
        )
    return stated
