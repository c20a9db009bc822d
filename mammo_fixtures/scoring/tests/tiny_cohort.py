"""Exams of a few pixels, in memory or as files, and networks that count what they score."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from mammo_fixtures.classifiers import Classifier
from mammo_fixtures.exams import Breast, Cohort, Exam, View

SHAPE = (24, 20)
SPACING_MM = 0.5
PLAN = {"lowpass": (1.0, 4.0), "gaussian_noise": (0.05,), "contrast": (0.5,), "rotation": (5,)}
CONDITIONS = 1 + sum(map(len, PLAN.values()))

scored: list[int] = []
"""Images of each call of a network of this file, in this process."""
pace_seconds = [0.0]
"""How long each call takes at least, in this process."""


class Pattern(torch.nn.Module):
    """Scores how much an image resembles a fixed pattern: it sees every perturbation, and each image by itself."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        pattern = torch.randn(SHAPE, generator=torch.Generator().manual_seed(7))
        self.pattern = torch.nn.Parameter(gain * pattern)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        scored.append(len(batch))
        time.sleep(pace_seconds[0])
        return torch.sigmoid((batch.double() * self.pattern).sum(dim=(1, 2, 3)) / 8)


class FourViews(torch.nn.Module):
    """At exam level: each breast by its own views, and a little of the other breast."""

    def __init__(self) -> None:
        super().__init__()
        self.one = Pattern()

    def forward(self, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        of_view = {name: self.one(images) for name, images in batch.items()}
        left = (of_view["L-CC"] + of_view["L-MLO"]) / 2
        right = (of_view["R-CC"] + of_view["R-MLO"]) / 2
        return {"L": 0.9 * left + 0.1 * right, "R": 0.9 * right + 0.1 * left}


def exam_level(network: torch.nn.Module | None = None, **declared: Any) -> Classifier:
    """What scores both breasts of an exam at once."""
    return Classifier(network or FourViews(), name="four", level="exam", **declared)


def pixels(exam_id: str, side: str, position: str) -> np.ndarray:
    """16-bit pixels, the breast at the left edge, other ones for every view."""
    generator = np.random.default_rng([ord(letter) for letter in exam_id + side + position])
    row, column = np.indices(SHAPE) / np.array(SHAPE)[:, None, None]
    inside = (row - 0.5) ** 2 / 0.2 + column**2 / 0.6 < 1
    return np.where(inside, generator.integers(20_000, 60_000, SHAPE), 0).astype(np.uint16)


def in_memory(exams: int = 3, positions: Iterable[str] = ("CC", "MLO")) -> Cohort:
    """Exams 0, 1, …; the left breast of every second one malignant."""

    def breast(exam_id: str, side: str) -> Breast:
        views = tuple(
            View.from_array(
                pixels(exam_id, side, position),
                pixel_spacing_mm=(SPACING_MM, SPACING_MM),
                side=side,
                position=position,
                exam_id=exam_id,
            )
            for position in positions
        )
        malignant = side == "L" and int(exam_id) % 2 == 0
        return Breast(exam_id=exam_id, side=side, views=views, malignant=malignant, subgroup="masses" * malignant)

    ids = [str(number) for number in range(exams)]
    return Cohort(
        name="tiny",
        exams=tuple(Exam(exam_id=i, breasts=(breast(i, "L"), breast(i, "R"))) for i in ids),
    )


def on_disk(folder: Path, exams: int = 3, *, labels: Mapping[str, str] | None = None, **cells: str) -> Path:
    """The manifest of the same exams as PNG files, CC only; a file that is there already stays as it is.

    `labels` gives other labels by exam, `cells` other columns, the same for every row.
    """
    rows = []
    for number in range(exams):
        for side in "LR":
            name = f"{number}_{side}.png"
            if not (folder / name).exists():
                Image.fromarray(pixels(str(number), side, "CC")).save(folder / name)
            label = str(int(side == "L" and number % 2 == 0)) if labels is None else labels[str(number)]
            rows.append(
                {
                    "exam_id": str(number),
                    "side": side,
                    "view": "CC",
                    "path": name,
                    "malignant": label,
                    "subgroup": "",
                    "pixel_spacing_mm": str(SPACING_MM),
                    **cells,
                }
            )
    manifest = folder / "site.csv"
    with manifest.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return manifest


def view_level(network: torch.nn.Module | None = None, **declared: object) -> Classifier:
    return Classifier(network or Pattern(), name="pattern", **declared)  # type: ignore[arg-type]
