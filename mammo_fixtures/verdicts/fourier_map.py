"""The Fourier sensitivity map as numbers: what each frequency and orientation costs, and the profile over frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.fourier_map import (
    AMPLITUDE,
    BEYOND_CLASSIFIER,
    BEYOND_GRID,
    FOURIER_CELLS,
    FOURIER_MAP,
    ORIENTATIONS_DEGREES,
)
from mammo_fixtures.scoring.score_table import CLEAN, Condition, ScoreTable
from mammo_fixtures.verdicts.averaging import averaged
from mammo_fixtures.verdicts.curve import curve
from mammo_fixtures.verdicts.subgroups import ALL, members

if TYPE_CHECKING:
    from mammo_fixtures.verdicts.curve import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One frequency and orientation, or all orientations, for one subgroup; None where nothing can be told."""

    frequency_per_mm: float
    orientation_degrees: int | None
    """None: the mean over orientations."""
    subgroup: str
    drop: float | None
    """Of AUC, clean minus perturbed."""
    drop_low: float | None
    drop_high: float | None
    mean_absolute_change: float | None
    """Of the scores of the subgroup's malignant breasts; of every breast for `all`."""
    positives: int
    negatives: int
    views: int | None = None
    """Views of which it was noted whether they can hold the wave; None for the mean over orientations."""
    beyond_grid: int | None = None
    """Of these, views whose pixels cannot."""
    beyond_classifier: int | None = None
    """Of these, views that come to the network in pixels that cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FourierMap:
    """AUC drops and score changes over the polar grid."""

    frequencies_per_mm: tuple[float, ...]
    orientations_degrees: tuple[int, ...]
    subgroups: tuple[str, ...]
    clean: dict[str, float | None]
    """AUC of each subgroup on the breasts that were judged."""
    score_deviation: float
    """Standard deviation of the clean scores, to hold the changes against."""
    cells: tuple[Cell, ...]
    """By subgroup, frequency and orientation."""
    profile: tuple[Cell, ...]
    """By subgroup and frequency."""
    said: str = ""
    """Which breasts were judged, where not all were."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data as it stands in fourier_map.json."""
        return {"amplitude": AMPLITUDE, "unit": FOURIER_MAP.unit, **asdict(self)}


def cell_conditions(frequencies_per_mm: Sequence[float]) -> tuple[Condition, ...]:
    """What must be scored for a map over these frequencies."""
    return tuple(Condition(cell.name, FOURIER_MAP.check(f)) for cell in FOURIER_CELLS for f in frequencies_per_mm)


def fourier_map(table: ScoreTable) -> FourierMap:
    """The map of every frequency that a table has in all orientations; for all breasts and each kind of lesion."""
    table = _judged(table)
    whole = averaged(table, FOURIER_MAP.name)
    frequencies = tuple(sorted(whole.severities(FOURIER_MAP.name)))
    kinds = sorted({*table.subgroup[table.malignant == 1].tolist()} - {"", ALL})
    cells: list[Cell] = []
    profile: list[Cell] = []
    clean: dict[str, float | None] = {}
    for subgroup in (ALL, *kinds):
        mean = curve(table, FOURIER_MAP.name, subgroup=subgroup)
        drawn = [curve(table, cell.name, subgroup=subgroup) for cell in FOURIER_CELLS]
        clean[subgroup] = mean.clean.value
        for frequency in frequencies:
            changes = [_change(table, Condition(cell.name, frequency), subgroup) for cell in FOURIER_CELLS]
            for cell, one, degrees, change in zip(FOURIER_CELLS, drawn, ORIENTATIONS_DEGREES, changes, strict=True):
                beyond = _beyond(table, Condition(cell.name, frequency))
                cells.append(_cell(one.at(frequency), frequency, degrees, subgroup, change, **beyond))
            known = [change for change in changes if change is not None]
            change = float(np.mean(known)) if known else None
            profile.append(_cell(mean.at(frequency), frequency, None, subgroup, change))
    return FourierMap(
        frequencies_per_mm=frequencies,
        orientations_degrees=ORIENTATIONS_DEGREES,
        subgroups=(ALL, *kinds),
        clean=clean,
        score_deviation=float(np.nanstd(table.at(CLEAN))),
        cells=tuple(cells),
        profile=tuple(profile),
        said=table.unmet.get(FOURIER_CELLS[0].name, ""),
    )


def _judged(table: ScoreTable) -> ScoreTable:
    """The table of the breasts that have a score in a cell, so that clean and perturbed are of the same ones."""
    conditions = [c for c in table.conditions if c.perturbation in FOURIER_MAP.averages]
    if not averaged(table, FOURIER_MAP.name).severities(FOURIER_MAP.name):
        raise UnusableInput(
            f"{table.source or 'score table'}: a Fourier map needs scores under {', '.join(FOURIER_MAP.averages)} at "
            f"the same frequencies, got {'other ones' if conditions else 'none'}; score them with --mammo-fourier-map="
        )
    return table.cut(np.flatnonzero(~np.isnan(np.stack([table.at(c) for c in conditions])).all(axis=(0, 2))))


def _change(table: ScoreTable, condition: Condition, subgroup: str) -> float | None:
    changes = np.abs(table.at(condition) - table.at(CLEAN))
    if subgroup != ALL:
        changes = changes[(table.malignant == 1) & members(table, subgroup)]
    return float(np.nanmean(changes)) if (changes == changes).any() else None


def _beyond(table: ScoreTable, condition: Condition) -> dict[str, int]:
    notes = table.notes.get(condition, {})
    grid, classifier = notes.get(BEYOND_GRID, ()), notes.get(BEYOND_CLASSIFIER, ())
    return {"views": len(grid), "beyond_grid": int(sum(grid)), "beyond_classifier": int(sum(classifier))}


def _cell(
    point: Point | None, frequency: float, degrees: int | None, subgroup: str, change: float | None, **beyond: int
) -> Cell:
    assert point is not None
    return Cell(
        frequency_per_mm=float(frequency),
        orientation_degrees=degrees,
        subgroup=subgroup,
        drop=point.drop,
        drop_low=point.drop_low,
        drop_high=point.drop_high,
        mean_absolute_change=change,
        positives=point.positives,
        negatives=point.negatives,
        **beyond,
    )
