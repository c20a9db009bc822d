"""The Fourier sensitivity map as a picture: a polar heat map for each subgroup, and the profile over frequency."""

from __future__ import annotations

import csv
import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mammo_fixtures.verdicts.sentence import bounded, figure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_COLUMN_INCHES = 3.6
_STEPS = 12
_LEAST_SCALE = 0.02
"""AUC drop at which colours are full at least, so that chance does not look like a finding."""


def draw_fourier_map(content: Mapping[str, Any]) -> Figure:
    """The figure of what fourier_map.json holds: colours are AUC drops, one column a subgroup.

    Cells whose interval holds 0 have a dot; those that a view's pixels or the classifier's cannot hold are hatched.
    The profile below is the mean over orientations with its interval.
    """
    from matplotlib.figure import Figure as NewFigure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    subgroups: Sequence[str] = content["subgroups"]
    # The caption stands in the lowest part.
    layout = ConstrainedLayoutEngine(rect=(0.0, 0.11, 1.0, 0.89))
    figure = NewFigure(figsize=(_COLUMN_INCHES * max(len(subgroups), 2), 8.2), layout=layout)
    limit = max([_LEAST_SCALE, *(abs(cell["drop"]) for cell in content["cells"] if cell["drop"] is not None)])
    profile = None
    for column, subgroup in enumerate(subgroups):
        cells = [cell for cell in content["cells"] if cell["subgroup"] == subgroup]
        polar = figure.add_subplot(2, len(subgroups), column + 1, projection="polar")
        mesh = _heat(polar, content, cells, limit)
        polar.set_title(f"{subgroup}\n{_counts(cells)}", fontsize=9)
        below = figure.add_subplot(2, len(subgroups), len(subgroups) + column + 1, sharey=profile)
        profile = profile or below
        _profile(below, [each for each in content["profile"] if each["subgroup"] == subgroup])
        if column == 0:
            below.set_ylabel("AUC drop, mean over orientations")
    figure.colorbar(mesh, ax=[axes for axes in figure.axes if axes.name == "polar"], label="AUC drop", shrink=0.8)
    width = int(15 * _COLUMN_INCHES * max(len(subgroups), 2))
    figure.text(0.01, 0.01, textwrap.fill(caption(content), width), fontsize=8, va="bottom")
    return figure


def caption(content: Mapping[str, Any]) -> str:
    """What the picture shows, in words."""
    return (
        f"Fourier sensitivity map: AUC lost when one wave of {content['amplitude']:g} of full scale root mean square "
        "is added to every view, by its frequency (rings, cycles/mm) and orientation (0° varies away from the chest "
        "wall, 90° upwards; opposite directions are one wave). A dot: the 95 % interval holds 0. Hatched: pixels of a "
        f"view, or of the classifier, cannot hold the wave. {_sentence(content['said'])}"
        f"Clean AUC: {', '.join(f'{name} {figure_text(value)}' for name, value in content['clean'].items())}."
    )


def write_fourier_map(folder: Path, content: Mapping[str, Any]) -> None:
    """Write fourier_map.png and fourier_map.csv beside fourier_map.json."""
    draw_fourier_map(content).savefig(folder / "fourier_map.png", dpi=110)
    with (folder / "fourier_map.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [*content["cells"], *content["profile"]]
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        # The mean over orientations has no orientation of its own.
        writer.writerows([row | {"orientation_degrees": _shown(row["orientation_degrees"])} for row in rows])


def peak_line(content: Mapping[str, Any]) -> str:
    """Where a subgroup loses most, for the summary."""
    known = [cell for cell in content["cells"] if cell["drop"] is not None]
    if not known:
        return "Fourier map: no AUC can be told, malignant or other breasts are missing"
    most = max(known, key=lambda cell: cell["drop"])
    return (
        f"Fourier map: the largest AUC drop is {bounded(most['drop'], most['drop_low'], most['drop_high'])}, of "
        f"{most['subgroup']} at {most['frequency_per_mm']:g} cycles/mm and {most['orientation_degrees']}°"
    )


def _heat(axes: Axes, content: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], limit: float) -> Any:
    frequencies, degrees = content["frequencies_per_mm"], content["orientations_degrees"]
    values: NDArray[np.float64] = np.full((len(frequencies), 2 * len(degrees)), np.nan)
    half = math.pi / len(degrees)
    for cell in cells:
        ring, sector = frequencies.index(cell["frequency_per_mm"]), degrees.index(cell["orientation_degrees"])
        for opposite in (0, len(degrees)):
            values[ring, sector + opposite] = np.nan if cell["drop"] is None else cell["drop"]
            angle = (sector + opposite) * half
            if cell["beyond_grid"] or cell["beyond_classifier"]:
                axes.bar(angle, 1, half, ring, fill=False, hatch="////", edgecolor="0.4", linewidth=0)
            if cell["drop"] is not None and cell["drop_low"] <= 0 <= cell["drop_high"]:
                axes.plot(angle, ring + 0.5, ".", color="0.3", markersize=2)
    # Each sector in steps, because a mesh has straight edges and rings are round.
    edges = (np.arange(2 * len(degrees) * _STEPS + 1) / _STEPS - 0.5) * half
    mesh = axes.pcolormesh(
        edges, np.arange(len(frequencies) + 1), np.repeat(values, _STEPS, axis=1), cmap="RdBu_r", vmin=-limit,
        vmax=limit, zorder=0,
    )  # fmt: skip
    axes.set_xticks([degree * math.pi / 180 for degree in (*degrees, *(degree + 180 for degree in degrees))])
    axes.set_xticklabels([f"{degree}°" for degree in degrees] + [""] * len(degrees), fontsize=7)
    axes.set_yticks(np.arange(len(frequencies)) + 0.5, [f"{f:g}" for f in frequencies], fontsize=6)
    axes.set_rlabel_position(67.5)  # type: ignore[attr-defined]
    axes.grid(visible=False)
    return mesh


def _profile(axes: Axes, profile: Sequence[Mapping[str, Any]]) -> None:
    known = [each for each in profile if each["drop"] is not None and each["drop_low"] is not None]
    x = [each["frequency_per_mm"] for each in known]
    drop = np.array([each["drop"] for each in known])
    below, above = (np.array([each[name] for each in known]) for name in ("drop_low", "drop_high"))
    axes.axhline(0, color="0.7", linewidth=0.8)
    axes.errorbar(x, drop, yerr=[drop - below, above - drop], fmt="o-", color="0.15", markersize=3, capsize=2)
    axes.set_xscale("log", base=2)
    axes.set_xticks(x, [f"{f:g}" for f in x], fontsize=7, rotation=45)
    axes.minorticks_off()
    axes.set_xlabel("cycles/mm")


def _counts(cells: Sequence[Mapping[str, Any]]) -> str:
    return f"n = {cells[0]['positives']} malignant, {cells[0]['negatives']} not" if cells else ""


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}. " if said else ""


def _shown(degrees: int | None) -> str:
    return "mean" if degrees is None else str(degrees)
