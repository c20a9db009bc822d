"""What a run scores and tells beside its claims: the Fourier map, resampling controls, what stayed in the image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mammo_fixtures.errors import UnusableInput
from mammo_fixtures.perturbations.fourier_map import FOURIER_MAP, FREQUENCIES_PER_MM
from mammo_fixtures.reports.fourier_map import peak_line, write_fourier_map
from mammo_fixtures.reports.json_files import write_content
from mammo_fixtures.scoring.score_table import Condition, ScoreTable
from mammo_fixtures.verdicts.beside_geometry import controls_of, lines, point_fields
from mammo_fixtures.verdicts.fourier_map import cell_conditions, fourier_map

if TYPE_CHECKING:
    from pathlib import Path

    from mammo_fixtures.plugin.run import Run
    from mammo_fixtures.verdicts import Curve

OFF, DEFAULT = "off", "default"


def frequencies(value: str) -> tuple[float, ...]:
    """Cycles/mm of `--mammo-fourier-map=`: none when off, the default ones, or those given with commas."""
    if value == OFF:
        return ()
    if value == DEFAULT:
        return FREQUENCIES_PER_MM
    try:
        given = tuple(float(part) for part in value.split(","))
    except ValueError:
        given = ()
    if not given or len(set(given)) < len(given) or any(frequency <= 0 for frequency in given):
        raise UnusableInput(
            f"--mammo-fourier-map must be {OFF}, {DEFAULT}, or different frequencies in cycles/mm with commas, such as "
            f"0.5,1,2,4, got {value!r}"
        )
    return tuple(FOURIER_MAP.check(frequency) for frequency in sorted(given))


def with_those_beside(conditions: tuple[Condition, ...], map_frequencies: tuple[float, ...]) -> tuple[Condition, ...]:
    """The conditions of the claims, and what is to be scored beside them."""
    beside = (*cell_conditions(map_frequencies), *controls_of(conditions))
    return tuple(dict.fromkeys((*conditions, *beside)))


def tell(run: Run, table: ScoreTable) -> None:
    """Take the Fourier map and the lines on geometry from the scores; every worker does and finds the same."""
    run.remarks.update(dict.fromkeys(lines(table)))
    if run.settings.fourier_map:
        drawn = fourier_map(table)
        write_content(run.fourier_map_file, drawn.as_dict())
        run.remarks[peak_line(drawn.as_dict())] = None


def with_fields_beside(drawn: Curve, table: ScoreTable) -> dict[str, Any]:
    """A curve as it stands in curves.json."""
    plain, beside = drawn.as_dict(), point_fields(table, drawn)
    plain["points"] = [point | beside.get(point["severity"], {}) for point in plain["points"]]
    return plain


def write_map(run: Run, folder: Path) -> None:
    """The Fourier map's files in the report's folder, where one was asked for."""
    if run.fourier_map_file.exists():
        content = json.loads(run.fourier_map_file.read_text(encoding="utf-8"))
        write_content(folder / "fourier_map.json", {"header": run.header, **content})
        write_fourier_map(folder, content)
