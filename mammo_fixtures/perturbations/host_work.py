"""What is computed of a view on the CPU whatever the device, so that it can be done before the device asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mammo_fixtures.perturbations.share_kept import BREAST
from mammo_fixtures.perturbations.storage import JPEG2000

if TYPE_CHECKING:
    from mammo_fixtures.perturbations.record import Perturbation
    from mammo_fixtures.perturbations.shared import Shared

RESTS_ON: dict[str, tuple[str, ...]] = {
    "ascent": ("start_array",),
    "background": ("background",),
    "breast_box": ("breast_box",),
    "breast_deviation": ("deviation_array",),
    "chest_wall": ("chest_wall",),
    "coded_breast": ("coded_breast",),
    "content": ("content",),
    "equalisation": ("equalisation",),
    "feathered_mask": ("feathered_array",),
    "impulses": ("impulse_arrays",),
    "itself": ("background", "chest_wall", "pivot"),
    "line_places": ("mask_array",),
    "local_signal": ("mask_array", "signal_blocks"),
    "mask": ("mask_array",),
    "mask_pixels": ("mask_pixels",),
    "normal_field": ("normal_array",),
    "pivot": ("pivot",),
    "quantum_field": ("mask_array", "noise_blocks", "noise_half_per_mm", "normal_array"),
    "uniform_field": ("mask_array", "uniform_array"),
    "universal_direction": ("breast_box", "chest_wall"),
    "window_centre": ("window_centre",),
}
"""By name of a shared quantity: the quantities of NumPy's that it is made from, and that torch has no part in."""


def host_work(shared: Shared, wanted: Iterable[tuple[Perturbation, float]]) -> dict[str, object]:
    """Quantities of a view by name, as perturbations at these severities will ask for them."""
    asked = list(wanted)
    records = dict.fromkeys(record for record, _ in asked)
    names = [name for record in records for share in record.shares for name in RESTS_ON.get(share, ())]
    if any(BREAST in record.notes for record in records):
        names += ["breast_points"] if shared.view.region is None else ["breast_points", "region_points"]
    done = {name: getattr(shared, name) for name in dict.fromkeys(names)}
    for record, severity in asked:
        if record.name == JPEG2000.name:
            shared.coded_breast.prepare(severity)
    return done
